"""What a soak counts: each thing that must not happen is found in a made-up story of it, and in no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from tests.scenarios.page import Message
from tests.soak.account import without_repeats
from tests.soak.conversation import Exchange
from tests.soak.ends import Ends, ends_of
from tests.soak.page import Told
from tests.soak.plan import ALL, TROUBLE_FOR, Trouble, trouble_for, troubles
from tests.soak.provider import Entry, Link


class Story:
    """One exchange, made up; `spoken` or typed."""

    def __init__(self, *, spoken: bool = False) -> None:
        self._numbers = count()
        self.exchange = Exchange("what was said", bool, -1, 100.0, is_spoken=spoken, ended_at=110.0)
        self.turns: list[Message] = []
        self.told: list[Told] = []
        self.links = [self._link()]

    def turn(self, role: str, status: str = "complete", code: str = "") -> Story:
        self.turns.append({"turn": next(self._numbers), "role": role, "status": status, "code": code})
        return self

    def closed(self) -> Story:
        """The page is told that the turn of its last line is over."""
        self.told.append(Told(105.0, {"type": "turn_complete", "turn": self.turns[-1]["turn"]}))
        return self

    def provider(self, kind: str, **facts: Any) -> Story:
        entry: Entry = {"kind": kind, "at": 101.0, "connection": self.links[-1].id, **facts}
        self.links[-1].turns.append(entry)
        return self

    def swap(self) -> Story:
        self.links.append(self._link())
        return self

    def _link(self) -> Link:
        return Link(f"c{len(getattr(self, 'links', []))}", "s1", 90.0, True, 0, False)

    def ends(self) -> Ends:
        return ends_of([self.exchange], self.turns, self.told, self.links)[0]

    def found(self) -> list[str]:
        return [text for _, text in ends_of([self.exchange], self.turns, self.told, self.links)[1]]


def spoken() -> Story:
    return Story(spoken=True).turn("user")


def typed() -> Story:
    return Story().turn("user")


GOOD = {
    "a reply": typed().provider("text_in", text="a").provider("reply").turn("model"),
    "a typed message that was not answered": typed()
    .provider("empty_turn", reason="")
    .closed()
    .turn("system", code="turn.no_answer"),
    "a typed message that was refused": typed().provider("empty_turn", reason="NO").turn("system", code="turn.refused"),
    "speech that was not answered": spoken().provider("empty_turn", reason="").closed(),
    "speech that was missed once": spoken().provider("speech_missed").provider("speech_in").turn("model"),
    "speech that was missed twice": Story(spoken=True)
    .provider("speech_missed")
    .provider("speech_missed")
    .turn("system", code="turn.not_heard"),
    "speech that was thought about until it was said again, and then missed": spoken()
    .provider("reply_interrupted", text="")
    .provider("speech_missed")
    .turn("system", code="turn.no_answer"),
    "something that was given to two connections": typed()
    .provider("text_in", text="a")
    .swap()
    .provider("text_in", text="a")
    .turn("model"),
    "a silence that the connection did not live to tell": typed()
    .provider("empty_turn", reason="")
    .swap()
    .turn("model"),
    "a reply that was cut off and given again elsewhere": typed().turn("model", "interrupted").turn("model"),
}


@pytest.mark.parametrize("story", GOOD.values(), ids=GOOD.keys())
def test_nothing_is_found_in_a_story_in_which_all_is_well(story: Story) -> None:
    assert story.found() == []
    assert (story.ends().exchanges, story.ends().without_end) == (1, 0)


def test_an_exchange_without_an_end_is_counted() -> None:
    story = typed()
    story.exchange.ended_at = None
    assert story.ends().without_end == 1


def test_two_replies_to_one_thing_are_found() -> None:
    story = typed().turn("model").turn("model")
    assert (story.ends().answered_twice, len(story.found())) == (1, 1)


@pytest.mark.parametrize("code", ["turn.no_answer", "turn.refused", "turn.not_heard"])
def test_a_reply_to_what_was_said_to_get_none_is_found(code: str) -> None:
    story = spoken().provider("empty_turn", reason="NO" if code == "turn.refused" else "")
    story.provider("speech_missed").provider("speech_missed").turn("system", code=code).turn("model")
    assert (story.ends().ended_twice, len(story.found())) == (1, 1)


def test_a_message_that_one_connection_was_given_twice_is_found() -> None:
    story = typed().provider("text_in", text="a").provider("text_in", text="a").turn("model")
    assert (story.ends().sent_twice, len(story.found())) == (1, 1)


def test_speech_that_was_said_again_though_it_was_heard_is_found() -> None:
    story = spoken().provider("speech_in", ms=900).provider("speech_in", ms=880).turn("model")
    assert (story.ends().sent_twice, len(story.found())) == (1, 1)


def test_speech_that_was_missed_and_neither_answered_nor_marked_is_found() -> None:
    ends = spoken().provider("speech_missed").ends()
    assert (ends.swallowed, ends.forsaken, ends.heard_later, ends.marked) == (1, 1, 0, 0)
    assert spoken().provider("speech_missed").found()


def test_speech_that_was_missed_is_counted_by_what_became_of_it() -> None:
    once, twice = (GOOD[f"speech that was missed {times}"].ends() for times in ("once", "twice"))
    assert (once.swallowed, once.missed_twice, once.heard_later, once.marked) == (1, 0, 1, 0)
    assert (twice.swallowed, twice.missed_twice, twice.heard_later, twice.marked) == (1, 1, 0, 1)


def test_no_answer_to_speech_that_was_missed_is_found_where_nothing_was_broken_off() -> None:
    for interrupted in ("", "I was"):
        story = spoken().provider("speech_missed").turn("system", code="turn.no_answer")
        if interrupted:
            story.provider("reply_interrupted", text=interrupted)
        assert (story.ends().forsaken, story.ends().broken_off) == (1, 0)


@pytest.mark.parametrize("misses", [0, 1])
def test_a_mark_for_what_was_not_missed_twice_is_found(misses: int) -> None:
    story = Story(spoken=True).turn("system", code="turn.not_heard")
    for _ in range(misses):
        story.provider("speech_missed")
    assert (story.ends().false_marks, len(story.found())) == (1, 1)


@pytest.mark.parametrize("reason", ["", "RESPONSE_REJECTED"])
def test_a_silence_of_which_nobody_was_told_is_found(reason: str) -> None:
    story = typed().provider("empty_turn", reason=reason)
    assert (story.ends().untold, len(story.found())) == (1, 1)


def test_a_typed_message_that_is_closed_without_a_word_about_it_is_found() -> None:
    assert typed().provider("empty_turn", reason="").closed().ends().untold == 1


@pytest.mark.parametrize("code", ["turn.no_answer", "turn.refused"])
def test_a_word_about_a_silence_that_there_was_not_is_found(code: str) -> None:
    story = typed().turn("system", code=code)
    assert (story.ends().false_words, len(story.found())) == (1, 1)


def test_what_was_spoken_into_a_reply_whose_connection_went_is_counted_and_not_judged() -> None:
    story = spoken().provider("speech_missed").turn("model").turn("model")
    story.exchange.is_doubtful = True
    assert (story.ends(), story.found()) == (Ends(exchanges=1, doubtful=1), [])


def test_the_counts_of_conversations_add_up() -> None:
    assert (typed().turn("model").ends() + typed().turn("model").turn("model").ends()) == Ends(
        exchanges=2, answered_twice=1
    )


def test_two_silences_in_a_row_are_a_sick_session_and_with_a_reply_between_they_are_not() -> None:
    def is_sick(*kinds: str) -> bool:
        story = typed()
        for kind in kinds:
            story.provider(kind, reason="")
        return story.links[-1].is_sick

    assert is_sick("reply", "empty_turn", "text_in", "empty_turn")
    assert not is_sick("empty_turn", "reply", "empty_turn")


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 3, 2, 3, None, None, 4], [1, 2, 3, 4]),
        ([1, 2, 3, None, 4, 2, 3], [1, 2, 3, 4]),
        ([1, 2, 3, 2, 4], [1, 2, 3, 2, 4]),
        ([2, 3, None, 4], [2, 3, 4]),
        ([1, 2, 4], [1, 2, 4]),
        ([None], []),
    ],
    ids=["plain", "said again", "said again as far as it lived", "out of order", "replayed", "a gap", "silence"],
)
def test_what_is_said_again_on_purpose_is_not_taken_for_disorder(known: Sequence[int | None], kept: list[int]) -> None:
    assert without_repeats(known) == kept


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ([2, 3, None, 6], [6]),
        ([2, 3], [2, 3]),
        ([2, 3, 4, 6], [2, 3, 4, 6]),
        ([6, None], [6]),
        ([5, 6, 7, None, 8], [5, 6, 7, 8]),
    ],
    ids=["said again", "sent twice", "sent twice, and more", "new", "half of it new, and then muted"],
)
def test_what_was_missed_before_may_be_said_again_first(known: Sequence[int | None], kept: list[int]) -> None:
    assert without_repeats(known, 5) == kept


def test_every_kind_of_trouble_comes_and_the_same_with_the_same_seed() -> None:
    def plan() -> list[Trouble]:
        coming: Iterator[Trouble] = troubles(1, 0, 10_000, ALL)
        return [next(coming) for _ in range(600)]

    assert plan() == plan()
    assert {trouble.kind for trouble in plan()} == set(ALL)


def test_trouble_ends_where_every_kind_of_it_costs_more_redials_than_there_are() -> None:
    assert len(list(troubles(1, 0, 5, {"cut": 1, "dead_handle": 1}))) in range(3, 6)


def test_every_kind_of_swap_that_is_lacking_has_trouble_for_it_and_no_other() -> None:
    lacking = dict.fromkeys(TROUBLE_FOR, 0) | {"cut": 10, "planned": 3}
    assert trouble_for(lacking) == {"go_away": 3, "cut": 8, "lingering_session": 2}
    assert {kind for parts in TROUBLE_FOR.values() for kind in parts} <= set(ALL)
