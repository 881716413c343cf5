"""Audio on its way to the page, numbered across reconnections."""

from __future__ import annotations

import pytest

from sessions_app.live.downlink import ARRIVED_AFTER_MS, KEPT_LIMIT_BYTES, Downlink
from tests.fakes.page import FakePage
from tests.live.stage import sound

SECOND = sound(1_000)


def numbers(page: FakePage) -> list[int]:
    return [number for number, _ in page.played]


async def test_frames_are_numbered_from_zero_and_in_order() -> None:
    downlink, page = Downlink(), FakePage()
    downlink.attach(page, -1, 0)
    for _ in range(3):
        downlink.play(SECOND, 0)
    assert numbers(page) == [0, 1, 2]
    assert downlink.next_number == 3


async def test_a_page_that_comes_back_hears_what_it_has_not_heard() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1, 0)
    downlink.play(SECOND, 0)
    downlink.play(SECOND, 0)
    downlink.detach()
    downlink.play(SECOND, 0)
    downlink.attach(back, 0, 0)
    assert numbers(back) == [1, 2], "one was in flight when the socket was torn"
    downlink.play(SECOND, 0)
    assert numbers(back) == [1, 2, 3]


async def test_a_page_that_was_here_all_along_is_sent_nothing_twice() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1, 0)
    downlink.play(SECOND, 0)
    downlink.attach(back, 0, 0)
    assert back.played == []


async def test_a_page_that_is_away_finds_a_minute() -> None:
    downlink, page = Downlink(), FakePage()
    for _ in range(70):
        downlink.play(SECOND, 0)
    downlink.attach(page, -1, 0)
    assert numbers(page) == list(range(70 - KEPT_LIMIT_BYTES // len(SECOND), 70))


async def test_of_what_was_sent_only_the_last_seconds_before_the_page_spoke_are_kept() -> None:
    downlink, back = Downlink(), FakePage()
    downlink.attach(FakePage(), -1, 0)
    for second in range(10):
        downlink.play(SECOND, second * 1_000)
    downlink.heard_of_page(5_500)
    downlink.attach(back, -1, 10_000)
    assert numbers(back) == [4, 5, 6, 7, 8, 9]


async def test_what_was_sent_into_a_network_that_carried_nothing_is_sent_again() -> None:
    downlink, back = Downlink(), FakePage()
    downlink.attach(FakePage(), -1, 0)
    downlink.heard_of_page(0)
    for second in range(20):
        downlink.play(SECOND, second * 1_000)
    downlink.detach()
    downlink.attach(back, 1, 30_000)
    assert numbers(back) == list(range(2, 20))


async def test_what_was_sent_again_is_kept_until_it_can_have_arrived() -> None:
    downlink, back, again = Downlink(), FakePage(), FakePage()
    for _ in range(5):
        downlink.play(SECOND, 0)
    downlink.attach(back, -1, 60_000)
    downlink.heard_of_page(60_000 + ARRIVED_AFTER_MS - 1)
    downlink.attach(again, 2, 62_000)
    assert numbers(again) == [3, 4]


async def test_a_flush_while_the_page_was_away_is_told_when_it_is_back() -> None:
    downlink, back, again = Downlink(), FakePage(), FakePage()
    downlink.attach(FakePage(), -1, 0)
    downlink.play(SECOND, 0)
    downlink.detach()
    downlink.flush()
    downlink.play(SECOND, 0)
    downlink.attach(back, 0, 0)
    assert [told.name for told in back.told] == ["flush", "audio"]
    downlink.attach(again, 1, 0)
    assert again.told == []


async def test_what_was_flushed_is_not_heard_by_a_page_that_comes_back() -> None:
    downlink, page, back = Downlink(), FakePage(), FakePage()
    downlink.attach(page, -1, 0)
    downlink.play(SECOND, 0)
    downlink.flush()
    assert page.told[-1].name == "flush"
    downlink.attach(back, -1, 0)
    assert back.played == []
    downlink.play(SECOND, 0)
    assert numbers(back) == [1], "numbers go on"


@pytest.mark.parametrize("next_number", [0, 7])
async def test_numbering_goes_on_after_what_the_page_heard_last(next_number: int) -> None:
    downlink, page = Downlink(next_number), FakePage()
    downlink.attach(page, 41, 0)
    downlink.play(SECOND, 0)
    assert numbers(page) == [42]
