"""What the line of a user is like now, as one report: for the session page, its socket and `GET /api/session/` alike.

Rows are the truth: which session lives, what it went through, what it took. What only its owner knows, such as how far
the provider is away, is put to it (`own`), and is None where the owner cannot be asked. Nothing in a report is secret,
and nothing of it was said: a handle is there or not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation

from energy.ladders import ladder_of
from energy.levels import Mode, UnknownModel, profile_of
from energy.models import EnergyChange, EnergyState
from sessions_app import usage
from sessions_app.gaps import GAP
from sessions_app.live.machine.reasons import PLANNED
from sessions_app.models import Conversation, Line, LiveSession, ResumptionHandle, SessionEvent, Turn, TurnUsage

Report = dict[str, Any]

STRIP = datetime.timedelta(minutes=10)
EVENTS_SHOWN = 200
SWAPS_SHOWN = 50
WORDS_SHOWN = 200

OWNERS_OWN = (
    "reason",
    "last_message_at",
    "go_away_in_ms",
    "refresh_is_due",
    "turn_state",
    "round_trip_ms",
    "loop_lag_ms",
    "frames_sent",
    "frames_waiting",
    "frames_acknowledged",
    "frames_resent",
    "retry_in_ms",
    "place",
)
"""What no row tells."""

_LIKE_A_SECRET = re.compile(r"(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Z])[\w+/=-]{24,}")
"""Keys and handles are long, and mixed from letters and digits; the ids of models have no capitals. A provider that
quotes one in the text of a close does not get it shown."""


def live_modes(user_id: int) -> frozenset[Mode]:
    """Those in which the user has a live session, by its row: there is an owner to be asked."""
    lines = Line.objects.filter(user=user_id, live_session__isnull=False, live_session__ended_at=None)
    return frozenset(Mode(mode) for mode in lines.values_list("mode", flat=True))


def report_of(user_id: int, own: Mapping[Mode, Mapping[str, Any]]) -> Report:
    """Both modes as they are now. For the database thread, or a view.

    Args:
        own: what the owner of each live session says of it: `SessionStats.as_data()`.
    """
    now = timezone.now()
    lines = Line.objects.filter(user=user_id, live_session__isnull=False, live_session__ended_at=None)
    sessions = {Mode(line.mode): line.live_session for line in lines.select_related("live_session")}
    living = [session.pk for session in sessions.values() if session is not None]
    events = _by_session(SessionEvent.objects.filter(live_session__in=living, kind__in=("connected", "lost")))
    pages = [session.page_id for session in sessions.values() if session is not None]
    handles = {row.page_id: row for row in _handles(user_id, now).filter(page_id__in=pages)}
    levels = {Mode(row.mode): row.level for row in EnergyState.objects.filter(user=user_id)}
    modes = {}
    for mode in Mode:
        session = sessions.get(mode)
        told = own.get(mode)
        if session is not None and told is not None and told["session"] != str(session.pk):
            told = None  # it speaks of another one: what it says will be a row in a moment
        if session is None:
            of_mode = _without_session(user_id, mode)
        else:
            of_mode = _of_session(session, told, events.get(session.pk, []), handles.get(session.page_id), now)
        level = levels.get(mode) if told is None else told["level"]
        modes[mode.value] = of_mode | {"level": _level(mode, level)} | {"strip": _strip(user_id, mode, now)}
    return {"at": now.isoformat(), "modes": modes}


def with_events(report: Report, user_id: int, *, words: bool) -> Report:
    """The same with the last events, newest first, and, where asked for, what was said in the conversations that are
    live: at most 200 of each."""
    events = SessionEvent.objects.filter(conversation__user=user_id).select_related("conversation")
    told = [
        {
            "at": event.at.isoformat(),
            "mode": event.conversation.mode,
            "kind": event.kind,
            "data": {key: without_secrets(value) for key, value in event.data.items()},
        }
        for event in events.order_by("-at", "-id")[:EVENTS_SHOWN]
    ]
    more: Report = {"events": told}
    if words:
        conversations = [mode["conversation"] for mode in report["modes"].values() if mode["conversation"]]
        more["turns"] = _turns(conversations)
    return report | more


def without_secrets(value: Any) -> Any:
    """A value of an event, and nothing in it that looks like a key or a handle."""
    return _LIKE_A_SECRET.sub("…", value) if isinstance(value, str) else value


def _handles(user_id: int, now: datetime.datetime) -> QuerySet[ResumptionHandle]:
    """Those that the provider still honours; the newest first."""
    return ResumptionHandle.objects.filter(user=user_id, expires_at__gt=now).order_by("-issued_at")


def _without_session(user_id: int, mode: Mode) -> Report:
    now = timezone.now()
    of_pages = LiveSession.objects.exclude(conversation__end_reason=Conversation.ASKED)
    sessions = of_pages.filter(conversation__user=user_id, conversation__mode=mode)
    last = sessions.order_by("-started_at").first()
    ended = None
    if last is not None and last.ended_at is not None:
        ended = {"at": last.ended_at.isoformat(), "reason": last.end_reason}
    held = _handles(user_id, now).filter(live_session__conversation__mode=mode).first()
    return {
        "active": False,
        "known": True,
        "state": "none",
        "has_valid_resumption_data": held is not None,
        "duration_ms": 0,
        "compression_enabled": None,
        "resumption_enabled": None,
        "start_time": None,
        "session": None,
        "conversation": None,
        "model": None,
        "action": None,
        "connections": 0,
        "handle": _handle(held, now),
        "swaps": [],
        "lost": {"ms": 0, "messages": 0},
        "usage": _usage(usage.UsageTotal()),
        "context": None,
        "ended": ended,
        **dict.fromkeys(OWNERS_OWN),
    }


def _of_session(
    session: LiveSession,
    told: Mapping[str, Any] | None,
    events: Collection[SessionEvent],
    handle: ResumptionHandle | None,
    now: datetime.datetime,
) -> Report:
    connected = [event for event in events if event.kind == "connected"]
    lost = [event for event in events if event.kind == "lost"]
    usages = TurnUsage.objects.filter(live_session=session)
    model = session.model if told is None else told["model"]
    return {
        # Without its owner only this is known of it: that nobody has ended it.
        "active": True if told is None else told["active"],
        "known": told is not None,
        "state": "unknown" if told is None else told["state"],
        "has_valid_resumption_data": handle is not None if told is None else told["has_valid_resumption_data"],
        "duration_ms": int((now - session.started_at).total_seconds() * 1000),
        "compression_enabled": None if told is None else told["compression_enabled"],
        "resumption_enabled": None if told is None else told["resumption_enabled"],
        "start_time": session.started_at.isoformat(),
        "session": str(session.pk),
        "conversation": str(session.conversation_id),
        "model": model or None,
        "action": connected[-1].data.get("action") if connected else None,
        "connections": len(connected),
        "handle": _handle(handle, now),
        "swaps": [_swap(event) for event in connected if "gap_ms" in event.data][-SWAPS_SHOWN:],
        "lost": {
            "ms": sum(event.data.get("ms", 0) for event in lost),
            "messages": sum(event.data.get("messages", 0) for event in lost),
        },
        "usage": _usage(usage.total(usages)),
        "context": _context(usages.order_by("-at", "-id").first(), model),
        "ended": None,
        **({name: told.get(name) for name in OWNERS_OWN} if told is not None else dict.fromkeys(OWNERS_OWN)),
    }


def _handle(row: ResumptionHandle | None, now: datetime.datetime) -> Report | None:
    """When it came and what it covers; never the handle."""
    if row is None:
        return None
    return {
        "age_ms": int((now - row.issued_at).total_seconds() * 1000),
        "expires_at": row.expires_at.isoformat(),
        "covers_turn": row.covered_turn,
        "covers_frames": row.acknowledged_number,
        "model": row.model,
    }


def _swap(event: SessionEvent) -> Report:
    cause = str(event.data.get("cause", ""))
    return {
        "at": event.at.isoformat(),
        "cause": cause,
        "planned": cause in PLANNED,
        "action": event.data.get("action"),
        "gap_ms": event.data["gap_ms"],
    }


def _usage(total: usage.UsageTotal) -> Report:
    with translation.override(settings.LANGUAGE_CODE):  # programs read it, too
        cost = usage.in_dollars(total.cost_micro_usd)
    return {
        "turns": total.turns,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cost_micro_usd": total.cost_micro_usd,
        "cost": cost,
    }


def _context(last: TurnUsage | None, model: str) -> Report | None:
    """What the model has before it since its last turn, and how much it can have; None before the first one."""
    if last is None or last.model != model:
        return None
    try:
        window = profile_of(model).context_window_tokens
    except UnknownModel:
        return None
    return {"tokens": last.input_tokens + last.output_tokens, "window_tokens": window}


def _level(mode: Mode, number: int | None) -> Report:
    ladder = ladder_of(mode)
    level = ladder.top if number is None else ladder.level(number)
    return {"number": level.number, "top": ladder.top.number, "word": level.word, "model": level.model or None}


def _strip(user_id: int, mode: Mode, now: datetime.datetime) -> Report:
    """The last ten minutes: gaps, whichever session had them, and moves of the level."""
    since = now - STRIP
    gaps = SessionEvent.objects.filter(GAP, conversation__user=user_id, conversation__mode=mode, at__gte=since)
    changes = EnergyChange.objects.filter(user=user_id, mode=mode, at__gte=since).order_by("at")
    return {
        "since": since.isoformat(),
        "gaps": [_swap(event) for event in gaps],
        "levels": [
            {"at": row.at.isoformat(), "previous": row.previous, "level": row.level, "reason": row.reason}
            for row in changes
        ],
    }


def _turns(conversations: Iterable[str]) -> list[Report]:
    rows = Turn.objects.filter(conversation__in=list(conversations)).order_by("-at", "-number")[:WORDS_SHOWN]
    return [
        {"conversation": str(row.conversation_id), "turn": row.number, "role": row.role, "text": row.text}
        for row in rows
    ]


def _by_session(events: Iterable[SessionEvent]) -> dict[Any, list[SessionEvent]]:
    found: dict[Any, list[SessionEvent]] = {}
    for event in events:
        found.setdefault(event.live_session_id, []).append(event)
    return found
