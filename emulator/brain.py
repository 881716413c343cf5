"""What the emulator answers: sensible sentences made from the session's memory and nothing else."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from emulator.facts import Fact, is_question, normal_key, remembered_notes, sentences, stated_facts
from emulator.memory import Memory, Turn

_STORIES = (
    "Once upon a time a lighthouse keeper found a bottle on the beach. Inside it lay a map of an island that no ship "
    "had ever seen. She packed bread, rope and a lamp, and rowed out before the sun was up. For three days the sea was "
    "calm. On the fourth day a storm broke her oars, and the tide carried her onto white sand. There stood a small "
    "house with a light in its window.",
    "A young clockmaker lived above a quiet square. Every night at twelve one of her clocks began to sing. She "
    "followed the song down the stairs, through the old gate and along the river, until she came to a tower with no "
    "door. She climbed the ivy and found a sleeping owl with a golden key in its claws. She took the key with care, "
    "and behind her all the clocks of the town began to strike.",
)
_MAX_WORDS = 60
_MAX_CHARACTERS = 400
"""Many scripts put no spaces between words."""
_SHORT_STORY = (
    "A fox once asked the moon for a lamp. The moon lent him a star, and he has found his way home ever since."
)
_COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "violet",
    "pink",
    "brown",
    "black",
    "white",
    "grey",
    "gray",
    "teal",
)
_NUMBER = re.compile(r"(?<![\w-])\d+(?:[.,:]\d+)*(?![\w-])|(?<=-)\d+\b")
_SUM = re.compile(r"(-?\d+(?:\.\d+)?)\s*(\+|plus|-|minus|\*|x|times|/|divided by)\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "plus": operator.add,
    "-": operator.sub,
    "minus": operator.sub,
    "*": operator.mul,
    "x": operator.mul,
    "times": operator.mul,
    "/": operator.truediv,
    "divided by": operator.truediv,
}
_SAY = re.compile(
    r"^(?:please\s+)?(?:say|repeat)(?:\s+(?:exactly|after me))?[:,]?\s+[\"'“]?(.+?)[\"'”]?[.!]?$",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\bcount (?:from one |from 1 )?(?:up )?to (\d{1,3})\b", re.IGNORECASE)
_ASKED = re.compile(
    r"\b(?:my|the|your)\s+((?:[\w'-]+\s+){0,4}?[\w'-]+)\s*(?:\?|$|\.|,|\bagain\b|\bplease\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """What waits for an answer, and everything known when it was said."""

    turn: Turn
    before: tuple[Turn, ...]
    facts: tuple[Fact, ...]
    seed: int

    @property
    def text(self) -> str:
        """The words of the question."""
        return self.turn.text.strip()

    @property
    def words(self) -> str:
        """The question in lower case with plain apostrophes, for matching."""
        return self.text.lower().replace("’", "'")

    @property
    def said(self) -> list[Turn]:
        """The user's earlier turns that held words."""
        return [turn for turn in self.before if turn.role == "user" and turn.text.strip()]


def reply(memory: Memory, seed: int = 0) -> str:
    """Answer each of the user's turns that no reply has covered yet; `seed` picks among the stories."""
    turns = memory.turns
    first = len(turns)
    while first and turns[first - 1].role == "user":
        first -= 1
    facts = tuple(known_facts(memory))
    answers = [
        _answer(Question(turn, turns[:place], facts, seed))
        for place, turn in enumerate(turns[first:], start=first)
        if turn.text.strip() or turn.images or not turn.recognised
    ]
    return " ".join(answers) or "I am listening."


def _answer(question: Question) -> str:
    if not question.turn.recognised:
        return f"I heard you speak for {_seconds(question.turn.audio_ms)} but could not make out the words."
    for rule in _AS_LONG_AS_ASKED:
        if answer := rule(question):
            return answer
    return _shortened(next(answer for rule in _RULES if (answer := rule(question))))


def known_facts(memory: Memory) -> list[Fact]:
    """Every fact of the instruction and the turns; a later one replaces an earlier one of the same key."""
    facts = stated_facts(memory.instruction, "world")
    for turn in memory.turns:
        facts += stated_facts(turn.text, "user" if turn.role == "user" else "model")
    newest = {(fact.owner == "model", fact.key): fact for fact in facts}
    return list(newest.values())


def _shortened(answer: str) -> str:
    """Long things are not said back in full: an answer is speech, and speech takes its time."""
    short = " ".join(answer.split(" ")[:_MAX_WORDS])[:_MAX_CHARACTERS]
    return answer if short == answer else f"{short} and so on."


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} seconds"


def _possessive(fact: Fact) -> str:
    return {"user": "Your", "model": "My", "world": "The"}[fact.owner]


def _sentence(facts: list[Fact]) -> str:
    clauses = [f"{_possessive(fact)} {fact.key} is {fact.value}" for fact in facts]
    lowered = [clause[0].lower() + clause[1:] for clause in clauses[1:]]
    return " and ".join([clauses[0], *lowered]) + "."


def _say(question: Question) -> str | None:
    match = _SAY.match(question.text)
    if match is None or is_question(question.text) or match.group(1).lower().startswith(("what", "that")):
        return None
    return match.group(1)


def _count(question: Question) -> str | None:
    match = _COUNT.search(question.words)
    return ", ".join(str(number) for number in range(1, int(match.group(1)) + 1)) + "." if match else None


def _story(question: Question) -> str | None:
    if not re.search(r"\bstory\b|\btale\b", question.words) or re.search(r"\bmy (?:story|tale)\b", question.words):
        return None
    return _STORIES[question.seed % len(_STORIES)] if "long" in question.words else _SHORT_STORY


def _speech_length(question: Question) -> str | None:
    if not re.search(r"how long (?:did|have|was) i\b.*\b(?:speak|spoken|speaking|talk|talked|talking)", question.words):
        return None
    spoken = [turn.audio_ms for turn in question.before if turn.role == "user" and turn.audio_ms]
    if not spoken:
        return "You have not spoken before this."
    return f"You spoke for {_seconds(spoken[-1])} last time, and for {_seconds(sum(spoken))} in all."


def _turn_count(question: Question) -> str | None:
    if not re.search(r"how many (?:turns|messages|times|things|questions)", question.words):
        return None
    count = sum(turn.role == "user" for turn in question.before)
    return f"You have said something {count} time{'' if count == 1 else 's'} before this."


def _recap(question: Question) -> str | None:
    if not re.search(
        r"what (?:have|did) we (?:talk|discuss|sa)|what have i (?:said|told)"
        r"|what do you (?:know|remember)|\bsummari[sz]e",
        question.words,
    ):
        return None
    told = [turn.text.strip().rstrip(".") for turn in question.said]
    known = [fact for fact in question.facts if fact.owner != "model"]
    if told:
        return "So far you told me: " + "; ".join(told) + "."
    return _sentence(known) if known else "We have not talked about anything yet."


def _ordinal(question: Question) -> str | None:
    if not re.search(
        r"what (?:did|was it) (?:that )?i\b.*\b(?:say|said|ask|asked|tell|told|write|wrote)\b|what i (?:just )?said",
        question.words,
    ):
        return None
    if re.search(r"\b(?:what|which) (?:number|colou?r)s?\b", question.words) or _asked_facts(question):
        return None
    if not question.said:
        return "You have not said anything before this."
    place, turn = ("first", question.said[0]) if "first" in question.words else ("just before this", question.said[-1])
    return f"{'First' if place == 'first' else 'Just before this'} you said: {turn.text.strip()}"


def _collection(question: Question) -> str | None:
    match = re.search(r"\b(?:what|which) (number|colou?r)s? (?:did|have|was|were)\b", question.words)
    if match is None:
        return None
    text = " ".join(turn.text for turn in question.said)
    found = _NUMBER.findall(text) if match.group(1) == "number" else _words_in(text, _COLOURS)
    return f"You mentioned {', '.join(dict.fromkeys(found))}." if found else None


def _words_in(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if word in words]


def _asked_facts(question: Question) -> list[Fact]:
    """The facts whose whole key appears in the question, the longest keys first claiming their words."""
    text = f" {normal_key(question.text)} "
    found: list[tuple[int, Fact]] = []
    for fact in sorted(question.facts, key=lambda fact: (-len(fact.key), fact.owner == "model")):
        match = re.search(rf"\b(your\s+)?{re.escape(fact.key)}\b", text)
        if match and bool(match.group(1)) == (fact.owner == "model"):
            found.append((match.start(), fact))
            text = text[: match.start()] + " " * len(match.group(0)) + text[match.end() :]
    return [fact for _, fact in sorted(found, key=lambda pair: pair[0])]


_PLACES = (
    (re.compile(r"\bwho am i\b|\bwhat am i called\b"), "name"),
    (re.compile(r"\bwhere do i live\b"), "home"),
    (re.compile(r"\bhow old am i\b"), "age"),
    (re.compile(r"\bwhere do i work\b|\bwhat do i do\b"), "work"),
)


def _fact(question: Question) -> str | None:
    asks = [part for part in sentences(question.text) if is_question(part)]
    if not asks:
        return None
    wanted = [key for pattern, key in _PLACES if pattern.search(question.words)]
    facts = [fact for fact in question.facts if fact.key in wanted and fact.owner != "model"]
    facts = facts or _asked_facts(replace(question, turn=replace(question.turn, text=" ".join(asks))))
    return _sentence(facts) if facts else None


def _note(question: Question) -> str | None:
    if not (is_question(question.text) and re.search(r"\bremember|\bremind|\bnote", question.words)):
        return None
    notes = [note for turn in question.said for note in remembered_notes(turn.text)]
    return "You asked me to remember this: " + "; ".join(notes) + "." if notes else None


def _unknown(question: Question) -> str | None:
    if not is_question(question.text):
        return None
    match = _ASKED.search(question.text)
    if match is None or not re.search(r"\bmy\b", match.group(0), re.IGNORECASE):
        return None
    return f"You have not told me your {match.group(1).lower()} yet."


def _sum(question: Question) -> str | None:
    match = _SUM.search(question.text)
    if match is None or not is_question(question.text):
        return None
    left, sign, right = float(match.group(1)), match.group(2).lower(), float(match.group(3))
    if right == 0 and _OPERATORS[sign] is operator.truediv:
        return "Nothing can be divided by zero."
    return f"That makes {_OPERATORS[sign](left, right):g}."


_SMALL_TALK = (
    (r"\bwho are you\b|\bwhat are you\b|\byour name\b", "I am the emulator of the Gemini Live API."),
    (
        r"\bwhat can you do\b|\bhelp\b",
        "I can remember what you tell me, count, tell a story and say things back to you.",
    ),
    (r"\bhow are you\b", "I am well, thank you. What shall we talk about?"),
    (r"\bcan you hear me\b|\bare you there\b", "Yes, I am here and I can hear you."),
    (r"^\W*(?:thanks|thank you)\b", "You are welcome."),
    (r"^\W*(?:bye|goodbye|good night)\b", "Goodbye. It was good to talk with you."),
)
_GREETING = re.compile(r"^\W*(?:hello|hi|hey|good (?:morning|afternoon|evening))\b[\s,!.]*(?:there|gemini)?[\s,!.]*$")


def _small_talk(question: Question) -> str | None:
    for pattern, answer in _SMALL_TALK:
        if re.search(pattern, question.words):
            return answer
    return None


def _clock(question: Question) -> str | None:
    now = dt.datetime.now()
    if re.search(r"\bwhat(?:'s| is)? (?:the )?time\b", question.words):
        return f"It is {now:%H:%M}."
    if re.search(r"\bwhat(?:'s| is)? (?:the )?(?:date|day)\b|\bwhat day\b", question.words):
        return f"It is {now:%A}, {now.day} {now:%B %Y}."
    return None


def _greeting(question: Question) -> str | None:
    if not _GREETING.match(question.words):
        return None
    name = next((fact.value for fact in question.facts if fact.key == "name" and fact.owner == "user"), "")
    return f"Hello {name}. How can I help you?" if name else "Hello. How can I help you?"


def _acknowledgement(question: Question) -> str | None:
    fresh = stated_facts(question.text, "user")
    if fresh:
        sentence = _sentence(fresh)
        return f"Got it. {sentence}"
    notes = remembered_notes(question.text)
    return f"I will remember this: {'; '.join(notes)}." if notes else None


def _picture(question: Question) -> str | None:
    count = question.turn.images
    return f"You sent {count} picture{'' if count == 1 else 's'} and wrote: {question.text}" if count else None


def _echo(question: Question) -> str | None:
    return f"You said: {question.text}"


Rule = Callable[[Question], str | None]

_AS_LONG_AS_ASKED: tuple[Rule, ...] = (_say, _count, _story)
_RULES: tuple[Rule, ...] = (
    _speech_length,
    _turn_count,
    _recap,
    _collection,
    _fact,
    _ordinal,
    _note,
    _sum,
    _clock,
    _small_talk,
    _unknown,
    _greeting,
    _acknowledgement,
    _picture,
    _echo,
)
