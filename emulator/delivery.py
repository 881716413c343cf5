"""How each generation cuts an answer into frames: which keys share one, how transcripts are split, what is empty."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from emulator.models import Profile
from emulator.voice import BYTES_PER_MS
from emulator.wire import Json, encode_base64

CHUNK_MS = 100
_WORDS_PER_PIECE = 2
_WORDS_PER_LONG_PIECE = 4

Speak = Callable[[str], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One frame of an answer: the sound it carries, and the words a listener has heard once that sound was played."""

    frame: Json
    audio_ms: float = 0.0
    words: str = ""


def sentences_to_speak(text: str) -> list[str]:
    """Split an answer where a speaker pauses, so that the first sound does not wait for the last sentence."""
    return [part for part in re.split(r"(?<=[.!?])\s+", text.strip()) if part]


def output_pieces(profile: Profile, sentence: str, *, first: bool) -> list[str]:
    """Cut a sentence as the generation cuts its output transcript; joined, the pieces of an answer are the answer."""
    words = sentence.split(" ")
    size = _WORDS_PER_LONG_PIECE if profile.whole_input_transcript else _WORDS_PER_PIECE
    groups = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
    return [group if first and index == 0 else " " + group for index, group in enumerate(groups)]


def input_transcripts(profile: Profile, text: str) -> list[Json]:
    """The frames with the user's words: one sentence, or word by word with a leading blank."""
    pieces = [text] if profile.whole_input_transcript else [f" {word}" for word in text.split()]
    return [{"serverContent": {"inputTranscription": {"text": piece}}} for piece in pieces]


def opening(profile: Profile, text: str, *, transcribe: bool) -> Iterator[Json]:
    """The frames before the first sound of an answer."""
    if profile.sends_empty_frames:
        yield from ({}, {}, {})
    if profile.starts_with_empty_content:
        yield {"serverContent": {}}
    if profile.starts_with_empty_transcription and transcribe:
        yield {"serverContent": {"outputTranscription": {}}}
    if profile.sends_thought_text:
        thought = f"**Preparing the Answer**\n\nI have worked out what to say in {len(text.split())} words.\n\n\n"
        yield {"serverContent": {"modelTurn": {"parts": [{"text": thought, "thought": True}]}}}


async def spoken(profile: Profile, text: str, speak: Speak, *, transcribe: bool) -> AsyncIterator[Delivered]:
    """The frames of an answer that is spoken, in order; `speak` makes 24 kHz PCM16 of a sentence."""
    for index, sentence in enumerate(sentences_to_speak(text)):
        pieces = output_pieces(profile, sentence, first=index == 0)
        for delivered in _sentence(profile, pieces, await speak(sentence), transcribe=transcribe):
            yield delivered


def unspoken(text: str, *, transcribe: bool) -> Iterator[Delivered]:
    """The frames of an answer of which only the transcript is sent."""
    frame: Json = {"serverContent": {"outputTranscription": {"text": text}}} if transcribe else {"serverContent": {}}
    yield Delivered(frame, words=text)


def _sentence(profile: Profile, pieces: list[str], pcm: bytes, *, transcribe: bool) -> Iterator[Delivered]:
    size = CHUNK_MS * BYTES_PER_MS
    chunks = [pcm[start : start + size] for start in range(0, len(pcm), size)] or [bytes(size)]
    placed = _place(pieces, len(chunks))
    for index, chunk in enumerate(chunks):
        words = placed.get(index, "")
        shown = words if transcribe else ""
        audio_ms = len(chunk) / BYTES_PER_MS
        if profile.joins_audio_and_transcript:
            yield Delivered(_joined(profile, chunk, shown), audio_ms, words)
        else:
            if shown:
                yield Delivered({"serverContent": {"outputTranscription": {"text": shown}}})
            yield Delivered({"serverContent": {"modelTurn": _turn(profile, chunk)}}, audio_ms, words)
        if profile.sends_empty_frames and index % 2:
            yield Delivered({})


def _place(pieces: list[str], chunks: int) -> dict[int, str]:
    """Spread the pieces of a transcript evenly over the chunks of sound."""
    placed: dict[int, str] = {}
    for index, piece in enumerate(pieces):
        place = index * chunks // len(pieces)
        placed[place] = placed.get(place, "") + piece
    return placed


def _audio_part(profile: Profile, pcm: bytes) -> Json:
    mime_type = "audio/pcm;rate=24000" if profile.tells_audio_rate else "audio/pcm"
    return {"inlineData": {"mimeType": mime_type, "data": encode_base64(pcm)}}


def _turn(profile: Profile, pcm: bytes) -> Json:
    turn: Json = {"parts": [_audio_part(profile, pcm)]}
    return turn | ({"role": "model"} if profile.names_role or profile.joins_audio_and_transcript else {})


def _joined(profile: Profile, pcm: bytes, words: str) -> Json:
    content: Json = {"modelTurn": _turn(profile, pcm)}
    if words:
        content["outputTranscription"] = {"text": words}
    return {"serverContent": content}
