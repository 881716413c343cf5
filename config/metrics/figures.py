"""The figures of one web process that count what happens, as it happens.

Every label is one of a list that is known before anything happens, and every figure is there from the start, at 0: the
first time that something goes wrong is then a rise, which a rule can see. Nothing here names a person or holds a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from energy.levels import Mode, Reason
from sessions_app.live.machine.failures import Phase, Verdict
from sessions_app.live.machine.observed import (
    SERVED,
    Alarm,
    AlarmJudged,
    AlarmOutcome,
    ConnectionJudged,
    FramesResent,
    InputLost,
    LevelMoved,
    Observation,
    OpeningEnded,
    Outcome,
    Replied,
    ResentReason,
    ResumeOutcome,
    ResumeTried,
    SetUp,
    SwapKind,
    Swapped,
    WaitedInLine,
)
from sessions_app.live.providers.minting import MintOutcome
from sessions_app.live.watch import Watched

NOTICED_S = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0)
"""Of gaps and set-ups: a call notices some tenths of a second, and everything is given up after a minute."""

WAITED_S = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0, 1_800.0)

LATE_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

LOST_REASONS = ("connection", "failed", "limit", "refused")

MODES = tuple(Mode)


class Figures:
    """Counts what it is told of live sessions; an `Observer` of them all.

    Args:
        registry: where the figures are to be found.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, namespace="holdline", registry=registry)
        histogram = partial(Histogram, namespace="holdline", registry=registry)
        self._openings = counter(
            "openings", "Live sessions that were opened, by how they are served or why not.", ("mode", "outcome")
        )
        self._swaps = counter(
            "swaps",
            "Connections to the provider that were left, by why, and by how the session went on.",
            ("mode", "kind", "outcome"),
        )
        self._gap = histogram(
            "swap_gap_seconds",
            "How long input was held while one connection took the place of another.",
            ("mode", "kind"),
            buckets=NOTICED_S,
        )
        self._set_up = histogram(
            "setup_seconds",
            "From the dial until the provider was ready for input.",
            ("mode", "outcome"),
            buckets=NOTICED_S,
        )
        self._resumes = counter("resumes", "Dials with a handle, by what came of them.", ("mode", "outcome"))
        self._losses = counter(
            "connections_lost",
            "Connections that ended, or attempts that failed, not by us: when, and what was to be done about it.",
            ("mode", "phase", "verdict"),
        )
        self._alarms = counter(
            "alarms",
            "Suspicions that something was dead or not heard, by whether what came next showed them right.",
            ("mode", "alarm", "outcome"),
        )
        self._resent = counter(
            "frames_resent", "Frames of the microphone that the provider was sent once more.", ("mode", "reason")
        )
        self._lost_seconds = counter(
            "input_lost_seconds", "Sound of the microphone that could not be saved.", ("mode", "reason")
        )
        self._lost_messages = counter(
            "input_lost_messages", "Typed messages that could not be saved.", ("mode", "reason")
        )
        self._levels = counter(
            "level_changes", "Steps of live sessions on their ladder.", ("mode", "direction", "reason")
        )
        self._waits = histogram(
            "queue_wait_seconds",
            "How long live sessions waited for a place in the budget, by whether they got it.",
            ("mode", "outcome"),
            buckets=WAITED_S,
        )
        self._replies = counter("replies", "Replies of the model that ended, in whatever way.", ("mode",))
        self.tokens = TokenFigures(registry)
        self.sockets_refused = counter("sockets_refused", "Sockets that there was no room for.")
        self.loop_lag = histogram("event_loop_lag_seconds", "How late the event loop did what was due.", buckets=LATE_S)
        self._begin_at_nothing()
        self._listeners: Mapping[type[Observation], Callable[[Mode, Any], None]] = {
            OpeningEnded: self._on_opening_ended,
            Swapped: self._on_swapped,
            SetUp: self._on_set_up,
            ResumeTried: self._on_resume_tried,
            ConnectionJudged: self._on_connection_judged,
            AlarmJudged: self._on_alarm_judged,
            FramesResent: self._on_frames_resent,
            InputLost: self._on_input_lost,
            LevelMoved: self._on_level_moved,
            WaitedInLine: self._on_waited_in_line,
            Replied: self._on_replied,
        }

    def saw(self, watched: Watched, observation: Observation) -> None:
        listener = self._listeners.get(type(observation))
        if listener is not None:
            listener(watched.mode, observation)

    def _begin_at_nothing(self) -> None:
        _all(self._openings, MODES, Outcome)
        _all(self._swaps, MODES, SwapKind, Outcome)
        _all(self._gap, MODES, SwapKind)
        _all(self._set_up, MODES, SERVED)
        _all(self._resumes, MODES, ResumeOutcome)
        _all(self._losses, MODES, Phase, Verdict)
        _all(self._alarms, MODES, Alarm, AlarmOutcome)
        _all(self._resent, MODES, ResentReason)
        _all(self._lost_seconds, MODES, LOST_REASONS)
        _all(self._lost_messages, MODES, LOST_REASONS)
        _all(self._levels, MODES, ("up", "down"), Reason)
        _all(self._waits, MODES, ("let-in", "left"))
        _all(self._replies, MODES)

    def _on_opening_ended(self, mode: Mode, seen: OpeningEnded) -> None:
        self._openings.labels(mode, seen.outcome).inc()

    def _on_swapped(self, mode: Mode, seen: Swapped) -> None:
        self._swaps.labels(mode, seen.kind, seen.outcome).inc()
        if seen.outcome in SERVED:
            self._gap.labels(mode, seen.kind).observe(seen.ms / 1000)

    def _on_set_up(self, mode: Mode, seen: SetUp) -> None:
        self._set_up.labels(mode, seen.outcome).observe(seen.ms / 1000)

    def _on_resume_tried(self, mode: Mode, seen: ResumeTried) -> None:
        self._resumes.labels(mode, seen.outcome).inc()

    def _on_connection_judged(self, mode: Mode, seen: ConnectionJudged) -> None:
        self._losses.labels(mode, seen.phase, seen.verdict).inc()

    def _on_alarm_judged(self, mode: Mode, seen: AlarmJudged) -> None:
        self._alarms.labels(mode, seen.alarm, seen.outcome).inc()

    def _on_frames_resent(self, mode: Mode, seen: FramesResent) -> None:
        self._resent.labels(mode, seen.reason).inc(seen.count)

    def _on_input_lost(self, mode: Mode, seen: InputLost) -> None:
        self._lost_seconds.labels(mode, seen.reason).inc(seen.ms / 1000)
        self._lost_messages.labels(mode, seen.reason).inc(seen.messages)

    def _on_level_moved(self, mode: Mode, seen: LevelMoved) -> None:
        self._levels.labels(mode, "up" if seen.is_raised else "down", seen.reason).inc()

    def _on_waited_in_line(self, mode: Mode, seen: WaitedInLine) -> None:
        self._waits.labels(mode, "let-in" if seen.was_let_in else "left").observe(seen.ms / 1000)

    def _on_replied(self, mode: Mode, seen: Replied) -> None:
        self._replies.labels(mode).inc()


class TokenFigures:
    """Of ephemeral tokens that live connections are dialled with; see `token_keeper.TokenWatch`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._asked = Histogram(
            "token_mint_seconds",
            "How long it took to be given a token to dial with, or to be refused one.",
            ("outcome",),
            namespace="holdline",
            registry=registry,
            buckets=NOTICED_S,
        )
        self._dials = Counter(
            "token_dials",
            "Dials by how they came by their token: it lay ready, or was waited for.",
            ("token",),
            namespace="holdline",
            registry=registry,
        )
        _all(self._asked, MintOutcome)
        _all(self._dials, ("ready", "waited"))

    def asked_for_token(self, outcome: MintOutcome, seconds: float) -> None:
        self._asked.labels(outcome).observe(seconds)

    def dialled_by_token(self, *, was_ready: bool) -> None:
        self._dials.labels("ready" if was_ready else "waited").inc()


def _all(figure: Counter | Histogram, *labels: Iterable[str]) -> None:
    for values in product(*labels):
        figure.labels(*values)
