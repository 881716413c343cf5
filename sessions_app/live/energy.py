"""What the driver needs of the energy bar, in our words. The edge implements it; tests have a fake."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Protocol

from energy.levels import Level, LevelChange, Mode, Reason
from sessions_app.live.machine.failures import Failure


@dataclass(frozen=True, slots=True)
class LevelNews:
    """A change of level, or a refusal that changed nothing, and what is said about it: `notice`, empty for nothing."""

    change: LevelChange
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a session is to do to be back on a better line, or on one at all.

    `model`: the Live model that it is to ask for now, for everybody; empty for none. `may_rise`: a better one has just
    answered somebody.
    """

    model: str = ""
    may_rise: bool = False


class Energy(Protocol):
    """The level of one live session. What is asked of the ledger takes a moment, and never raises."""

    def get_level(self, mode: Mode) -> Level: ...

    def get_top_level(self, mode: Mode) -> Level: ...

    def has_refuge(self, mode: Mode) -> bool:
        """Whether there is a level below that needs no Live connection, as the present one does."""

    def has_other_place(self, mode: Mode) -> bool:
        """Whether a level below has a model at another place, where another account asks."""

    def get_resets_at(self, mode: Mode) -> datetime.datetime | None:
        """When a model above the level is expected back, if one is known to be spent."""

    @property
    def reason_for_nothing(self) -> str:
        """Why there is no model, if there is none: `quota` or `fair-use`."""

    @property
    def notice(self) -> str:
        """What there was to say last about the level, or why it is what it is; may be empty."""

    async def handle_rate_limit_error(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        """The provider's confirmed verdict that the quota of `model` is used up, or that there is no room now."""

    async def next_model(self, mode: Mode, model: str, reason: str) -> LevelNews:
        """Leave a model for a reason that is not quota."""

    async def leave_outage(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        """No Live connection is to be had; to a level that needs none, or none where the ladder has no such level."""

    async def due_probe(self, mode: Mode) -> Probe:
        """What is to be done at a level below others to be back at a better one."""

    async def probe_failed(self, failure: Failure, model: str, *, is_quota: bool) -> None:
        """What was asked for is not to be had yet."""

    async def avoid_spent(self, mode: Mode) -> LevelNews | None:
        """Leave the model if others have found it spent; None to dial it."""

    async def raise_if_possible(self, mode: Mode) -> LevelNews | None:
        """The model has answered; to a better one whose quota is back, None when there is none."""

    async def reset_energy_level(self, mode: Mode, reason: Reason) -> LevelNews:
        """To the best model whose quota is not used up."""

    async def check_fair_use(self, mode: Mode) -> LevelNews | None:
        """To level 0 if the user has had their share by now."""

    async def succeeded(self, model: str) -> None:
        """A set-up on `model` went through."""
