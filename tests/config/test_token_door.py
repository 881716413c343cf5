"""The token service: who is let in, what they get, and that it is not there unless it was switched on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from prometheus_client import CollectorRegistry
from pytest_django import Settings

from config import token_door
from config.metrics.figures import Figures
from config.token_door import ASKED_BURST, WRONG_BURST, TokenDoor
from sessions_app.live.providers.minting import MintingFailed
from tests.fakes.minter import FakeMinter
from tests.services.processes import ANSWERS_WITHIN_S
from tests.virtual_time import VirtualTimeLoop

SECRET = "a-secret-of-this-test-which-nobody-is-told"
MODEL = "gemini-3.8-live"
ASKED = {"model": MODEL, "opens_for_s": 600, "counts_for_s": 7200}


@pytest.fixture(autouse=True)
def switched_on(settings: Settings) -> None:
    settings.GEMINI_TOKEN_SERVICE = True
    settings.GEMINI_TOKEN_SERVICE_SECRET = SECRET


@pytest.fixture
def minter() -> FakeMinter:
    return FakeMinter()


@pytest.fixture
def door(minter: FakeMinter) -> TokenDoor:
    return TokenDoor(the_site, lambda: minter, now_s=lambda: 0.0)


async def the_site(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing here"})


Answered = tuple[int, dict[bytes, bytes], dict[str, Any]]


async def ask(
    door: TokenDoor,
    asked: object = ASKED,
    *,
    secret: str = SECRET,
    method: str = "POST",
    path: str = token_door.PATH,
) -> Answered:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    application = begin(door, secret, method, path)
    await application.send_input({"type": "http.request", "body": body[:9], "more_body": True})
    await application.send_input({"type": "http.request", "body": body[9:]})
    return await answer_of(application)


def begin(
    door: TokenDoor, secret: str = SECRET, method: str = "POST", path: str = token_door.PATH
) -> ApplicationCommunicator:
    headers = [(b"authorization", f"Bearer {secret}".encode())] if secret else []
    scope = {"type": "http", "path": path, "method": method, "headers": headers, "client": ("10.0.0.7", 4711)}
    return ApplicationCommunicator(door, scope)


async def answer_of(application: ApplicationCommunicator, within_s: float = ANSWERS_WITHIN_S) -> Answered:
    start, sent = await application.receive_output(within_s), await application.receive_output(within_s)
    return start["status"], dict(start["headers"]), _parsed(sent["body"])


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(body)
    except ValueError:
        return {"body": body}
    return answer


def code_of(answered: Answered) -> tuple[int, str]:
    return answered[0], answered[2]["error"]["code"]


async def test_who_has_the_secret_gets_a_token_that_nobody_may_keep(door: TokenDoor, minter: FakeMinter) -> None:
    status, headers, answer = await ask(door)
    assert (status, answer) == (201, {"token": f"auth_tokens/{1:064x}", "api_version": "v1alpha"})
    assert headers[b"cache-control"] == b"no-store"
    (order,) = minter.orders
    assert (order.model, order.uses) == (MODEL, 1)
    assert (order.expire_time - order.new_session_expire_time).total_seconds() == 6_600


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], f"{SECRET}\u00e4"])
async def test_nobody_else_gets_one(door: TokenDoor, minter: FakeMinter, secret: str) -> None:
    assert code_of(await ask(door, secret=secret)) == (401, "bad_secret")
    assert minter.orders == []


async def test_where_there_is_no_secret_nobody_has_it(door: TokenDoor, settings: Settings) -> None:
    settings.GEMINI_TOKEN_SERVICE_SECRET = ""
    assert code_of(await ask(door, secret="")) == (401, "bad_secret")
    assert code_of(await ask(door, secret=" ")) == (401, "bad_secret")


async def test_it_is_not_there_unless_it_is_switched_on_nor_elsewhere(door: TokenDoor, settings: Settings) -> None:
    assert (await ask(door, path="/api/tokens/"))[2] == {"body": b"nothing here"}
    settings.GEMINI_TOKEN_SERVICE = False
    assert (await ask(door))[2] == {"body": b"nothing here"}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (b"{", 400, "no_json"),
        (b"[" * 4_000, 400, "no_json"),
        (b" " * 5_000, 413, "too_large"),
        ([], 400, "bad_value"),
        ({**ASKED, "uses": 5}, 400, "bad_value"),
        ({**ASKED, "counts_for_s": 7_201}, 400, "bad_value"),
        ({**ASKED, "opens_for_s": True}, 400, "bad_value"),
        ({**ASKED, "opens_for_s": 9}, 400, "bad_value"),
        ({**ASKED, "model": "gemini-3.8-flash"}, 400, "foreign_model"),
        ({**ASKED, "model": []}, 400, "foreign_model"),
        ({}, 400, "foreign_model"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    door: TokenDoor, minter: FakeMinter, asked: object, status: int, code: str
) -> None:
    assert code_of(await ask(door, asked)) == (status, code)
    assert minter.orders == []


def test_half_a_request_is_not_waited_for_without_end(door: TokenDoor, minter: FakeMinter) -> None:
    async def send_half() -> Answered:
        application = begin(door)
        await application.send_input({"type": "http.request", "body": b'{"model":', "more_body": True})
        return await answer_of(application, within_s=3_600)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert code_of(runner.run(send_half())) == (408, "too_slow")
    assert minter.orders == []


async def test_only_posting_is_answered(door: TokenDoor) -> None:
    assert code_of(await ask(door, method="GET")) == (405, "bad_method")


@pytest.mark.parametrize(
    ("failure", "status", "error", "wait"),
    [
        (
            MintingFailed(400, text="API key not valid."),
            502,
            {"code": "provider_refuses", "text": "API key not valid.", "provider_status": 400},
            None,
        ),
        (
            MintingFailed(429, 9),
            429,
            {"code": "provider_limits", "text": "The provider makes no token.", "provider_status": 429},
            b"9",
        ),
        (MintingFailed(), 503, {"code": "provider_unavailable", "text": "The provider makes no token."}, None),
    ],
)
async def test_what_the_provider_says_is_passed_on(
    door: TokenDoor,
    minter: FakeMinter,
    failure: MintingFailed,
    status: int,
    error: dict[str, object],
    wait: bytes | None,
) -> None:
    minter.fail_with = failure
    answered = await ask(door)
    assert (answered[0], answered[2]["error"], answered[1].get(b"retry-after")) == (status, error, wait)


async def test_what_is_made_for_others_is_counted(minter: FakeMinter) -> None:
    figures = Figures(registry := CollectorRegistry())
    door = TokenDoor(the_site, lambda: minter, figures.tokens)
    await ask(door)
    minter.fail_with = MintingFailed(503)
    await ask(door)
    counts = [
        registry.get_sample_value("holdline_token_mint_seconds_count", {"outcome": outcome})
        for outcome in ("made", "unavailable", "refused")
    ]
    assert counts == [1, 1, 0]


async def test_without_a_key_it_has_none_to_give() -> None:
    assert code_of(await ask(TokenDoor(the_site, lambda: None))) == (503, "provider_unavailable")


async def test_too_many_requests_are_refused_and_wrong_secrets_keep_nobody_out(
    door: TokenDoor, minter: FakeMinter, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = [code_of(await ask(door, secret="guessed"))[0] for _ in range(WRONG_BURST + 1)]
    assert wrong == [401] * WRONG_BURST + [429]
    right = [(await ask(door))[0] for _ in range(ASKED_BURST + 1)]
    assert right == [201] * ASKED_BURST + [429]
    assert len(minter.orders) == ASKED_BURST
    assert "guessed" not in caplog.text
    assert SECRET not in caplog.text
