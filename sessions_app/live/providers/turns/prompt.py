"""What a request is told, beside what was said: pure."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.context import CUT_MARK
from sessions_app.live.providers.sound_parts import SoundPart
from sessions_app.live.providers.turns.account import Question, Words

_SPOKEN = (
    "Your answers are spoken by another program: write only what is to be said, in short plain sentences, without "
    "Markdown, lists, headings, emoji or stage directions, unless the user wants to see something written or a note "
    "says that the answer is only read."
)

_NOTES = (
    "Text in square brackets that begins with the word Note, beside what the user says, is from this program and not "
    "from the user: go by it for that one answer, and never repeat or mention it."
)

_READ = "This answer is only read, not spoken: it may be laid out as text is."

_CUT = f"Where an answer of yours ends with{CUT_MARK}, the user spoke into it there. Never write that."

_TWO_FIELDS = (
    "The user speaks in the audio. Give a JSON object with two strings, in this order. `heard`: the user's words, "
    "word for word, in the language in which they were said, neither translated nor corrected, and nothing of what is "
    "typed beside them; empty if nobody speaks. `answer`: your answer to all of it; empty if nobody speaks in it and "
    "nothing is typed."
)

TRANSCRIBE = "Transcribe this, word for word, in the language in which it was said. Write nothing else."


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request.

    `instruction` is empty where there is none. `sounds`: recordings that it is about, with their names, before all that
    was said. `note`: what holds for this question alone; it stands beside it, and
    behind it, and is not told by later requests. `is_structured`: the answer is a JSON object. `is_aside`: it is no
    part of the conversation, which goes on as if it had not been.
    """

    instruction: str
    question: Question
    note: str = ""
    is_structured: bool = False
    is_aside: bool = False
    sounds: tuple[Words | SoundPart, ...] = ()


def prompt_of(instruction: str, question: Question, language: str, *, is_heard: bool) -> Prompt:
    """What is asked of the model.

    The instruction and the conversation before come first and are the same from one request to the next but for what
    is added at the end, so that a provider can keep them: what is another from one to the next stands in the note.

    Args:
        instruction: how the model is to behave.
        question: what is asked.
        language: a BCP-47 code that helps to understand the user, empty for none.
        is_heard: the answer is spoken.
    """
    told = "\n\n".join(part for part in (instruction, _CUT, _SPOKEN, _NOTES) if part)
    notes = [] if is_heard else [_READ]
    if question.is_spoken:
        notes.append(_TWO_FIELDS)
        notes += [f"The user most likely speaks the language {language}."] if language else []
    note = f"[Note: {' '.join(notes)}]" if notes else ""
    return Prompt(told, question, note, is_structured=question.is_spoken)


def transcription_of(question: Question) -> Prompt:
    """What is asked where only the user's words are wanted."""
    spoken = Question((), tuple(part for part in question.parts if Question((), (part,)).is_spoken))
    return Prompt(TRANSCRIBE, spoken, is_aside=True)
