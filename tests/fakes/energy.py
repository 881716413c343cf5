"""An energy bar in the test's process: the real ladder, of models the test names."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from energy.levels import Ladder, Level, LevelChange, Mode, Reason
from sessions_app.live.energy import LevelNews, Probe
from sessions_app.live.machine.failures import Failure

NEWEST = "gemini-3.8-live"
OLDER = "gemini-3.8-live-extended-thinking"
OLDEST = "gemini-2.5-flash-native-audio-preview-12-2025"


TOP_LEVELS = {Mode.CALL: 3, Mode.TEXT: 2}
"""Of the ladders that come with Holdline."""

AT = datetime.datetime(2026, 11, 20, 20, 0, tzinfo=datetime.UTC)


class FakeEnergy:
    """See `live.energy.Energy`. `models`: best first; with fewer than the ladder has, it begins further down.

    `spent`: what the ledger would hold back; a test that takes a model out of it has given its quota back. `left`: each
    model that was left for another reason, with the reason. `is_crowded`: refusals
    mean one session too many. `succeeded_on`: whose set-ups went through. `out`: what cannot be reached, as far as the
    ledger knows. `probed`: what was asked for in vain.
    `resets_at`: when what is spent is expected back.
    """

    def __init__(self, models: Sequence[str] = (NEWEST, OLDER, OLDEST)) -> None:
        self.is_crowded = self.had_their_share = False
        self._notice = ""
        self.spent: set[str] = set()
        self.left: list[tuple[str, str]] = []
        self.succeeded_on: list[str] = []
        self.out: set[str] = set()
        self.probed: list[str] = []
        self.resets_at = AT
        has_refuge = Ladder(Mode.CALL, [NEWEST, *models]).live_models != (NEWEST, *models)
        tops = dict.fromkeys(Mode, len(models)) if has_refuge else TOP_LEVELS
        self._ladders = {mode: Ladder(mode, [*([NEWEST] * top), *models[:top]][-top:]) for mode, top in tops.items()}
        self._levels = {
            mode: ladder.level(min(len(models), ladder.top.number)) for mode, ladder in self._ladders.items()
        }

    def get_level(self, mode: Mode) -> Level:
        return self._levels[mode]

    def get_top_level(self, mode: Mode) -> Level:
        return self._ladders[mode].top

    def get_resets_at(self, mode: Mode) -> datetime.datetime | None:
        above = self._ladders[mode].all_above(self._levels[mode])
        return self.resets_at if any(level.model in self._held_back for level in above) else None

    def has_refuge(self, mode: Mode) -> bool:
        return bool(self._ladders[mode].refuges_below(self._levels[mode]))

    def has_other_place(self, mode: Mode) -> bool:
        return self._ladders[mode].is_served_elsewhere_below(self._levels[mode])

    async def leave_outage(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        ladder, current = self._ladders[mode], self._levels[mode]
        self.out.update(ladder.live_models)
        return self._go(next(iter(ladder.refuges_below(current)), current), Reason.OUTAGE)

    async def due_probe(self, mode: Mode) -> Probe:
        above = [level.model for level in self._ladders[mode].all_above(self._levels[mode]) if not level.is_in_turns]
        return Probe(next((model for model in above if model in self.out), ""), bool(set(above) - self._held_back))

    async def probe_failed(self, failure: Failure, model: str, *, is_quota: bool) -> None:
        self.probed.append(model)

    @property
    def reason_for_nothing(self) -> str:
        return "quota"

    @property
    def notice(self) -> str:
        return self._notice

    async def check_fair_use(self, mode: Mode) -> LevelNews | None:
        if not self.had_their_share:
            return None
        return self._go(self._ladders[mode].level(0), Reason.MANUAL)

    async def handle_rate_limit_error(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        if self.is_crowded:
            level = self._levels[mode]
            return LevelNews(LevelChange(level, level, Reason.RATE_LIMIT_EXCEEDED, AT))
        self.spent.add(model)
        return self._leave(mode, model, Reason.RATE_LIMIT_EXCEEDED)

    async def next_model(self, mode: Mode, model: str, reason: str) -> LevelNews:
        self.left.append((model, reason))
        return self._leave(mode, model, Reason.MANUAL)

    async def avoid_spent(self, mode: Mode) -> LevelNews | None:
        model = self._levels[mode].model
        return self._leave(mode, model, Reason.RATE_LIMIT_EXCEEDED) if model in self.spent else None

    async def raise_if_possible(self, mode: Mode) -> LevelNews | None:
        level = self._first_usable(self._ladders[mode].all_above(self._levels[mode]))
        return None if level is None else self._go(level, Reason.QUOTA_RESET)

    async def reset_energy_level(self, mode: Mode, reason: Reason) -> LevelNews:
        ladder = self._ladders[mode]
        return self._go(self._first_usable(ladder.all_above(ladder.level(0))) or ladder.level(0), reason)

    async def succeeded(self, model: str) -> None:
        self.succeeded_on.append(model)
        self.out.discard(model)

    def _leave(self, mode: Mode, model: str, reason: Reason) -> LevelNews:
        ladder, current = self._ladders[mode], self._levels[mode]
        if current.model != model:
            return self._go(current, reason)
        return self._go(self._first_usable(ladder.all_below(current)) or ladder.level(0), reason)

    def _first_usable(self, levels: Iterable[Level]) -> Level | None:
        return next((level for level in levels if level.model not in self._held_back), None)

    @property
    def _held_back(self) -> set[str]:
        return self.spent | self.out | {model for model, _ in self.left}

    def _go(self, level: Level, reason: Reason) -> LevelNews:
        previous, self._levels[level.mode] = self._levels[level.mode], level
        change = LevelChange(previous, level, reason, AT, self.get_resets_at(level.mode))
        self._notice = f"Now at {level.word}."
        return LevelNews(change, self._notice if change.is_change else "")
