"""What a request to generate content holds: the conversation so far, what is said in it aloud, and what it costs."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from emulator.memory import IMAGE_TOKENS, Memory, Role, Turn, measured_words, text_tokens
from emulator.setup import content_text
from emulator.sound import Sound, listen
from emulator.wire import Json, decode_base64

SOUND_TOKENS_PER_S = 32
"""Of sound in a request, by the documentation of audio understanding; Live counts less."""

CLIPS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request as it was understood.

    `tokens` counts by modality. `speaks` is True when the last turn came as sound, `spoke` when speech was in it, and
    `note` is the text beside it.
    """

    memory: Memory
    tokens: Counter[str]
    config: Json = field(default_factory=dict)
    speaks: bool = False
    spoke: bool = False
    note: str = ""

    @property
    def last(self) -> Turn:
        """What waits for an answer; nothing was said if that is a turn of the model."""
        turns = self.memory.turns
        return turns[-1] if turns and turns[-1].role == "user" else Turn("user", "")

    @property
    def heard(self) -> str:
        """What was said aloud since the model had the word, whatever is typed beside it; where nothing was, the words
        of the last turn. Empty means that nobody spoke, so others stand for words not made out."""
        waiting = itertools.takewhile(lambda turn: turn.role == "user", reversed(self.memory.turns))
        spoken = [turn for turn in waiting if turn.origin == "spoken"][::-1] or [self.last]
        return " ".join(turn.text if turn.recognised else measured_words(turn.audio_ms) for turn in spoken).strip()


class Recognises(Protocol):
    """What an ear needs of `Recogniser`."""

    async def recognise(self, pcm: bytes) -> str | None:
        """The words in 16 kHz PCM16, or None."""


class Ear:
    """Makes out the words of clips. A client sends the same ones again with every turn, so it keeps the last few."""

    def __init__(self, recogniser: Recognises) -> None:
        self._recogniser = recogniser
        self._known: OrderedDict[bytes, Turn] = OrderedDict()

    async def hear(self, clips: Iterable[tuple[bytes, str]]) -> tuple[Turn, int]:
        """What a user says in clips (data and MIME type), and how long they are in milliseconds.

        Raises `SoundError` for sound that cannot be read.
        """
        words: list[str] = []
        turn = Turn("user", "", "spoken")
        duration_ms = 0
        for data, mime_type in clips:
            sound = await asyncio.to_thread(listen, data, mime_type)
            heard = await self._understand(sound)
            duration_ms += sound.duration_ms
            words.append(heard.text)
            turn = replace(
                turn, audio_ms=turn.audio_ms + heard.audio_ms, recognised=turn.recognised and heard.recognised
            )
        return replace(turn, text=" ".join(filter(None, words))), duration_ms

    async def _understand(self, sound: Sound) -> Turn:
        key = hashlib.sha256(b"".join(sound.utterances)).digest()
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        heard = [await self._recogniser.recognise(utterance) for utterance in sound.utterances]
        turn = Turn("user", " ".join(filter(None, heard)), "spoken", sound.speech_ms, recognised=None not in heard)
        if turn.recognised:
            self._known[key] = turn
            while len(self._known) > CLIPS_KEPT:
                self._known.popitem(last=False)
        return turn


async def read_prompt(body: Json, ear: Ear) -> Prompt:
    """Understand the body of `generateContent`, keys in camel case; raises `SoundError` and `WireError`.

    A text beside sound in one turn tells what to do with the sound, so it counts as instruction.
    """
    tools = [body[key] for key in ("tools", "toolConfig") if body.get(key)]
    instructions = [content_text(body.get("systemInstruction") or "")]
    tokens = Counter({"TEXT": text_tokens(instructions[0]) + sum(text_tokens(json.dumps(tool)) for tool in tools)})
    turns: list[Turn] = []
    speaks = spoke = False
    note = ""
    for content in body.get("contents") or []:
        role: Role = "model" if content.get("role") == "model" else "user"
        parts = content.get("parts") or []
        text = content_text(content)
        tokens["TEXT"] += text_tokens(text)
        clips = list(_clips(parts))
        speaks = bool(clips) and role == "user"
        if clips:
            heard, duration_ms = await ear.hear(clips)
            tokens["AUDIO"] += -(-duration_ms * SOUND_TOKENS_PER_S // 1000)
            note = text
            instructions.append(note)
            spoke = heard.audio_ms > 0
            turns.append(replace(heard, role=role))
            continue
        images = sum(1 for part in parts if "inlineData" in part or "fileData" in part)
        tokens["IMAGE"] += images * IMAGE_TOKENS
        turns.append(Turn(role, text, images=images))
    instruction = "\n".join(filter(None, instructions))
    config = body.get("generationConfig") or {}
    return Prompt(Memory(instruction, tuple(turns)), +tokens, config, speaks, spoke, note)


def _clips(parts: Sequence[Json]) -> Iterable[tuple[bytes, str]]:
    for part in parts:
        blob = part.get("inlineData") or {}
        mime_type = str(blob.get("mimeType", ""))
        if mime_type.lower().startswith("audio/"):
            yield decode_base64(blob.get("data", "")), mime_type
