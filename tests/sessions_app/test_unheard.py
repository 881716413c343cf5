"""Sound is kept for pages that come back, and for no more of them than there is room for."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.gateway.unheard import (
    KEPT_S,
    LIMIT_BYTES,
    PAGES_IN_ALL,
    PAGES_OF_A_USER,
    Key,
    UnheardSound,
)
from sessions_app.live.downlink import KEPT_LIMIT_BYTES, Downlink


def sound(size_bytes: int = 1_000) -> Downlink:
    downlink = Downlink()
    downlink.play(bytes(size_bytes), now_ms=0)
    return downlink


def page_life(user: int = 1, page: int = 0, mode: Mode = Mode.CALL) -> Key:
    return user, mode, uuid.UUID(int=page)


def test_a_page_that_comes_back_within_ten_minutes_gets_its_sound_once() -> None:
    unheard, kept = UnheardSound(), sound()
    unheard.keep(page_life(), kept, now_s=0)
    assert unheard.take(page_life(), now_s=KEPT_S - 1) is kept
    assert unheard.take(page_life(), now_s=KEPT_S - 1) is None


def test_after_ten_minutes_it_is_gone() -> None:
    unheard = UnheardSound()
    unheard.keep(page_life(), sound(), now_s=0)
    assert unheard.take(page_life(), now_s=KEPT_S) is None


def test_what_nobody_comes_back_for_is_forgotten_with_the_next_that_is_kept() -> None:
    unheard = UnheardSound()
    unheard.keep(page_life(user=1), sound(), now_s=0)
    unheard.keep(page_life(user=2), sound(), now_s=KEPT_S)
    assert (len(unheard), unheard.size_bytes) == (1, 1_000)


def test_a_page_that_has_heard_everything_takes_no_room() -> None:
    unheard = UnheardSound()
    unheard.keep(page_life(), sound(), now_s=0)
    unheard.keep(page_life(), Downlink(), now_s=1)
    assert (len(unheard), unheard.size_bytes) == (0, 0)


def test_of_many_pages_of_a_user_the_last_are_kept_in_each_mode() -> None:
    unheard = UnheardSound()
    for mode in Mode:
        for page in range(10):
            unheard.keep(page_life(page=page, mode=mode), sound(), now_s=page)
    for mode in Mode:
        there = [page for page in range(10) if unheard.take(page_life(page=page, mode=mode), now_s=10)]
        assert there == list(range(10 - PAGES_OF_A_USER, 10))


def test_of_more_than_there_is_room_for_the_oldest_goes() -> None:
    unheard = UnheardSound()
    room = LIMIT_BYTES // KEPT_LIMIT_BYTES
    for user in range(room + 1):
        unheard.keep(page_life(user), sound(KEPT_LIMIT_BYTES), now_s=0)
    assert unheard.take(page_life(0), now_s=0) is None
    assert unheard.take(page_life(1), now_s=0) is not None


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 3), st.integers(0, 2_000_000), st.booleans())))
def test_whoever_comes_and_goes_it_is_never_too_much(steps: list[tuple[int, int, int, bool]]) -> None:
    unheard = UnheardSound()
    for now_s, (user, page, size_bytes, is_back) in enumerate(steps):
        if is_back:
            unheard.take(page_life(user, page), now_s)
        else:
            unheard.keep(page_life(user, page), sound(size_bytes), now_s)
        assert len(unheard) <= PAGES_IN_ALL
        assert 0 <= unheard.size_bytes <= LIMIT_BYTES
        assert (unheard.size_bytes == 0) is (len(unheard) == 0)
