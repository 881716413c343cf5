"""Hears recordings: decodes them beside the event loop and has the words of their first minutes made out."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from emulator.decoding import can_decode, decoded
from emulator.recording import Listener, Recording, Utterance
from emulator.sound import SoundError

RECORDINGS_KEPT = 64
WORDS_TAKE_S = 20.0
"""What is said when so long was spent on words is not made out."""

_logger = logging.getLogger("emulator")


class Recognises(Protocol):
    """What an ear needs of `Recogniser`."""

    async def recognise(self, pcm: bytes) -> str | None:
        """The words in 16 kHz PCM16, or None."""


class RecordingEar:
    """Hears one recording at a time, and keeps what it heard of the last few: they come again with every question."""

    def __init__(self, recogniser: Recognises) -> None:
        if not can_decode():
            _logger.warning("PyAV is not available: recordings that are compressed or uploaded are not heard")
        self._recogniser = recogniser
        self._known: OrderedDict[str, Recording] = OrderedDict()
        self._lock = asyncio.Lock()

    async def hear_file(self, path: Path, sha256_hex: str, mime_type: str) -> Recording:
        """What is in an uploaded file; raises `SoundError` and `DecoderMissingError`."""
        return await self._hear(path, sha256_hex, mime_type)

    async def hear_bytes(self, data: bytes, mime_type: str) -> Recording:
        """What is in a recording that came with the request; raises as `hear_file`."""
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        return await self._hear(data, digest, mime_type)

    async def _hear(self, source: Path | bytes, sha256_hex: str, mime_type: str) -> Recording:
        key = f"{sha256_hex} {mime_type}"
        async with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
            heard = await asyncio.to_thread(_listen, source, mime_type)
            recording = heard.with_words([word async for word in self._words(heard.utterances)])
            self._known[key] = recording
            while len(self._known) > RECORDINGS_KEPT:
                self._known.popitem(last=False)
            return recording

    async def _words(self, utterances: tuple[Utterance, ...]) -> AsyncIterator[str | None]:
        until = time.monotonic() + WORDS_TAKE_S
        for utterance in utterances:
            yield await self._recogniser.recognise(utterance.pcm) if time.monotonic() < until else None


def _listen(source: Path | bytes, mime_type: str) -> Recording:
    listener = Listener()
    try:
        for pcm in decoded(source, mime_type):
            listener.feed(pcm)
    except OSError as error:
        # The file went while it was read.
        raise SoundError(f"it cannot be read: {error}") from error
    recording = listener.finish()
    if not recording.duration_ms:
        raise SoundError("there is no sound in it")
    return recording
