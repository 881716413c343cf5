"""What a conversation in turns is made of, and what becomes of what was said."""

from __future__ import annotations

from sessions_app.live.providers.turns.account import SOUND_LIMIT_BYTES, Account, Line, Sound, Words
from sessions_app.live.transcript import NOT_TRANSCRIBED, Role
from tests.live.stage import a_turn

SAID = Sound(b"\x01\x00" * 100)


def test_what_was_answered_stands_before_the_next_question() -> None:
    account = Account((a_turn(0, "Hello"), a_turn(1, "Hi, you", Role.MODEL, status="interrupted")))
    account.add(SAID)
    assert account.ask().is_spoken
    account.transcribed(" what is it ")
    account.answered("A plum.")
    account.add(Words("Thanks"))
    question = account.ask()
    assert question.before == (
        Line(Role.USER, "Hello"),
        Line(Role.MODEL, "Hi, you [cut off]"),
        Line(Role.USER, "what is it"),
        Line(Role.MODEL, "A plum."),
    )
    assert question.parts == (Words("Thanks"),)
    assert not question.is_spoken


def test_a_question_that_is_withdrawn_goes_into_the_next_one() -> None:
    account = Account()
    account.add(SAID)
    account.ask()
    account.add(Words("and more"))
    assert account.ask().parts == (SAID, Words("and more"))


def test_of_sound_whose_words_are_known_the_words_are_asked_about() -> None:
    account = Account()
    account.add(Words("first"))
    account.add(SAID)
    account.ask()
    account.transcribed("second")
    account.add(SAID)
    assert account.ask().parts == (Words("first"), Words("second"), SAID)


def test_of_a_reply_that_was_cut_what_was_heard_is_kept_and_marked() -> None:
    account = Account()
    account.add(Words("Tell me"))
    account.ask()
    account.answered("Once upon a time. ", is_cut=True)
    assert account.ask().before[-1] == Line(Role.MODEL, "Once upon a time. [cut off]")


def test_a_reply_of_which_nothing_was_heard_leaves_the_question_alone() -> None:
    account = Account()
    account.add(SAID)
    account.ask()
    account.answered("", is_cut=True)
    assert account.ask().before == (Line(Role.USER, NOT_TRANSCRIBED),)


def test_of_noise_nothing_is_kept() -> None:
    account = Account()
    account.add(SAID)
    account.ask()
    account.passed_over()
    assert account.ask().parts == ()
    assert account.ask().before == ()
    assert account.tokens == 0


def test_sound_of_a_request_has_a_bound_and_the_oldest_goes() -> None:
    account = Account()
    half = Sound(bytes(SOUND_LIMIT_BYTES // 2))
    for part in (SAID, Words("kept"), half, half):
        account.add(part)
    assert account.ask().parts == (Words("kept"), half, half)
