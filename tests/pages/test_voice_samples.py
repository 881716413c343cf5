"""Listening to a voice: recorded for the first who asks, free for everybody after that, a sentence where it fails."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from energy import budget, ledger
from energy.levels import Mode
from energy.models import LiveSlot
from energy.quota import Refusal
from sessions_app.live.providers.upstream import ReplyAudio, TurnComplete
from sessions_app.live.voice_sample import LARGEST_WAV_BYTES
from sessions_app.models import Throttle, VoiceSample
from sessions_app.user_settings.terms import VOICES
from sessions_app.voice_samples.byte_ranges import NoSuchPart, part_of
from sessions_app.voice_samples.in_hand import Busy, InHand
from tests.fakes.upstream import REFUSED, Answer, FakeConnection, FakeUpstream

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOT_NOW = {"error": "The voice cannot be heard at the moment."}
PUCK = "/settings/voices/Puck/"


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """Time stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def say(connection: FakeConnection) -> None:
    connection.feed(ReplyAudio(b"\1\0" * 24_000), TurnComplete())


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> FakeUpstream:
    """A provider that says a second of sound."""
    fake = FakeUpstream()
    fake.otherwise = Answer(prepare=say)
    monkeypatch.setattr("config.composition.upstream", fake)
    return fake


def is_refused(answer: Any, status: int, body: dict[str, str] = NOT_NOW) -> bool:
    return (answer.status_code, answer.json()) == (status, body) and not VoiceSample.objects.exists()


def test_the_first_who_asks_has_it_recorded_and_the_others_have_it_for_nothing(
    browser: Client, bob: User, upstream: FakeUpstream
) -> None:
    assert browser.get(PUCK).status_code == 404
    made = browser.post(PUCK)
    assert upstream.attempts[0].setup.voice == "Puck"
    other = Client()
    other.force_login(bob)
    assert other.post(PUCK).json() == made.json()
    assert len(upstream.attempts) == 1
    assert Throttle.objects.filter(kind="voice").values_list("user__username", "total").get() == ("alice", 1)
    assert LiveSlot.objects.count() == 0

    answer = other.get(made.json()["sound"])
    assert answer.content == bytes(VoiceSample.objects.get().sound)
    assert answer.content.startswith(b"RIFF")
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Cache-Control"] == "private, max-age=604800"
    again = other.get(made.json()["sound"], headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_player_can_ask_for_a_part(browser: Client, upstream: FakeUpstream) -> None:
    sound = browser.post(PUCK).json()["sound"]
    whole = browser.get(sound)
    part = browser.get(sound, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    assert part["Content-Range"] == f"bytes 4-7/{len(whole.content)}"
    assert browser.get(sound, headers={"Range": "bytes=4-7", "If-Range": '"older"'}).content == whole.content
    beyond = browser.get(sound, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole.content)}")


def test_a_visitor_hears_nothing(client: Client, upstream: FakeUpstream) -> None:
    assert is_refused(client.post(PUCK), 401, {"error": "Log in first."})
    assert client.get(PUCK).status_code == 401
    assert upstream.attempts == []


def test_a_page_of_another_site_can_have_nothing_recorded(alice: User, upstream: FakeUpstream) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(PUCK).status_code == 403
    assert upstream.attempts == []


@pytest.mark.parametrize("voice", ["Nobody", "puck", "%00"])
def test_a_voice_that_there_is_not_is_asked_of_nobody(browser: Client, upstream: FakeUpstream, voice: str) -> None:
    assert browser.post(f"/settings/voices/{voice}/").status_code == 404
    assert upstream.attempts == []


@pytest.mark.parametrize(("name", "value"), [("VOICE_SAMPLES", False), ("USER_SETTINGS_LOCKED", ["voice"])])
def test_where_it_is_off_or_nobody_can_choose_there_is_no_button_and_nothing_behind_it(
    browser: Client, upstream: FakeUpstream, settings: Settings, name: str, value: Any
) -> None:
    button = re.compile(r"<button[^>]* hidden data-listen-button>")  # shown by the script
    assert button.search(browser.get("/settings/").content.decode())
    setattr(settings, name, value)
    assert "data-listen" not in browser.get("/settings/").content.decode()
    assert browser.post(PUCK).status_code == 404
    assert upstream.attempts == []


def test_who_has_many_recorded_has_to_wait_but_not_for_what_is_there(
    browser: Client, upstream: FakeUpstream, clock: time_machine.Traveller
) -> None:
    upstream.otherwise = Answer(REFUSED)
    voices = sorted(VOICES)
    assert {browser.post(f"/settings/voices/{voice}/").status_code for voice in voices} == {503}
    VoiceSample.objects.create(model="gemini-3.8-live", voice="Puck", sound=b"RIFF")
    assert browser.post(PUCK).status_code == 200
    refused = browser.post("/settings/voices/Kore/")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "1"
    assert refused.json() == {"error": "Too many voices to be recorded. You can try again in 1 second."}
    assert len(upstream.attempts) == len(voices) == 30
    clock.shift(timedelta(seconds=2))
    assert browser.post("/settings/voices/Kore/").status_code == 503


def test_a_provider_that_refuses_is_said_in_a_sentence(browser: Client, upstream: FakeUpstream) -> None:
    upstream.script(REFUSED)
    assert is_refused(browser.post(PUCK), 503)
    assert browser.post(PUCK).status_code == 200


def test_without_a_key_it_is_the_same(browser: Client, settings: Settings) -> None:
    settings.GEMINI_API_KEY = ""
    assert is_refused(browser.post(PUCK), 503)


def test_a_model_that_is_spent_is_passed_over(browser: Client, upstream: FakeUpstream, settings: Settings) -> None:
    best, *others = settings.ENERGY_LADDERS["call"]
    ledger.note_refusal(best, Refusal("per day"), NOON)
    browser.post(PUCK)
    assert upstream.attempts[-1].setup.model == others[0]
    for model in others:
        ledger.note_refusal(model, Refusal("per day"), NOON)
    assert browser.post(PUCK).status_code == 200
    assert browser.post("/settings/voices/Kore/").json() == NOT_NOW
    assert len(upstream.attempts) == 1


def test_nobody_who_talks_or_waits_is_in_the_way_of_a_sample(
    browser: Client, bob: User, upstream: FakeUpstream, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    holder = uuid.uuid4()
    budget.ask(holder, bob.pk, Mode.CALL, "host:1", NOON)
    assert is_refused(browser.post(PUCK), 503)
    assert upstream.attempts == []
    assert LiveSlot.objects.get().user == bob
    budget.leave(holder, "host:1")
    assert browser.post(PUCK).status_code == 200
    assert LiveSlot.objects.count() == 0


def test_of_two_processes_that_record_it_at_once_the_first_counts(browser: Client, upstream: FakeUpstream) -> None:
    with pytest.MonkeyPatch.context() as patch:
        first = VoiceSample.objects.create(model="gemini-3.8-live", voice="Puck", sound=b"RIFF")
        patch.setattr("sessions_app.voice_samples.service.find", lambda voice: None)
        made = browser.post(PUCK)
    assert len(upstream.attempts) == 1
    assert made.json()["sound"].endswith(first.version)
    assert bytes(VoiceSample.objects.get().sound) == b"RIFF"


def test_a_sound_that_is_too_long_is_not_kept() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        VoiceSample.objects.create(model="m", voice="Puck", sound=bytes(LARGEST_WAV_BYTES + 1))
    VoiceSample.objects.create(model="m", voice="Puck", sound=bytes(LARGEST_WAV_BYTES))


def test_so_much_is_in_hand_at_once_and_nothing_twice() -> None:
    in_hand = InHand(at_once=2, wait_s=0)
    with in_hand.take("a"):
        with pytest.raises(Busy), in_hand.take("a"):
            pass
        with in_hand.take("b"), pytest.raises(Busy), in_hand.take("c"):
            pass
        with in_hand.take("c"):
            pass
    with in_hand.take("a"):
        pass


@given(st.integers(0, 50), st.integers(0, 50) | st.none(), st.integers(1, 40))
def test_a_part_is_what_was_asked_for_as_far_as_there_is_something(first: int, last: int | None, size: int) -> None:
    asked = [byte for byte in range(size) if byte >= first and (last is None or byte <= last)]
    try:
        part = part_of(f"bytes={first}-{'' if last is None else last}", size)
    except NoSuchPart:
        assert asked == []
    else:
        assert part is None if last is not None and last < first else list(part or ()) == asked


@pytest.mark.parametrize("header", ["", "bytes=-", "bytes=0-1,4-5", "lines=1-2", "bytes=x-1", f"bytes={'9' * 400}-"])
def test_what_is_not_understood_is_all_of_it(header: str) -> None:
    assert part_of(header, 10) is None


def test_the_end_can_be_asked_for() -> None:
    assert part_of("bytes=-3", 10) == range(7, 10)
    assert part_of("bytes=-30", 10) == range(10)
    with pytest.raises(NoSuchPart):
        part_of("bytes=-0", 10)
