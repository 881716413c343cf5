"""The pages about one's own account: the password, the browsers, the end of it. They work without a script."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app import known_browsers, throttle_rows
from sessions_app.accounts import access_keys, browsers, reset_mail
from sessions_app.accounts.deletion import LastOperator, delete_account, is_last_operator
from sessions_app.accounts.forms import (
    AccessKeyForm,
    ChangePasswordForm,
    CurrentPasswordForm,
    EmailForm,
    NewPasswordForm,
    ResetForm,
)
from sessions_app.client_address import address_of_request
from sessions_app.models import AccessKey
from sessions_app.recordings.service import has_files_page
from sessions_app.throttle import PASSWORD_RESET, Scope, TooManyTries
from sessions_app.throttled import too_many

takes_a_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@never_cache
@login_required
def account_page(request: HttpRequest) -> HttpResponse:
    """Who the user is, and where they are logged in."""
    user = _user(request)
    context = {
        "browsers": browsers.browsers_of(user, request.session.session_key),
        "keys": access_keys.keys_of(user),
        "key_uses": _uses_of_keys(),
        "has_files": has_files_page(user),
        "section": "account",
    }
    return render(request, "account/account.html", context)


@takes_a_form
@never_cache
@sensitive_post_parameters("password")
@login_required
def change_email(request: HttpRequest) -> HttpResponse:
    """Sets, changes or removes the address that a link for a new password goes to."""
    user = _user(request)
    form = EmailForm(user, request.POST or None, initial={"email": user.email})
    if request.method == "POST" and form.is_valid():
        user.email = form.cleaned_data["email"]
        user.save(update_fields=["email"])
        text = _("Your e-mail address was changed.") if user.email else _("Your e-mail address is gone.")
        messages.success(request, text)
        return redirect("account")
    return render(request, "account/email.html", {"form": form, "section": "account"})


@takes_a_form
@never_cache
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Sets a new password. This browser stays logged in, under a new session, and no other does."""
    user = _user(request)
    form = ChangePasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save(commit=False)
        with transaction.atomic():
            user.save(update_fields=["password"])
            browsers.log_out_others(user, request.session.session_key)
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password was changed, and you are logged out in every other browser."))
        response = redirect("account")
        known_browsers.remember(request, response, user)
        return response
    return render(request, "account/password.html", {"form": form, "section": "account"})


@require_POST
@never_cache
@login_required
def log_browser_out(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Logs one browser of the user out. Raises Http404 for another's, and for none."""
    if not browsers.log_out(_user(request), id):
        raise Http404
    messages.success(request, _("That browser is logged out, and what it had open is closed."))
    return redirect("account")


@require_POST
@never_cache
@login_required
def log_other_browsers_out(request: HttpRequest) -> HttpResponse:
    """Logs the user out everywhere but here."""
    browsers.log_out_others(_user(request), request.session.session_key)
    messages.success(request, _("You are logged out in every other browser, and what they had open is closed."))
    return redirect("account")


@takes_a_form
@never_cache
@sensitive_post_parameters("password")
@login_required
def new_key(request: HttpRequest) -> HttpResponse:
    """Makes an access key, after the password was given again, and shows it this once. 404 where there is no use."""
    uses = _uses_of_keys()
    if not uses:
        raise Http404
    user = _user(request)
    form = AccessKeyForm(user, uses, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = access_keys.make(user, form.cleaned_data["name"], form.chosen_use)
            return render(request, "account/key_made.html", {"made": made, "section": "account"})
        except access_keys.NameTaken:
            form.add_error("name", _("You have a key of this name. Give it another, or revoke the old one first."))
        except access_keys.NoMoreKeys as refusal:
            form.add_error(None, str(refusal))
    return render(request, "account/key_new.html", {"form": form, "section": "account"})


def _uses_of_keys() -> list[AccessKey.Use]:
    """What keys are of use for on this server."""
    switched_on = {AccessKey.Use.TOKENS: settings.EPHEMERAL_TOKENS, AccessKey.Use.MCP: settings.MCP}
    return [use for use, is_on in switched_on.items() if is_on]


@require_POST
@never_cache
@login_required
def revoke_key(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ends an access key of the user. Raises Http404 for another's, and for none."""
    if not access_keys.revoke(_user(request), id):
        raise Http404
    messages.success(request, _("That key is revoked. Tokens that were made by it count until they expire."))
    return redirect("account")


@takes_a_form
@never_cache
@sensitive_post_parameters("password")
@login_required
def delete_page(request: HttpRequest) -> HttpResponse:
    """States what goes with the account, asks for the password, and deletes it on POST."""
    user = _user(request)
    form = CurrentPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            delete_account(user)
        except LastOperator:
            return render(request, "account/last_operator.html", {"section": "account"}, status=HTTPStatus.CONFLICT)
        logout(request)
        messages.success(request, _("Your account is gone, with everything that belonged to it."))
        return redirect("login")
    if is_last_operator(user):
        return render(request, "account/last_operator.html", {"section": "account"})
    context = {"form": form, "has_files": has_files_page(user), "section": "account"}
    return render(request, "account/delete.html", context)


@method_decorator(never_cache, name="dispatch")
class ResetPage(PasswordResetView):
    """Takes an address, and says the same whether or not it is that of an account."""

    form_class = ResetForm
    template_name = "account/reset.html"
    success_url = reverse_lazy("password_reset_done")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().get(request, *args, **kwargs) if settings.SENDS_MAIL else _ask_the_operator(request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.SENDS_MAIL:
            return _ask_the_operator(request, HTTPStatus.FORBIDDEN)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        address = form.cleaned_data["email"]
        subjects = {Scope.ADDRESS: address_of_request(self.request), Scope.ACCOUNT: address.casefold()}
        try:
            throttle_rows.take(PASSWORD_RESET, subjects)
        except TooManyTries as refusal:
            form.add_error(None, str(refusal))
            return too_many(self.form_invalid(form), refusal)
        reset_mail.send_later(address, self.request.get_host(), is_secure=self.request.is_secure())
        return redirect(self.get_success_url())


@require_safe
@never_cache
def reset_sent(request: HttpRequest) -> HttpResponse:
    """Says what to expect, to whoever asked for a mail."""
    context = {
        "valid_minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
        "is_logged": settings.EMAIL_BACKEND.endswith("console.EmailBackend"),
    }
    return render(request, "account/reset_sent.html", context)


class ResetConfirmPage(PasswordResetConfirmView):
    """Where the link of the mail leads: sets a new password, and ends whatever the old one let in."""

    form_class = NewPasswordForm
    template_name = "account/reset_confirm.html"

    def form_valid(self, form: Form) -> HttpResponse:
        user = cast(NewPasswordForm, form).save(commit=False)
        with transaction.atomic():
            user.save(update_fields=["password"])
            browsers.log_out_everywhere(user)
        logout(self.request)  # the link's token goes, and whoever was logged in here
        messages.success(self.request, _("Your password was changed. Log in with the new one."))
        response = redirect("login")
        known_browsers.remember(self.request, response, user)  # whoever is locked out by strangers gets in by mail
        return response


def _ask_the_operator(request: HttpRequest, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "account/reset_closed.html", status=status)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
