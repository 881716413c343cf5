"""What Google's servers really sent, through the SDK, our translation and the driver.

The recordings lie beside the checkout (`../shared/wire-samples`, see its README for their sources). Where that folder
is not there, there is nothing to collect.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from energy.levels import Mode
from energy.usage import Report, turns_of
from sessions_app.live.providers.gemini import GeminiConnection
from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
    Unrecognised,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
    UserWords,
)
from tests.fakes.wire import Wire, session_over
from tests.live.stage import CONSUMED_S, Stage
from tests.virtual_time import VirtualTimeLoop

CALLS_THERE = ("pydantic-ai/test_parity_ws__test_text_tool_round_parity[gateway-google]",)
"""Recorded on Agent Platform, with a call of a function, whose turn has a count of its own."""

SETUP = Setup("gemini-3.8-live", "", "Kore")
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "wire-samples"
RECORDINGS = {f"{path.parent.name}/{path.stem}": path for path in sorted(FOLDER.glob("*/*.jsonl"))}

Entry = dict[str, Any]


def entries_of(name: str) -> list[Entry]:
    return [json.loads(line) for line in RECORDINGS[name].read_text(encoding="utf-8").splitlines()]


def is_there(name: str) -> bool:
    """Whether it was recorded on Agent Platform, a gateway to it included."""
    return "publishers/" in entries_of(name)[0]["msg"].get("setup", {}).get("model", "")


class Line:
    """A recorded connection, one frame after the other: by the SDK's reading, past it for plain audio, in our words."""

    def __init__(self, *, is_there: bool = False) -> None:
        setup = replace(SETUP, is_on_agent_platform=is_there)
        self._wire = Wire()
        session = session_over(self._wire, is_there=is_there)
        self._connection = GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), setup)

    async def hear(self, frame: Any) -> list[UpstreamMessage]:
        """What the driver hears of a frame."""
        self._wire.received.append(json.dumps(frame, indent=2).encode() + b"\n")
        said, heard = self._connection.messages(), list[UpstreamMessage]()
        while True:
            try:
                heard.append(await anext(said))
            except UpstreamFailed:  # no more of it
                return heard


async def translated(frame: Any) -> list[UpstreamMessage]:
    """What the driver hears of one frame of the Developer API."""
    return await Line().hear(frame)


def content_of(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = entry["msg"].get("serverContent") or {}
    return content


def texts_of(entries: list[Entry], kind: str) -> str:
    """What one side said in a recording, from its frames as they are."""
    return "".join((content_of(entry).get(kind) or {}).get("text", "") for entry in entries if entry["dir"] == "server")


def has_usage(entry: Entry) -> bool:
    return entry["dir"] == "server" and "usageMetadata" in entry["msg"]


Tokens = tuple[int, int, int, dict[str, int], dict[str, int]]


def tokens_in(usage: dict[str, Any]) -> Tokens:
    """Prompt, response and thoughts of a recorded report, and the first two by modality."""

    def details(name: str) -> dict[str, int]:
        return {detail["modality"]: detail.get("tokenCount", 0) for detail in usage.get(name, [])}

    response = usage.get("responseTokenCount", usage.get("candidatesTokenCount", 0))
    by_modality = details("responseTokensDetails") or details("candidatesTokensDetails")
    return (
        usage["promptTokenCount"],
        response,
        usage.get("thoughtsTokenCount", 0),
        details("promptTokensDetails"),
        by_modality,
    )


def usage_tokens(usage: UsageReported) -> Tokens:
    return (
        usage.prompt_tokens or 0,
        usage.response_tokens or 0,
        usage.thoughts_tokens or 0,
        usage.prompt_tokens_by_modality,
        usage.response_tokens_by_modality,
    )


def typed_in(entry: Entry) -> str:
    """The question that a client's message asks, if it asks one."""
    content = entry["msg"].get("client_content") or entry["msg"].get("clientContent") or {}
    turns = content.get("turns") or [{}]
    parts = turns[-1].get("parts") or [] if content.get("turnComplete") else []
    return "".join(part.get("text", "") for part in parts)


def sound_in(entries: list[Entry]) -> int:
    """Bytes of the model's voice in a recording."""
    parts = [
        part
        for entry in entries
        if entry["dir"] == "server"
        for part in (content_of(entry).get("modelTurn") or {}).get("parts") or []
        if "inlineData" in part
    ]
    return sum(len(base64.b64decode(part["inlineData"]["data"])) for part in parts)


async def replay(name: str) -> Stage:
    """Play a recording to the driver, the client's part to its front and the server's part to its back."""
    stage, line = await Stage(Mode.CALL).open_quietly(), Line(is_there=is_there(name))
    for number, entry in enumerate(entries_of(name)):
        if entry["dir"] == "server":
            await stage.hear(*await line.hear(entry["msg"]))
            await stage.wait(0.05)
        elif "realtimeInput" in entry["msg"] or "realtime_input" in entry["msg"]:
            await stage.speak(1)
        elif text := typed_in(entry):
            stage.manager.take_text(f"typed-{number}", text)
            await stage.wait(CONSUMED_S)
    await stage.wait(1)
    return stage


def play(name: str) -> Stage:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(replay(name))


def plain(text: str) -> str:
    return " ".join(text.split())


def lines_of(stage: Stage) -> list[tuple[str, str, str]]:
    return [(role, plain(text), status) for role, text, status in stage.page.lines]


if RECORDINGS:

    @pytest.mark.parametrize("name", RECORDINGS)
    async def test_every_recorded_frame_is_understood(name: str) -> None:
        line = Line(is_there=is_there(name))
        for entry in entries_of(name):
            if entry["dir"] == "server":
                heard = await line.hear(entry["msg"])
                assert not [message for message in heard if isinstance(message, Unrecognised)]

    @pytest.mark.parametrize("name", RECORDINGS)
    def test_every_recording_is_heard_whole_and_its_transcript_is_what_was_said(name: str) -> None:
        stage, entries = play(name), entries_of(name)
        said = "".join(text for role, text, _ in stage.page.lines if role == "model")
        assert plain(said) == plain(texts_of(entries, "outputTranscription"))
        heard = "".join(
            text for turn in stage.page.transcript if turn.role == "user" and not turn.id for text in turn.text
        )
        assert plain(heard) == plain(texts_of(entries, "inputTranscription"))
        typed = [text for entry in entries if entry["dir"] == "client" and (text := typed_in(entry))]
        assert [turn.text for turn in stage.page.transcript if turn.id] == typed
        assert sum(len(pcm) for _, pcm in stage.page.played) == sound_in(entries)
        assert len(stage.upstream.attempts) == 1, "nothing in a recording is a reason to reconnect"
        assert stage.page.toasts == []

    @pytest.mark.parametrize("name", RECORDINGS)
    def test_every_reply_that_was_completed_in_a_recording_is_complete(name: str) -> None:
        stage, entries = play(name), entries_of(name)
        ends = [entry for entry in entries if entry["dir"] == "server" and content_of(entry).get("turnComplete")]
        if ends and ends[-1] is [entry for entry in entries if entry["dir"] == "server"][-1]:
            assert not [line for line in stage.page.lines if line[2] == "partial"]
        assert len(stage.page.all_of("turn_complete")) <= len(ends)

    @pytest.mark.parametrize("name", RECORDINGS)
    def test_the_usage_of_every_turn_of_a_recording_is_what_the_recording_says(name: str) -> None:
        told = [tokens_in(entry["msg"]["usageMetadata"]) for entry in entries_of(name) if has_usage(entry)]
        stage = play(name)
        shown = [usage_tokens(usage) for _, usage in stage.page.all_of("turn_complete") if usage is not None]
        assert shown == (told[1:] if name in CALLS_THERE else told), "the turn of a call is counted beside its answer"
        counted = turns_of([Report.of(usage.as_data()) for _, _, _, usage in stage.store.usages])
        assert sum(turn.total for turn in counted) == sum(
            prompt + response + thoughts for prompt, response, thoughts, *_ in told
        )

    def test_3_8_answers_a_typed_question() -> None:
        stage = play("pydantic-ai-3.8/image_then_typed_question__gemini-3.8-live")
        assert lines_of(stage) == [
            ("user", "What fruit is in the image?", "complete"),
            ("model", "The image shows a sliced kiwi fruit.", "complete"),
        ]
        assert [handle.handle for handle in stage.store.handles] == ["45db4869-ac36-49aa-85de-eab56eaa878f"]
        ((number, usage),) = stage.page.all_of("turn_complete")
        assert number == stage.page.transcript[-1].number
        assert usage.prompt_tokens == 834
        assert usage.prompt_tokens_by_modality == {"TEXT": 313, "AUDIO": 222, "IMAGE": 272}

    def test_2_5_is_interrupted_and_hears_the_words_afterwards() -> None:
        stage = play("pydantic-ai-3.8/barge_in_tail__gemini-2.5-native-audio-09-2025")
        assert lines_of(stage) == [
            ("model", "you today?", "interrupted"),
            ("user", "Hello, my name is Marcelo.", "complete"),
            ("model", "Hello again, Marcelo.", "complete"),
        ]
        flushed = [told.name for told in stage.page.told if told.name in ("audio", "flush")]
        assert flushed == ["audio", "audio", "flush", "audio"]

    def test_thoughts_are_neither_heard_nor_shown() -> None:
        stage = play("pydantic-ai/test_google_ws__test_text_in_audio_out_turn")
        assert lines_of(stage) == [
            ("user", "Say a short greeting.", "complete"),
            ("model", "Hello there.", "complete"),
        ]

    def test_a_voice_whose_rate_is_not_named_is_heard() -> None:
        """Vertex says `audio/pcm` alone."""
        stage = play("pydantic-ai/test_gateway_ws__test_gateway_gemini_text_in_audio_out")
        assert lines_of(stage)[-1] == ("model", "Hello there.", "complete")
        assert stage.page.heard

    @pytest.mark.parametrize("name", CALLS_THERE)
    def test_the_turn_of_a_call_on_agent_platform_is_no_answer(name: str) -> None:
        stage = play(name)
        assert lines_of(stage) == [
            ("user", "What is the weather in London?", "complete"),
            ("model", "It is foggy and 12 degrees in London.", "complete"),
        ]
        assert len(stage.page.all_of("turn_complete")) == 1

    def test_two_questions_have_two_answers() -> None:
        stage = play("pydantic-ai/test_google_ws__test_asap_enqueue_waits_for_response_boundary")
        assert lines_of(stage) == [
            ("user", "Begin.", "complete"),
            ("model", "FIRST RESPONSE COMPLETE", "complete"),
            ("user", "This is the queued follow-up.", "complete"),
            ("model", "QUEUED MARKER RECEIVED", "complete"),
        ]

    def test_the_recordings_hold_each_kind_of_message() -> None:
        """Else the checks above would prove little."""

        async def kinds() -> set[type]:
            lines = {name: Line(is_there=is_there(name)) for name in RECORDINGS}
            frames = [(name, entry["msg"]) for name in lines for entry in entries_of(name) if entry["dir"] == "server"]
            return {type(message) for name, frame in frames for message in await lines[name].hear(frame)}

        wanted = {ReplyAudio, ReplyWords, UserWords, GenerationComplete, TurnComplete, Interrupted, HandleUpdate}
        assert asyncio.run(kinds()) >= wanted
