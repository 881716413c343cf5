"""What the connections of a conversation went through, in plain words, in the language that counts: pure.

Rows tell every step; people want to know what happened, how long it took and what it cost them. So everything from the
loss of a connection until the next one stands becomes one moment, and so does a planned change of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sessions_app.live.machine.reasons import GapCause
from summarization.lengths import NOTHING_LOST, duration_words, loss_words

_AFTERMATH = timedelta(seconds=10)
"""What could not be saved is counted a moment after the connection is back."""

# Translators: such a clause begins a sentence, as in: The network to Gemini broke; the session went on where it was.
_CAUSES = {
    "network": gettext_lazy("The network to Gemini broke"),
    "connection-reset": gettext_lazy("Gemini closed the connection"),
    "provider-unavailable": gettext_lazy("Gemini could not be reached"),
    "provider-fault": gettext_lazy("Gemini had a fault"),
    "try-later": gettext_lazy("Gemini asked to come back later"),
    "rate-limit": gettext_lazy("Gemini asked for a pause"),
    "quota": gettext_lazy("The quota of the model was used up"),
    "billing": gettext_lazy("The credit for Gemini was used up"),
    "unknown-model": gettext_lazy("Gemini did not offer the model"),
    "unfit-model": gettext_lazy("The model could not hold such a conversation"),
    "handle-dead": gettext_lazy("Gemini no longer knew the session"),
    "handle-refused": gettext_lazy("Gemini no longer knew the session"),
    "handle-suspect": gettext_lazy("Gemini closed the session twice at once"),
    "replay-refused": gettext_lazy("Gemini refused what was sent again"),
    "silent": gettext_lazy("Gemini did not answer"),
    "send-blocked": gettext_lazy("Gemini took nothing any more"),
}
_LOST = gettext_lazy("The connection was lost")

_RETURNS = {
    "resumed": gettext_lazy("the session went on where it was"),
    "rebuilt": gettext_lazy("a new session was given the conversation so far"),
    "new": gettext_lazy("a new session began"),
}

_OPENINGS = {
    "resumed": gettext_lazy("The session was taken up again where it was."),
    "rebuilt": gettext_lazy("A new session began, and was given the conversation so far."),
}

_ENDS = {
    "hung-up": gettext_lazy("You hung up."),
    "reset": gettext_lazy("You cleared the conversation."),
    "page-gone": gettext_lazy("The page did not come back, and the connection was closed."),
    "logged-out": gettext_lazy("You were logged out."),
    "taken-over": gettext_lazy("The conversation was opened in another place."),
    "operator": gettext_lazy("An operator ended the session."),
}

_RESTARTED = "draining"


class Tone(StrEnum):
    """How a moment is marked: of no consequence, well done, held with effort, or bad."""

    QUIET = "quiet"
    GOOD = "good"
    HELD = "held"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the timeline. `model`: that of its live session, or empty."""

    at: datetime
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened. `gap_ms`: how long there was no connection, None where there was no gap. `loss`: what it cost."""

    at: datetime
    text: str
    tone: Tone
    gap_ms: int | None = None
    loss: str = ""


@dataclass(slots=True)
class _Outage:
    """From the loss of a connection until the next one stands."""

    began_at: datetime
    cause: str = ""
    models: list[str] = field(default_factory=list)
    note: str = ""
    action: str = ""
    is_of_page: bool = False
    gap_ms: int | None = None
    ended_at: datetime | None = None
    lost_ms: int = 0
    lost_messages: int = 0

    def moment(self) -> Moment:
        if self.ended_at is None:
            note = self.note or _("It was not restored.")
            text = f"{self.cause}. {note}"
            return Moment(self.began_at, text, Tone.DOWN, loss=self._loss())
        tone = Tone.DOWN if self._lost else Tone.HELD
        if self.is_of_page:
            away = duration_words(self.gap_ms or 0)
            text = _("The page was away for %(duration)s, and came back.") % {"duration": away}
            return Moment(self.began_at, text, tone, self.gap_ms, self._loss())
        text = _told(self.cause, _returned(self.action, _("it came back")), self.models[-1] if self.models else "")
        return Moment(self.began_at, text, tone, self.gap_ms, self._loss())

    @property
    def _lost(self) -> bool:
        return bool(self.lost_ms or self.lost_messages)

    def _loss(self) -> str:
        if self.ended_at is None and not self._lost:
            return ""
        return loss_words(self.lost_ms, self.lost_messages)


def timeline(events: Iterable[Event]) -> tuple[Moment, ...]:
    """The moments of a conversation, oldest first, from its events in order."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    return reader.moments()


def verdict(moments: Iterable[Moment]) -> str:
    """All moments in one or two sentences: how many gaps there were, how long in all, and what they cost."""
    told = tuple(moments)
    gaps_ms = [moment.gap_ms for moment in told if moment.gap_ms is not None]
    losses = [moment for moment in told if moment.loss and moment.loss != str(NOTHING_LOST)]
    if gaps_ms:
        words = ngettext("%(count)s gap, %(duration)s in all.", "%(count)s gaps, %(duration)s in all.", len(gaps_ms))
        held = words % {"count": len(gaps_ms), "duration": duration_words(sum(gaps_ms))}
    else:
        held = _("The line held without a gap.")
    cost = _("Something was lost: see below.") if losses else NOTHING_LOST
    return f"{held} {cost}"


def _returned(action: str, otherwise: str) -> str:
    return str(_RETURNS.get(action, otherwise))


def _told(what: str, then: str, model: str = "") -> str:
    """Two clauses as a sentence."""
    if model:
        # Translators: the parts are clauses of their own: The network broke; a new session began with gemini-live.
        return _("%(what)s; %(then)s with %(model)s.") % {"what": what, "then": then, "model": model}
    # Translators: the parts are clauses of their own, such as: The network to Gemini broke; it came back.
    return _("%(what)s; %(then)s.") % {"what": what, "then": then}


class _Reader:
    """Turns events into moments, one after the other."""

    def __init__(self) -> None:
        self._told: list[Moment | _Outage] = []
        self._outage: _Outage | None = None
        self._last_outage: _Outage | None = None
        self._is_swap_due = False
        self._is_refresh_due = False
        self._has_forgotten = False
        self._move = ""
        self._page_gone_at: datetime | None = None

    def moments(self) -> tuple[Moment, ...]:
        """What was read so far."""
        self._page_stays_away()
        told = (told.moment() if isinstance(told, _Outage) else told for told in self._told)
        return tuple(sorted(told, key=lambda moment: moment.at))

    def read(self, event: Event) -> None:
        read = self._readers.get(event.kind)
        if read is not None:
            read(self, event)
        elif event.kind not in _TECHNICAL:
            self._tell(event.at, f"{event.kind.replace('_', ' ').capitalize()}.", Tone.QUIET)

    def _tell(self, at: datetime, text: str, tone: Tone, gap_ms: int | None = None, loss: str = "") -> None:
        self._told.append(Moment(at, text, tone, gap_ms, loss))

    def _open_outage(self, at: datetime, cause: str) -> None:
        self._is_swap_due = self._is_refresh_due = False
        if self._outage is None:
            self._outage = self._last_outage = _Outage(at, cause)
            self._told.append(self._outage)

    def _connected(self, event: Event) -> None:
        action = str(event.data.get("action", ""))
        swapped, self._is_swap_due = self._is_swap_due, False
        refreshed, self._is_refresh_due = self._is_refresh_due, False
        forgotten, self._has_forgotten = self._has_forgotten, False
        move, self._move = self._move, ""
        if self._outage is not None:
            self._close_outage(self._outage, event, action)
        elif forgotten:
            text = _("Gemini had forgotten the conversation; it was given back to a new session.")
            self._tell(event.at, text, Tone.HELD, loss=str(NOTHING_LOST))
        elif move:
            self._tell(event.at, _told(move, _returned(action, _("it went on"))), Tone.GOOD, loss=str(NOTHING_LOST))
        elif swapped:
            text = _told(_("Gemini ended the connection as announced"), _returned(action, _("the next one took over")))
            self._tell(event.at, text, Tone.GOOD, loss=str(NOTHING_LOST))
        elif refreshed:
            text = _told(_("You asked for another connection"), _returned(action, _("it took over")))
            self._tell(event.at, text, Tone.GOOD, loss=str(NOTHING_LOST))
        elif event.data.get("cause") == GapCause.SETTINGS:
            text = _told(_("Your settings had changed"), _returned(action, _("the line took them over")))
            self._tell(event.at, text, Tone.GOOD, loss=str(NOTHING_LOST))
        else:
            self._tell(event.at, _opened(action, event.model), Tone.GOOD)

    def _close_outage(self, outage: _Outage, event: Event, action: str) -> None:
        measured_ms = event.data.get("outage_ms")
        outage.gap_ms = measured_ms if isinstance(measured_ms, int) and measured_ms else _between(outage, event)
        outage.action = action
        outage.ended_at = event.at
        self._outage = None

    def _connection_lost(self, event: Event) -> None:
        self._open_outage(event.at, str(_CAUSES.get(str(event.data.get("reason", "")), _LOST)))

    def _lost(self, event: Event) -> None:
        milliseconds, messages = _number(event.data.get("ms")), _number(event.data.get("messages"))
        outage = self._last_outage
        if outage is not None and (outage.ended_at is None or event.at - outage.ended_at <= _AFTERMATH):
            outage.lost_ms += milliseconds
            outage.lost_messages += messages
        else:
            self._tell(event.at, _("Something was lost."), Tone.DOWN, loss=loss_words(milliseconds, messages))

    def _level_changed(self, event: Event) -> None:
        model = str(event.data.get("model", "")) or _("another model")
        if self._outage is not None:
            self._outage.models.append(model)
        else:
            self._move = _DIRECTIONS[event.kind] % {"model": model}

    def _gave_up(self, event: Event) -> None:
        text = str(_SURRENDERS[event.kind])
        if self._outage is not None:
            self._outage.note = text
        else:
            self._tell(event.at, text, Tone.DOWN)

    def _go_away(self, event: Event) -> None:
        self._is_swap_due = True

    def _refresh_asked(self, event: Event) -> None:
        self._is_refresh_due = True

    def _memory_lost(self, event: Event) -> None:
        self._has_forgotten = True

    def _page_gone(self, event: Event) -> None:
        self._page_gone_at = event.at

    def _page_back(self, event: Event) -> None:
        """The page knows best how long it was away: its old connection may stand here until it has a new one."""
        gone_at, self._page_gone_at = self._page_gone_at, None
        away_ms = _number(event.data.get("away_ms"))
        if away_ms:
            gone_at = event.at - timedelta(milliseconds=away_ms)
        if gone_at is None:
            return
        outage = self._last_outage = _Outage(gone_at, is_of_page=True)
        outage.gap_ms = away_ms or _between(outage, event)
        outage.ended_at = event.at
        self._told.append(outage)

    def _page_stays_away(self) -> None:
        if self._page_gone_at is not None:
            self._tell(self._page_gone_at, _("The page was closed."), Tone.QUIET)
            self._page_gone_at = None

    def _refused(self, event: Event) -> None:
        self._tell(event.at, _("Gemini declined to answer."), Tone.QUIET)

    def _voice_missing(self, event: Event) -> None:
        self._tell(event.at, _("No voice was to be had: answers were only written."), Tone.QUIET)

    def _question_failed(self, event: Event) -> None:
        self._tell(event.at, _("A question about a recording was not answered."), Tone.QUIET)

    def _ended(self, event: Event) -> None:
        self._page_stays_away()
        self._is_swap_due = self._is_refresh_due = self._has_forgotten = False
        self._move = ""
        reason = str(event.data.get("reason", ""))
        if reason == _RESTARTED:
            self._open_outage(event.at, _("The server restarted"))
            return
        self._outage = None
        self._tell(event.at, str(_ENDS.get(reason, _("The session ended."))), Tone.QUIET)

    _readers: Mapping[str, Callable[[_Reader, Event], None]] = {
        "connected": _connected,
        "connection_lost": _connection_lost,
        "connection_abandoned": _connection_lost,
        "lost": _lost,
        "level_lowered": _level_changed,
        "level_raised": _level_changed,
        "exhausted": _gave_up,
        "failed": _gave_up,
        "go_away": _go_away,
        "refresh_asked": _refresh_asked,
        "memory_lost": _memory_lost,
        "page_gone": _page_gone,
        "page_back": _page_back,
        "turn_refused": _refused,
        "voice_missing": _voice_missing,
        "question_failed": _question_failed,
        "ended": _ended,
    }


_SURRENDERS = {
    "exhausted": gettext_lazy("The quota of every model was used up."),
    "failed": gettext_lazy("The connection could not be restored for a minute."),
}

_DIRECTIONS = {
    "level_lowered": gettext_lazy("The conversation moved down to %(model)s"),
    "level_raised": gettext_lazy("The conversation moved up to %(model)s"),
}

_TECHNICAL = {"usage", "handle_forgotten"}
"""Of no interest to those who talk."""


def _opened(action: str, model: str) -> str:
    if action in _OPENINGS:
        return str(_OPENINGS[action])
    return _("Connected to %(model)s.") % {"model": model} if model else _("Connected.")


def _between(outage: _Outage, event: Event) -> int:
    return max(0, round((event.at - outage.began_at).total_seconds() * 1000))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
