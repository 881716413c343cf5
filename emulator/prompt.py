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
from emulator.recording import Recording
from emulator.recording_ear import Recognises
from emulator.setup import content_text
from emulator.sound import Sound, is_plain, listen
from emulator.wire import Json, decode_base64

SOUND_TOKENS_PER_S = 32
"""Of sound in a request, by the documentation of audio understanding; Live counts less."""

CLIPS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request as it was understood.

    `tokens` counts by modality. `speaks` is True when the last turn came as sound, `spoke` when speech was in it;
    `attaches` when a recording came with it. `note` is the text beside either. `recordings` are those of all turns.
    """

    memory: Memory
    tokens: Counter[str]
    config: Json = field(default_factory=dict)
    speaks: bool = False
    spoke: bool = False
    note: str = ""
    recordings: tuple[Recording, ...] = ()
    attaches: bool = False

    @property
    def asked(self) -> str:
        """The text of the last turn, which beside sound tells what to do with it."""
        return self.note if self.speaks or self.attaches else self.last.text

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


class FindsRecordings(Protocol):
    """What a prompt needs of `Attachments`."""

    async def recording_in(self, part: Json) -> Recording | None:
        """What is heard in a part, or None for one that is no recording."""


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


async def read_prompt(body: Json, ear: Ear, attachments: FindsRecordings) -> Prompt:
    """Understand the body of `generateContent`, keys in camel case; raises `SoundError`, `WireError` and what
    `attachments` raises.

    A text beside sound in one turn tells what to do with the sound, so it counts as instruction; a text beside a
    recording is a turn behind what is said in the recording.
    """
    tools = [body[key] for key in ("tools", "toolConfig") if body.get(key)]
    instructions = [content_text(body.get("systemInstruction") or "")]
    tokens = Counter({"TEXT": text_tokens(instructions[0]) + sum(text_tokens(json.dumps(tool)) for tool in tools)})
    turns: list[Turn] = []
    speaks = spoke = attaches = False
    note = ""
    recordings: list[Recording] = []
    for content in body.get("contents") or []:
        role: Role = "model" if content.get("role") == "model" else "user"
        parts = content.get("parts") or []
        text = content_text(content)
        tokens["TEXT"] += text_tokens(text)
        attached = [found for part in parts if (found := await attachments.recording_in(part)) is not None]
        tokens["AUDIO"] += sum(_sound_tokens(recording.duration_ms) for recording in attached)
        recordings.extend(attached)
        turns.extend(_turn_of(recording, role) for recording in attached)
        attaches = bool(attached) and role == "user"
        clips = list(_clips(parts))
        speaks = bool(clips) and role == "user"
        if attaches:
            note = text
            if not text and not clips:
                continue
        if clips:
            heard, duration_ms = await ear.hear(clips)
            tokens["AUDIO"] += _sound_tokens(duration_ms)
            note = text
            instructions.append(note)
            spoke = heard.audio_ms > 0
            turns.append(replace(heard, role=role))
            continue
        images = sum(1 for part in parts if "inlineData" in part or "fileData" in part) - len(attached)
        tokens["IMAGE"] += images * IMAGE_TOKENS
        turns.append(Turn(role, text, images=images))
    instruction = "\n".join(filter(None, instructions))
    config = body.get("generationConfig") or {}
    memory = Memory(instruction, tuple(turns))
    return Prompt(memory, +tokens, config, speaks, spoke, note, tuple(recordings), attaches)


def _sound_tokens(duration_ms: int) -> int:
    return -(-duration_ms * SOUND_TOKENS_PER_S // 1000)


def _turn_of(recording: Recording, role: Role) -> Turn:
    """What is said in a recording, as a turn of whoever sent it."""
    is_made_out = bool(recording.words) or not recording.utterances
    return Turn(role, recording.words, "spoken", recording.speech_ms, recognised=is_made_out)


def _clips(parts: Sequence[Json]) -> Iterable[tuple[bytes, str]]:
    for part in parts:
        blob = part.get("inlineData") or {}
        mime_type = str(blob.get("mimeType", ""))
        if is_plain(mime_type):
            yield decode_base64(blob.get("data", "")), mime_type
