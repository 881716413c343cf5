"""What users write about their recordings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sessions_app.recordings.rows import NAME_CHARACTERS


class NameForm(forms.Form):
    """A name of the user's own."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write a name.")},
    )
