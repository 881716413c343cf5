"""An energy bar in the test's process: the real ladder, of models the test names."""

from __future__ import annotations

from collections.abc import Sequence

from energy.levels import TOP_LEVELS, Ladder, Level, Mode

NEWEST = "gemini-3.8-live"
OLDER = "gemini-3.1-flash-live-preview"
OLDEST = "gemini-2.5-flash-native-audio-preview-12-2025"


class FakeEnergy:
    """See `live.manager.Energy`. `models`: best first; with fewer than the ladder has, it begins further down."""

    def __init__(self, models: Sequence[str] = (NEWEST, OLDER, OLDEST)) -> None:
        self._ladders = {
            mode: Ladder(mode, [*([NEWEST] * top), *models[:top]][-top:]) for mode, top in TOP_LEVELS.items()
        }
        self._levels = {
            mode: ladder.level(min(len(models), ladder.top.number)) for mode, ladder in self._ladders.items()
        }

    def get_level(self, mode: Mode) -> Level:
        return self._levels[mode]

    def get_top_level(self, mode: Mode) -> Level:
        return self._ladders[mode].top

    def get_current_model(self, mode: Mode) -> str:
        return self._levels[mode].model

    def handle_rate_limit_error(self, mode: Mode) -> Level:
        self._levels[mode] = self._ladders[mode].below(self._levels[mode])
        return self._levels[mode]

    def reset_energy_level(self, mode: Mode) -> Level:
        self._levels[mode] = self._ladders[mode].top
        return self._levels[mode]
