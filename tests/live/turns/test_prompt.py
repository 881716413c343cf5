"""What a request is told, beside what was said."""

from __future__ import annotations

import pytest

from sessions_app.live.providers.turns.account import Account, Part, Question, Sound, Words
from sessions_app.live.providers.turns.prompt import TRANSCRIBE, prompt_of, transcription_of

SOUND, TYPED = Sound(b"\0\0" * 160), Words("What is it?")
KINDS: list[tuple[tuple[Part, ...], bool]] = [
    ((TYPED,), True),
    ((TYPED,), False),
    ((SOUND,), True),
    ((SOUND,), False),
    ((SOUND, TYPED), True),
]


def asked(*parts: Part) -> Question:
    account = Account()
    for part in parts:
        account.add(part)
    return account.ask()


def test_all_requests_of_a_conversation_have_one_instruction_however_they_are_said_and_answered() -> None:
    told = {prompt_of("Be kind.", asked(*parts), "de", is_heard=is_heard).instruction for parts, is_heard in KINDS}
    (instruction,) = told
    assert instruction.startswith("Be kind.")
    assert "Note" in instruction


def test_a_typed_question_that_is_answered_aloud_needs_no_note() -> None:
    prompt = prompt_of("Be kind.", asked(TYPED), "de", is_heard=True)
    assert prompt.note == ""
    assert not prompt.is_structured


@pytest.mark.parametrize(
    ("parts", "is_heard", "holds"),
    [
        ((SOUND,), True, (True, True, False)),
        ((SOUND, TYPED), False, (True, True, True)),
        ((TYPED,), False, (False, False, True)),
    ],
)
def test_what_holds_for_one_question_alone_stands_in_its_note(
    parts: tuple[Part, ...], is_heard: bool, holds: tuple[bool, bool, bool]
) -> None:
    prompt = prompt_of("", asked(*parts), "de", is_heard=is_heard)
    assert prompt.note.startswith("[Note: ")
    assert tuple(words in prompt.note for words in ("`heard`", "language de", "not spoken")) == holds
    assert prompt.is_structured is holds[0]


def test_a_transcription_is_no_part_of_the_conversation() -> None:
    prompt = transcription_of(asked(SOUND, TYPED))
    assert (prompt.instruction, prompt.note, prompt.is_aside) == (TRANSCRIBE, "", True)
    assert prompt.question == Question((), (SOUND,))
