"""A provider of answers in the test's process: what it was asked stands in lists, the test says what it streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sessions_app.live.machine.failures import Failure
from sessions_app.live.providers.turns.generation import Chunk
from sessions_app.live.providers.turns.prompt import Prompt
from sessions_app.live.providers.upstream import UpstreamFailed, UsageReported

Step = Chunk | Failure | float
"""What a stream does next: give something, fail, or wait so many seconds."""

Stream = Sequence[Step]

PIECE_MS = 1_000
"""The sound of each piece of text, unless the test says otherwise."""

USAGE = UsageReported(prompt_tokens=100, response_tokens=10)
VOICE_USAGE = UsageReported(prompt_tokens=5, response_tokens=25)


@dataclass(slots=True)
class Asked:
    """One request. `was_torn`: it was let go of before its end."""

    at_s: float
    model: str
    prompt: Prompt
    thinking_level: str
    was_torn: bool = False


@dataclass(slots=True)
class Read:
    """One text that was to be spoken."""

    at_s: float
    model: str
    text: str
    voice: str
    was_torn: bool = False


def words(*fragments: str, every_s: float = 0.05) -> list[Step]:
    """A stream of plain words."""
    chunks: list[Step] = []
    for fragment in fragments:
        chunks += [every_s, Chunk(fragment, usage=USAGE)]
    return [*chunks, Chunk(finish="STOP", usage=USAGE)]


def spoken(heard: str, *fragments: str, every_s: float = 0.05) -> list[Step]:
    """A stream of the JSON that is asked for where there is sound."""
    whole = json.dumps({"heard": heard, "answer": "".join(fragments)})
    start = whole.index('"answer": "') + len('"answer": "')
    cuts = [start]
    for fragment in fragments:
        cuts.append(cuts[-1] + len(json.dumps(fragment)) - 2)
    pieces = [whole[:start], *(whole[a:b] for a, b in pairwise(cuts)), whole[cuts[-1] :]]
    return words(*pieces, every_s=every_s)


def sound(ms: int = PIECE_MS) -> list[Step]:
    """A stream of sound, in halves."""
    half = bytes([7, 0]) * 24 * (ms // 2)
    return [0.1, Chunk(pcm=half), Chunk(pcm=half), Chunk(finish="STOP", usage=VOICE_USAGE)]


@dataclass
class FakeConversation:
    """See `generation.Conversation`. `to_tell`: what is taken beside its answers, told when it is asked for.
    `closing_s`: how long it takes to let go."""

    generation: FakeGeneration
    model: str
    to_tell: list[UsageReported] = field(default_factory=list)
    closing_s: float = 0.0
    is_closed: bool = False

    async def answer(self, prompt: Prompt, thinking_level: str) -> AsyncGenerator[Chunk, None]:
        asked = Asked(asyncio.get_running_loop().time(), self.model, prompt, thinking_level)
        self.generation.asked.append(asked)
        script = self.generation.script
        default = spoken("Well?", "Yes.") if prompt.is_structured else words("Yes.")
        async for chunk in _streamed(script.pop(0) if script else default, asked):
            yield chunk

    def spent(self) -> UsageReported | None:
        return self.to_tell.pop(0) if self.to_tell else None

    async def close(self, timeout_s: float) -> None:
        self.is_closed = True
        await asyncio.sleep(self.closing_s)


@dataclass
class FakeGeneration:
    """See `generation.Generation`. `script` and `voice_script` hold the next streams; when they are empty a question is
    answered with "Yes." and a text read for a second."""

    asked: list[Asked] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    script: list[Stream] = field(default_factory=list)
    voice_script: list[Stream] = field(default_factory=list)
    conversations: list[FakeConversation] = field(default_factory=list)

    def conversation(self, model: str) -> FakeConversation:
        self.conversations.append(FakeConversation(self, model))
        return self.conversations[-1]

    async def speak(self, model: str, text: str, voice: str) -> AsyncGenerator[Chunk, None]:
        read = Read(asyncio.get_running_loop().time(), model, text, voice)
        self.read.append(read)
        async for chunk in _streamed(self.voice_script.pop(0) if self.voice_script else sound(), read):
            yield chunk


async def _streamed(steps: Stream, request: Asked | Read) -> AsyncGenerator[Chunk, None]:
    request.was_torn = True
    for step in steps:
        if isinstance(step, Failure):
            request.was_torn = False
            raise UpstreamFailed(step)
        if isinstance(step, Chunk):
            yield step
        else:
            await asyncio.sleep(step)
    request.was_torn = False
