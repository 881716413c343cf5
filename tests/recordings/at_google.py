"""Recordings that are here, and the Files API as the emulator plays it."""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from sessions_app.models import Recording

LARGE_BYTES = 25_000_000
LARGE = b"RIFF" + bytes(range(256)) * (LARGE_BYTES // 256)
"""Too large for a request, and different at every place. The Files API looks into nothing."""


def recording_of(user: User, content: bytes, duration_ms: int = 1_000, media_type: str = "audio/wav") -> Recording:
    recording = Recording(
        user=user,
        name="talk.wav",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        media_type=media_type,
        duration_ms=duration_ms,
        peaks=b"",
    )
    recording.file.save("", ContentFile(content), save=False)
    recording.save()
    return recording
