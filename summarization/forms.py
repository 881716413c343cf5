"""Forms of the history pages."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from energy.levels import Mode
from summarization.history import Filters
from summarization.search_words import MOST_WORDS, has_too_many_words, words_of
from summarization.titles import TITLE_LIMIT_CHARACTERS

QUERY_LIMIT_CHARACTERS = 200
_MODES = [("", _("Calls and text chats")), (Mode.CALL.value, _("Calls")), (Mode.TEXT.value, _("Text chats"))]


class _ZoneField(forms.Field):
    """The name of a time zone, written by a script: what is none is nothing that the user could mend, and UTC."""

    def to_python(self, value: Any) -> datetime.tzinfo:
        try:
            return zoneinfo.ZoneInfo(value or "UTC")
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            return datetime.UTC


class FilterForm(forms.Form):
    """What to look for. A field that makes no sense is told and left out; the others count all the same.

    Args:
        models: the models that the user's conversations were held with.
    """

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=QUERY_LIMIT_CHARACTERS,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Any words")}),
        error_messages={
            "max_length": format_lazy(
                _("This is longer than {most} characters. Search for a few words of it."), most=QUERY_LIMIT_CHARACTERS
            )
        },
    )
    mode = forms.ChoiceField(label=_("Kind"), required=False, choices=_MODES)
    model = forms.ChoiceField(label=_("Model"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    zone = _ZoneField(required=False, widget=forms.HiddenInput(attrs={"data-time-zone": True}))
    """Where the days of `since` and `until` begin: the browser's time zone, UTC without a script."""

    def __init__(self, data: QueryDict, models: list[str]) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.fields["model"].choices = [("", gettext("Every model")), *((model, model) for model in models)]  # type: ignore[attr-defined]
        self.fields["mode"].error_messages["invalid_choice"] = _("There is no kind “%(value)s”.")
        self.fields["model"].error_messages["invalid_choice"] = _("No conversation was held with “%(value)s”.")
        for name in ("since", "until"):
            # A browser's own field for dates shows nothing that is none: the message has to.
            self.fields[name].error_messages["invalid"] = gettext(
                "“%(value)s” is no date. Write it like 2026-11-21."
            ) % {"value": data.get(name)}

    def clean_q(self) -> str:
        query: str = self.cleaned_data["q"]
        if query and not words_of(query):
            raise forms.ValidationError(
                _("Signs alone cannot be found. Add a letter or a digit that stands beside them, as in “.example”.")
            )
        return query

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day is before the one in “From”."))

    def filters(self) -> Filters:
        """What can be looked for, whatever else was filled in."""
        self.is_valid()
        known = self.cleaned_data
        return Filters(
            words=words_of(known.get("q", "")),
            mode=known.get("mode", ""),
            model=known.get("model", ""),
            since=self._midnight(known.get("since")),
            before=self._midnight(known.get("until"), days_later=1),
        )

    @property
    def is_used(self) -> bool:
        """Whether anything was asked for, sensible or not."""
        return any(value for name, value in self.data.items() if name in self.fields and name != "zone")

    @property
    def filters_set(self) -> int:
        """How many of the fields beside the search are filled in, sensibly or not."""
        return sum(bool(self.data.get(name)) for name in ("mode", "since", "until", "model"))

    @property
    def is_search_refused(self) -> bool:
        """Whether what was typed cannot be looked for. Nothing is found then: all that there is would be no answer."""
        return "q" in self.errors

    @property
    def words_looked_for(self) -> int:
        """How many words are looked for, where more were typed; else 0."""
        return MOST_WORDS if has_too_many_words(self.cleaned_data.get("q", "")) else 0

    def _midnight(self, day: datetime.date | None, days_later: int = 0) -> datetime.datetime | None:
        """The beginning of a day where the user is; None at the ends of the calendar, where nothing is cut off."""
        if day is None:
            return None
        try:
            day += datetime.timedelta(days=days_later)
            return datetime.datetime.combine(day, datetime.time.min, self.cleaned_data["zone"]).astimezone(datetime.UTC)
        except OverflowError:
            return None


class TitleForm(forms.Form):
    """A title of the user's own."""

    title = forms.CharField(
        label=_("Title"),
        max_length=TITLE_LIMIT_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write a title.")},
    )
