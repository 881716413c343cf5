"""What a request is told, beside what was said: pure."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.context import CUT_MARK
from sessions_app.live.providers.turns.account import Question

_SPOKEN = (
    "Your answer is spoken by another program: write only what is to be said, in short plain sentences, without "
    "Markdown, lists, headings, emoji or stage directions, unless the user wants to see something written."
)

_CUT = f"Where an answer of yours ends with{CUT_MARK}, the user spoke into it there. Never write that."

_TWO_FIELDS = (
    "The user speaks in the audio. Give a JSON object with two strings, in this order. `heard`: the user's words, "
    "word for word, in the language in which they were said, neither translated nor corrected; empty if nobody speaks. "
    "`answer`: your answer to them; empty if nobody speaks in it."
)

TRANSCRIBE = "Transcribe this, word for word, in the language in which it was said. Write nothing else."


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request. `instruction` is empty where there is none. `is_structured`: the answer is a JSON object."""

    instruction: str
    question: Question
    is_structured: bool = False


def prompt_of(instruction: str, question: Question, language: str, *, is_heard: bool) -> Prompt:
    """What is asked of the model.

    The instruction and the conversation before come first and are the same from one request to the next but for what
    is added at the end, so that a provider can keep them.

    Args:
        instruction: how the model is to behave.
        question: what is asked.
        language: a BCP-47 code that helps to understand the user, empty for none.
        is_heard: the answer is spoken.
    """
    parts = [instruction, _CUT]
    if is_heard:
        parts.append(_SPOKEN)
    if question.is_spoken:
        parts.append(_TWO_FIELDS)
        parts.append(f"The user most likely speaks the language {language}." if language else "")
    return Prompt("\n\n".join(part for part in parts if part), question, is_structured=question.is_spoken)


def transcription_of(question: Question) -> Prompt:
    """What is asked where only the user's words are wanted."""
    spoken = Question((), tuple(part for part in question.parts if Question((), (part,)).is_spoken))
    return Prompt(TRANSCRIBE, spoken)
