"""Forms of the account pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from sessions_app import throttle_rows
from sessions_app.client_address import address_of_request
from sessions_app.known_browsers import device_of
from sessions_app.throttle import LOG_IN, Scope, TooManyTries

GOOD_PASSWORD = _("At least 8 characters, and not a common password.")


class LoginForm(AuthenticationForm):
    """Django's own log-in form, with a limit; its errors do not tell whether the name or the password was wrong.

    `refusal`: set when the password was not looked at because there were too many wrong ones.
    """

    request: HttpRequest
    refusal: TooManyTries | None = None
    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _("This name and password do not go together. Passwords are case-sensitive."),
    }

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return self.cleaned_data
        taken = self._take_try(name)
        cleaned = super().clean()
        throttle_rows.succeed(taken)
        return cleaned

    def _take_try(self, name: str) -> throttle_rows.TakenTry:
        """Count the try before the password is looked at, which takes time and may turn out right for one of many.

        The name counts as the backend compares it: in another case it is another account's, or nobody's.
        """
        user = User.objects.filter(username=name).first()
        device = device_of(self.request, user)
        if device:
            subjects = {Scope.DEVICE: device}
        else:
            subjects = {Scope.ADDRESS: address_of_request(self.request), Scope.ACCOUNT: name}
        try:
            return throttle_rows.take(LOG_IN, subjects, user)
        except TooManyTries as refusal:
            self.refusal = refusal
            raise ValidationError(_sentences(refusal), code="throttled") from None


def _sentences(refusal: TooManyTries) -> list[str]:
    if refusal.scope is Scope.DEVICE:
        return [str(refusal)]
    return [str(refusal), gettext("A browser in which you have logged in before lets you in at once.")]


class SignupForm(UserCreationForm):
    """Makes an ordinary account from a name, an address if one is given, and a password typed twice."""

    field_order = ("username", "password1", "password2", "email")

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("Letters, digits and @ . + - _")
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["email"].label = _("E-mail address (optional)")
        self.fields["email"].help_text = _("For a link to a new password, should you forget yours.")
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["password1"].help_text = GOOD_PASSWORD
        self.fields["password2"].help_text = ""
        self.fields["password2"].label = _("Password again")
        self.fields["password2"].widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
