"""Where gaps stand in the picture of a day."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.line_page.plot import BOTTOM, STEPS, TOP, Gap, Plot, length_words, plot
from energy.days import day_of

BERLIN = "Europe/Berlin"
NOON = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
BEGINS, ENDS = day_of(NOON, "UTC")

lengths = st.integers(0, 3 * 86_400_000)
seconds = st.integers(0, 86_399)


def gap_at(second: int, gap_ms: int, planned: bool = True) -> Gap:
    return Gap(1, BEGINS + datetime.timedelta(seconds=second), gap_ms, "network", planned)


def drawn(*gaps: Gap) -> Plot:
    return plot(gaps, BEGINS, ENDS, NOON, "UTC")


def number(percent: str) -> float:
    return float(percent.removesuffix("%"))


@given(st.lists(st.builds(gap_at, seconds, lengths, st.booleans()), max_size=30))
def test_all_is_within_the_picture_and_in_the_order_of_time_and_length(gaps: list[Gap]) -> None:
    picture = drawn(*gaps)
    assert len(picture.marks) == len(gaps)
    for gap, mark in zip(gaps, picture.marks, strict=True):
        assert 0 <= number(mark.x) <= 100
        assert TOP <= number(mark.y) <= BOTTOM
        assert mark.is_planned is gap.is_planned
        for other, other_mark in zip(gaps, picture.marks, strict=True):
            if gap.at <= other.at:
                assert number(mark.x) <= number(other_mark.x)
            if gap.gap_ms <= other.gap_ms:
                assert number(mark.y) >= number(other_mark.y)


@given(lengths)
def test_every_gap_stands_between_two_steps_that_are_named(gap_ms: int) -> None:
    picture = drawn(gap_at(0, gap_ms))
    places = [number(step.place) for step in picture.lengths]
    assert places == sorted(places, reverse=True)
    assert (places[0], places[-1]) == (BOTTOM, TOP)
    assert 2 < len(places) <= len(STEPS)


def test_a_quiet_day_has_the_usual_scale() -> None:
    assert [step.name for step in drawn().lengths] == ["100 ms", "1 s", "10 s"]
    assert [step.name for step in drawn(gap_at(0, 340)).lengths] == ["100 ms", "1 s", "10 s"]


def test_a_step_of_ten_is_as_high_wherever_it_is() -> None:
    short, middle, long = drawn(gap_at(0, 100), gap_at(1, 1_000), gap_at(2, 10_000)).marks
    assert number(short.y) - number(middle.y) == pytest.approx(number(middle.y) - number(long.y), abs=0.02)


def test_noon_is_in_the_middle() -> None:
    picture = drawn(gap_at(43_200, 1_000))
    assert picture.marks[0].x == picture.now == "50.00%"
    assert [step.name for step in picture.hours] == ["00", "03", "06", "09", "12", "15", "18", "21", "24"]
    assert picture.marks[0].words == "12:00:00, 1 second, network"


@pytest.mark.parametrize(("date", "hours", "at_noon"), [((2026, 10, 25), 25, "52.00%"), ((2026, 3, 29), 23, "47.83%")])
def test_hours_stand_where_clocks_that_are_changed_have_them(
    date: tuple[int, int, int], hours: int, at_noon: str
) -> None:
    noon = datetime.datetime(*date, 12, tzinfo=ZoneInfo(BERLIN)).astimezone(datetime.UTC)
    begins, ends = day_of(noon, BERLIN)
    assert ends - begins == datetime.timedelta(hours=hours)
    picture = plot([Gap(1, noon, 5, "x", False)], begins, ends, noon, BERLIN)
    assert {step.name: step.place for step in picture.hours}["12"] == picture.marks[0].x == picture.now == at_noon
    assert picture.hours[-1].place == "100.00%"


@pytest.mark.parametrize(
    ("zone", "date"),
    [("America/Santiago", (2026, 9, 6)), ("Africa/Cairo", (2026, 4, 24)), ("America/Havana", (2026, 11, 1))],
)
def test_a_day_without_a_midnight_or_with_two_has_its_hours_where_clocks_have_them(
    zone: str, date: tuple[int, int, int]
) -> None:
    at_nine = datetime.datetime(*date, 9, tzinfo=ZoneInfo(zone)).astimezone(datetime.UTC)
    begins, ends = day_of(at_nine, zone)
    assert ends - begins != datetime.timedelta(days=1)
    picture = plot([], begins, ends, at_nine, zone)
    places = {step.name: step.place for step in picture.hours}
    assert places["09"] == picture.now
    assert (places["00"], places["24"]) == ("0.00%", "100.00%")


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(0, "0 ms"), (340, "340 ms"), (4_200, "4.2 seconds"), (187_000, "3 minutes 7 seconds")]
)
def test_lengths_in_words(milliseconds: int, words: str) -> None:
    assert length_words(milliseconds) == words
