"""What the doctor makes of a talk: which answers are right, what is not as it is believed to be, what is kept."""

from __future__ import annotations

import io
import json
import wave
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.doctor.findings import Finding, Verdict
from config.doctor.live.look import about, look
from config.doctor.live.observed import Exchange, Heard, differences, knows
from config.doctor.live.recording import CUT_SOUND, Recording
from config.doctor.live.talk import QUESTION, Talk
from energy.levels import ModelProfile, profile_of
from sessions_app.live.providers.auth_tokens import GeminiMinter
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    GoAway,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    Unrecognised,
    UpstreamMessage,
    UsageReported,
    UserWords,
)

NEWEST, OLDEST = profile_of("gemini-3.8-live"), profile_of("gemini-2.5-flash-native-audio-latest")
HANDLE = HandleUpdate("a-handle")


def heard(*messages: UpstreamMessage, at_s: float = 1.0) -> tuple[Heard, ...]:
    return tuple(Heard(at_s, message) for message in messages)


def exchange(*messages: UpstreamMessage, lag_s: float = 0.5) -> Exchange:
    return Exchange(1.0, heard(*messages, at_s=1.0 + lag_s))


ANSWER = (ReplyAudio(b"ab"), ReplyWords("It is PLUM-42."), GenerationComplete(), TurnComplete(), HANDLE)
TYPED = exchange(*ANSWER)
SPOKEN = exchange(UserWords(" What is my code word?"), *ANSWER, UsageReported(prompt_tokens=40))
PIECES = exchange(UserWords("What"), UserWords(" is it?"), *ANSWER)
WELL = Talk(0.4, heard(HANDLE), TYPED, SPOKEN, TYPED, "", heard(HANDLE) + SPOKEN.heard)


def findings(talk: Talk, profile: ModelProfile = NEWEST) -> list[Finding]:
    return list(about(profile, talk))


def texts(talk: Talk, verdict: Verdict) -> str:
    return " ".join(finding.text for finding in findings(talk) if finding.verdict is verdict)


def test_a_talk_in_which_all_is_as_it_should_be() -> None:
    assert {finding.verdict for finding in findings(WELL)} == {Verdict.OK, Verdict.NOT_SET}
    assert "answered after 0.5 s" in texts(WELL, Verdict.OK)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"typed": Exchange(1.0, ())}, "typed words: no right answer, without sound"),
        (
            {"spoken": exchange(UserWords(" What?"), ReplyAudio(b"ab"), ReplyWords("Pardon?"))},
            "heard as 'What?': no right",
        ),
        ({"resumed": None}, "no handle came"),
        ({"resumed": Exchange(2.0, ()), "refusal": "1008 handle"}, "its handle is refused: 1008 handle"),
        ({"resumed": exchange(ReplyAudio(b"ab"), ReplyWords("I do not know."))}, "the code word is forgotten"),
    ],
)
def test_what_goes_wrong_is_a_failure(change: dict[str, object], word: str) -> None:
    assert word in texts(replace(WELL, **change), Verdict.FAILED)  # type: ignore[arg-type]


def test_a_model_that_nobody_knows_is_a_finding(settings: Settings, tmp_path: Path) -> None:
    """Others of the ladders are talked with all the same."""
    settings.GEMINI_API_KEY = "test-key-which-nobody-is-told"
    (unknown,) = look("models/gemini-3.8-live", tmp_path)
    assert unknown.verdict is Verdict.FAILED
    assert "'models/gemini-3.8-live' is not a model that Holdline knows how to talk with" in unknown.text


@pytest.mark.parametrize("by_token", [False, True])
def test_it_is_dialled_as_calls_are(
    by_token: bool, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hold(access: object, *arguments: object) -> Talk:
        let_in_by.append(access)
        return WELL

    let_in_by: list[object] = []
    monkeypatch.setattr("config.doctor.live.look.hold", hold)
    settings.GEMINI_API_KEY, settings.GEMINI_DIAL_WITH_TOKENS = "test-key-which-nobody-is-told", by_token
    assert list(look("gemini-3.8-live", tmp_path))
    assert isinstance(let_in_by[0], GeminiMinter if by_token else str)


def test_slow_answers_are_a_warning_and_a_go_away_is_told() -> None:
    slow = exchange(*ANSWER, lag_s=9)
    assert "typed words: answered after 9.0 s" in texts(replace(WELL, typed=slow), Verdict.WARNING)
    assert "GoAway came, 9.5 s before" in texts(replace(WELL, heard=WELL.heard + heard(GoAway(9_500))), Verdict.OK)


def test_a_model_without_handles_is_not_asked_for_one() -> None:
    without = replace(WELL, resumed=None, quiet=(), heard=heard(TurnComplete()))
    profile = replace(NEWEST, resumable=False)
    assert Verdict.FAILED not in {finding.verdict for finding in findings(without, profile)}


@pytest.mark.parametrize(
    ("profile", "quiet", "spoken", "rest", "word"),
    [
        (NEWEST, heard(HANDLE), SPOKEN, (), ""),
        (NEWEST, (), SPOKEN, heard(HANDLE), "not as the emulator: no handle came with the set-up"),
        (OLDEST, heard(HANDLE), PIECES, (), "not as the emulator: a handle came with the set-up"),
        (replace(NEWEST, resumable=False), heard(HANDLE), SPOKEN, (), "energy/levels.py: resumable, a handle"),
        (NEWEST, heard(HANDLE), PIECES, (), "came in 2 pieces"),
        (OLDEST, (), SPOKEN, heard(HANDLE), "came in one piece"),
        (
            NEWEST,
            heard(HANDLE),
            exchange(*ANSWER, UserWords(" What?")),
            (),
            "before the reply: sound, words of the reply",
        ),
        (NEWEST, heard(HANDLE), SPOKEN, heard(Unrecognised("a new frame")), "known to nobody here: a new frame"),
    ],
)
def test_what_is_not_as_it_is_believed_to_be_is_told(
    profile: ModelProfile, quiet: tuple[Heard, ...], spoken: Exchange, rest: tuple[Heard, ...], word: str
) -> None:
    told = list(differences(profile, quiet, spoken, quiet + spoken.heard + rest))
    assert [word in difference for difference in told] == ([True] if word else [])


@pytest.mark.parametrize(
    ("reply", "is_known"),
    [
        ("Your code word is PLUM-42.", True),
        ("It's plum forty-two!", True),
        ("Plum 4 2.", True),
        ("It is plum.", False),
        ("I was told none.", False),
    ],
)
def test_the_code_word_is_known_in_whichever_way_it_is_written(reply: str, is_known: bool) -> None:
    assert knows(reply) is is_known


def test_frames_are_kept_without_what_is_secret_or_large() -> None:
    recording = Recording()
    update = {"sessionResumptionUpdate": {"newHandle": "secret-1", "resumable": True}}
    sound = {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "AAECAwQF", "mimeType": "audio/pcm"}}]}}}
    recording.note("server", 0.1234, json.dumps(update).encode())
    recording.note("client", 1, json.dumps({"setup": {"sessionResumption": {"handle": "secret-1"}}}))
    recording.note("server", 2, json.dumps(sound).encode())
    recording.note("server", 3, b"\xff")
    recording.note("server", 4, b"[" * 100_000 + b"]" * 100_000)
    entries = [json.loads(line) for line in recording.lines]
    assert entries[0] == {
        "dir": "server",
        "at": 0.123,
        "msg": {"sessionResumptionUpdate": {"newHandle": "id-1", "resumable": True}},
    }
    assert entries[1]["msg"]["setup"]["sessionResumption"]["handle"] == "id-1"
    assert entries[2]["msg"]["serverContent"]["modelTurn"]["parts"][0]["inlineData"]["data"] == CUT_SOUND
    assert entries[2]["sound_bytes"] == 6
    assert [entry["msg"] for entry in entries[3:]] == [{"unreadable": 1}, {"unreadable": 200_000}]


def test_the_question_is_sound_as_pages_send_it() -> None:
    with wave.open(str(QUESTION)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert 1 < file.getnframes() / 16_000 < 3


def test_a_talk_that_is_interrupted_leaves_its_frames_and_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    async def hold_until_interrupted(key: str, version: str, model: str, recording: Recording) -> Talk:
        recording.note("server", 0, b'{"setupComplete": {}}')
        raise KeyboardInterrupt

    monkeypatch.setattr("config.doctor.live.look.hold", hold_until_interrupted)
    settings.GEMINI_API_KEY, settings.DATA_DIR = "a-key", tmp_path
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", live=True, stdout=io.StringIO())
    assert ended.value.code == 130
    (kept,) = tmp_path.glob("doctor/*/*.jsonl")
    assert "setupComplete" in kept.read_text()
