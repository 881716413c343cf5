"""Who holds a line: workers, their heartbeats, and the numbers that fence others off."""

from __future__ import annotations

import datetime
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from energy.levels import Mode
from sessions_app import cleanup, lines
from sessions_app.lines import DEAD_AFTER, LOST_AFTER, Fenced, Hold, Owner, Taken, Wanted
from sessions_app.models import Conversation, Line, LiveSession, Worker
from tests.services.processes import PATIENCE_S

pytestmark = pytest.mark.django_db(transaction=True)

HERE, THERE = Owner(name="here:1"), Owner(name="there:1")
PAGE, OTHER_PAGE = uuid.UUID(int=1), uuid.UUID(int=2)


def take(user: User, owner: Owner = HERE, page: uuid.UUID = PAGE, mode: Mode = Mode.CALL) -> Hold:
    with transaction.atomic():
        return lines.take(user, mode, page, owner)


def live_session(user: User, hold: Hold) -> LiveSession:
    conversation = Conversation.objects.create(user=user, mode=Mode.CALL)
    session = LiveSession.objects.create(conversation=conversation, page_id=PAGE, model="m", owner="elsewhere:1")
    lines.note_session(hold, session.pk)
    return session


def miss_heartbeats(by: datetime.timedelta) -> None:
    """So much time passes in which no worker is heard."""
    Worker.objects.update(seen_at=F("seen_at") - by, missed_at=F("missed_at") - by)


def test_whoever_takes_a_line_gets_a_higher_number_and_the_one_before_may_write_nothing_more(alice: User) -> None:
    first, second = take(alice, HERE), take(alice, THERE, OTHER_PAGE)
    assert second == Hold(first.line, first.fence + 1)
    assert not lines.is_held(first)
    assert lines.is_held(second)
    with pytest.raises(Fenced) as fenced:
        lines.as_holder(first, lambda: Conversation.objects.create(user=alice, mode=Mode.CALL))
    assert fenced.value.page_id == OTHER_PAGE
    assert not Conversation.objects.exists()
    assert lines.as_holder(second, lambda: "written") == "written"


def test_lines_of_other_users_and_modes_are_others(alice: User, bob: User) -> None:
    holds = [take(alice), take(alice, THERE, mode=Mode.TEXT), take(bob, THERE)]
    assert len({hold.line for hold in holds}) == 3
    assert all(map(lines.is_held, holds))


def test_what_the_former_holder_gives_back_stays_with_the_present_one(alice: User) -> None:
    first, second = take(alice, HERE), take(alice, THERE)
    lines.release(first)
    assert Line.objects.get().worker_id == THERE.id
    lines.release(second)
    assert Line.objects.get().worker_id is None
    assert lines.is_held(second), "nobody has taken it yet: what is still to be stored may be"


def test_a_living_worker_is_asked_to_let_go_and_hears_of_it_with_its_heartbeat(alice: User) -> None:
    hold = take(alice, HERE)
    assert lines.beat(HERE, [hold]) == []
    assert lines.want(alice.pk, Mode.CALL, OTHER_PAGE, THERE, hands_on=True)
    assert lines.beat(HERE, [hold]) == [Wanted(hold, OTHER_PAGE, hands_on=True)]
    lines.release(hold)
    assert not lines.want(alice.pk, Mode.CALL, OTHER_PAGE, THERE), "it has let go"


def test_nobody_asks_themselves_or_for_a_line_that_nobody_holds(alice: User) -> None:
    assert not lines.want(alice.pk, Mode.CALL, PAGE, HERE)
    take(alice, HERE)
    assert not lines.want(alice.pk, Mode.CALL, PAGE, HERE)
    assert not lines.want(alice.pk, Mode.TEXT, PAGE, THERE)


def test_a_worker_that_was_not_seen_for_three_seconds_is_asked_nothing(alice: User) -> None:
    assert DEAD_AFTER.total_seconds() == 3
    take(alice, HERE)
    miss_heartbeats(lines.DEAD_AFTER - datetime.timedelta(minutes=10))
    assert lines.want(alice.pk, Mode.CALL, PAGE, THERE)
    miss_heartbeats(datetime.timedelta(minutes=10))
    assert not lines.want(alice.pk, Mode.CALL, PAGE, THERE)


def test_a_worker_that_wakes_is_told_what_was_taken_meanwhile_and_keeps_the_rest(alice: User, bob: User) -> None:
    lost, kept = take(alice, HERE), take(bob, HERE)
    miss_heartbeats(lines.DEAD_AFTER)
    take(alice, THERE, OTHER_PAGE)
    assert lines.beat(HERE, [lost, kept]) == [Taken(lost, OTHER_PAGE)]
    assert Worker.objects.filter(pk__in=lines.living_workers()).count() == 2


def test_the_live_session_of_a_holder_that_has_not_let_go_ends_and_its_connection_may_stand(alice: User) -> None:
    session = live_session(alice, take(alice, HERE))
    take(alice, THERE)
    session.refresh_from_db()
    assert session.end_reason == LiveSession.OWNER_LOST
    assert session.was_cut


def test_a_heartbeat_is_one_write_and_one_query_for_any_number_of_lines(
    alice: User, bob: User, sam: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    holds = [take(user, mode=mode) for user in (alice, bob, sam) for mode in Mode]
    with django_assert_num_queries(4):  # with the two of the transaction
        assert lines.beat(HERE, holds) == []


def test_a_line_goes_with_its_user_and_is_no_news_to_its_worker(alice: User) -> None:
    hold = take(alice)
    alice.delete()
    assert lines.beat(HERE, [hold]) == []
    assert lines.is_held(hold), "the pages are closed because the account is gone"


def test_of_many_who_take_a_line_at_once_each_gets_a_number_and_one_holds_it(alice: User) -> None:
    start = threading.Barrier(8)

    def take_it(number: int) -> Hold:
        try:
            start.wait(PATIENCE_S)
            return take(alice, Owner(name=f"w:{number}"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        holds = list(pool.map(take_it, range(8)))
    assert sorted(hold.fence for hold in holds) == list(range(1, 9))
    assert sum(map(lines.is_held, holds)) == 1


def test_nobody_takes_a_line_while_its_holder_writes(alice: User) -> None:
    """So whoever takes it reads what was written, or it is refused: nothing is written in between."""
    hold, is_writing, order = take(alice), threading.Event(), []

    def take_it() -> None:
        try:
            is_writing.wait(PATIENCE_S)
            take(alice, THERE)
            order.append("taken")
        finally:
            connections.close_all()

    def write() -> None:
        is_writing.set()
        taker.join(timeout=0.2)
        order.append("written")

    taker = threading.Thread(target=take_it)
    taker.start()
    lines.as_holder(hold, write)
    taker.join(PATIENCE_S)
    assert order == ["written", "taken"]


# -- workers that are gone ---------------------------------------------------------------------------------------------


def test_a_worker_without_a_heartbeat_is_given_up_by_the_second_cleanup_that_misses_it(alice: User) -> None:
    hold = take(alice, THERE)
    session = live_session(alice, hold)
    miss_heartbeats(LOST_AFTER)
    assert cleanup.lost_sessions() == []
    assert cleanup.forget_lost_workers() == 0
    miss_heartbeats(LOST_AFTER)
    assert cleanup.lost_sessions() == [session]
    assert cleanup.close_session(session)
    assert cleanup.forget_lost_workers() == 1
    assert lines.beat(THERE, [hold]) == [Taken(hold, None)], "should it wake after all"
    assert Worker.objects.get().name == THERE.name


def test_after_an_outage_of_the_database_no_worker_is_given_up(alice: User) -> None:
    """All heartbeats are old then, and a cleanup may come before the first of them."""
    hold = take(alice, THERE)
    miss_heartbeats(10 * LOST_AFTER)
    assert cleanup.forget_lost_workers() == 0
    lines.beat(THERE, [hold])
    miss_heartbeats(LOST_AFTER)
    assert cleanup.forget_lost_workers() == 0
    assert lines.is_held(hold)


def test_a_worker_leaves_no_trace_when_it_retires(alice: User) -> None:
    hold = take(alice)
    lines.leave(HERE)
    assert Worker.objects.get().leaving_at is not None
    lines.release(hold)
    lines.retire(HERE)
    assert not Worker.objects.exists()
