"""How Gemini lets a connection in: a token and a client for each dial, and what becomes of a failure."""

from __future__ import annotations

import asyncio
import threading

import pytest
from google.genai import types

from sessions_app.live.machine.failures import Failure, History, Phase, Verdict, judge
from sessions_app.live.providers.access import ByAccount, ByToken
from sessions_app.live.providers.minting import MintingFailed
from sessions_app.live.providers.token_keeper import TokenKeeper
from sessions_app.live.providers.upstream import UpstreamFailed
from tests.fakes.minter import FakeMinter

MODEL = "gemini-3.8-live"
LIMIT_MS = 10_000


def by_token(minter: FakeMinter) -> ByToken:
    return ByToken(TokenKeeper(minter), {"ping_interval": 20})


def options_of(access: object) -> types.HttpOptions:
    options = getattr(access, "_options", None)
    assert isinstance(options, types.HttpOptions)
    return options


async def token_of(access: ByToken) -> str:
    client = await access.client_for(MODEL, LIMIT_MS)
    return str(client._api_client.api_key)


async def test_dials_beside_each_other_have_a_token_each_and_trust_whom_the_first_one_trusted() -> None:
    access = by_token(FakeMinter())
    tokens = await asyncio.gather(*(token_of(access) for _ in range(2)))
    assert len(set(tokens)) == 2
    options = options_of(access)
    assert options.api_version == "v1alpha"
    arguments = options.async_client_args or {}
    assert arguments["ssl"] is arguments["verify"] is (options.client_args or {})["verify"]
    assert arguments["ping_interval"] == 20


async def test_the_key_has_one_client() -> None:
    access = ByAccount("a-key", "v1beta", {})
    assert await access.client_for(MODEL, LIMIT_MS) is await access.client_for("another", LIMIT_MS)
    failure = Failure(1007, "API key not valid.", Phase.SETUP)
    assert access.failed(MODEL, failure) is failure


@pytest.mark.parametrize(
    ("error", "verdict", "reason", "wait_ms"),
    [
        (MintingFailed(400, text="API key not valid. Please pass a valid API key."), Verdict.STOP, "bad-key", 0),
        (MintingFailed(429, 9), Verdict.WAIT, "rate-limit", 9_000),
        (MintingFailed(503), Verdict.RESUME, "provider-unavailable", 0),
        (MintingFailed(), Verdict.RESUME, "provider-unavailable", 0),
    ],
)
async def test_a_token_that_is_not_made_is_a_dial_that_failed(
    error: MintingFailed, verdict: Verdict, reason: str, wait_ms: int
) -> None:
    minter = FakeMinter()
    minter.fail_with = error
    with pytest.raises(UpstreamFailed) as failed:
        await by_token(minter).client_for(MODEL, LIMIT_MS)
    assert failed.value.failure.phase is Phase.MINTING
    judgement = judge(failed.value.failure, History(handle_used=True))
    assert (judgement.verdict, judgement.reason, judgement.wait_ms) == (verdict, reason, wait_ms)


async def test_a_token_that_does_not_come_in_time_is_not_waited_for() -> None:
    minter, over = FakeMinter(), threading.Event()
    minter.meanwhile = lambda: over.wait(5)
    access = ByToken(TokenKeeper(minter), {})
    dial = asyncio.create_task(access.client_for(MODEL, 0))
    try:
        with pytest.raises(UpstreamFailed) as failed:
            await dial
    finally:
        over.set()
    assert failed.value.failure == Failure(0, "no token: timed out", Phase.MINTING)


async def test_a_refused_token_costs_the_spares_and_another_failure_does_not() -> None:
    access = by_token(FakeMinter())
    first = await token_of(access)
    access.opened(MODEL)
    access.dialled(MODEL)
    await asyncio.sleep(0.001)
    told = access.failed(MODEL, Failure(1006, "", Phase.LIVE))
    assert told == Failure(1006, "", Phase.LIVE, by_token=True)
    second = await token_of(access)
    assert access.failed(MODEL, Failure(1007, "API key not valid.", Phase.SETUP)).by_token
    third = await token_of(access)
    numbers = [int(token.removeprefix("auth_tokens/"), 16) for token in (first, second, third)]
    assert numbers[0] < numbers[1] < numbers[2]
    assert numbers[2] > 3, "made after the refusal"
