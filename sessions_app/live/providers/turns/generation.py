"""What is needed of a provider that answers requests, in our words. `gemini_generation.py` has it of Gemini."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from sessions_app.live.providers.turns.prompt import Prompt
from sessions_app.live.providers.upstream import UsageReported


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of what is streamed; any of these may be in one.

    `pcm`: PCM16 mono 24 kHz, cut anywhere. `finish`: why it ends here, in the provider's word; without one the stream
    was torn. `refusal`: the provider does not let this be asked, or answered, and why, in its word. `usage`: of the
    request so far.
    """

    text: str = ""
    pcm: bytes = b""
    finish: str = ""
    refusal: str = ""
    usage: UsageReported | None = None


class Generation(Protocol):
    """Streams; both raise `UpstreamFailed`, and let go of the request when they are closed or cancelled."""

    def answer(self, model: str, prompt: Prompt, thinking_level: str) -> AsyncGenerator[Chunk, None]:
        """`thinking_level`: how much the model is to think, empty for its own."""

    def speak(self, model: str, text: str, voice: str) -> AsyncGenerator[Chunk, None]:
        """A text in a voice."""
