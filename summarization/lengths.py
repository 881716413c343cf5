"""How long something took and how much was lost, in the language that counts: pure."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

NOTHING_LOST = gettext_lazy("Nothing was lost.")


def loss_words(milliseconds: int, messages: int) -> str:
    """What could not be saved, as a sentence."""
    sound = duration_words(milliseconds)
    if milliseconds and messages:
        words = ngettext(
            "%(duration)s of what you said and %(count)s message could not be saved.",
            "%(duration)s of what you said and %(count)s messages could not be saved.",
            messages,
        )
        return words % {"duration": sound, "count": messages}
    if milliseconds:
        return _("%(duration)s of what you said could not be saved.") % {"duration": sound}
    if messages:
        words = ngettext("%(count)s message could not be saved.", "%(count)s messages could not be saved.", messages)
        return words % {"count": messages}
    return str(NOTHING_LOST)


def duration_words(milliseconds: int) -> str:
    """Such as "4.2 seconds", "3 minutes 7 seconds" or "2 hours 5 minutes"."""
    tenths = round(milliseconds / 100) / 10
    if milliseconds < 10_000 and not tenths.is_integer():
        return _("%(tenths)s seconds") % {"tenths": number_format(tenths, use_l10n=True)}
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    longer, shorter = ([_count(number, unit) for number, unit in parts if number] + ["", ""])[:2]
    if not shorter:
        return longer or _count(0, "second")
    # Translators: a length of time, such as 3 minutes 7 seconds
    return _("%(longer)s %(shorter)s") % {"longer": longer, "shorter": shorter}


def length_words(milliseconds: int) -> str:
    """How long somebody talked, as they would say it: "a moment", "40 seconds", "3 minutes" or "2 hours 5 minutes"."""
    if milliseconds < 1_000:
        return _("a moment")
    seconds = round(milliseconds / 1_000)
    return _count(seconds, "second") if seconds < 60 else duration_words(round(seconds / 60) * 60_000)


def _count(number: int, unit: str) -> str:
    words = {
        "day": ngettext("%(count)s day", "%(count)s days", number),
        "hour": ngettext("%(count)s hour", "%(count)s hours", number),
        "minute": ngettext("%(count)s minute", "%(count)s minutes", number),
        "second": ngettext("%(count)s second", "%(count)s seconds", number),
    }
    return words[unit] % {"count": number}
