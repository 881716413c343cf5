"""What users may choose, and what the operator lets them: the rules, without rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from emulator.voice import PREBUILT_VOICES
from energy.levels import Mode
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import TurnTaking
from sessions_app.user_settings import terms
from sessions_app.user_settings.assistants import assistant_of
from sessions_app.user_settings.page_fields import form_of
from sessions_app.user_settings.terms import NAMES, Refused, Rules, UserSettings, chosen_of, read_form, settings_of

RULES = Rules(personas={"default": "Plain", "other": "Other"}, defaults=UserSettings(persona="default"))


def any_settings() -> st.SearchStrategy[UserSettings]:
    def number(bounds: tuple[int, int]) -> st.SearchStrategy[int]:
        return st.just(0) | st.integers(*bounds)

    return st.builds(
        UserSettings,
        voice=st.sampled_from(RULES.voices),
        language=st.sampled_from([terms.AUTOMATIC, *terms.LANGUAGES]),
        instruction=st.text(max_size=terms.INSTRUCTION_MAX_CHARACTERS).map(lambda text: terms._read_instruction(text)),
        answer_length=st.sampled_from(terms.ANSWER_LENGTHS),
        persona=st.sampled_from(list(RULES.personas)),
        start_sensitivity=st.sampled_from(terms.SENSITIVITIES),
        end_sensitivity=st.sampled_from(terms.SENSITIVITIES),
        silence_ms=number(terms.SILENCE_MS),
        trigger_tokens=number(terms.TRIGGER_TOKENS),
        compression_ratio=st.sampled_from([0.0, 0.1, 0.5, 0.75, 0.9]),
        theme=st.sampled_from(terms.THEMES),
        history_days=number(terms.HISTORY_DAYS),
        **{name: st.booleans() for name in terms._SWITCHES},
    )


@given(any_settings())
def test_what_a_form_holds_is_what_is_chosen_and_what_counts(settings: UserSettings) -> None:
    read, errors = read_form(form_of(settings), RULES)
    assert (read, errors) == (settings, {})
    assert settings_of(chosen_of(settings, RULES), RULES) == settings


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_whatever_a_form_holds_each_field_is_taken_or_answered_with_a_sentence(form: dict[str, str]) -> None:
    read, errors = read_form(form, RULES)
    assert all(sentence.endswith(".") for sentence in errors.values())
    assert settings_of(chosen_of(read, RULES), RULES) == read


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("silence_ms", "3001", "This is a whole number from 100 to 3,000."),
        ("silence_ms", "soon", "This is a whole number from 100 to 3,000."),
        ("trigger_tokens", "4999", "This is a whole number from 5,000 to 128,000."),
        ("compression_ratio", "1", "This is a number from 0.1 to 0.9, such as 0.5."),
        ("compression_ratio", "nan", "This is a number from 0.1 to 0.9, such as 0.5."),
        ("voice", "Nobody", "Choose one of these."),
        ("theme", "", "Choose one of these."),
        ("instruction", "x" * 1_003, "At most 1,000 characters fit; these are 3 too many."),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_alone(name: str, text: str, said: str) -> None:
    _, errors = read_form(form_of(RULES.defaults) | {name: text}, RULES)
    assert errors == {name: said}


def test_nobody_keeps_conversations_for_longer_than_the_operator() -> None:
    rules = replace(RULES, history_days=30)
    _, errors = read_form(form_of(RULES.defaults) | {"history_days": "31"}, rules)
    assert errors == {"history_days": "This is a whole number from 1 to 30."}
    assert settings_of({"history_days": 31}, rules).history_days == 0, "as it was chosen before the operator's changed"
    assert settings_of({"history_days": 7}, rules).history_days == 7


def test_what_the_operator_holds_fast_is_neither_read_nor_counted() -> None:
    rules = replace(RULES, locked=frozenset({"instruction", "interruptions"}))
    read, errors = read_form(form_of(RULES.defaults) | {"instruction": "x" * 2_000, "theme": "dark"}, rules)
    assert (read, errors) == (replace(RULES.defaults, theme="dark"), {})
    assert settings_of({"instruction": "Be rude.", "interruptions": False}, rules) == RULES.defaults


def test_a_number_may_be_written_as_the_page_writes_it() -> None:
    form = form_of(RULES.defaults) | {"silence_ms": "1,500", "trigger_tokens": "20,000"}
    read, errors = read_form(form, RULES)
    assert (read.silence_ms, read.trigger_tokens, errors) == (1_500, 20_000, {})
    for text in ("1,5", "15,00", ",500", "1,500,"):
        assert "silence_ms" in read_form(form | {"silence_ms": text}, RULES)[1]


def test_what_is_no_longer_there_to_be_chosen_counts_as_not_chosen() -> None:
    assert settings_of({"voice": "Gone", "persona": "gone", "theme": "dark"}, RULES) == replace(
        RULES.defaults, theme="dark"
    )


def test_the_operators_defaults_are_words_and_what_they_cannot_be_is_said() -> None:
    read = terms.read_defaults(["answer_length=short", "push_to_talk=on", "silence_ms=800"], "Puck")
    assert read == UserSettings(voice="Puck", answer_length="short", push_to_talk=True, silence_ms=800)
    for word, said in (
        ("theme", "is not a setting with its value"),
        ("voice=Kore", "is not a setting with its value"),
        ("theme=pink", "It is one of device, light, dark."),
        ("captions=yes", "captions is on or off"),
        ("silence_ms=1", "a whole number from 100 to 3,000"),
    ):
        with pytest.raises(Refused, match=said):
            terms.read_defaults([word], "Kore")


def test_the_voices_are_those_of_the_provider() -> None:
    assert sorted(terms.VOICES) == sorted(PREBUILT_VOICES)


def test_the_settings_of_the_server_can_be_locked_by_the_names_that_they_have() -> None:
    assert not set(django_settings.USER_SETTINGS_LOCKED)
    assert set(terms.DEFAULTS_TO_SET) < set(NAMES)


# -- how the model is to behave ----------------------------------------------------------------------------------------


def test_who_has_chosen_nothing_talks_with_the_model_as_the_operator_has_it() -> None:
    assert assistant_of(UserSettings(), "You are kind.", Mode.CALL) == Assistant("You are kind.", "Kore")


def test_wishes_are_said_after_what_the_operator_says() -> None:
    settings = UserSettings(language="de-DE", answer_length="short", instruction="Talk like a pirate.")
    assistant = assistant_of(settings, "You are kind.", Mode.CALL)
    assert assistant.language == "de-DE"
    first, *wishes = assistant.instruction.split("\n\n")
    assert first == "You are kind."
    assert [word in wish for word, wish in zip(("one sentence", "German", "pirate"), wishes, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    ("change", "keeps_session"),
    [
        ({"voice": "Puck"}, False),
        ({"language": "de-DE"}, False),
        ({"instruction": "Talk like a pirate."}, False),
        ({"answer_length": "long"}, False),
        ({"resumption": False}, False),
        ({"silence_ms": 900}, True),
        ({"interruptions": False}, True),
        ({"start_sensitivity": "high"}, True),
        ({"compression": False}, True),
        ({"compression_ratio": 0.3}, True),
        ({"theme": "dark"}, True),
    ],
)
def test_a_handle_is_good_for_what_a_resume_takes_and_for_nothing_else(
    change: dict[str, Any], keeps_session: bool
) -> None:
    before, after = (assistant_of(one, "", Mode.CALL) for one in (UserSettings(), UserSettings(**change)))
    assert (before.made_with == after.made_with) is keeps_session


def test_in_a_text_chat_nobody_takes_turns_in_speaking() -> None:
    assert assistant_of(UserSettings(silence_ms=900), "", Mode.TEXT).turn_taking == TurnTaking()
