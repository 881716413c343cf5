"""Forms of the pages about one's own account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from sessions_app import throttle_rows
from sessions_app.forms import GOOD_PASSWORD
from sessions_app.models import AccessKey
from sessions_app.throttle import OWN_PASSWORD, Scope, TooManyTries

WRONG_PASSWORD = _("This is not your password. Passwords are case-sensitive.")

MISMATCH: dict[str, Any] = {"password_mismatch": _("The two new passwords are not the same.")}


class CurrentPasswordForm(forms.Form):
    """Asks for the password again: a page that was left open is no proof of who sits there."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        _check(self.user, password)
        return password


class EmailForm(CurrentPasswordForm):
    """Sets, changes or removes the address of an account."""

    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        help_text=_("A link for a new password goes there, should you forget yours; nothing else does. May be empty."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("email", "password")


class AccessKeyForm(CurrentPasswordForm):
    """Names a new access key, and says what it is for where there is a choice.

    Args:
        uses: what keys are of use for on this server.
    """

    use = forms.ChoiceField(
        label=_("What it lets a program do"),
        help_text=_("By MCP a program reads all your conversations, and asks about your recordings."),
    )

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("What it is for: the program, or the machine that it runs on."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "use", "password")

    def __init__(self, user: User, uses: Sequence[AccessKey.Use], *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.only_use = uses[0] if len(uses) == 1 else None
        if self.only_use is not None:
            del self.fields["use"]
        else:
            self.fields["use"].choices = [(use.value, use.label) for use in uses]  # type: ignore[attr-defined]

    @property
    def chosen_use(self) -> AccessKey.Use:
        return self.only_use or AccessKey.Use(self.cleaned_data["use"])


class NewPasswordForm(SetPasswordForm):
    """A new password, typed twice."""

    error_messages = SetPasswordForm.error_messages | MISMATCH

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self)


class ChangePasswordForm(PasswordChangeForm):
    """The present password, and a new one typed twice."""

    error_messages = PasswordChangeForm.error_messages | MISMATCH

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self)
        self.fields["old_password"].label = _("Your present password")

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        _check(self.user, password)
        return password


class ResetForm(PasswordResetForm):
    """Asks for the address only: what becomes of it, `reset_mail` sees to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("The one that you gave for your account.")


def _check(user: User, password: str) -> None:
    """Raises `ValidationError` for a wrong password, and, without looking at it, after too many wrong ones."""
    try:
        taken = throttle_rows.take(OWN_PASSWORD, {Scope.ACCOUNT: str(user.pk)}, user)
    except TooManyTries as refusal:
        raise forms.ValidationError(str(refusal), code="throttled") from None
    if not user.check_password(password):
        raise forms.ValidationError(WRONG_PASSWORD)
    throttle_rows.succeed(taken)


def _word(form: forms.Form) -> None:
    form.fields["new_password1"].label = _("New password")
    form.fields["new_password1"].help_text = GOOD_PASSWORD
    form.fields["new_password2"].label = _("New password again")
    form.fields["new_password2"].help_text = ""
