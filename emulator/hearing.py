"""Audio as it comes in: checked, brought to 16 kHz, cut into utterances by the detector or by the client's marks."""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.deafness import Activity, Deafness, HardOfHearing
from emulator.heard import HeardAudio
from emulator.setup import Setup
from emulator.sound import SoundError, at_16_khz
from emulator.texts import CATALOGUE, RefusedError
from emulator.vad import BYTES_PER_MS, SpeechEnded, SpeechStarted, VoiceActivityDetector
from emulator.wire import Json, WireError, decode_base64

_MIME = re.compile(r"^audio/(?:pcm|l16)\s*(?:;\s*rate\s*=\s*(\d+))?$", re.IGNORECASE)


class AudioInput:
    """The ear of one connection, which adds to what its session has heard.

    `next_deafness` is asked at the beginning of each utterance that the detector finds.
    Raises `RefusedError` for sound the service would not take.
    """

    def __init__(self, setup: Setup, heard: HeardAudio, next_deafness: Callable[[], Deafness | None]) -> None:
        self._heard = heard
        self._automatic = setup.automatic_activity
        self._needs_rate = setup.profile.needs_audio_rate
        self._detector = HardOfHearing(VoiceActivityDetector(setup.silence_ms), next_deafness)
        self._marked: bytearray | None = None
        self.received_ms = 0.0
        #: True once audio came without a rate on a model that needs one.
        self.rate_is_missing = False

    @property
    def in_speech(self) -> bool:
        """True while the user is speaking."""
        return self._marked is not None or self._detector.state == "speech"

    @property
    def in_sound(self) -> bool:
        """True while the user is speaking, also if that goes unnoticed: half of it could not be gone on from."""
        return self._marked is not None or self._detector.is_in_sound

    def feed(self, blob: object) -> Activity | None:
        """Take one audio blob."""
        pcm = self._read(blob)
        self.received_ms += len(pcm) / BYTES_PER_MS
        if self._automatic:
            return self._detector.feed(pcm)
        if self._marked is not None:
            self._marked += pcm
        return None

    def stream_end(self) -> Activity | None:
        """The client's microphone is off: what was said so far is an utterance."""
        if not self._automatic:
            raise RefusedError(CATALOGUE["invalid argument"])
        return self._detector.flush()

    def activity_start(self) -> SpeechStarted:
        """The client says that speech begins."""
        if self._automatic or self._marked is not None:
            raise RefusedError(CATALOGUE["invalid argument"])
        self._marked = bytearray()
        return SpeechStarted(round(self.received_ms))

    def activity_end(self) -> SpeechEnded:
        """The client says that speech is over."""
        if self._automatic or self._marked is None:
            raise RefusedError(CATALOGUE["invalid argument"])
        pcm, self._marked = bytes(self._marked), None
        return SpeechEnded(round(self.received_ms), round(len(pcm) / BYTES_PER_MS), pcm)

    def _read(self, blob: object) -> bytes:
        if not isinstance(blob, dict):
            raise RefusedError(CATALOGUE["invalid argument"])
        chunk = self._decode(blob)
        pcm = self._at_16_khz(chunk, str(blob.get("mimeType", "")))
        self._heard.add(chunk)
        return pcm

    def _decode(self, blob: Json) -> bytes:
        try:
            pcm = decode_base64(blob.get("data", ""))
        except WireError as error:
            raise RefusedError(CATALOGUE["invalid argument"]) from error
        if len(pcm) % 2:
            raise RefusedError(CATALOGUE["invalid argument"])
        return pcm

    def _at_16_khz(self, pcm: bytes, mime_type: str) -> bytes:
        match = _MIME.match(mime_type)
        if match is None:
            raise RefusedError(CATALOGUE["wav" if "wav" in mime_type else "invalid argument"])
        if match.group(1) is None:
            self.rate_is_missing = self._needs_rate
            return pcm
        try:
            return at_16_khz(pcm, int(match.group(1)))
        except SoundError as error:
            raise RefusedError(CATALOGUE["invalid argument"]) from error
