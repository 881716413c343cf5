"""Tokens for dials: handed out once each, made beside everything else, on virtual time with somebody who makes them."""

from __future__ import annotations

import asyncio
import datetime
import threading

import pytest

from sessions_app.live.providers.minting import MintingFailed, MintOutcome
from sessions_app.live.providers.token_keeper import TokenKeeper, order_of
from sessions_app.live.providers.token_stock import AT_ONCE, COUNTED_FOR_MS, RENEW_BEFORE_MS
from tests.fakes.minter import FakeMinter

MODEL = "gemini-3.8-live"
NOON = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


class Told:
    """What a keeper tells: outcomes, and whether the tokens of dials were ready."""

    def __init__(self) -> None:
        self.outcomes: list[MintOutcome] = []
        self.ready: list[bool] = []

    def asked_for_token(self, outcome: MintOutcome, seconds: float) -> None:
        self.outcomes.append(outcome)

    def dialled_by_token(self, *, was_ready: bool) -> None:
        self.ready.append(was_ready)


async def settled() -> None:
    """Until what was begun is done."""
    await asyncio.sleep(0.001)


async def test_the_first_dial_waits_and_those_after_it_find_a_token_ready() -> None:
    told = Told()
    tokens = TokenKeeper(FakeMinter(), told)
    taken = [await tokens.take(MODEL)]
    tokens.opened(MODEL)
    tokens.dialled(MODEL)
    for _ in range(3):
        await settled()
        tokens.closed(MODEL)
        taken.append(await tokens.take(MODEL))
        tokens.opened(MODEL)
        tokens.dialled(MODEL)
    assert told.ready == [False, True, True, True]
    assert len(set(taken)) == 4
    await settled()
    assert told.outcomes == [MintOutcome.MADE] * 6


async def test_a_token_is_asked_for_with_times_of_our_clock_and_room_for_the_providers() -> None:
    minter = FakeMinter()
    await TokenKeeper(minter, now=lambda: NOON).take(MODEL)
    order = minter.orders[0]
    assert order == order_of(MODEL, NOON)
    assert (order.model, order.uses) == (MODEL, 1)
    assert order.new_session_expire_time == NOON + 10 * MINUTE
    assert order.expire_time == NOON + 120 * MINUTE


async def test_a_spare_is_renewed_as_long_as_there_is_a_call_and_no_longer() -> None:
    minter = FakeMinter()
    tokens = TokenKeeper(minter)
    await tokens.take(MODEL)
    tokens.opened(MODEL)
    tokens.dialled(MODEL)
    renewed_every_s = (COUNTED_FOR_MS - RENEW_BEFORE_MS) / 1000
    await asyncio.sleep(10 * renewed_every_s + 1)
    assert len(minter.orders) == 1 + 2 * 11
    tokens.closed(MODEL)
    await asyncio.sleep(3_600)
    assert len(minter.orders) == 1 + 2 * 11


async def test_many_that_dial_at_once_get_one_each_and_no_more_are_made_at_a_time_than_may_be() -> None:
    minter, at_work, most = FakeMinter(), 0, 0
    lock, gate = threading.Lock(), threading.Event()

    def count() -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        gate.wait(5)
        with lock:
            at_work -= 1

    minter.meanwhile = count
    tokens = TokenKeeper(minter)
    dials = [asyncio.create_task(tokens.take(MODEL)) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    assert len(set(await asyncio.gather(*dials))) == 20
    assert most <= AT_ONCE


async def test_a_failure_is_told_to_the_dial_that_waits_and_the_next_one_asks_again() -> None:
    minter, told = FakeMinter(), Told()
    tokens = TokenKeeper(minter, told)
    minter.fail_with = MintingFailed(503)
    with pytest.raises(MintingFailed):
        await tokens.take(MODEL)
    minter.fail_with = None
    assert (await tokens.take(MODEL)).startswith("auth_tokens/")
    assert {MintOutcome.UNAVAILABLE, MintOutcome.MADE} <= set(told.outcomes)


async def test_a_dial_fails_only_when_nothing_is_being_made_for_it_any_more() -> None:
    minter, fails = FakeMinter(), iter((True, True, False))
    lock = threading.Lock()

    def fail_twice() -> None:
        with lock:
            if next(fails, False):
                raise MintingFailed(503)

    minter.meanwhile = fail_twice
    told = Told()
    assert await TokenKeeper(minter, told).take(MODEL)
    assert told.outcomes.count(MintOutcome.UNAVAILABLE) <= 2


async def test_who_is_asked_for_a_pause_asks_nobody_until_it_is_over() -> None:
    minter = FakeMinter()
    tokens = TokenKeeper(minter)
    minter.fail_with = MintingFailed(429, 30)
    with pytest.raises(MintingFailed):
        await tokens.take(MODEL)
    minter.fail_with = None
    await asyncio.sleep(10)
    with pytest.raises(MintingFailed) as failed:
        await tokens.take(MODEL)
    assert (failed.value.code, failed.value.retry_after_s) == (429, 20)
    assert minter.orders == []
    await asyncio.sleep(20)
    assert await tokens.take(MODEL)


async def test_spares_that_cannot_be_made_are_tried_again_with_pauses() -> None:
    minter, told = FakeMinter(), Told()
    tokens = TokenKeeper(minter, told)
    await tokens.take(MODEL)
    tokens.opened(MODEL)
    tokens.dialled(MODEL)
    await settled()
    minter.fail_with = MintingFailed()
    await asyncio.sleep(1_000)
    assert 10 < told.outcomes.count(MintOutcome.UNAVAILABLE) < 50
    minter.fail_with = None
    await asyncio.sleep(60)
    assert told.outcomes[-1] is MintOutcome.MADE
    await tokens.take(MODEL)
    assert told.ready[-1]


async def test_a_dial_that_was_given_up_leaves_its_token_to_the_next() -> None:
    minter, told = FakeMinter(), Told()
    tokens = TokenKeeper(minter, told)
    dial = asyncio.create_task(tokens.take(MODEL))
    await asyncio.sleep(0)
    dial.cancel()
    await settled()
    assert await tokens.take(MODEL) == f"auth_tokens/{1:064x}"
    assert told.ready == [True]


async def test_after_a_refusal_the_next_dial_has_a_token_that_was_made_after_it() -> None:
    tokens = TokenKeeper(FakeMinter())
    await tokens.take(MODEL)
    tokens.opened(MODEL)
    tokens.dialled(MODEL)
    await settled()
    tokens.refused(MODEL)
    assert await tokens.take(MODEL) >= f"auth_tokens/{4:064x}"


async def test_what_nobody_expects_of_a_minter_fails_the_dial_and_its_text_is_told_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    minter = FakeMinter()

    def explode() -> None:
        raise RuntimeError("the key is AIza-secret")

    minter.meanwhile = explode
    with pytest.raises(MintingFailed) as failed:
        await TokenKeeper(minter).take(MODEL)
    assert "AIza" not in f"{failed.value!r} {caplog.text}"
    assert "RuntimeError" in caplog.text


async def test_an_announced_dial_of_another_model_does_not_wait() -> None:
    told = Told()
    tokens = TokenKeeper(FakeMinter(), told)
    tokens.expect("gemini-3.1-flash-live-preview", 20_000)
    await settled()
    await tokens.take("gemini-3.1-flash-live-preview")
    assert told.ready == [True]
