"""Asks each model where it is served: one that answers and one that speaks may be at two places."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

from energy.places import Place, place_of
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.turns.generation import Chunk, Conversation, Generation
from sessions_app.live.providers.upstream import UpstreamFailed

_NOBODY = Failure(0, "API key not found: nobody can ask at the place of the model", Phase.HANDSHAKE)


class GenerationByPlace:
    """See `generation.Generation`.

    Args:
        generations: who generates at each place.
    """

    def __init__(self, generations: Mapping[Place, Generation]) -> None:
        self._generations = generations

    def conversation(self, model: str) -> Conversation:
        return self._at(model).conversation(model)

    def speak(self, model: str, text: str, voice: str) -> AsyncGenerator[Chunk, None]:
        return self._at(model).speak(model, text, voice)

    def _at(self, model: str) -> Generation:
        generation = self._generations.get(place_of(model))
        if generation is None:
            raise UpstreamFailed(_NOBODY)
        return generation
