"""A recording as a part of a request, in the two ways in which the Gemini API takes one: pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InlineSound:
    """Bytes that go along with the request."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class UploadedSound:
    """A file that the API has, by its URI."""

    uri: str
    media_type: str


SoundPart = InlineSound | UploadedSound
