"""What an operator reads of conversations whose connections are torn."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.metrics.scrape import OPEN_METRICS, Scrape, risen
from tests.scenarios.page import Page
from tests.scenarios.test_conversations_survive import ask_code_word, tell_code_word
from tests.scenarios.test_energy import forget_quota
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, PATIENCE_S, free_port, wait_until
from tests.services.web import WebServer

NEWEST = "gemini-3.8-live"
COUNTED = (
    "holdline_openings_total",
    "holdline_swaps_total",
    "holdline_swap_gap_seconds_count",
    "holdline_resumes_total",
    "holdline_level_changes_total",
    "holdline_input_lost_messages_total",
    "holdline_alarms_total",
)


def read(web: WebServer, **headers: str) -> Scrape:
    request = urllib.request.Request(f"{web.url}/metrics", headers={"Accept": OPEN_METRICS, **headers})
    with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return Scrape(answer.read().decode())


async def scrape(web: WebServer) -> Scrape:
    return await asyncio.to_thread(read, web)


async def test_through_a_proxy_of_the_same_machine_there_is_no_such_page(web: WebServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        await asyncio.to_thread(read, web, **{"X-Forwarded-For": "127.0.0.1"})
    read(web)
    assert "/metrics" not in web.log().replace("Not Found: /metrics", "")


@pytest.mark.laptop
async def test_uvicorn_answers_who_has_the_token_by_whatever_name_it_is_asked(
    start_web: Callable[..., WebServer],
) -> None:
    web = start_web("uvicorn", METRICS_TOKEN="of-the-operator", HTTPS_ONLY="1")
    by_name = {"Host": "web1:8000", "Authorization": "Bearer of-the-operator", "X-Forwarded-For": "203.0.113.7"}

    def database_is_up() -> bool:
        return read(web, **by_name).value("holdline_database_up") == 1

    # A scrape waits two seconds for the database, which a machine that is busy with others may exceed.
    await asyncio.to_thread(wait_until, database_is_up, PATIENCE_S, "a scrape for which the database answered")
    found = await asyncio.to_thread(read, web, **by_name)
    assert found.families["process_resident_memory_bytes"] == "gauge"
    assert "/metrics HTTP" not in web.log()


@pytest.mark.laptop
async def test_a_process_that_never_reached_its_database_says_so(start_web: Callable[..., WebServer]) -> None:
    web = start_web("uvicorn", DATABASE_URL=f"postgresql://holdline@127.0.0.1:{free_port()}/holdline")
    found = await scrape(web)
    assert found.value("holdline_database_up") == 0
    assert found.value("holdline_channel_layer_up") == 1
    assert found.value("holdline_live_sessions") == 0
    assert "holdline_web_workers" not in found.families


@pytest.mark.developer_api
async def test_each_way_of_losing_a_connection_is_counted_as_what_it_was(web: WebServer, emulator: Emulator) -> None:
    await asyncio.to_thread(forget_quota, web)
    first = before = await scrape(web)
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        now = await scrape(web)
        assert now.value("holdline_live_sessions", mode="text", model=NEWEST, state="live") == 1
        assert now.value("holdline_open_pages") >= 1
        assert risen(before, now, COUNTED) == {"holdline_openings_total text new": 1}

        before = now
        emulator.fault("go_away", time_left="2s")
        await page.wait_for("state", state="handover")
        await page.wait_for("state", state="live")
        now = await scrape(web)
        assert risen(before, now, COUNTED) == {
            "holdline_swaps_total go-away text resumed": 1,
            "holdline_swap_gap_seconds_count go-away text": 1,
            "holdline_resumes_total text accepted": 1,
        }

        before = now
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("state", state="live")
        now = await scrape(web)
        assert risen(before, now, COUNTED) == {
            "holdline_swaps_total connection-lost text resumed": 1,
            "holdline_swap_gap_seconds_count connection-lost text": 1,
            "holdline_resumes_total text accepted": 1,
        }

        assert "PLUM-42" in await ask_code_word(page)
        before = await scrape(web)
        emulator.fault("dead_handle")
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("state", state="live")
        now = await scrape(web)
        assert risen(before, now, COUNTED) == {
            "holdline_swaps_total connection-lost text rebuilt": 1,
            "holdline_swap_gap_seconds_count connection-lost text": 1,
            "holdline_resumes_total text refused": 1,
        }

        assert "PLUM-42" in await ask_code_word(page)
        before = await scrape(web)
        emulator.fault("quota", model=NEWEST, limit="day", connection="all")
        await page.say("And now?")
        await page.wait_for("energy", level=2)
        await page.wait_for("state", state="live")
        now = await scrape(web)
        assert risen(before, now, COUNTED) == {
            "holdline_swaps_total level text rebuilt": 1,
            "holdline_swap_gap_seconds_count level text": 1,
            "holdline_level_changes_total down text rate-limit-exceeded": 1,
        }
    await asyncio.to_thread(forget_quota, web)
    last = await scrape(web)
    counted = last.counters()
    assert {key: value for key, value in first.counters().items() if counted[key] < value} == {}
    assert last.value("holdline_event_loop_lag_seconds_count") > 0
