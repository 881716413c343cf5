"""The ledger and the budget, asked by many at once: each thread is a worker with a connection of its own."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from pytest_django import DjangoAssertNumQueries, Settings

from energy import budget, ledger
from energy.levels import Mode
from energy.models import LiveSlot, ModelQuota
from energy.queue import GONE_AFTER, Granted, Waiting
from energy.quota import Access, LimitKind, Refusal
from tests.energy.conftest import NOON
from tests.services.processes import PATIENCE_S

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gemini-3.8-live"
DAY = Refusal("Quota exceeded for requests per day")
LATER = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)

T = TypeVar("T")


@pytest.fixture
def at_once() -> Iterator[Callable[[Callable[[uuid.UUID], T], int], list[T]]]:
    """Let so many workers do something at the same moment: `at_once(lambda holder: ..., 12)`."""
    with ThreadPoolExecutor(12) as pool:

        def run(job: Callable[[uuid.UUID], T], count: int) -> list[T]:
            start = threading.Barrier(count)

            def work(holder: uuid.UUID) -> T:
                try:
                    start.wait(PATIENCE_S)
                    return job(holder)
                finally:
                    connections.close_all()

            return list(pool.map(work, map(uuid.UUID, [f"{number:032x}" for number in range(count)])))

        yield run


AtOnce = Callable[[Callable[[uuid.UUID], T], int], list[T]]


# --- The ledger -----------------------------------------------------------------------------------


def test_of_all_that_open_at_once_one_scouts(at_once: AtOnce[Access]) -> None:
    found = Counter(at_once(lambda holder: ledger.may_use(MODEL, holder, NOON), 8))
    assert found == {Access.SCOUT: 1, Access.WAIT: 7}


def test_of_all_that_ask_after_the_reset_one_probes(at_once: AtOnce[Access]) -> None:
    ledger.note_refusal(MODEL, DAY, NOON)
    found = Counter(at_once(lambda holder: ledger.may_use(MODEL, holder, NOON + LATER), 8))
    assert found == {Access.PROBE: 1, Access.SPENT: 7}


def test_many_refusals_at_once_count_as_one(at_once: AtOnce[LimitKind | None]) -> None:
    kinds = at_once(lambda holder: ledger.note_refusal(MODEL, Refusal(""), NOON).kind, 8)
    assert set(kinds) == {LimitKind.UNKNOWN}
    assert ModelQuota.objects.get().refusals == 1


def test_an_operator_may_forget_a_quota_while_others_note_it(at_once: AtOnce[None]) -> None:
    def work(holder: uuid.UUID) -> None:
        for _ in range(20):
            if holder.int % 2:
                ledger.note_refusal(MODEL, DAY, NOON)
            else:
                ledger.forget(ModelQuota.objects.all())

    assert at_once(work, 8) == [None] * 8


def test_a_lease_that_was_taken_meanwhile_is_not_claimed_with_old_knowledge() -> None:
    alice, bob = uuid.uuid4(), uuid.uuid4()
    old = ledger.states_of([MODEL])[MODEL]
    assert ledger.may_use(MODEL, alice, NOON, old) is Access.SCOUT
    assert ledger.may_use(MODEL, bob, NOON, old) is Access.WAIT
    ledger.note_refusal(MODEL, DAY, NOON)
    assert ledger.may_use(MODEL, bob, NOON, old) is Access.SPENT


def test_another_key_is_another_project(settings: Settings) -> None:
    ledger.note_refusal(MODEL, DAY, NOON)
    settings.GEMINI_API_KEY = "another-key"
    assert ledger.may_use(MODEL, uuid.uuid4(), NOON) is Access.SCOUT
    assert "another-key" not in str(list(ModelQuota.objects.values()))


def test_a_model_that_answers_others_is_not_taken_from_them_for_the_day() -> None:
    ledger.note_answer(MODEL, NOON)
    assert not ModelQuota.objects.exists()
    ledger.note_refusal(MODEL, Refusal(""), NOON)
    ledger.note_answer(MODEL, NOON + MINUTE / 2)
    assert ledger.note_refusal(MODEL, Refusal(""), NOON + 2 * MINUTE).kind is LimitKind.UNKNOWN
    assert ledger.note_refusal(MODEL, Refusal(""), NOON + 5 * MINUTE).kind is LimitKind.DAY


def test_what_was_forgotten_meanwhile_is_claimed_anew() -> None:
    ledger.note_refusal(MODEL, DAY, NOON)
    old = ledger.states_of([MODEL])[MODEL]
    ledger.forget(ModelQuota.objects.all())
    assert ledger.may_use(MODEL, uuid.uuid4(), NOON + LATER, old) is Access.SCOUT
    assert ledger.may_use(MODEL, uuid.uuid4(), NOON + LATER) is Access.WAIT


def test_what_the_provider_said_is_kept_as_far_as_there_is_room() -> None:
    ledger.note_refusal(MODEL, Refusal("per day\x00" + "x" * 1_000), NOON)
    assert ModelQuota.objects.get().text == ("per day" + "x" * 1_000)[:300]


def test_a_success_writes_nothing_while_the_model_is_trusted(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    holder = uuid.uuid4()
    ledger.may_use(MODEL, holder, NOON)
    ledger.note_success(MODEL, holder, NOON)
    with django_assert_num_queries(1):
        ledger.note_success(MODEL, uuid.uuid4(), NOON)
    with django_assert_num_queries(1):
        assert ledger.may_use(MODEL, uuid.uuid4(), NOON) is Access.OPEN


def test_what_is_forgotten_is_tried_again() -> None:
    ledger.note_refusal(MODEL, DAY, NOON)
    assert ledger.forget(ModelQuota.objects.all()) == 1
    assert ledger.may_use(MODEL, uuid.uuid4(), NOON) is Access.SCOUT


# --- The budget -----------------------------------------------------------------------------------


@pytest.fixture
def three_at_once(settings: Settings) -> None:
    settings.LIVE_SESSIONS_MAX = 3


def places(answers: list[Granted | Waiting]) -> list[int]:
    return sorted(answer.place if isinstance(answer, Waiting) else 0 for answer in answers)


@pytest.mark.usefixtures("three_at_once")
def test_of_twelve_callers_at_once_three_talk_and_nine_see_their_place(
    alice: User, at_once: AtOnce[Granted | Waiting]
) -> None:
    def ask(holder: uuid.UUID) -> Granted | Waiting:
        return budget.ask(holder, alice.pk, Mode.CALL, "worker", NOON)

    assert places(at_once(ask, 12)) == [0, 0, 0, *range(1, 10)]
    assert places(at_once(ask, 12)) == [0, 0, 0, *range(1, 10)]
    assert LiveSlot.objects.filter(granted_at__isnull=False).count() == 3


@pytest.mark.usefixtures("three_at_once")
def test_all_twelve_talk_in_the_order_in_which_they_asked(alice: User, at_once: AtOnce[Granted | Waiting]) -> None:
    """Whenever one hangs up, everybody who waits asks again at the same moment."""

    def ask(holder: uuid.UUID) -> Granted | Waiting:
        return budget.ask(holder, alice.pk, Mode.CALL, "worker", NOON)

    at_once(ask, 12)
    order = list(LiveSlot.objects.values_list("holder", flat=True))
    for number in range(9):
        budget.leave(order[number], "worker")
        remaining = set(order[number + 1 :])

        def ask_again(holder: uuid.UUID, remaining: set[uuid.UUID] = remaining) -> Granted | Waiting:
            return ask(holder) if holder in remaining else Granted()

        at_once(ask_again, 12)
        talking = LiveSlot.objects.filter(granted_at__isnull=False).values_list("holder", flat=True)
        assert list(talking) == order[number + 1 : number + 4]


@pytest.mark.usefixtures("three_at_once")
def test_what_nobody_owns_any_more_neither_counts_nor_waits(alice: User) -> None:
    holders = [uuid.uuid4() for _ in range(6)]
    for holder in holders:
        budget.ask(holder, alice.pk, Mode.CALL, "worker:dead", NOON)
    later = NOON + GONE_AFTER
    assert budget.seen([holders[0], holders[5]], later) == 2
    much_later = later + datetime.timedelta(seconds=5)
    assert budget.ask(holders[5], alice.pk, Mode.CALL, "worker:2", much_later) == Granted()
    assert set(LiveSlot.objects.values_list("holder", flat=True)) == {holders[0], holders[5]}
    assert budget.seen(holders, much_later) == 2


@pytest.mark.usefixtures("three_at_once")
def test_a_page_that_comes_back_at_another_worker_keeps_its_place(alice: User) -> None:
    holders = [uuid.uuid4() for _ in range(5)]
    for holder in holders:
        budget.ask(holder, alice.pk, Mode.TEXT, "worker:1", NOON)
    assert budget.ask(holders[1], alice.pk, Mode.TEXT, "worker:2", NOON) == Granted()
    assert budget.ask(holders[4], alice.pk, Mode.TEXT, "worker:2", NOON) == Waiting(2)
    assert LiveSlot.objects.get(holder=holders[4]).owner == "worker:2"
    assert LiveSlot.objects.count() == 5


def test_a_worker_says_in_one_write_who_is_still_there(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    holders = [uuid.uuid4() for _ in range(20)]
    for holder in holders:
        budget.ask(holder, alice.pk, Mode.CALL, "worker:1", NOON)
    with django_assert_num_queries(1):
        assert budget.seen(holders, NOON + LATER) == 20
    with django_assert_num_queries(0):
        assert budget.seen([], NOON) == 0


def test_the_lock_of_the_queue_is_free_after_each_question(alice: User) -> None:
    budget.ask(uuid.uuid4(), alice.pk, Mode.CALL, "worker:1", NOON)
    assert not connection.in_atomic_block
    assert budget.ask(uuid.uuid4(), alice.pk, Mode.CALL, "worker:2", NOON) == Granted()
