"""Conversations in turns, see `upstream.Upstream`."""

from __future__ import annotations

from collections.abc import Sequence

from energy.places import id_of
from sessions_app.live.providers.turns.connection import TurnsConnection
from sessions_app.live.providers.turns.generation import Generation
from sessions_app.live.providers.turns.reply import Terms
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import Setup

QUICK_THINKING = "LOW"
"""The least that all models since Gemini 3 take, which else think more (documentation of thinking, read 2026-11):
somebody waits."""

_OLD_GENERATIONS = ("gemini-2.",)
"""These are told a number of tokens instead, which some of them do not let be none."""

_QUICK_ALREADY = "-lite"
"""Models of this kind think less than that by themselves."""


class TurnsUpstream:
    """Gives connections behind which there is no line.

    Args:
        generation: who answers and speaks.
        voice_models: that speak the answers, best first.
    """

    def __init__(self, generation: Generation, voice_models: Sequence[str]) -> None:
        self._generation = generation
        self._voices = VoiceModels(voice_models)

    def expect(self, model: str) -> None:
        """There is nothing to get ready."""

    async def connect(self, setup: Setup) -> TurnsConnection:
        """Dials nothing: whether the model answers shows in the first turn."""
        level = setup.thinking_level or thinking_level_of(setup.model)
        conversation = self._generation.conversation(setup.model)
        terms = Terms(self._generation, conversation, self._voices, setup.model, setup.voice, level)
        return TurnsConnection(setup, terms)


def thinking_level_of(model: str) -> str:
    """How much a model is to think while somebody waits; empty for what it does by itself."""
    return "" if id_of(model).startswith(_OLD_GENERATIONS) or _QUICK_ALREADY in model else QUICK_THINKING
