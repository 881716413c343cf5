"""Frames of audio that carry their number in their first samples, too quiet to be heard or taken for speech."""

from __future__ import annotations

import struct

_STAMP = struct.Struct("<4h")
_BITS = 7
_MASK = (1 << _BITS) - 1

CONVERSATIONS_LIMIT = 1 << _BITS


def stamped(pcm: bytes, conversation: int, number: int) -> bytes:
    """The frame with its first four samples replaced by who sent it (from 0) and its number (up to 2,097,151)."""
    digits = (number >> 2 * _BITS, number >> _BITS & _MASK, number & _MASK)
    return _STAMP.pack(conversation + 1, *digits) + pcm[_STAMP.size :]


def read_stamp(mark: str) -> tuple[int, int] | None:
    """Conversation and number of a frame, from its first bytes as hexadecimal digits; None for the server's silence."""
    conversation, high, middle, low = _STAMP.unpack(bytes.fromhex(mark))
    if not conversation:
        return None
    return conversation - 1, high << 2 * _BITS | middle << _BITS | low
