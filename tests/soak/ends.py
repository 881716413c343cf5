"""How each exchange ended, held against what the provider did in it: every one has an end, and one alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from tests.scenarios.page import Message
from tests.soak.conversation import Exchange
from tests.soak.page import Told
from tests.soak.provider import Entry, Link

NO_ANSWER, REFUSED, NOT_HEARD = "turn.no_answer", "turn.refused", "turn.not_heard"
MISSES_WORTH_A_MARK = 2
"""What was missed is said again, and a mark says that it was missed again."""


@dataclass
class Ends:
    """Counts of one conversation, or of many. All are of exchanges, but for those that say what they are of.

    `swallowed`: the provider missed something said in them; each is one of `heard_later`, `marked`, `broken_off` and
    `forsaken`. `broken_off`: it was thinking about what it had not missed, was told that again and missed it, and
    that there is no answer was said.
    `missed_twice`: of them, those in which it missed what was said again, too. `false_marks`: said to be not heard,
    where nothing was missed, or what was said again was not. `false_words`: lines that tell of a refusal or of no
    answer where the provider had neither refused nor been silent. `empty`, `refused`: the provider did that in them;
    `untold`: and nothing said so. `sent_twice`: things that one connection was given twice though it had them.
    `doubtful`: spoken into a reply, and a connection went before there was an end; these are not judged.
    """

    exchanges: int = 0
    without_end: int = 0
    answered_twice: int = 0
    ended_twice: int = 0
    sent_twice: int = 0
    swallowed: int = 0
    missed_twice: int = 0
    heard_later: int = 0
    broken_off: int = 0
    marked: int = 0
    forsaken: int = 0
    false_marks: int = 0
    empty: int = 0
    refused: int = 0
    untold: int = 0
    false_words: int = 0
    doubtful: int = 0

    def __add__(self, other: Ends) -> Ends:
        return Ends(*(getattr(self, name) + getattr(other, name) for name in _names()))


def _names() -> list[str]:
    return [field.name for field in fields(Ends)]


@dataclass(frozen=True, slots=True)
class _Window:
    """An exchange, and what page and provider say of the time until the next one began."""

    exchange: Exchange
    turns: list[Message]
    entries: list[Entry]
    closed_turns: set[int]
    swaps: int

    @property
    def replies(self) -> int:
        return sum(turn["role"] == "model" and turn["status"] == "complete" for turn in self.turns)

    @property
    def codes(self) -> Counter[str]:
        return Counter(turn["code"] for turn in self.turns if turn["role"] == "system" and turn.get("code"))

    @property
    def is_closed_alone(self) -> bool:
        """Whether what the user said was closed without a reply."""
        return any(turn["role"] == "user" and turn["turn"] in self.closed_turns for turn in self.turns)

    @property
    def is_broken_off(self) -> bool:
        """Whether an answer was broken off before its first word: by what was said again, as it had not been told that
        it was heard."""
        return any(not entry["text"] for entry in self.of_kind("reply_interrupted"))

    def of_kind(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry["kind"] == kind]


def ends_of(
    exchanges: Sequence[Exchange], turns: Sequence[Message], story: Sequence[Told], links: Sequence[Link]
) -> tuple[Ends, list[tuple[float, str]]]:
    """Count how the exchanges of a conversation ended; and when and how something went that must not.

    Args:
        exchanges: what was said, in order.
        turns: the lines of the transcript as the page has them in the end.
        story: what the page was told, in order.
        links: the connections, each with what the emulator says of the turns on it.
    """
    reckoning = _Reckoning()
    for window in _windows(exchanges, turns, story, links):
        reckoning.look_at(window)
    return reckoning.ends, reckoning.found


def _windows(
    exchanges: Sequence[Exchange], turns: Sequence[Message], story: Sequence[Told], links: Sequence[Link]
) -> Iterator[_Window]:
    entries = [entry for link in links for entry in link.turns]
    closed = {told.message["turn"] for told in story if told.message["type"] == "turn_complete"}
    after = [(exchange.after_turn, exchange.began_at) for exchange in exchanges] + [(1 << 31, float("inf"))]
    for exchange, ((after_turn, began_at), (last_turn, over_at)) in zip(exchanges, pairwise(after), strict=True):
        yield _Window(
            exchange,
            [turn for turn in turns if after_turn < turn["turn"] <= last_turn],
            [entry for entry in entries if began_at <= entry["at"] < over_at],
            closed,
            sum(began_at <= link.opened_at < over_at for link in links),
        )


class _Reckoning:
    def __init__(self) -> None:
        self.ends = Ends()
        self.found: list[tuple[float, str]] = []

    def look_at(self, window: _Window) -> None:
        self.ends.exchanges += 1
        if window.exchange.is_doubtful:
            self.ends.doubtful += 1
            return
        self._count_ends(window)
        self._look_for_what_was_sent_twice(window)
        self._look_for_swallowed_words(window)
        self._look_for_silence(window)

    def _count_ends(self, window: _Window) -> None:
        exchange, replies, codes = window.exchange, window.replies, window.codes
        if exchange.ended_at is None:
            self.ends.without_end += 1
        if replies > 1:
            self.ends.answered_twice += 1
            self._find(window, f"answered {replies} times")
        lines = codes[NO_ANSWER] + codes[REFUSED] + codes[NOT_HEARD]
        if lines + min(replies, 1) > 1:
            self.ends.ended_twice += 1
            told = [*codes.elements(), *(["a reply"] if replies else [])]
            self._find(window, f"ended with {' and '.join(told)}")

    def _look_for_what_was_sent_twice(self, window: _Window) -> None:
        heard = Counter(
            (entry["connection"], entry["kind"], entry["text"] if entry["kind"] == "text_in" else "")
            for entry in (*window.of_kind("text_in"), *window.of_kind("speech_in"))
        )
        for (connection, kind, _), count in heard.items():
            if count > 1:
                self.ends.sent_twice += 1
                how = "given" if kind == "text_in" else "heard"
                self._find(window, f"{how} {count} times on {connection}")

    def _look_for_swallowed_words(self, window: _Window) -> None:
        misses, marks = len(window.of_kind("speech_missed")), window.codes[NOT_HEARD]
        # What was missed when its connection went is in no record of the provider.
        if marks and (not misses or misses + window.swaps < MISSES_WORTH_A_MARK):
            self.ends.false_marks += 1
            self._find(window, f"said to be not heard, though it was missed {misses} times")
        if not misses:
            return
        self.ends.swallowed += 1
        self.ends.missed_twice += misses >= MISSES_WORTH_A_MARK
        if marks:
            self.ends.marked += 1
        elif window.replies or window.of_kind("empty_turn"):
            self.ends.heard_later += 1
        elif window.is_broken_off and window.codes[NO_ANSWER]:
            self.ends.broken_off += 1
        else:
            self.ends.forsaken += 1
            self._find(window, "missed by the provider, and neither answered nor said to be not heard")

    def _look_for_silence(self, window: _Window) -> None:
        silences = window.of_kind("empty_turn")
        empty = sum(not entry["reason"] for entry in silences)
        refused = len(silences) - empty
        self.ends.empty += bool(empty)
        self.ends.refused += bool(refused)
        codes = window.codes
        if codes[REFUSED] > refused or codes[NO_ANSWER] > empty + window.is_broken_off:
            self.ends.false_words += 1
            self._find(window, f"ended with {' and '.join(codes.elements())}, though the provider did no such thing")
        if silences and not window.replies and not self._is_told(window, is_refused=bool(refused)):
            self.ends.untold += 1
            self._find(window, f"{'refused' if refused else 'not answered'} by the provider, and nobody was told so")

    def _is_told(self, window: _Window, *, is_refused: bool) -> bool:
        """A refusal has a line, and so has the silence after a typed message; what was said aloud is only closed."""
        if is_refused:
            return window.codes[REFUSED] > 0
        return window.codes[NO_ANSWER] > 0 or (window.exchange.is_spoken and window.is_closed_alone)

    def _find(self, window: _Window, text: str) -> None:
        self.found.append((window.exchange.began_at, f"{window.exchange.what}: {text}"))
