"""What a live session is like at this moment, as only the process that holds it knows: composed when somebody asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sessions_app.live.machine.events import State


@dataclass(frozen=True, slots=True)
class SessionStats:
    """Nothing of it is secret, and nothing of it was said: a handle is there or not.

    `active`: a connection serves it. `start_time` and `last_message_at`: in seconds since 1970; the latter None until
    the provider has said something. `go_away_in_ms`: until the provider ends this connection, None while that has not
    been announced. `turn_state`: who has the word, of `machine.turns.TurnState`. `round_trip_ms`: to the provider and
    back, None while it is not known. `loop_lag_ms`: how late the event loop was just now. `frames_sent`: of the
    microphone, each counted once; those sent once more are `frames_resent`. `frames_waiting`: those that no connection
    was sent yet.
    """

    session: str
    state: State
    reason: str
    active: bool
    has_valid_resumption_data: bool
    duration_ms: int
    compression_enabled: bool
    resumption_enabled: bool
    start_time: float
    model: str
    level: int
    top_level: int
    level_word: str
    last_message_at: float | None
    go_away_in_ms: int | None
    refresh_is_due: bool
    turn_state: str
    round_trip_ms: int | None
    loop_lag_ms: int | None
    frames_sent: int
    frames_waiting: int
    frames_acknowledged: int
    frames_resent: int
    retry_in_ms: int | None = None
    place: int | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain values, which the channel layer and JSON can carry."""
        return asdict(self) | {"state": self.state.value}
