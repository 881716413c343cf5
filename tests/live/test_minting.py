"""Asking the provider for a token: what is asked, and whatever comes instead of one."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sessions_app.live.providers import auth_tokens
from sessions_app.live.providers.auth_tokens import GeminiMinter
from sessions_app.live.providers.minting import MintingFailed, TokenOrder
from tests.fakes.http_server import HttpServer

pytestmark = pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning")  # given once a process

NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.3s"}
EXHAUSTED = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slowly.", "details": [RETRY_INFO]}}
REFUSED = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "No."}}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    provider = HttpServer(200, {"name": "auth_tokens/abc"})
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", provider.url)
    yield provider
    provider.stop()


def order(**more: Any) -> TokenOrder:
    return TokenOrder("m", 2, NOON, NOON + HOUR, **more)


def mask_of(body: dict[str, Any]) -> set[str]:
    return set(body["fieldMask"].split(","))


ALWAYS = {"model", "generationConfig.responseModalities", "tools"}


def test_the_model_and_that_there_are_no_tools_is_held_fast_and_nothing_else_without_a_wish(
    provider: HttpServer,
) -> None:
    assert GeminiMinter("key").mint(order()) == "auth_tokens/abc"
    ((path, body),) = provider.asked
    assert path == "/v1alpha/auth_tokens"
    times = [datetime.datetime.fromisoformat(body[name]) for name in ("newSessionExpireTime", "expireTime")]
    assert (body["uses"], *times) == (2, NOON, NOON + HOUR)
    assert body["bidiGenerateContentSetup"] == {
        "model": "models/m",
        "generationConfig": {"responseModalities": ["AUDIO"]},
    }
    assert mask_of(body) == ALWAYS


def test_a_mask_names_what_is_given_and_what_is_locked_without_a_value_and_never_the_handle(
    provider: HttpServer,
) -> None:
    locked = frozenset({"instruction", "voice", "temperature"})
    GeminiMinter("key").mint(order(instruction="Be calm.", thinking_level="LOW", locked=locked))
    body = provider.asked[0][1]
    assert mask_of(body) == ALWAYS | {
        *("systemInstruction.parts", "systemInstruction.role", "generationConfig.thinkingConfig"),
        *("generationConfig.speechConfig", "generationConfig.temperature"),
    }
    assert "sessionResumption" not in body["bidiGenerateContentSetup"]
    GeminiMinter("key").mint(order(voice="Puck", temperature=0.0, locked=locked))
    setup = provider.asked[1][1]["bidiGenerateContentSetup"]["generationConfig"]
    assert setup["temperature"] == 0.0
    assert "Puck" in json.dumps(setup["speechConfig"])
    assert "systemInstruction" in mask_of(provider.asked[1][1])


@pytest.mark.parametrize(
    ("status", "body", "code", "retry_after_s", "is_refusal"),
    [
        (429, json.dumps(EXHAUSTED).encode(), 429, 13, False),
        (400, json.dumps(REFUSED).encode(), 400, None, True),
        (403, b"", 403, None, True),
        (503, b"<html>", 503, None, False),
        (200, b"", 0, None, False),
        (200, b"{}", 0, None, False),
        (200, b"[]", 0, None, False),
        (200, b'{"name": "a-key"}', 0, None, False),
        (200, b"<html>", 0, None, False),
    ],
)
def test_whatever_comes_instead_of_a_token_is_a_failure(
    provider: HttpServer, status: int, body: bytes, code: int, retry_after_s: int | None, is_refusal: bool
) -> None:
    provider.status, provider.body = status, body
    failure = failure_of(lambda: GeminiMinter("key").mint(order()))
    assert (failure.code, failure.retry_after_s, failure.is_refusal) == (code, retry_after_s, is_refusal)
    assert len(provider.asked) == 1, "it is not asked twice"


def test_what_the_provider_says_is_kept_without_key_and_tokens(provider: HttpServer) -> None:
    said = "Not for AIza-the-key, and auth_tokens/0123abc is spent."
    provider.status, provider.body = 400, json.dumps({"error": {"code": 400, "message": said}}).encode()
    failure = failure_of(lambda: GeminiMinter("AIza-the-key").mint(order()))
    assert "Not for ***, and auth_tokens/*** is spent." in failure.text
    assert "AIza" not in f"{failure!r} {failure}"


def test_a_client_is_made_once_and_again_after_it_was_closed(provider: HttpServer) -> None:
    minter = GeminiMinter("key")
    for _ in range(2):
        assert minter.mint(order()) == minter.mint(order())
        minter.close()


def test_a_provider_that_does_not_answer_is_not_waited_for(
    provider: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_tokens, "TIMEOUT_MS", 100)
    provider.silent = True
    assert failure_of(lambda: GeminiMinter("key").mint(order())).code == 0


def failure_of(mint: Callable[[], object]) -> MintingFailed:
    with pytest.raises(MintingFailed) as failed:
        mint()
    return failed.value
