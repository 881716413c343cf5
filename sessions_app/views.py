"""Pages that people see. What happens in a conversation goes over its WebSocket; these views only hand out the page."""

from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, redirect_to_login
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from energy.levels import Mode
from sessions_app import hand_over, known_browsers, throttle_rows
from sessions_app.client_address import address_of_request
from sessions_app.forms import LoginForm, SignupForm
from sessions_app.live.transcript import Role
from sessions_app.models import Conversation
from sessions_app.recordings.limits import Limits
from sessions_app.recordings.service import limits_of_the_server
from sessions_app.throttle import HAND_OVER, SIGN_UP, Scope, TooManyTries
from sessions_app.throttled import throttled, too_many


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """What Holdline is, for visitors; the doors to the two modes, for users."""
    if not request.user.is_authenticated:
        return render(request, "sessions_app/welcome.html", {"signup_open": settings.SIGNUP_OPEN})
    conversations = Conversation.objects.filter(user=request.user, turns__role__in=(Role.USER, Role.MODEL))
    recent = {
        "last_word": _when(conversations.filter(mode=Mode.TEXT, status=Conversation.Status.ACTIVE)),
        "last_call": _when(conversations.filter(mode=Mode.CALL)),
    }
    return render(request, "sessions_app/home.html", recent)


def _when(conversations: QuerySet[Conversation]) -> str:
    """When the last of these was used, as people say it; empty when there is none."""
    last = conversations.order_by("-last_activity_at").first()
    return str(naturaltime(last.last_activity_at)) if last else ""


@require_safe
@never_cache
@login_required
def text_page(request: HttpRequest) -> HttpResponse:
    """The text chat."""
    return render(request, "sessions_app/text.html", {"mode": "text", "ws_path": "/ws/text/", **_recordings()})


@require_safe
@never_cache
@login_required
def call_page(request: HttpRequest) -> HttpResponse:
    """The voice call."""
    return render(request, "sessions_app/call.html", {"mode": "call", "ws_path": "/ws/call/", **_recordings()})


def _recordings() -> dict[str, Limits]:
    """What may be attached to a conversation."""
    return {"recordings": limits_of_the_server()}


@require_POST
@never_cache
@login_required
@throttled(HAND_OVER)
def call_elsewhere(request: HttpRequest) -> HttpResponse:
    """A link that takes the user's call over to another device, and its QR code; 409 when there is no call."""
    try:
        ticket = hand_over.make_ticket(cast(User, request.user), Mode.CALL)
    except hand_over.NothingToHandOver:
        return JsonResponse({"error": _("There is no call that could go on elsewhere.")}, status=HTTPStatus.CONFLICT)
    link = f"{request.build_absolute_uri(reverse('call'))}?{urlencode({'take': ticket})}"
    code = segno.make(link, error="l", micro=False).svg_data_uri(border=4, dark="#000", light="#fff")
    return JsonResponse({"ticket": ticket, "link": link, "code": code, "valid_s": hand_over.VALID_S})


class LoginPage(LoginView):
    """Log-in, of operators as well; whoever is logged in already is sent on."""

    form_class = LoginForm
    next_page = "home"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"signup_open": settings.SIGNUP_OPEN}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        known_browsers.remember(self.request, response, form.get_user())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        refusal = cast(LoginForm, form).refusal
        return response if refusal is None else too_many(response, refusal)


@never_cache
def operator_login(request: HttpRequest) -> HttpResponse:
    """The admin's log-in: the page for everybody, so that there is one door, with one limit.

    Whoever is logged in as somebody without a right to the admin is told so, instead of being sent in a circle.
    """
    target = _operators_target(request)
    if admin.site.has_permission(request):
        return HttpResponseRedirect(target)
    if request.user.is_authenticated:
        return render(request, "registration/not_an_operator.html", {"next": target}, status=HTTPStatus.FORBIDDEN)
    return redirect_to_login(target)


def _operators_target(request: HttpRequest) -> str:
    """Where an operator wanted to go, within this site."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if is_ours else reverse("admin:index")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password1", "password2")
def signup(request: HttpRequest) -> HttpResponse:
    """Makes an account and logs in; while `SIGNUP_OPEN` is off, a page that says so."""
    if request.user.is_authenticated:
        return redirect("home")
    if not settings.SIGNUP_OPEN:
        status = HTTPStatus.FORBIDDEN if request.method == "POST" else HTTPStatus.OK
        return render(request, "registration/signup_closed.html", status=status)
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            throttle_rows.take(SIGN_UP, {Scope.ADDRESS: address_of_request(request)})
        except TooManyTries as refusal:
            form.add_error(None, str(refusal))
            return too_many(render(request, "registration/signup.html", {"form": form}), refusal)
        user = form.save()
        login(request, user)
        response = redirect("home")
        known_browsers.remember(request, response, user)
        return response
    return render(request, "registration/signup.html", {"form": form})
