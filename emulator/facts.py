"""Finding facts in what was said: `my code word is PLUM-42` -> ("code word", "PLUM-42")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Owner = Literal["user", "model", "world"]

_KEY = r"(?P<key>(?:[a-z][\w'-]*\s+){0,4}?[a-z][\w'-]*)"
_END = (
    r"(?=\s*(?:[.!?;,](?=\s|$|[\"'”*)])|[\"”\n)]|$)"
    r"|,?\s+(?:and|but|so)\s+(?:my|i|i'm|the|their|his|her|what|please|remember|you|your|we)\b)"
)
_VALUE = r"[\"'“]?(?P<value>[^\s\"“][^\n\"”]*?)" + _END
# "my code word's X", but not the possessive of "my dog's name is X".
_SHORT_IS = r"'s\b(?!\s+(?:\w+\s+){1,2}(?:is|was)\b)"
_VERB = rf"\s*(?:\bis\b|\bare\b|\bwas\b|\bwere\b|{_SHORT_IS}|=|:)\s*(?:now\s+|called\s+)?"
_USER = r"(?:the\s+)?(?:user|caller|customer|person|human)(?:'s|’s|s')"
_HELD = {
    "user": re.compile(rf"(?:\bmy|\b{_USER}|\btheir|\bhis|\bher)\s+{_KEY}{_VERB}{_VALUE}", re.IGNORECASE),
    "model": re.compile(rf"\byour\s+{_KEY}{_VERB}{_VALUE}", re.IGNORECASE),
    "world": re.compile(rf"\bthe\s+(?!user|caller){_KEY}{_VERB}{_VALUE}", re.IGNORECASE),
}
_CALLED = re.compile(
    rf"\b(?:call me|i am called|i'm called|(?:the )?user is (?:called|named))\s+{_VALUE}", re.IGNORECASE
)
_SENTENCES = (
    (re.compile(r"\bi(?:'m| am)\s+(?P<value>\d+)\s+years\s+old", re.IGNORECASE), "age"),
    (re.compile(rf"\bi (?:live|am living) (?:in|at)\s+{_VALUE}", re.IGNORECASE), "home"),
    (re.compile(rf"\bi (?:work|am working) (?:as|at|for|in)\s+{_VALUE}", re.IGNORECASE), "work"),
)
_REMEMBER = re.compile(
    rf"\b(?:remember|note|keep in mind|don't forget|do not forget)\b(?:\s+that)?[:,]?\s+{_VALUE}",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^\W*(?:please\s+)?(?:(?:say|repeat|give me) my|what|which|who|whose|where|when|why|how"
    r"|do|does|did|can|could|would|will|is|are|was|have|has|tell|remind)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(rf"(?:^|[;,]\s*)[-*•\s]*{_KEY}\*{{0,2}}\s*[:=]\s*{_VALUE}", re.IGNORECASE)
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")
_NOISE = re.compile(r"^(?:favou?rite)\s+")
_NO_KEYS = frozenset({"first", "last", "next", "only", "answer", "same", "user", "conversation", "following"})
_MODEL_LINE = re.compile(r"^\s*[*-]*\s*(?:assistant|model|gemini|you)\s*:\s*", re.IGNORECASE)
_USER_LINE = re.compile(r"^\s*[*-]*\s*(?:user|caller|me|human)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was stated: whose it is, what it is about, and what was said."""

    owner: Owner
    key: str
    value: str


def normal_key(key: str) -> str:
    """Write a key in the one way facts are filed under: lower case, British or American alike."""
    key = re.sub(r"\s+", " ", key.lower().replace("-", " ")).strip()
    return key.replace("codeword", "code word").replace("favourite", "favorite").replace("colour", "color")


def sentences(text: str) -> list[str]:
    """Split text at sentence ends and line ends."""
    return [part.strip() for part in _SENTENCE_BREAK.split(text) if part.strip()]


def is_question(sentence: str) -> bool:
    """True for a sentence that asks rather than states."""
    return sentence.rstrip(" \"'”").endswith("?") or bool(_QUESTION.match(sentence))


def stated_facts(text: str, speaker: Owner) -> list[Fact]:
    """Facts in `text` as said by the user, the model, or (world) in an instruction or a summary.

    `my X` belongs to the user when the user says it; `your X` belongs to the user when the model says it.
    """
    found: list[Fact] = []
    for sentence in sentences(text):
        said_by = speaker
        if speaker == "world" and _MODEL_LINE.match(sentence):
            said_by, sentence = "model", _MODEL_LINE.sub("", sentence)
        elif _USER_LINE.match(sentence):
            said_by, sentence = "user", _USER_LINE.sub("", sentence)
        if not is_question(sentence):
            found += _facts_of_sentence(sentence, said_by)
    return found


def remembered_notes(text: str) -> list[str]:
    """What the user asked to remember in free words: `remember that ...`."""
    statements = [sentence for sentence in sentences(text) if not is_question(sentence)]
    return [match["value"].strip() for sentence in statements for match in _REMEMBER.finditer(sentence)]


def _facts_of_sentence(sentence: str, speaker: Owner) -> list[Fact]:
    found: list[Fact] = []
    if speaker == "model":
        found += _matches(_HELD["model"], sentence, "user")
        return found
    found += _matches(_HELD["user"], sentence, "user")
    found += _matches(_HELD["world"], sentence, "world")
    if speaker == "user":
        found += _matches(_HELD["model"], sentence, "model")
    if speaker == "world" and not found:
        found += _matches(_LABEL, sentence, "world")
    found += [Fact("user", "name", match["value"].strip()) for match in _CALLED.finditer(sentence)]
    for pattern, key in _SENTENCES:
        found += [Fact("user", key, match["value"].strip()) for match in pattern.finditer(sentence)]
    return found


def _matches(pattern: re.Pattern[str], sentence: str, owner: Owner) -> list[Fact]:
    # Matches may overlap ("the user's code word is ..." holds two readings), so each search starts after the last key.
    found: list[Fact] = []
    position = 0
    while match := pattern.search(sentence, position):
        key = normal_key(match["key"])
        if key not in _NO_KEYS:
            found.append(Fact(owner, key, match["value"].strip().rstrip("*")))
        position = match.start("value")
    return found
