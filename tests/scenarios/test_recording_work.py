"""A recording that somebody has spoken, from its bytes to its transcript: the real SDK against the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions_app.live.providers.accounts import CloudProject
from sessions_app.models import RecordingWork
from summarization import recordings
from summarization.gemini import GeminiSummarizer
from summarization.summarizing import SummarizationService
from tests.emulator.recordings import encoded
from tests.recordings.at_google import recording_of
from tests.scenarios.speech import INPUT_RATE_HZ, silence, spoken
from tests.services.emulator import Emulator

pytestmark = pytest.mark.django_db


def spoken_pcm() -> bytes:
    """A sentence after two seconds, another one after eight."""
    first, second = spoken("My code word is PLUM-42."), spoken("What is my code word?")
    return silence(2) + first + silence(6 - len(first) / (2 * INPUT_RATE_HZ)) + second + silence(1)


HERE = "a-key", "v1beta", ("gemini-3.8-flash",)
THERE = CloudProject("holdline", "global", "emulator"), "v1beta1", ("vertex@global:gemini-3.8-flash",)


@pytest.fixture
def service(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> SummarizationService:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return SummarizationService(GeminiSummarizer(*request.param))


@pytest.mark.parametrize(
    ("media_type", "service"),
    [("audio/wav", HERE), ("audio/ogg", HERE), ("audio/ogg", THERE)],
    ids=["in pieces", "as it is", "on Agent Platform"],
    indirect=["service"],
)
def test_a_spoken_recording_is_written_down_with_times(
    alice: User,
    service: SummarizationService,
    settings: Settings,
    tmp_path: Path,
    media_type: str,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    recording = recording_of(alice, encoded(spoken_pcm(), media_type), 10_000, media_type)
    recordings.write_recording_work(recording.pk, service)
    work = RecordingWork.objects.get()
    assert (work.state, work.error, work.language) == ("done", "", "en")
    starts = [said["start_ms"] for said in work.segments]
    assert starts == [pytest.approx(2_000, abs=1_000), pytest.approx(8_000, abs=1_000)]
    assert work.segments[1]["text"] == "what is my code word"
    assert all(said["speaker"] for said in work.segments)
    assert work.title
    assert "code word" in work.summary
