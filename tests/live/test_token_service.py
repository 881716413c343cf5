"""Asking another process for a token: what is asked, and whatever comes instead of one."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sessions_app.live.providers import token_service
from sessions_app.live.providers.minting import MintingFailed, MintOutcome
from sessions_app.live.providers.token_keeper import order_of
from sessions_app.live.providers.token_service import ServiceMinter
from tests.fakes.http_server import HttpServer

MODEL, SECRET = "gemini-3.8-live", "a-secret-of-this-test-which-nobody-is-told"


@pytest.fixture
def service() -> Iterator[HttpServer]:
    service = HttpServer(201, {"token": "auth_tokens/abc", "api_version": "v1alpha"})
    yield service
    service.stop()


def ask(service: HttpServer) -> str:
    order = order_of(MODEL, datetime.datetime.now(datetime.UTC))
    return ServiceMinter(f"{service.url}/token-service/", SECRET).mint(order)


def failure_of(service: HttpServer) -> MintingFailed:
    with pytest.raises(MintingFailed) as failed:
        ask(service)
    return failed.value


def test_it_is_asked_with_the_secret_for_a_model_and_durations(service: HttpServer) -> None:
    assert ask(service) == "auth_tokens/abc"
    assert service.asked == [("/token-service/", {"model": MODEL, "opens_for_s": 600, "counts_for_s": 7200})]
    assert service.shown[0]["Authorization"] == f"Bearer {SECRET}"


def error(code: str, text: str = "No.", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "text": text, **more}}


@pytest.mark.parametrize(
    ("status", "answer", "code", "outcome"),
    [
        (401, error("bad_secret"), 401, MintOutcome.REFUSED),
        (404, "not here", 404, MintOutcome.REFUSED),
        (502, error("provider_refuses", provider_status=400), 400, MintOutcome.REFUSED),
        (503, error("provider_unavailable", provider_status=500), 500, MintOutcome.UNAVAILABLE),
        (503, error("busy", provider_status="?"), 503, MintOutcome.UNAVAILABLE),
        (429, error("too_many"), 429, MintOutcome.LIMITED),
        (302, {}, 0, MintOutcome.UNAVAILABLE),
        (200, {"token": "auth_tokens/abc"}, 0, MintOutcome.UNAVAILABLE),
        (201, {"token": "a-key"}, 0, MintOutcome.UNAVAILABLE),
        (201, {}, 0, MintOutcome.UNAVAILABLE),
        (201, [], 0, MintOutcome.UNAVAILABLE),
        (500, {"error": "broken"}, 500, MintOutcome.UNAVAILABLE),
    ],
)
def test_whatever_comes_instead_of_a_token_is_a_failure(
    service: HttpServer, status: int, answer: object, code: int, outcome: MintOutcome
) -> None:
    service.status, service.body = status, json.dumps(answer).encode()
    service.headers["Location"] = "http://127.0.0.1:9/elsewhere"
    failure = failure_of(service)
    assert (failure.code, failure.outcome) == (code, outcome)
    assert len(service.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 10_000, b"\xff"])
def test_an_answer_that_is_none_is_a_failure(service: HttpServer, body: bytes) -> None:
    service.body = body
    assert failure_of(service).code == 0


@pytest.mark.parametrize(("header", "wait_s"), [("7", 7), ("999999", 3_600), ("soon", None), ("", None)])
def test_a_pause_that_is_asked_for_is_told(service: HttpServer, header: str, wait_s: int | None) -> None:
    service.status, service.headers["Retry-After"] = 429, header
    assert failure_of(service).retry_after_s == wait_s


def test_its_words_are_told_without_secret_and_tokens(service: HttpServer) -> None:
    service.status = 502
    service.body = json.dumps(error("provider_refuses", f"API key not valid. {SECRET} auth_tokens/abc1")).encode()
    failure = failure_of(service)
    assert failure.text == "the token service says: API key not valid. *** auth_tokens/***"


def test_nobody_there_and_nobody_who_answers_is_a_failure(service: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_service, "TIMEOUT_S", 0.1)
    service.silent = True
    assert failure_of(service).code == 0
    order = order_of(MODEL, datetime.datetime.now(datetime.UTC))
    for url in ("http://127.0.0.1:9/token-service/", "https://127.0.0.1:9", f"https{service.url[4:]}/"):
        with pytest.raises(MintingFailed):
            ServiceMinter(url, SECRET).mint(order)
