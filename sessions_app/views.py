"""Pages that people see. What happens in a conversation goes over its WebSocket; these views only hand out the page."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from energy.levels import Mode
from sessions_app.forms import LoginForm, SignupForm
from sessions_app.models import Conversation


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """What Holdline is, for visitors; the doors to the two modes, for users."""
    if not request.user.is_authenticated:
        return render(request, "sessions_app/welcome.html", {"signup_open": settings.SIGNUP_OPEN})
    conversations = Conversation.objects.filter(user=request.user, turns__isnull=False)
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
    return render(request, "sessions_app/text.html", {"mode": "text", "ws_path": "/ws/text/"})


@require_safe
@never_cache
@login_required
def call_page(request: HttpRequest) -> HttpResponse:
    """The voice call."""
    return render(request, "sessions_app/call.html", {"mode": "call", "ws_path": "/ws/call/"})


class LoginPage(LoginView):
    """Log-in; whoever is logged in already is sent on."""

    form_class = LoginForm
    next_page = "home"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"signup_open": settings.SIGNUP_OPEN}


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
        login(request, form.save())
        return redirect("home")
    return render(request, "registration/signup.html", {"form": form})
