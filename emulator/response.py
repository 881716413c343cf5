"""A generated answer and its shape on the wire: as a whole, or as the pieces of a stream."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle

from emulator.memory import AUDIO_TOKENS_PER_S, text_tokens
from emulator.voice import BYTES_PER_MS
from emulator.wire import Json, encode_base64

SPEECH_TYPE = "audio/L16;codec=pcm;rate=24000"

_WORDS_PER_PIECE = 4
_JSON_CUTS = (17, 3, 29, 11, 23, 5)
SOUND_PIECE_MS = 250


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message of a stream adds: words, or 24 kHz PCM16."""

    text: str = ""
    pcm: bytes = b""
    is_thought: bool = False

    @property
    def size(self) -> int:
        """Characters or bytes."""
        return len(self.text) + len(self.pcm)

    def cut(self, size: int) -> Piece:
        """No more than the first `size` of it; whole samples of sound."""
        return replace(self, text=self.text[:size], pcm=self.pcm[: size // 2 * 2])

    def part(self) -> Json:
        """The piece as a part of a content."""
        if self.pcm:
            return {"inlineData": {"mimeType": SPEECH_TYPE, "data": encode_base64(self.pcm)}}
        return {"text": self.text} | ({"thought": True} if self.is_thought else {})


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `prompt_tokens` counts by modality, `cached_tokens` those of them that a cache held.

    A `finish_reason` of None is never sent. With `ends_apart` the reason comes in a message of its own, without
    content, as it does for what was stopped.
    """

    model: str
    prompt_tokens: Counter[str]
    pieces: tuple[Piece, ...] = ()
    cached_tokens: Counter[str] = field(default_factory=Counter)
    finish_reason: str | None = "STOP"
    block_reason: str = ""
    thought_tokens: int = 0
    ends_apart: bool = False
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def whole(self) -> Json:
        """The answer of `generateContent`."""
        if self.block_reason:
            return self._blocked()
        thoughts = "".join(piece.text for piece in self.pieces if piece.is_thought)
        text = "".join(piece.text for piece in self.pieces if not piece.is_thought)
        pcm = b"".join(piece.pcm for piece in self.pieces)
        joined = [Piece(thoughts, is_thought=True)] if thoughts else []
        if text or pcm or self.pieces:
            joined.append(Piece(text, pcm))
        return self._message(joined, self.pieces, self.finish_reason)

    def messages(self) -> list[Json]:
        """The messages of `streamGenerateContent`; usage stands in each and is final in the last."""
        if self.block_reason:
            return [self._blocked()]
        given = [self._message([piece], self.pieces[: end + 1], None) for end, piece in enumerate(self.pieces)]
        if self.finish_reason is None:
            return given
        last = [] if self.ends_apart or not self.pieces else [self.pieces[-1]]
        return [*given[: len(given) - len(last)], self._message(last, self.pieces, self.finish_reason)]

    def output_tokens(self, given: Sequence[Piece]) -> Counter[str]:
        """Tokens of pieces that were given, by modality."""
        text = "".join(piece.text for piece in given if not piece.is_thought)
        sound_ms = sum(len(piece.pcm) for piece in given) // BYTES_PER_MS
        return +Counter({"TEXT": text_tokens(text), "AUDIO": sound_ms * AUDIO_TOKENS_PER_S // 1000})

    def usage(self, given: Sequence[Piece]) -> Json:
        """`usageMetadata` when `given` was given."""
        output = self.output_tokens(given)
        prompt = self.prompt_tokens.total()
        usage: Json = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": output.total(),
            "totalTokenCount": prompt + output.total() + self.thought_tokens,
            "promptTokensDetails": by_modality(self.prompt_tokens),
        }
        if self.cached_tokens:
            usage["cachedContentTokenCount"] = self.cached_tokens.total()
            usage["cacheTokensDetails"] = by_modality(self.cached_tokens)
        if output["AUDIO"]:
            usage["candidatesTokensDetails"] = by_modality(output)
        if self.thought_tokens:
            usage["thoughtsTokenCount"] = self.thought_tokens
        return usage

    def _message(self, shown: Sequence[Piece], given: Sequence[Piece], finish_reason: str | None) -> Json:
        candidate: Json = {}
        if shown:
            candidate["content"] = {"parts": [piece.part() for piece in shown], "role": "model"}
        if finish_reason is not None:
            candidate["finishReason"] = finish_reason
        return {"candidates": [candidate | {"index": 0}], **self._about(given)}

    def _blocked(self) -> Json:
        return {"promptFeedback": {"blockReason": self.block_reason}, **self._about(())}

    def _about(self, given: Sequence[Piece]) -> Json:
        return {"usageMetadata": self.usage(given), "modelVersion": self.model, "responseId": self.id}


def by_modality(tokens: Counter[str]) -> list[Json]:
    """Counts as the API lists them."""
    return [{"modality": modality, "tokenCount": count} for modality, count in tokens.items() if count]


def pieces_of_text(text: str) -> tuple[Piece, ...]:
    """Cut prose between words."""
    words = re.findall(r"\S+\s*", text) or [text]
    starts = range(0, len(words), _WORDS_PER_PIECE)
    return tuple(Piece("".join(words[start : start + _WORDS_PER_PIECE])) for start in starts)


def pieces_of_json(text: str) -> tuple[Piece, ...]:
    """Cut JSON anywhere, and each escape behind its backslash, for whoever reads it as it comes."""
    pieces: list[Piece] = []
    sizes = cycle(_JSON_CUTS)
    while text:
        size = next(sizes)
        escape = text.find("\\", 0, size)
        size = escape + 1 if escape >= 0 else size
        pieces.append(Piece(text[:size]))
        text = text[size:]
    return tuple(pieces)


def pieces_of_sound(pcm: bytes) -> tuple[Piece, ...]:
    """Cut sound every quarter of a second."""
    size = SOUND_PIECE_MS * BYTES_PER_MS
    return tuple(Piece(pcm=pcm[start : start + size]) for start in range(0, len(pcm), size))
