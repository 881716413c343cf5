"""The ladders: pure."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.levels import (
    PROFILES,
    Ladder,
    Level,
    LevelChange,
    Mode,
    Reason,
    Seeding,
    UnknownModel,
    ends_ahead,
    in_service,
    is_model_resumable,
    profile_of,
    should_clear_resumption_handle,
)

MODELS = {
    Mode.CALL: [
        "gemini-3.8-live",
        "gemini-3.8-live-extended-thinking",
        "gemini-2.5-flash-native-audio-preview-12-2025",
    ],
    Mode.TEXT: ["gemini-3.8-live", "gemini-3.8-live-extended-thinking"],
}
WORDS = {Mode.CALL: ["exhausted", "low", "reduced", "full"], Mode.TEXT: ["exhausted", "low", "full"]}


@pytest.fixture(params=Mode)
def ladder(request: pytest.FixtureRequest) -> Ladder:
    return Ladder(request.param, MODELS[request.param])


def test_the_best_model_is_at_the_top_and_the_last_one_at_level_one(ladder: Ladder) -> None:
    assert ladder.top.number == len(MODELS[ladder.mode])
    assert ladder.top.model == MODELS[ladder.mode][0]
    assert ladder.level(1).model == MODELS[ladder.mode][-1]


def test_each_level_has_its_word(ladder: Ladder) -> None:
    assert [ladder.level(number).word for number in range(ladder.top.number + 1)] == WORDS[ladder.mode]


IN_TURNS = ("gemini-3.8-flash", "gemini-3.5-flash-lite")


def test_below_the_live_models_stand_those_in_turns_and_their_word_says_so() -> None:
    ladder = Ladder(Mode.CALL, ["gemini-3.8-live", *IN_TURNS])
    words = [ladder.level(number).word for number in (3, 2, 1, 0)]
    assert words == ["full", "in turns", "in turns", "exhausted"]
    assert ladder.live_models == ("gemini-3.8-live",)
    assert [level.model for level in ladder.refuges_below(ladder.top)] == list(IN_TURNS)
    assert ladder.refuges_below(ladder.level(2)) == ladder.refuges_below(ladder.level(0)) == ()


def test_a_live_model_below_one_in_turns_is_refused() -> None:
    with pytest.raises(ValueError, match="has a Live model below one in turns"):
        Ladder(Mode.TEXT, ["gemini-3.8-flash", "gemini-3.8-live"])


@pytest.mark.parametrize("model", ["gemini-3.8-flash-lite-tts", "gemini-3.8-flash-tts", "gemini-2.5-flash-image"])
def test_a_model_that_does_other_work_is_none_to_talk_with_in_turns(model: str) -> None:
    with pytest.raises(UnknownModel):
        profile_of(model)


def test_each_step_goes_one_down_and_level_zero_stays(ladder: Ladder) -> None:
    level, numbers = ladder.top, []
    for _ in range(ladder.top.number + 2):
        numbers.append(level.number)
        level = ladder.below(level)
    assert numbers == [*range(ladder.top.number, 0, -1), 0, 0]
    assert level.is_exhausted
    assert level.model == ""


def test_beyond_the_ends_is_the_nearest(ladder: Ladder) -> None:
    assert ladder.level(99) == ladder.top
    assert ladder.level(-1).is_exhausted


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, ["exhausted", "full"]),
        (2, ["exhausted", "low", "full"]),
        (3, ["exhausted", "low", "reduced", "full"]),
        (5, ["exhausted", "low", "reduced", "reduced", "reduced", "full"]),
        (9, ["exhausted", "low", *["reduced"] * 7, "full"]),
    ],
)
@pytest.mark.parametrize("mode", Mode)
def test_a_ladder_of_any_length_has_its_words_by_place(mode: Mode, count: int, words: list[str]) -> None:
    ladder = Ladder(mode, [f"gemini-3.8-live-{number}" for number in range(count)])
    assert [ladder.level(number).word for number in range(count + 1)] == words
    assert [level.number for level in ladder.all_above(ladder.level(0))] == list(range(count, 0, -1))


@pytest.mark.parametrize("count", [0, 10])
def test_a_ladder_without_a_model_or_with_too_many_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"call ladder has {count} models"):
        Ladder(Mode.CALL, ["gemini-3.8-live"] * count)


ENDS = datetime.date(2026, 11, 17)
ENDING = "gemini-3.1-flash-live-preview"
DAY = datetime.timedelta(days=1)


def test_a_model_is_left_out_from_the_day_on_which_it_ends() -> None:
    ladder = ["gemini-3.8-live", ENDING, "gemini-2.5-flash-native-audio-latest"]
    assert in_service(ladder, ENDS - DAY) == tuple(ladder)
    assert in_service(ladder, ENDS) == (ladder[0], ladder[2])


def test_where_every_model_has_ended_they_are_tried_all_the_same() -> None:
    assert in_service([ENDING], ENDS) == (ENDING,)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (-31, None),
        (-30, f"{ENDING} is announced to end on 2026-11-17"),
        (-1, f"{ENDING} is announced to end on 2026-11-17"),
        (0, f"{ENDING} has ended on 2026-11-17 and is left out"),
        (90, f"{ENDING} has ended on 2026-11-17 and is left out"),
    ],
)
def test_an_end_is_told_a_month_before_and_ever_after(days: int, sentence: str | None) -> None:
    today = ENDS + days * DAY
    told = [end.in_words(today) for end in ends_ahead(["gemini-3.8-live", ENDING, "gpt-live"], today)]
    assert told == ([] if sentence is None else [sentence])


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("gemini-3.8-live", "gemini-3.8-live"),
        ("gemini-3.8-live-002", "gemini-3.8-live"),
        ("gemini-3.8-live-extended-thinking", "gemini-3.8-live-extended-thinking"),
        ("gemini-3.1-flash-live-preview", "gemini-3.1-flash-live"),
        ("gemini-2.5-flash-native-audio-latest", "gemini-2.5-flash-native-audio"),
    ],
)
def test_the_most_particular_profile_describes_a_model(model: str, prefix: str) -> None:
    assert profile_of(model).prefix == prefix


@pytest.mark.parametrize(
    "model", ["", "gemini-3.8-flash-tts", "gemini-3.8-livelier", "models/gemini-3.8-live", "gpt-live"]
)
def test_a_model_that_no_profile_describes_is_refused(model: str) -> None:
    with pytest.raises(UnknownModel) as raised:
        profile_of(model)
    assert raised.value.model == model


def test_no_profile_hides_behind_a_shorter_one() -> None:
    for place, profile in enumerate(PROFILES):
        assert profile_of(profile.prefix) is PROFILES[place]


def test_the_generations_are_seeded_and_typed_to_as_they_like_it() -> None:
    newest, oldest = profile_of("gemini-3.8-live"), profile_of("gemini-2.5-flash-native-audio-latest")
    older = profile_of("gemini-3.1-flash-live-preview")
    assert (newest.seeding, newest.history_anytime, newest.typed_as_content) == (Seeding.HISTORY, True, False)
    assert (older.seeding, older.history_anytime, older.typed_as_content) == (Seeding.HISTORY, False, False)
    assert (oldest.seeding, oldest.history_anytime, oldest.typed_as_content) == (Seeding.INSTRUCTION, False, True)
    assert profile_of("gemini-3.8-live-extended-thinking").thinking_level


def test_a_handle_goes_with_its_model(ladder: Ladder) -> None:
    top, below = ladder.top, ladder.below(ladder.top)
    assert not should_clear_resumption_handle(top, top)
    assert should_clear_resumption_handle(top, below)
    assert should_clear_resumption_handle(ladder.level(1), ladder.level(0))
    assert is_model_resumable(top)
    assert not is_model_resumable(ladder.level(0))


def test_a_handle_survives_a_change_of_level_that_keeps_the_model() -> None:
    same = [Level(Mode.CALL, number, "word", "gemini-3.8-live") for number in (3, 2)]
    assert not should_clear_resumption_handle(*same)


def test_the_levels_above_and_below_are_given_best_first(ladder: Ladder) -> None:
    models = MODELS[ladder.mode]
    assert [level.model for level in ladder.all_above(ladder.level(0))] == models == list(ladder.models)
    assert ladder.all_above(ladder.top) == ladder.all_below(ladder.level(1)) == ladder.all_below(ladder.level(0)) == ()
    for number in range(ladder.top.number + 1):
        level = ladder.level(number)
        rest = [level] if number else []
        assert [*ladder.all_above(level), *rest, *ladder.all_below(level)] == list(ladder.all_above(ladder.level(0)))


def test_to_come_to_the_same_level_is_no_change(ladder: Ladder) -> None:
    now = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    assert not LevelChange(ladder.top, ladder.level(99), Reason.MANUAL, now).is_change
    change = LevelChange(ladder.top, ladder.below(ladder.top), Reason.MANUAL, now)
    assert change.is_change
    assert change.mode is ladder.mode


@given(st.sampled_from(Mode), st.integers(-9, 9), st.lists(st.booleans(), max_size=20))
def test_whatever_happens_a_level_stays_on_its_ladder(mode: Mode, number: int, steps: list[bool]) -> None:
    ladder = Ladder(mode, MODELS[mode])
    level = ladder.level(number)
    for down in steps:
        level = ladder.below(level) if down else next(iter(ladder.all_above(level)), level)
        assert 0 <= level.number <= ladder.top.number
        assert level == ladder.level(level.number)
        assert level.is_exhausted == (level.model == "")
