"""What a text model answers: chat, transcripts, summaries, and JSON that fits the schema asked for."""

from __future__ import annotations

import json
import re

from emulator import brain
from emulator.facts import is_question
from emulator.prompt import Prompt
from emulator.recording import Recording
from emulator.recording_words import describe, is_asked_for, transcribe
from emulator.response import Piece, Response, pieces_of_json, pieces_of_text
from emulator.structured import Said, fill
from emulator.summary import summarise
from emulator.wire import Json

_ASKS_FOR_SUMMARY = re.compile(r"\bsummar(?:y|ise|ize)\b", re.IGNORECASE)
# An instruction may hold the summary of what came before, which asks for nothing.
_TOLD_TO_SUMMARISE = re.compile(r"\bsummari[sz]e\b|\b(?:write|make|give|create)\b[^.:]{0,40}\bsummary\b", re.IGNORECASE)
_ASKS_FOR_WORDS = re.compile(r"\btranscribe\b", re.IGNORECASE)
_THOUGHT = "The user waits for an answer, so I look for it in what was said."
_THOUGHT_TOKENS = {"MINIMAL": 0, "LOW": 32, "MEDIUM": 128, "HIGH": 512}


def generate(model: str, prompt: Prompt, seed: int) -> Response:
    """Answer a prompt, in JSON where it asks for that."""
    config = prompt.config
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    pieces: tuple[Piece, ...]
    if schema or config.get("responseMimeType") == "application/json":
        filled = fill(schema or {}, _transcript(prompt), _said(prompt, seed), _recordings_meant(prompt))
        pieces = pieces_of_json(json.dumps(filled, ensure_ascii=False))
    else:
        pieces = pieces_of_text(_words(prompt, seed))
    thinking = config.get("thinkingConfig") or {}
    thought_tokens = _thought_tokens(thinking)
    if thought_tokens and thinking.get("includeThoughts"):
        pieces = (Piece(_THOUGHT, is_thought=True), *pieces)
    return Response(model, prompt.tokens, pieces, thought_tokens=thought_tokens)


def _thought_tokens(thinking: Json) -> int:
    """Of a model that was told how much to think; one that was not keeps its thoughts out of the count."""
    level = str(thinking.get("thinkingLevel") or "").upper()
    if level in _THOUGHT_TOKENS:
        return _THOUGHT_TOKENS[level]
    budget, usual = int(thinking.get("thinkingBudget") or 0), _THOUGHT_TOKENS["MEDIUM"]
    return min(budget, usual) if budget >= 0 else usual


def _wants_summary(prompt: Prompt) -> bool:
    """In a conversation an instruction to summarise is for when that is asked for; beside material it is the task."""
    if _ASKS_FOR_SUMMARY.search(prompt.asked[:400]):
        return True
    is_conversation = prompt.speaks or any(turn.role == "model" for turn in prompt.memory.turns)
    return not is_conversation and bool(_TOLD_TO_SUMMARISE.search(prompt.memory.instruction))


def _recordings_meant(prompt: Prompt) -> tuple[Recording, ...]:
    """The recordings that the last turn brings or asks about."""
    return prompt.recordings if prompt.attaches or is_asked_for(prompt.asked) else ()


def _said(prompt: Prompt, seed: int) -> Said:
    if meant := _recordings_meant(prompt):
        return Said(transcribe(meant), _of_recordings(prompt, meant, seed))
    return Said(prompt.heard, _reply(prompt, seed))


def _of_recordings(prompt: Prompt, meant: tuple[Recording, ...], seed: int) -> str:
    """An answer that proves that the recordings were heard, behind the one to a question about what is said in them."""
    if _ASKS_FOR_WORDS.search(prompt.asked or prompt.memory.instruction):
        return transcribe(meant)
    if _wants_summary(prompt):
        return f"{summarise(_transcript(prompt)).text} {describe(meant)}"
    if is_question(prompt.asked) and not is_asked_for(prompt.asked):
        return f"{_reply(prompt, seed)} {describe(meant)}"
    return describe(meant)


def _transcript(prompt: Prompt) -> str:
    if meant := _recordings_meant(prompt):
        return "\n".join(recording.words for recording in meant)
    return "\n".join(turn.text for turn in prompt.memory.turns)


def _words(prompt: Prompt, seed: int) -> str:
    if meant := _recordings_meant(prompt):
        return _of_recordings(prompt, meant, seed)
    if _wants_summary(prompt):
        return summarise(_transcript(prompt)).text
    if prompt.speaks and _ASKS_FOR_WORDS.search(prompt.memory.instruction):
        return prompt.heard
    return _reply(prompt, seed)


def _reply(prompt: Prompt, seed: int) -> str:
    """Empty when there was sound and nobody spoke."""
    return "" if prompt.speaks and not prompt.spoke else brain.reply(prompt.memory, seed)
