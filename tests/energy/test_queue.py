"""Who may talk within a budget: pure."""

from __future__ import annotations

import datetime
import uuid

from hypothesis import given
from hypothesis import strategies as st

from energy.levels import Mode
from energy.queue import Granted, Slot, Waiting, decide, holder_of

NOW = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)


class Line:
    """The slots of a project, as rows would keep them."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._slots: dict[uuid.UUID, Slot] = {}
        self._asked = 0

    @property
    def talking(self) -> list[uuid.UUID]:
        return [slot.holder for slot in self._slots.values() if slot.granted_at]

    def ask(self, holder: uuid.UUID) -> Granted | Waiting:
        self._asked += 1
        slot = self._slots.setdefault(holder, Slot(holder, self._asked, None))
        answer = decide(self._slots.values(), holder, self.budget)
        if answer == Granted() and slot.granted_at is None:
            self._slots[holder] = Slot(holder, slot.number, NOW)
        return answer

    def leave(self, holder: uuid.UUID) -> None:
        self._slots.pop(holder, None)


def pages(count: int) -> list[uuid.UUID]:
    return [uuid.UUID(int=number) for number in range(count)]


def test_of_twelve_callers_three_talk_and_nine_see_their_place_in_order() -> None:
    line = Line(budget=3)
    answers = [line.ask(page) for page in pages(12)]
    assert answers == [Granted()] * 3 + [Waiting(place) for place in range(1, 10)]
    assert [line.ask(page) for page in pages(12)] == answers


def test_whoever_hangs_up_makes_room_for_the_first_in_the_queue_not_for_who_asks_first() -> None:
    line = Line(budget=1)
    first, second, third = pages(3)
    for page in (first, second, third):
        line.ask(page)
    line.leave(first)
    assert line.ask(third) == Waiting(2)
    assert line.ask(second) == Granted()
    assert line.ask(third) == Waiting(1)


def test_nobody_starves() -> None:
    line = Line(budget=3)
    callers = pages(12)
    talked = []
    for caller in callers:
        line.ask(caller)
    while line.talking:
        talked += [caller for caller in line.talking if caller not in talked]
        line.leave(line.talking[0])
        for caller in reversed(callers):
            if caller not in talked:
                line.ask(caller)
    assert talked == callers


def test_without_a_budget_everybody_talks() -> None:
    line = Line(budget=0)
    assert {type(line.ask(page)) for page in pages(50)} == {Granted}


def test_who_shrinks_the_budget_ends_no_conversation() -> None:
    line = Line(budget=2)
    first, second, third = pages(3)
    line.ask(first), line.ask(second)
    line.budget = 1
    assert line.ask(second) == Granted()
    assert line.ask(third) == Waiting(1)
    line.leave(first)
    assert line.ask(third) == Waiting(1)


def test_a_page_that_names_itself_like_another_is_somebody_else() -> None:
    page = uuid.uuid4()
    holders = {holder_of(user, mode, page) for user in (1, 2) for mode in Mode}
    assert len(holders) == 4
    assert holder_of(1, Mode.CALL, page) in holders


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_whatever_happens_the_budget_is_kept_and_places_are_in_order(
    budget: int, events: list[tuple[bool, int]]
) -> None:
    line = Line(budget)
    callers = pages(10)
    waiting: list[uuid.UUID] = []
    for asks, number in events:
        caller = callers[number]
        if not asks:
            line.leave(caller)
            waiting = [other for other in waiting if other != caller]
            continue
        answer = line.ask(caller)
        assert len(line.talking) <= budget
        if isinstance(answer, Waiting):
            waiting += [] if caller in waiting else [caller]
            assert answer.place == waiting.index(caller) + 1
        else:
            assert caller in line.talking
            waiting = [other for other in waiting if other != caller]
