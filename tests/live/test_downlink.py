"""Audio on its way to the page, numbered across reconnections."""

from __future__ import annotations

import pytest

from sessions_app.live.downlink import AWAY_KEPT_BYTES, TAIL_KEPT_BYTES, Downlink
from tests.fakes.page import FakePage
from tests.live.stage import sound

SECOND = sound(1_000)


def numbers(page: FakePage) -> list[int]:
    return [number for number, _ in page.played]


async def test_frames_are_numbered_from_zero_and_in_order() -> None:
    downlink, page = Downlink(), FakePage()
    downlink.attach(page, -1)
    for _ in range(3):
        downlink.play(SECOND)
    assert numbers(page) == [0, 1, 2]
    assert downlink.next_number == 3


async def test_a_page_that_comes_back_hears_what_it_has_not_heard() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1)
    downlink.play(SECOND)
    downlink.play(SECOND)
    downlink.detach()
    downlink.play(SECOND)
    downlink.attach(back, 0)
    assert numbers(back) == [1, 2], "one was in flight when the socket was torn"
    downlink.play(SECOND)
    assert numbers(back) == [1, 2, 3]


async def test_a_page_that_was_here_all_along_is_sent_nothing_twice() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1)
    downlink.play(SECOND)
    downlink.attach(back, 0)
    assert back.played == []


async def test_a_page_that_is_away_finds_a_minute() -> None:
    downlink, page = Downlink(), FakePage()
    for _ in range(70):
        downlink.play(SECOND)
    downlink.attach(page, -1)
    assert numbers(page) == list(range(70 - AWAY_KEPT_BYTES // len(SECOND), 70))


async def test_of_what_was_sent_only_the_last_seconds_are_kept() -> None:
    downlink, back = Downlink(), FakePage()
    downlink.attach(FakePage(), -1)
    for _ in range(70):
        downlink.play(SECOND)
    downlink.attach(back, -1)
    assert len(back.played) == TAIL_KEPT_BYTES // len(SECOND)


async def test_what_was_flushed_is_not_heard_by_a_page_that_comes_back() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1)
    downlink.play(SECOND)
    downlink.flush()
    assert page.told[-1].name == "flush"
    downlink.attach(back, -1)
    assert back.played == []
    downlink.play(SECOND)
    assert numbers(back) == [1], "numbers go on"


@pytest.mark.parametrize("next_number", [0, 7])
async def test_numbering_goes_on_after_what_the_page_heard_last(next_number: int) -> None:
    downlink, page = Downlink(next_number), FakePage()
    downlink.attach(page, 41)
    downlink.play(SECOND)
    assert numbers(page) == [42]
