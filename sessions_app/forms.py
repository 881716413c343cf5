"""Forms of the account pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm


class LoginForm(AuthenticationForm):
    """Django's own log-in form; its error does not tell whether the name or the password was wrong."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "This name and password do not go together. Passwords are case-sensitive.",
    }


class SignupForm(UserCreationForm):
    """Makes an ordinary account from a name and a password typed twice."""

    class Meta(UserCreationForm.Meta):
        model = get_user_model()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["password1"].help_text = "At least 8 characters, and not a common password."
        self.fields["password2"].help_text = ""
        self.fields["password2"].label = "Password again"
        self.fields["password2"].widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
