"""`GET /api/session/`: everything about one's line and its last events, and nothing that is secret."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from energy.levels import Mode
from sessions_app import services
from sessions_app.models import LiveSession, SessionEvent, Turn
from sessions_app.session_page.report import EVENTS_SHOWN, report_of, without_secrets
from sessions_app.usage import save_usage
from tests.fakes.energy import NEWEST
from tests.pages.history_rows import call_that_goes_on

pytestmark = pytest.mark.django_db

URL = "/api/session/"
HANDLE = "CiQ3ZjA2YzQ4Mi1hZjhkLTQ5M2UtYjQ4Ni0xZWY4"
STATISTICS = {
    *("active", "has_valid_resumption_data", "duration_ms", "compression_enabled"),
    *("resumption_enabled", "start_time"),
}


@pytest.fixture
def call(alice: User) -> LiveSession:
    """A call of Alice's that goes on, has a handle, was swapped, and cost something."""
    session = call_that_goes_on(alice, NEWEST)
    request = services.SessionRequest(alice, Mode.CALL, "gdm:call-session-handle", session.page_id)
    services.save_handle(request, str(session.pk), HANDLE, NEWEST, "", 100, 3)
    record(session, "connected", action="new", outage_ms=0)
    record(session, "connected", action="resumed", outage_ms=0, gap_ms=420, cause="go-away")
    record(session, "connected", action="rebuilt", outage_ms=900, gap_ms=1_300, cause="network")
    record(session, "lost", ms=400, messages=1, reason="connection")
    usage = {"prompt_tokens": 700, "response_tokens": 300}
    save_usage(str(session.conversation_id), str(session.pk), 1, 3, NEWEST, usage)
    said = {"role": "user", "text": "My code word is plum.", "status": "complete"}
    Turn.objects.create(conversation=session.conversation, number=1, at=timezone.now(), **said)
    return session


def record(session: LiveSession, kind: str, **data: Any) -> None:
    services.record_event(str(session.conversation_id), str(session.pk), kind, data)


def test_the_call_is_told_as_the_rows_have_it(alice: User, call: LiveSession) -> None:
    told = report_of(alice.pk, {})["modes"]["call"]
    assert told.keys() >= STATISTICS
    assert told["active"]
    assert not told["known"]
    assert (told["connections"], told["action"]) == (3, "rebuilt")
    assert [(swap["cause"], swap["planned"], swap["gap_ms"]) for swap in told["swaps"]] == [
        ("go-away", True, 420),
        ("network", False, 1_300),
    ]
    assert told["lost"] == {"ms": 400, "messages": 1}
    assert (told["usage"]["turns"], told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (1, 700, 300)
    assert told["context"] == {"tokens": 1_000, "window_tokens": 131_072}
    assert (told["handle"]["covers_turn"], told["handle"]["covers_frames"]) == (3, 100)


def test_what_the_owner_says_of_another_session_is_not_taken_for_this_one(alice: User, call: LiveSession) -> None:
    stale = {"session": str(uuid.uuid4()), "state": "live", "level": 1, "model": NEWEST}
    assert not report_of(alice.pk, {Mode.CALL: stale})["modes"]["call"]["known"]


def test_a_mode_without_a_session_has_the_same_figures_and_says_how_the_last_one_ended(
    alice: User, call: LiveSession
) -> None:
    services.finish_session(str(call.conversation_id), str(call.pk), "hung-up", conversation_over=True)
    modes = report_of(alice.pk, {})["modes"]
    assert modes["call"].keys() == modes["text"].keys()
    assert modes["call"]["ended"]["reason"] == "hung-up"
    assert (modes["call"]["active"], modes["call"]["handle"]) == (False, None)
    assert modes["text"]["ended"] is None


def test_the_report_has_the_last_events_and_neither_secrets_nor_words(browser: Client, call: LiveSession) -> None:
    record(call, "connection_lost", code=1008, text=f"Handle {HANDLE} is not known", reason="dead-handle")
    answer = browser.get(URL)
    assert "no-store" in answer["Cache-Control"]
    said = answer.content.decode()
    assert HANDLE not in said
    assert "plum" not in said
    assert [event["kind"] for event in answer.json()["events"]][:2] == ["connection_lost", "lost"]
    assert "turns" not in answer.json()


def test_what_was_said_is_in_it_for_whoever_asks_for_it(browser: Client, call: LiveSession) -> None:
    (turn,) = browser.get(URL, {"words": "1"}).json()["turns"]
    assert (turn["role"], turn["text"]) == ("user", "My code word is plum.")


def test_there_are_at_most_200_events(browser: Client, call: LiveSession) -> None:
    rows = [SessionEvent(conversation=call.conversation, live_session=call, kind="usage") for _ in range(250)]
    SessionEvent.objects.bulk_create(rows)
    assert len(browser.get(URL).json()["events"]) == EVENTS_SHOWN


def test_a_stranger_sees_nothing_of_it(bob: User, call: LiveSession) -> None:
    stranger = Client()
    stranger.force_login(bob)
    told = stranger.get(URL, {"words": "1"}).json()
    assert {mode["state"] for mode in told["modes"].values()} == {"none"}
    assert (told["events"], told["turns"]) == ([], [])
    assert str(call.pk) not in json.dumps(told)


def test_a_visitor_is_told_to_log_in() -> None:
    assert Client().get(URL).status_code == HTTPStatus.UNAUTHORIZED


def test_the_report_costs_a_few_queries_however_much_happened(
    alice: User, call: LiveSession, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        record(call, "connected", action="resumed", outage_ms=0, gap_ms=100, cause="go-away")
    with django_assert_max_num_queries(14):
        report_of(alice.pk, {})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Session {HANDLE} not found", "Session … not found"),
        ("key AIzaSyD4_3f9xQpLmN8vR2tW6yZ0bK1cE5hJ7gU refused", "key … refused"),
        ("BidiGenerateContent session not found", "BidiGenerateContent session not found"),
        ("models/gemini-2.5-flash-native-audio-preview-12-2025 is over quota",) * 2,
        ("Cannot find field 'generationConfig.responseModalities' at 'setup'",) * 2,
    ],
)
def test_what_looks_like_a_key_or_a_handle_is_left_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
