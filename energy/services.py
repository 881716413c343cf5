"""The energy bar: which model serves a conversation now."""

from __future__ import annotations

from django.conf import settings

from energy.levels import Ladder, Level, Mode


class EnergyBarService:
    """The level of one live session, per mode. A step down lasts as long as the session."""

    def __init__(self) -> None:
        self._ladders = {mode: Ladder(mode, settings.ENERGY_LADDERS[mode]) for mode in Mode}
        self._levels = {mode: ladder.top for mode, ladder in self._ladders.items()}

    def get_level(self, mode: Mode) -> Level:
        return self._levels[mode]

    def get_top_level(self, mode: Mode) -> Level:
        return self._ladders[mode].top

    def get_current_model(self, mode: Mode) -> str:
        """The id of the model in use; empty when the ladder is exhausted."""
        return self._levels[mode].model

    def handle_rate_limit_error(self, mode: Mode) -> Level:
        """One step down; gives the new level."""
        self._levels[mode] = self._ladders[mode].below(self._levels[mode])
        return self._levels[mode]

    def reset_energy_level(self, mode: Mode) -> Level:
        """Back to the top; gives the new level."""
        self._levels[mode] = self._ladders[mode].top
        return self._levels[mode]
