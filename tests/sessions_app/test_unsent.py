"""What waits for all pages together: bounded, and the slowest page goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.gateway.unsent import Unsent

LIMIT = 100


class Page:
    """A page with so much waiting."""

    def __init__(self) -> None:
        self.waiting = 0
        self.has_given_up = False

    def give_up(self) -> None:
        self.waiting = 0
        self.has_given_up = True


@given(st.lists(st.tuples(st.sampled_from(["add", "sent", "forget"]), st.integers(0, 3), st.integers(1, 60))))
def test_never_more_than_the_limit_waits_and_what_is_counted_is_what_waits(steps: list[tuple[str, int, int]]) -> None:
    unsent = Unsent(LIMIT)
    pages = [Page() for _ in range(4)]
    for step, number, size in steps:
        page = pages[number]
        if step == "add":
            page.waiting += size
            unsent.add(page, size)
        elif step == "sent":
            size = min(size, page.waiting)
            page.waiting -= size
            unsent.sent(page, size)
        else:
            page.waiting = 0
            unsent.forget(page)
        assert unsent.all_bytes == sum(page.waiting for page in pages) <= LIMIT


def test_the_page_with_the_most_waiting_is_given_up_and_no_other() -> None:
    unsent = Unsent(LIMIT)
    quick, slow, slowest = pages = [Page() for _ in range(3)]
    for page, size in zip(pages, (10, 30, 60), strict=True):
        page.waiting += size
        unsent.add(page, size)
    quick.waiting += 5
    unsent.add(quick, 5)
    assert [page.has_given_up for page in (quick, slow, slowest)] == [False, False, True]
    assert unsent.all_bytes == 45
