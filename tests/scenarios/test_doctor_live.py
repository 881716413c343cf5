"""`doctor --live` against the emulator, which plays each model as Holdline believes it to be."""

from __future__ import annotations

import asyncio
import io
import json
import math
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.doctor.findings import Verdict
from config.doctor.live.look import about, look
from config.doctor.live.observed import handle_in
from config.doctor.live.recording import CUT_SOUND, Recording
from config.doctor.live.talk import hold
from energy.levels import profile_of
from sessions_app.live.providers.accounts import CloudProject
from sessions_app.live.providers.auth_tokens import GeminiMinter
from sessions_app.live.providers.upstream import HandleUpdate, ReplyAudio, ReplyWords, TurnComplete, UserWords
from tests.fakes.energy import NEWEST, OLDER, OLDEST
from tests.scenarios.test_recordings import translated
from tests.services.emulator import Emulator

pytestmark = pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning")  # given once a process

PATIENT = {"QUIET_S": 6.0, "REPLY_LIMIT_S": 120.0, "HANDLE_LIMIT_S": 60.0, "LATE_WORDS_S": 3.0}
"""Longer than the doctor waits for what comes at once from a provider."""


@pytest.fixture(autouse=True)
def provider(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    settings.GEMINI_API_KEY = "test-key-which-nobody-is-told"
    settings.DATA_DIR = tmp_path
    # How busy this machine is says nothing about the models.
    monkeypatch.setattr("config.doctor.live.look.SLOW_S", math.inf)
    for name, seconds in PATIENT.items():
        monkeypatch.setattr(f"config.doctor.live.talk.{name}", seconds)


async def test_each_model_of_agent_platform_does_what_is_believed_of_it() -> None:
    models = [f"vertex@us-central1:{id}" for id in (NEWEST, "gemini-live-2.5-flash-native-audio")]
    project = CloudProject("holdline", "us-central1", "emulator")
    talks = await asyncio.gather(*(hold(project, "v1beta1", model, Recording()) for model in models))
    for model, talk in zip(models, talks, strict=True):
        findings = list(about(profile_of(model), talk))
        assert {finding.verdict for finding in findings} == {Verdict.OK, Verdict.NOT_SET}, findings


async def test_each_model_does_what_is_believed_of_it(emulator: Emulator, settings: Settings) -> None:
    """The table of the doctor, the profiles of the models, and the emulator say the same, however it is let in."""
    models = (NEWEST, OLDER, OLDEST)
    key = settings.GEMINI_API_KEY
    let_in_by = (key, GeminiMinter(key), key)
    recordings = [Recording() for _ in models]
    talks = await asyncio.gather(
        *(
            hold(access, "v1beta", model, recording)
            for access, model, recording in zip(let_in_by, models, recordings, strict=True)
        )
    )
    assert {entry["model"] for entry in emulator.entries("token_made")} == {f"models/{OLDER}"}
    for model, talk, recording in zip(models, talks, recordings, strict=True):
        findings = list(about(profile_of(model), talk))
        assert {finding.verdict for finding in findings} == {Verdict.OK, Verdict.NOT_SET}, findings
        handle = handle_in(talk.heard)
        assert handle is not None
        assert handle not in "".join(recording.lines)
        assert "auth_tokens/" not in "".join(recording.lines)
        entries = [json.loads(line) for line in recording.lines]
        frames = [entry["msg"] for entry in entries if entry["dir"] == "server"]
        replayed = {type(message) for frame in frames for message in await translated(frame)}
        assert replayed >= {ReplyAudio, ReplyWords, UserWords, TurnComplete, HandleUpdate}


def test_the_command_says_what_it_costs_and_keeps_the_frames_for_their_owner(
    settings: Settings, tmp_path: Path
) -> None:
    settings.ENERGY_LADDERS = {"call": [NEWEST], "text": [NEWEST]}
    told = io.StringIO()
    call_command("doctor", live=True, stdout=told)
    lines = told.getvalue().splitlines()
    assert "a few cents in all" in lines[0]
    assert any("resumed with the code word" in line for line in lines)
    path = re.search(r"frames in (\S+),", told.getvalue())
    assert path is not None
    file = Path(path[1])
    assert tmp_path in file.parents
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_text(encoding="utf-8")
    assert set(re.findall(r'"data": "([^"]*)"', kept)) == {CUT_SOUND}
    assert settings.GEMINI_API_KEY not in kept + told.getvalue()


def test_a_model_that_the_provider_does_not_have_is_a_finding(tmp_path: Path) -> None:
    refused, frames = look("gemini-3.8-live-gone", tmp_path)
    assert refused.verdict is Verdict.FAILED
    assert "gemini-3.8-live-gone is not found" in refused.text
    assert frames.text.startswith("1 frames in ")


def test_frames_that_cannot_be_kept_are_a_finding(tmp_path: Path) -> None:
    nowhere = tmp_path / "a-file"
    nowhere.touch()
    *_, frames = look("gemini-3.8-live-gone", nowhere)
    assert frames.verdict is Verdict.FAILED
    assert "the frames are not kept" in frames.text


def test_without_a_key_there_is_nobody_to_talk_with(settings: Settings) -> None:
    settings.GEMINI_API_KEY = ""
    with pytest.raises(CommandError, match="set GEMINI_API_KEY"):
        call_command("doctor", live=True)
