"""The control API: what it takes, what it shows, and who may ask."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.emulator.client import LIVE_3_8, ask, live
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S


def request(
    emulator: Emulator, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    asked = urllib.request.Request(emulator.control_url + path, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(asked, timeout=ANSWERS_WITHIN_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_an_open_connection_is_described(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await ask(session, "Hello")
        (shown,) = emulator.connections()
    assert set(shown) == {
        "id",
        "session",
        "model",
        "resumed",
        "opened_at",
        "state",
        "audio_in_ms",
        "closing",
    }
    assert (shown["model"], shown["resumed"], shown["closing"]) == (LIVE_3_8, False, False)


async def test_the_log_tells_a_conversation_in_order(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await ask(session, "Hello")
    entries = emulator.log()
    kinds = [entry["kind"] for entry in entries if entry["kind"] != "handle_issued"]
    assert kinds == ["setup", "opened", "text_in", "reply", "turn_complete", "closed"]
    numbers = [entry["n"] for entry in entries]
    assert numbers == sorted(numbers)
    status, later = request(emulator, "GET", f"/api/log?after={numbers[1]}")
    assert (status, [entry["n"] for entry in later["entries"]], later["next"]) == (200, numbers[2:], numbers[-1])


def test_armed_faults_are_listed_and_disarmed(emulator: Emulator) -> None:
    emulator.fault("cut", when="speech", count=2)
    emulator.fault("quota", model="models/gemini-3.8-live", limit="day")
    _, armed = request(emulator, "GET", "/api/faults")
    assert [(fault["fault"], fault.get("model")) for fault in armed["faults"]] == [("cut", None), ("quota", LIVE_3_8)]
    assert request(emulator, "DELETE", "/api/faults") == (200, {"faults": []})
    assert request(emulator, "GET", "/api/faults") == (200, {"faults": []})


def test_on_false_disarms_its_kind(emulator: Emulator) -> None:
    emulator.fault("withhold_handles")
    emulator.fault("withhold_handles", on=False)
    assert request(emulator, "GET", "/api/faults") == (200, {"faults": []})


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "not JSON"),
        (b"[]", "a fault is a JSON object"),
        (b'{"fault": "meteor"}', "unknown fault 'meteor'"),
        (b'{"fault": "cut", "for_s": 1}', "cut does not take for_s"),
        (b'{"fault": "cut", "when": "soon"}', "when: expected one of generating, midway, speech, listening, setup"),
        (b'{"fault": "cut"}', "no open connection matches"),
        (b'{"fault": "go_away", "time_left": "ten"}', "time_left: not a duration"),
        (b'{"fault": "close"}', "either a code"),
        (b'{"fault": "close", "code": 1006}', "code: 1006 cannot stand in a close frame"),
        (b'{"fault": "close", "text": "no such text"}', "text: no close text is called 'no such text'"),
        (b'{"fault": "quota", "model": "gpt"}', "model: there is no model 'gpt'"),
        (b'{"fault": "quota", "limit": "year"}', "limit: expected one of minute, day, concurrency, billing"),
        (b'{"fault": "refuse_handshake", "status": 200}', "status: expected an HTTP error status"),
        (b'{"fault": "slow_setup", "delay_s": -1}', "delay_s: expected a number of at least 0"),
        (b'{"fault": "retire_model"}', "retire_model needs a model"),
        (b'{"fault": "live_down", "model": "gemini-3.8-live"}', "live_down takes no model"),
        (b'{"fault": "bad_text", "answer": "rude"}', "answer: expected one of garbage"),
        (b'{"fault": "reject_field"}', "reject_field needs a field"),
        (b'{"fault": "deaf_vad", "share": 1.5}', "share: expected a number from 0 to 1, not 1.5"),
        (b'{"fault": "slow_thinking", "status_every_s": 0}', "status_every_s: expected a number above 0"),
    ],
)
def test_a_wrong_fault_is_refused_with_a_reason(emulator: Emulator, body: bytes, complaint: str) -> None:
    status, answer = request(emulator, "POST", "/api/faults", body)
    assert status == 400
    assert complaint in answer["error"]


def test_a_wrong_log_position_is_refused(emulator: Emulator) -> None:
    status, answer = request(emulator, "GET", "/api/log?after=yesterday")
    assert status == 400
    assert "after" in answer["error"]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_foreign_pages_are_kept_out(emulator: Emulator, headers: dict[str, str]) -> None:
    assert request(emulator, "POST", "/api/reset", b"{}", headers)[0] == 403


def test_the_page_needs_nothing_from_elsewhere(emulator: Emulator) -> None:
    with urllib.request.urlopen(emulator.control_url + "/", timeout=ANSWERS_WITHIN_S) as response:
        page = response.read().decode()
    assert "://" not in page
    for name in ("control.css", "control.js"):
        assert f"page/{name}" in page
        with urllib.request.urlopen(f"{emulator.control_url}/page/{name}", timeout=ANSWERS_WITHIN_S) as response:
            assert "https://" not in response.read().decode()
