"""A live session over a connection in turns, with everything around it played by the test."""

from __future__ import annotations

from typing import Any

from energy.levels import Mode
from sessions_app.live.providers.turns.account import Line, Sound
from sessions_app.live.providers.turns.upstream import TurnsUpstream
from sessions_app.live.voice import BYTES_PER_MS
from tests.fakes.generation import Asked, FakeGeneration, Read, Stream
from tests.live.stage import FRAME_MS, Stage
from tests.live.turns.voices import voice

BEST, SECOND, THIRD = "gemini-3.8-flash", "gemini-3.6-flash", "gemini-3.5-flash"
VOICES = ("gemini-3.8-flash-lite-tts", "gemini-3.8-flash-tts")
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
PAUSE_S = 0.8


class TurnsStage(Stage):
    """As a `Stage`. `generation` is who answers and speaks, `spoken_until` the frame after the last one of speech."""

    def __init__(self, mode: Mode = Mode.CALL, **options: Any) -> None:
        self.generation = FakeGeneration()
        self.spoken_until = 0
        provider = TurnsUpstream(self.generation, VOICES)
        super().__init__(mode, (BEST, SECOND, THIRD), provider=provider, **options)

    def answers(self, *streams: Stream) -> None:
        self.generation.script += streams

    def voices(self, *streams: Stream) -> None:
        self.generation.voice_script += streams

    @property
    def asked(self) -> list[Asked]:
        return self.generation.asked

    @property
    def read(self) -> list[Read]:
        return self.generation.read

    def before(self, request: int = -1) -> list[tuple[str, str]]:
        """What a request says of the conversation before it."""
        return [_as_pair(line) for line in self.asked[request].prompt.question.before]

    def sounds(self, request: int = -1) -> int:
        """How many utterances a request holds."""
        return sum(isinstance(part, Sound) for part in self.asked[request].prompt.question.parts)

    async def listen(self, pcm: bytes) -> None:
        """So much comes of the microphone, as it is recorded."""
        for start in range(0, len(pcm), FRAME_BYTES):
            self.manager.take_audio(self.next_frame, pcm[start : start + FRAME_BYTES])
            self.next_frame += 1
            await self.wait(FRAME_MS / 1000)

    async def pause(self, seconds: float = PAUSE_S) -> None:
        """Nobody speaks."""
        await self.listen(bytes(int(seconds * 1000 / FRAME_MS) * FRAME_BYTES))

    async def say(self, ms: int = 1_000) -> None:
        """The user says something, and ends."""
        await self.listen(voice(ms))
        self.spoken_until = self.next_frame
        await self.pause()


def _as_pair(line: Line) -> tuple[str, str]:
    return (str(line.role), line.text)
