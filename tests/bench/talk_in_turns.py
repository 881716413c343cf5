"""A conversation over a connection in turns, with the unmodified SDK and the emulator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from energy.places import place_of
from sessions_app.live.providers.accounts import CloudProject
from sessions_app.live.providers.cache_rules import CacheTerms
from sessions_app.live.providers.turns.connection import TurnsConnection
from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration
from sessions_app.live.providers.turns.hearing import BLOCK_BYTES
from sessions_app.live.providers.turns.upstream import TurnsUpstream
from sessions_app.live.providers.upstream import ReplyWords, Setup, TurnComplete, UsageReported
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator

ANSWER_WITHIN_S = 120
CLOSED_WITHIN_MS = 60_000


@dataclass
class TalkInTurns:
    """Its answers are meant to be spoken, but no model is there that speaks: with one, a turn lasts for as long as its
    answer is heard, in real time. `usage`: what turns were told to have taken."""

    generation: GeminiGeneration
    connection: TurnsConnection
    usage: list[UsageReported] = field(default_factory=list)

    @classmethod
    async def begin(cls, emulator: Emulator, terms: CacheTerms | None, model: str, instruction: str) -> TalkInTurns:
        place = place_of(model)
        account = CloudProject("holdline", place.location, "emulator") if place.is_agent_platform else "test-key"
        with aimed_at(emulator):
            generation = GeminiGeneration(account, "v1beta1" if place.is_agent_platform else "v1beta", terms)
        return cls(generation, await TurnsUpstream(generation, ()).connect(Setup(model, instruction, "Kore")))

    async def end(self) -> None:
        await self.connection.close(CLOSED_WITHIN_MS)
        http = self.generation._client._api_client._async_httpx_client
        assert http
        await http.aclose()

    async def say(self, said: str | bytes) -> str:
        """Type this, or say it aloud; the answer, when nothing is done behind it any more.

        Sound goes in as fast as it is taken: what listens goes by how much it was given.
        """
        if isinstance(said, str):
            await self.connection.send_text(said)
        else:
            await self.connection.send_audio(said)
        answer = await self.answer()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "context-cache"))
        return answer

    async def answer(self) -> str:
        """Raises TimeoutError where none comes."""
        words = ""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            async for message in self.connection.messages():
                if isinstance(message, ReplyWords):
                    words += message.text
                elif isinstance(message, UsageReported):
                    self.usage.append(message)
                elif isinstance(message, TurnComplete):
                    break
        return words


def aloud(words: str) -> bytes:
    """A sentence and the quiet after it: PCM16 mono 16 kHz, whole blocks, so that it is heard alike each time."""
    pcm = spoken(words) + silence(1)
    return pcm[: len(pcm) // BLOCK_BYTES * BLOCK_BYTES]


@contextmanager
def aimed_at(emulator: Emulator) -> Iterator[None]:
    """The SDK reads from the environment whom it asks, when a client is made."""
    before = dict(os.environ)
    os.environ.update(emulator.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
