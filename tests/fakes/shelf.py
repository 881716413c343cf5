"""Recordings in the test's process: the test says how they come to the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sessions_app.live.providers.questions.shelf import Bringing, Unanswerable
from sessions_app.live.providers.sound_parts import InlineSound, SoundPart, UploadedSound
from sessions_app.live.questions import Listed, QuestionState
from sessions_app.live.transcript import TurnCode

TALK = Listed("talk", "talk.mp3", 90_000, 2_880, 40_000_000)


@dataclass
class FakeShelf:
    """See `questions.shelf.Shelf`. `known`: what there is. `takes_s`: how long it takes to bring them. `failure`: of
    bringing. `lost_parts`: what the provider was said to have lost. Small ones go along with the request."""

    known: dict[str, Listed] = field(default_factory=lambda: {TALK.id: TALK})
    takes_s: float = 0.0
    failure: Unanswerable | None = None
    brought: int = 0
    lost_parts: list[SoundPart] = field(default_factory=list)

    async def listed(self, conversation: str, ids: tuple[str, ...]) -> tuple[Listed, ...]:
        if any(id not in self.known for id in ids):
            raise Unanswerable(TurnCode.RECORDING_GONE)
        return tuple(self.known[id] for id in ids)

    async def parts(
        self, recordings: tuple[Listed, ...], tell: Callable[[Listed, Bringing], None]
    ) -> tuple[SoundPart, ...]:
        self.brought += 1
        if self.takes_s:
            tell(recordings[0], Bringing(QuestionState.UPLOADING, recordings[0].size_bytes // 2))
            await asyncio.sleep(self.takes_s)
        if self.failure is not None:
            raise self.failure
        return tuple(self._part(each) for each in recordings)

    async def lost(self, part: SoundPart) -> None:
        self.lost_parts.append(part)

    def _part(self, recording: Listed) -> SoundPart:
        if recording.size_bytes < 1_000_000:
            return InlineSound(b"sound", "audio/mpeg")
        return UploadedSound(f"https://files/{recording.id}-{self.brought}", "audio/mpeg")
