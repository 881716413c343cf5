"""A sentence in one of a model's voices, for somebody to listen to: a live session of its own, some seconds long."""

from __future__ import annotations

import asyncio

from energy.levels import UnknownModel, profile_of
from sessions_app.live.downlink import BYTES_PER_MS
from sessions_app.live.providers.upstream import (
    CLOSE_TIMEOUT_MS,
    OUTPUT_RATE_HZ,
    Connection,
    ReplyAudio,
    Setup,
    TurnComplete,
    Upstream,
    UpstreamFailed,
)
from sessions_app.live.wav import wav_of

SENTENCE = "Hello, nice to meet you. This is how I sound when we talk."
INSTRUCTION = "You read sentences aloud, word for word, and say nothing else."

LIMIT_S = 12.0
"""From the dial to the last of the sound."""

LONGEST_MS = 6_000
"""What is said beyond that is left out: a model that chats instead of reading is heard as well by then."""

SHORTEST_MS = 300

WAV_HEADER_BYTES = 44
LARGEST_WAV_BYTES = WAV_HEADER_BYTES + LONGEST_MS * BYTES_PER_MS


class NotRecorded(Exception):
    """No sample came of it; as a string why, for the log."""


def sample_setup(model: str, voice: str) -> Setup:
    """The set-up for one sentence. Nothing of the session is kept. Raises `UnknownModel`."""
    profile = profile_of(model)
    return Setup(
        model=model,
        instruction=INSTRUCTION,
        voice=voice,
        typed_as_content=profile.typed_as_content,
        thinking_level=profile.thinking_level,
        compression=None,
        resumes=False,
    )


async def record(upstream: Upstream, model: str, voice: str) -> bytes:
    """Have the sentence said, `LONGEST_MS` of it at most.

    The connection is closed when this returns, so that nobody is refused for one session too many.

    Returns a WAV file, 16 bit mono of 24 kHz. Raises `NotRecorded`.
    """
    connection: Connection | None = None
    try:
        async with asyncio.timeout(LIMIT_S):
            connection = await upstream.connect(sample_setup(model, voice))
            await connection.send_text(f"Say exactly: {SENTENCE}")
            return wav_of(await _reply_of(connection), OUTPUT_RATE_HZ)
    except (UpstreamFailed, UnknownModel) as error:
        raise NotRecorded(str(error)) from error
    except TimeoutError:
        raise NotRecorded(f"it was not said within {LIMIT_S:g} s") from None
    finally:
        if connection is not None:
            await connection.close(CLOSE_TIMEOUT_MS)


async def _reply_of(connection: Connection) -> bytes:
    """The sound of the turn. Raises `NotRecorded` where there is none to speak of, and `UpstreamFailed`."""
    pcm = bytearray()
    longest = LONGEST_MS * BYTES_PER_MS
    async for message in connection.messages():
        if isinstance(message, ReplyAudio):
            pcm += message.pcm
            if len(pcm) >= longest:
                return bytes(pcm[:longest])
        elif isinstance(message, TurnComplete) and not message.is_filler:
            if len(pcm) < SHORTEST_MS * BYTES_PER_MS:
                raise NotRecorded(f"{len(pcm) // BYTES_PER_MS} ms of sound came {message.reason}".rstrip())
            return bytes(pcm)
    raise NotRecorded("the connection ended")
