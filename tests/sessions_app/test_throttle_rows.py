"""The rows of throttles: shared by all workers, atomic, bounded, and nothing in them that was typed."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connections
from pytest_django import Settings

from sessions_app import throttle_rows
from sessions_app.models import Throttle
from sessions_app.throttle import LOG_IN, SEARCH, SIGN_UP, Rule, Scope, TooManyTries
from sessions_app.throttle_rows import Subjects, TakenTry
from summarization.tasks import prune_throttles

NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
HERE = "203.0.113.7"
PARALLEL = 50


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """Time stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def stranger(name: str, address: str = HERE) -> Subjects:
    return {Scope.ADDRESS: address, Scope.ACCOUNT: name}


def try_often(subjects: Subjects, times: int, rule: Rule = LOG_IN) -> int:
    """How many of so many tries at the same moment are let through."""
    let_through = 0
    for _ in range(times):
        try:
            throttle_rows.take(rule, subjects)
        except TooManyTries:
            continue
        let_through += 1
    return let_through


def wait_of(subjects: Subjects, rule: Rule = LOG_IN) -> int:
    """How long somebody is told to wait who tries now."""
    with pytest.raises(TooManyTries) as refused:
        throttle_rows.take(rule, subjects)
    return refused.value.wait_s


def test_tries_on_one_account_are_counted_together_from_wherever_they_come() -> None:
    assert sum(try_often(stranger("alice", f"198.51.100.{number}"), 1) for number in range(60)) == 5
    assert try_often(stranger("bob"), 1) == 1


def test_tries_from_one_address_are_counted_together_whatever_name_they_are_for() -> None:
    assert sum(try_often(stranger(f"name{number}"), 1) for number in range(60)) == 20
    assert try_often(stranger("name0", "198.51.100.1"), 1) == 1


def test_kinds_are_counted_apart() -> None:
    assert try_often({Scope.ADDRESS: HERE}, 60, SIGN_UP) == 20
    assert try_often(stranger("alice"), 1) == 1


def test_what_is_refused_is_not_counted_so_that_asking_again_makes_no_wait_longer(
    clock: time_machine.Traveller,
) -> None:
    try_often(stranger("alice"), 60)
    assert wait_of(stranger("alice")) == 1
    clock.shift(1)
    throttle_rows.take(LOG_IN, stranger("alice"))
    assert wait_of(stranger("alice")) == 2


def test_the_longest_wait_is_told_so_that_nobody_waits_twice(clock: time_machine.Traveller) -> None:
    try_often(stranger("alice", "198.51.100.1"), 60)
    clock.shift(1)
    try_often(stranger("alice", "198.51.100.1"), 1)
    for number in range(20):
        try_often(stranger(f"name{number}"), 1)
    assert wait_of(stranger("somebody")) == 1
    assert wait_of(stranger("alice")) == 2


def test_a_success_forgets_the_tries_on_the_account() -> None:
    try_often(stranger("alice"), 4)
    throttle_rows.succeed(throttle_rows.take(LOG_IN, stranger("alice")))
    assert try_often(stranger("alice"), 60) == 5


def test_a_success_at_an_account_of_ones_own_opens_no_address_for_tries_on_others(
    clock: time_machine.Traveller,
) -> None:
    """Somebody has an account, and logs in with it between two tries on other accounts, for ten minutes."""
    let_through = number = 0
    while clock_now() < NOON + datetime.timedelta(minutes=10):
        let_through += try_often(stranger(f"victim{number}"), 1)
        number += 1
        try:
            throttle_rows.succeed(throttle_rows.take(LOG_IN, stranger("mallory")))
        except TooManyTries:
            clock.shift(0.5)
    assert let_through <= 31


def clock_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def test_twenty_who_log_in_at_once_from_one_office_close_it_for_nobody() -> None:
    taken = [throttle_rows.take(LOG_IN, stranger(f"colleague{number}")) for number in range(20)]
    for one in taken:
        throttle_rows.succeed(one)
    assert try_often(stranger("late"), 1) == 1


def test_an_attacker_with_one_address_makes_few_rows_however_many_names_he_has() -> None:
    for number in range(500):
        try_often(stranger(f"name{number}"), 1)
    assert Throttle.objects.count() == 21


def test_rows_go_when_nothing_of_them_matters_any_more(clock: time_machine.Traveller) -> None:
    try_often(stranger("alice"), 5)
    clock.shift(5 * 900 - 1)
    prune_throttles()
    assert [row.scope for row in Throttle.objects.all()] == ["account"]
    clock.shift(1)
    prune_throttles()
    assert not Throttle.objects.exists()


def test_rows_hold_neither_names_that_were_typed_nor_devices() -> None:
    """A name that is typed is sometimes a password."""
    try_often(stranger("hunter2-my-password"), 1)
    try_often({Scope.DEVICE: "1:77"}, 1)
    for row in Throttle.objects.values():
        assert "hunter2" not in str(row)
        assert "1:77" not in str(row)
    assert list(Throttle.objects.exclude(address="").values_list("scope", "address")) == [("address", HERE)]


def test_digests_depend_on_the_servers_key(settings: Settings) -> None:
    try_often(stranger("alice"), 5)
    settings.SECRET_KEY = "another-key"
    assert try_often(stranger("alice"), 5) == 5


def test_a_name_that_is_no_text_of_any_encoding_is_counted_like_others() -> None:
    assert try_often(stranger("\ud800\x00"), 60) == 5


def test_operators_see_whose_account_it_is_and_how_often_it_was_tried(alice: User) -> None:
    for _ in range(3):
        throttle_rows.take(LOG_IN, stranger("alice"), alice)
    account, address = Throttle.objects.order_by("scope")
    assert (account.user, account.total, account.closed_until) == (alice, 3, None)
    assert (address.user, address.total) == (None, 3)


def test_counts_go_with_the_account(alice: User) -> None:
    throttle_rows.take(SEARCH, {Scope.ACCOUNT: str(alice.pk)}, alice)
    alice.delete()
    assert not Throttle.objects.exists()


def test_a_line_in_the_log_says_that_something_was_closed_and_for_how_long(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sessions_app.throttle_rows"):
        for _ in range(5):
            throttle_rows.take(LOG_IN, stranger("alice"), alice)
        try_often(stranger("alice"), 60)
    (line,) = caplog.records
    facts = {name: line.__dict__[name] for name in ("throttle", "scope", "tries", "wait_s", "user")}
    assert facts == {"throttle": "log-in", "scope": "account", "tries": 5, "wait_s": 1, "user": alice.pk}
    assert line.levelname == "WARNING"
    assert "alice" not in line.getMessage()


def test_a_line_in_the_log_says_that_somebody_got_in_after_wrong_tries(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    try_often(stranger("alice"), 3)
    with caplog.at_level(logging.INFO, "sessions_app.throttle_rows"):
        throttle_rows.succeed(throttle_rows.take(LOG_IN, stranger("alice"), alice))
    assert [line.__dict__["tries"] for line in caplog.records] == [4]


def in_threads(work: Callable[[int], None], times: int) -> None:
    together = threading.Barrier(times)

    def run(number: int) -> None:
        try:
            together.wait()
            work(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_fifty_tries_at_the_same_moment_get_no_further_than_fifty_one_after_the_other() -> None:
    """Each of them is counted before its password is looked at."""
    taken: list[TakenTry] = []

    def take(number: int) -> None:
        with suppress(TooManyTries):
            taken.append(throttle_rows.take(LOG_IN, stranger("alice", f"198.51.100.{number}")))

    in_threads(take, PARALLEL)
    assert len(taken) == 5
    assert Throttle.objects.get(scope=Scope.ACCOUNT).total == 5


@pytest.mark.django_db(transaction=True)
def test_tries_successes_and_sweeps_side_by_side_neither_fail_nor_wait_for_each_other_for_ever() -> None:
    """Workers meet on the same rows in every order; the database would end one of two that wait for each other."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                subjects = stranger(f"name{(number + turn) % 3}", f"198.51.100.{turn % 2}")
                with suppress(TooManyTries):
                    throttle_rows.succeed(throttle_rows.take(LOG_IN, subjects))
                throttle_rows.prune()
        except BaseException as error:
            failures.append(error)

    in_threads(work, 8)
    assert failures == []
