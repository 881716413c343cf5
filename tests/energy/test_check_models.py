"""`check_models` against the emulator: what the provider has, what the ledger says of it; and what is told each day."""

from __future__ import annotations

import datetime
import logging
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from energy import ledger
from energy.levels import Mode
from energy.models import ModelQuota
from energy.quota import Refusal
from sessions_app.model_check import warn_of_models
from tests.fakes.energy import NEWEST, OLDER, OLDEST
from tests.services.emulator import Emulator

pytestmark = pytest.mark.django_db

ENDING = "gemini-3.1-flash-live-preview"
GONE = "gemini-2.5-flash-native-audio-preview-01-2025"
NOT_LIVE = "gemini-3.8-flash-tts"


@pytest.fixture
def provider(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The SDK finds the emulator where the environment says."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return emulator


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.GEMINI_API_KEY = "test-key"


def check() -> list[str]:
    output = StringIO()
    call_command("check_models", stdout=output)
    return output.getvalue().splitlines()


@pytest.mark.usefixtures("provider")
def test_all_models_of_the_ladders_are_there() -> None:
    ladder = [f"3  {NEWEST}  ready", f"2  {OLDER}  ready", "1  gemini-3.8-flash  ready"]
    voices = [f"voice  {model}  ready" for model in ("gemini-3.8-flash-lite-tts", "gemini-3.8-flash-tts")]
    assert check() == [*(f"{mode} {level}" for mode in Mode for level in ladder), *voices]
    assert not ModelQuota.objects.exists()


@pytest.mark.usefixtures("provider")
def test_models_of_agent_platform_are_looked_up_and_not_taken_for_missing_where_they_are_not_listed(
    settings: Settings,
) -> None:
    there, unlisted = "vertex@us-central1:gemini-3.8-live", "vertex@us-central1:gemini-3.8-live-extended-thinking"
    settings.GEMINI_API_KEY, settings.GOOGLE_CLOUD_PROJECT = "", "holdline"
    settings.GOOGLE_CLOUD_ACCESS_TOKEN = "emulator"
    settings.ENERGY_LADDERS = {Mode.CALL: [there], Mode.TEXT: [unlisted]}
    assert check() == [
        f"call 1  {there}  ready",
        f"text 1  {unlisted}  ready, and not in the list there, which need not have all",
    ]
    assert not ModelQuota.objects.exists()
    settings.GOOGLE_CLOUD_ACCESS_TOKEN = "bad"
    with pytest.raises(CommandError, match="in us-central1 takes no credentials: 401"):
        check()
    settings.GOOGLE_CLOUD_PROJECT = ""
    with pytest.raises(CommandError, match="Nobody asks Agent Platform for vertex@us-central1"):
        check()


@pytest.mark.usefixtures("provider")
def test_voices_that_are_not_there_are_told_and_an_error_where_there_is_none(settings: Settings) -> None:
    settings.TURNS_VOICE_MODELS = [GONE, NOT_LIVE]
    assert check()[-2:] == [f"voice  {GONE}  not listed", f"voice  {NOT_LIVE}  ready"]
    settings.TURNS_VOICE_MODELS = [GONE]
    with pytest.raises(CommandError, match=r"^None of TURNS_VOICE_MODELS is there: answers in turns are only read\.$"):
        check()
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST], Mode.TEXT: [NEWEST]}
    assert len(check()) == 2


@pytest.mark.usefixtures("provider")
def test_a_spent_model_is_shown_with_its_reset() -> None:
    ledger.note_refusal(NEWEST, Refusal("per day"), timezone.now())
    assert check()[0].startswith(f"call 3  {NEWEST}  spent (day) until 20")


@pytest.mark.usefixtures("provider")
def test_a_model_that_is_gone_or_does_not_talk_is_reported_and_left_alone(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST, GONE, OLDEST], Mode.TEXT: [NOT_LIVE, OLDER]}
    with pytest.raises(CommandError, match=f"cannot be used: {GONE}, {NOT_LIVE}"):
        check()
    assert set(ModelQuota.objects.values_list("model", "kind")) == {(GONE, "missing"), (NOT_LIVE, "missing")}
    assert [record.levelname for record in caplog.records].count("ERROR") == 2


@pytest.mark.usefixtures("provider")
def test_a_model_that_was_missing_and_is_listed_again_is_tried_again() -> None:
    ledger.note_missing(NEWEST, "unknown-model", timezone.now())
    ledger.note_refusal(OLDER, Refusal("per day"), timezone.now())
    assert check()[0] == f"call 3  {NEWEST}  ready"
    assert ModelQuota.objects.get().model == OLDER


def test_a_provider_that_cannot_be_reached_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://127.0.0.1:9")
    with pytest.raises(CommandError, match="does not list its models"):
        check()


@pytest.mark.usefixtures("provider")
def test_a_bad_key_is_said_in_the_providers_words(settings: Settings) -> None:
    settings.GEMINI_API_KEY = "bad-key"
    with pytest.raises(CommandError, match="400 API key not valid"):
        check()


# --- Once a day ---------------------------------------------------------------------------------------------------


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "sessions_app.model_check")
    return caplog


@pytest.mark.usefixtures("provider")
def test_what_ends_and_what_is_not_listed_is_told_and_no_model_held_back(
    settings: Settings, warned: pytest.LogCaptureFixture
) -> None:
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST, ENDING, GONE], Mode.TEXT: [NOT_LIVE]}
    with time_machine.travel(datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC), tick=True):
        warn_of_models()
    told = [record.getMessage().partition(":")[0] for record in warned.records]
    assert told == [
        f"{ENDING} has ended on 2026-11-17 and is left out",
        f"{GONE} of the ladders is not listed by the provider",
        f"{NOT_LIVE} of the ladders cannot be talked with",
    ]
    assert not ModelQuota.objects.exists()


@pytest.mark.usefixtures("provider")
def test_voices_that_are_not_there_are_told(settings: Settings, warned: pytest.LogCaptureFixture) -> None:
    warn_of_models()
    assert warned.records == []
    settings.TURNS_VOICE_MODELS = [GONE, NOT_LIVE]
    warn_of_models()
    gone = f"{GONE} of TURNS_VOICE_MODELS is not listed by the provider: take it off"
    assert [record.getMessage() for record in warned.records] == [gone]
    warned.clear()
    settings.TURNS_VOICE_MODELS = [GONE]
    warn_of_models()
    assert [record.getMessage() for record in warned.records] == [
        gone,
        "none of TURNS_VOICE_MODELS is there: answers in turns are only read",
    ]


@pytest.mark.usefixtures("provider")
def test_a_provider_that_does_not_answer_is_no_warning(settings: Settings, warned: pytest.LogCaptureFixture) -> None:
    settings.GEMINI_API_KEY = "no-such-key"
    warn_of_models()
    assert warned.records == []
