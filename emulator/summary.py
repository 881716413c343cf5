"""Summaries of a transcript: facts in the third person, and what was talked about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.facts import Fact, is_question, sentences, stated_facts

_LINE = re.compile(
    r"^\W*(?P<role>user|caller|customer|human|assistant|model|gemini)\b[^:\n]{0,30}:\s*(?P<text>.+)$",
    re.IGNORECASE,
)
_MODEL_ROLES = ("assistant", "model", "gemini")
_MAX_QUOTES = 4
_MAX_TITLE = 60


@dataclass(frozen=True, slots=True)
class Summary:
    """What a summary of a transcript is made of."""

    title: str
    facts: tuple[str, ...]
    quotes: tuple[str, ...]
    questions: tuple[str, ...]

    @property
    def text(self) -> str:
        """The summary as a paragraph."""
        talked = [f"The user said: {quote.rstrip('.')}." for quote in self.quotes]
        return " ".join([*self.facts, *talked]) or "Nothing was said."


def summarise(transcript: str) -> Summary:
    """Summarise lines such as `user: ...` and `assistant: ...`; text without such lines is taken as the user's.

    Facts about the user in other lines beside those, an earlier summary's, are kept.
    """
    lines = [
        (match["role"].lower() in _MODEL_ROLES, match["text"].strip())
        for match in map(_LINE.match, transcript.splitlines())
        if match
    ]
    facts = {fact.key: fact for fact in _facts_kept(transcript)} if lines else {}
    if not lines:
        lines = [(False, line.strip()) for line in transcript.splitlines() if line.strip()]
    for by_model, text in lines:
        for fact in stated_facts(text, "model" if by_model else "user"):
            if fact.owner != "model":
                facts[fact.key] = fact
    said = [part for by_model, text in lines if not by_model for part in sentences(text)]
    statements = [part for part in said if not is_question(part)]
    questions = [part for part in said if is_question(part)]
    title = (statements or questions or ["Conversation"])[0][:_MAX_TITLE].rstrip(" .")
    return Summary(
        title,
        tuple(_third_person(fact) for fact in facts.values()),
        tuple(statements[-_MAX_QUOTES:]),
        tuple(questions[-_MAX_QUOTES:]),
    )


def _facts_kept(transcript: str) -> list[Fact]:
    others = [line for line in transcript.splitlines() if not _LINE.match(line)]
    return [fact for line in others for fact in stated_facts(line, "world") if fact.owner == "user"]


def _third_person(fact: Fact) -> str:
    owner = "The user's" if fact.owner == "user" else "The"
    return f"{owner} {fact.key} is {fact.value}."
