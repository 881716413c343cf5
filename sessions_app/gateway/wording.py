"""What toasts say. Their codes are those of the browser protocol; a code of both modes is kept without its mode."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from energy.levels import Mode

if TYPE_CHECKING:
    from energy.marking import Words


class ToastLevel(StrEnum):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Wording:
    """`text` may hold {seconds}, the length of the outage. `ms`: how long it is shown, 0 until it is dismissed."""

    level: ToastLevel
    text: Words
    ms: int


OF_A_MODE = {
    "resumed": Wording(ToastLevel.SUCCESS, _("The conversation goes on where it was."), 4_000),
    "started": Wording(ToastLevel.INFO, _("The old session could not be resumed. A new session was started."), 8_000),
    "reconnecting": Wording(ToastLevel.WARNING, _("The connection was lost. Trying to get it back."), 6_000),
    "reconnected": Wording(
        ToastLevel.SUCCESS, _("The connection was away for {seconds} s. Nothing was forgotten."), 5_000
    ),
    "rebuilt": Wording(
        ToastLevel.INFO,
        _("The old session could not be resumed. A new session was started, and it was given the conversation so far."),
        8_000,
    ),
    "failed": Wording(ToastLevel.ERROR, _("The connection could not be restored. What you typed is kept."), 0),
}

OF_BOTH_MODES = {
    "energy.lower": Wording(
        ToastLevel.WARNING, _("The service was lowered one step; the conversation goes on."), 8_000
    ),
    "energy.in_turns": Wording(
        ToastLevel.WARNING, _("There is no live line at the moment. The conversation goes on in turns."), 8_000
    ),
    "energy.restored": Wording(ToastLevel.SUCCESS, _("The service is back at a higher level."), 5_000),
    "energy.exhausted": Wording(ToastLevel.ERROR, _("The quota of every model is used up for now."), 0),
    "settings.applied": Wording(ToastLevel.SUCCESS, _("Your new settings count. What was said is kept."), 5_000),
    "input.lost": Wording(ToastLevel.WARNING, _("Some of what you said could not be saved."), 8_000),
    "begins_anew": Wording(
        ToastLevel.INFO, _("The call that this one was to go on from cannot be used. It begins without it."), 8_000
    ),
    "takeover": Wording(ToastLevel.INFO, _("This conversation was opened in another place."), 0),
    "moved": Wording(ToastLevel.INFO, _("The conversation goes on on your other device."), 0),
    "server.draining": Wording(ToastLevel.INFO, _("The server restarts. The conversation goes on in a moment."), 6_000),
}

_FULL_CODES = {"exhausted": "energy.exhausted"}


def all_codes() -> tuple[str, ...]:
    """Every full code."""
    return (*(f"{mode}.{code}" for mode in Mode for code in OF_A_MODE), *OF_BOTH_MODES)


def wording_of(code: str, mode: Mode, outage_ms: int = 0) -> tuple[str, Wording]:
    """The full code of a toast and what it says. `code` is a full one, or one of a mode without the mode."""
    code = _FULL_CODES.get(code, code)
    if code in OF_BOTH_MODES:
        return code, OF_BOTH_MODES[code]
    wording = OF_A_MODE[code]
    text = format_lazy(wording.text, seconds=max(1, round(outage_ms / 1000)))
    return f"{mode}.{code}", Wording(wording.level, text, wording.ms)
