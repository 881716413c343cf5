"""What a load balancer is told of a worker that is at work."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.page import Page
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.valkey import running_valkey
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_a_worker_that_holds_a_live_session_is_ready(
    start_web: Callable[..., WebServer], redis_url: str, server: str
) -> None:
    web = start_web(server, REDIS_URL=redis_url)

    def ask() -> dict[str, object]:
        with urllib.request.urlopen(f"{web.url}/readyz", timeout=ANSWERS_WITHIN_S) as answer:
            return dict(json.load(answer))

    async with Page(web, "call") as page:
        await page.start()
        answers = [await asyncio.to_thread(ask) for _ in range(3)]
    assert answers == [{"ready": True, "database": "ok", "channel_layer": "ok", "process": "ok"}] * 3
