"""What users write about their recordings."""

from __future__ import annotations

from django import forms

from sessions_app.recordings.rows import NAME_CHARACTERS


class NameForm(forms.Form):
    """A name of the user's own."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write a name."},
    )
