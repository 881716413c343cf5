"""How much of a reply's words was heard, as far as the page has said what it played."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.played import FRAMES_LIMIT, REPLIES_LIMIT, Played

STORY = "one two six ten " * 10


def story_of_ten_seconds() -> Played:
    played = Played()
    played.began(7)
    for number in range(100, 110):
        played.sent(number, 1_000)
    return played


def test_words_are_heard_as_far_as_their_sound_was_played_up_to_a_whole_word() -> None:
    played = story_of_ten_seconds()
    assert played.heard(103, 100) == 7
    characters = played.heard_characters(7, STORY)
    assert characters is not None
    assert STORY[:characters] == ("one two six ten " * 3).rstrip()


def test_a_reply_of_which_nothing_was_reported_is_not_marked() -> None:
    assert story_of_ten_seconds().heard_characters(7, STORY) is None


def test_a_reply_that_was_wholly_played_is_not_marked() -> None:
    played = story_of_ten_seconds()
    played.heard(109, 1_000)
    assert played.heard_characters(7, STORY) is None


def test_a_number_that_was_never_sent_says_nothing() -> None:
    played = story_of_ten_seconds()
    assert played.heard(110, 5) is None
    assert played.heard_characters(7, STORY) is None


def test_a_report_that_goes_backwards_changes_nothing() -> None:
    played = story_of_ten_seconds()
    played.heard(105, 0)
    before = played.heard_characters(7, STORY)
    played.heard(101, 0)
    assert played.heard_characters(7, STORY) == before


def test_no_more_of_a_frame_is_played_than_it_holds() -> None:
    played = story_of_ten_seconds()
    played.heard(102, 60_000)
    assert played.heard_characters(7, STORY) == len(("one two six ten " * 3).rstrip())


def test_only_the_last_replies_are_remembered() -> None:
    played = story_of_ten_seconds()
    for turn in range(8, 8 + REPLIES_LIMIT):
        played.began(turn)
        played.sent(200 + turn, 1_000)
    assert played.heard(103, 0) is None


def test_a_reply_that_is_given_again_is_heard_from_its_beginning() -> None:
    played = story_of_ten_seconds()
    played.heard(105, 0)
    played.began(7)
    played.sent(110, 10_000)
    assert played.heard_characters(7, STORY) is None
    played.heard(110, 3_100)
    assert played.heard_characters(7, STORY) == len(("one two six ten " * 3).rstrip())


def test_a_script_without_blanks_is_heard_up_to_a_character() -> None:
    played = story_of_ten_seconds()
    played.heard(103, 0)
    assert played.heard_characters(7, "\u4e00" * 100) == 30


def test_of_an_endless_reply_the_last_ten_minutes_are_remembered() -> None:
    played = Played()
    played.began(7)
    for number in range(FRAMES_LIMIT + 1):
        played.sent(number, 100)
    assert played.heard(0, 0) is None
    assert played.heard(FRAMES_LIMIT, 0) == 7


@given(st.text(max_size=300), st.lists(st.tuples(st.integers(95, 115), st.integers(0, 2_000)), max_size=8))
def test_what_was_heard_never_shrinks_and_is_a_part_of_what_was_said(text: str, reports: list[tuple[int, int]]) -> None:
    played = story_of_ten_seconds()
    before = 0
    for number, ms in reports:
        played.heard(number, ms)
        characters = played.heard_characters(7, text)
        if characters is not None:
            assert before <= characters <= len(text)
            before = characters
