"""The one place that knows the SDK: our words into its configuration, its messages and errors into our words."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from google.genai import errors, types
from google.genai.live import AsyncLive
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from sessions_app.live.machine.failures import (
    COMPRESSION_FIGURES_FIELD,
    INITIAL_HISTORY_FIELD,
    LANGUAGE_HINT_FIELD,
    Failure,
    History,
    Phase,
    Verdict,
    judge,
)
from sessions_app.live.providers import gemini
from sessions_app.live.providers.access import REDIAL_WITHIN_MS, Access
from sessions_app.live.providers.gemini import (
    SOCKET_OPTIONS,
    GeminiConnection,
    GeminiUpstream,
    config_of,
    duration_ms,
    failure_of,
    translate,
)
from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.upstream import (
    Compression,
    GenerationComplete,
    GoAway,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
    TurnTaking,
    UndeclaredCall,
    Unrecognised,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
    UserWords,
    VoiceBegan,
)
from sessions_app.live.transcript import Role
from tests.fakes.wire import Wire, session_over
from tests.live.stage import a_turn

SETUP = Setup("gemini-3.8-live", "You are kind.", "Kore")
PAST = (a_turn(0, "Hello"), a_turn(1, "Hello!", Role.MODEL))


# -- setting up --------------------------------------------------------------------------------------------------------


def test_every_session_asks_for_sound_transcripts_resumption_and_compression() -> None:
    config = config_of(SETUP)
    assert config.response_modalities == [types.Modality.AUDIO]
    assert config.input_audio_transcription is not None
    assert config.output_audio_transcription is not None
    assert config.context_window_compression is not None
    assert config.context_window_compression.sliding_window is not None
    assert config.session_resumption == types.SessionResumptionConfig()
    assert config.history_config is None
    assert config.thinking_config is None
    assert config.proactivity is None, "an error on some models"
    assert config.enable_affective_dialog is None


def test_a_handle_goes_into_the_resumption() -> None:
    resumption = config_of(Setup("m", "", "Kore", handle="h-1")).session_resumption
    assert resumption is not None
    assert resumption.handle == "h-1"
    assert resumption.transparent is None, "the SDK refuses it on the Developer API"


def test_initial_history_is_announced_only_where_it_follows() -> None:
    config = config_of(Setup("m", "", "Kore", history=PAST, expects_history=True))
    assert config.history_config is not None
    assert config.history_config.initial_history_in_client_content


def test_a_model_that_must_be_told_how_hard_to_think_is_told() -> None:
    thinking = config_of(Setup("m", "", "Kore", thinking_level="LOW")).thinking_config
    assert thinking is not None
    assert thinking.thinking_level == types.ThinkingLevel.LOW


def test_turns_are_taken_as_the_model_does_it_unless_somebody_wants_it_otherwise() -> None:
    assert config_of(Setup("m", "", "Kore")).realtime_input_config is None
    quiet = config_of(Setup("m", "", "Kore", turn_taking=TurnTaking(interruptions=False))).realtime_input_config
    assert quiet == types.RealtimeInputConfig(activity_handling=types.ActivityHandling.NO_INTERRUPTION)
    told = config_of(Setup("m", "", "Kore", turn_taking=TurnTaking("high", "low", 900))).realtime_input_config
    assert told == types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(
            start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_HIGH,
            end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_LOW,
            silence_duration_ms=900,
        )
    )


def test_compression_and_resumption_can_be_left_out_and_compression_be_told_its_figures() -> None:
    config = config_of(Setup("m", "", "Kore", compression=None, resumes=False))
    assert config.context_window_compression is None
    assert config.session_resumption is None
    compression = config_of(Setup("m", "", "Kore", compression=Compression(20_000, 5_000))).context_window_compression
    assert compression is not None
    assert compression.trigger_tokens == 20_000
    assert compression.sliding_window == types.SlidingWindow(target_tokens=5_000)


def test_a_session_whose_figures_for_compression_are_refused_is_compressed_by_those_of_the_provider() -> None:
    figures = frozenset({COMPRESSION_FIGURES_FIELD})
    setup = Setup("m", "", "Kore", compression=Compression(20_000, 5_000), left_out=figures)
    assert config_of(setup).context_window_compression == types.ContextWindowCompressionConfig(
        sliding_window=types.SlidingWindow()
    )


def test_a_language_is_a_hint_for_what_the_user_says_and_alone_left_out_where_it_is_refused() -> None:
    config = config_of(Setup("m", "", "Kore", language="de-DE"))
    assert config.input_audio_transcription == types.AudioTranscriptionConfig(language_codes=["de-DE"])
    assert config.speech_config is not None
    assert config.speech_config.language_code is None, "native audio models choose it themselves"
    refused = config_of(Setup("m", "", "Kore", language="de-DE", left_out=frozenset({LANGUAGE_HINT_FIELD})))
    assert refused.input_audio_transcription == types.AudioTranscriptionConfig()


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("realtimeInputConfig", "realtime_input_config"),
        ("speechConfig", "speech_config"),
        ("speech_config", "speech_config"),
        ("contextWindowCompression", "context_window_compression"),
        ("context_window_compression", "context_window_compression"),
        ("outputAudioTranscription", "output_audio_transcription"),
        (INITIAL_HISTORY_FIELD, "history_config"),
        ("thinking_config", "thinking_config"),
    ],
)
def test_a_refused_field_is_left_out_in_either_spelling(field: str, attribute: str) -> None:
    turns = TurnTaking(silence_ms=900)
    setup = Setup("m", "", "Kore", expects_history=True, thinking_level="LOW", turn_taking=turns)
    assert getattr(config_of(setup), attribute) is not None
    assert getattr(config_of(replace(setup, left_out=frozenset({field}))), attribute) is None


def test_a_field_that_we_never_sent_can_be_left_out() -> None:
    assert config_of(Setup("m", "", "Kore", left_out=frozenset({"proactivity"}))) == config_of(Setup("m", "", "Kore"))


def test_the_socket_is_as_patient_as_the_provider_is_slow() -> None:
    """Pongs take up to 30 s, close frames up to 3 s, and frames may be larger than 1 MiB."""
    assert SOCKET_OPTIONS["ping_timeout"] >= 60
    assert SOCKET_OPTIONS["close_timeout"] == 5
    assert SOCKET_OPTIONS["max_size"] is None


class StalledOpening:
    """The SDK's context manager with a provider that says nothing, not even to a close, which the SDK waits for."""

    def __init__(self) -> None:
        self.was_left = False

    async def __aenter__(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(SOCKET_OPTIONS["close_timeout"])
            self.was_left = True


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_set_up_that_stalls_is_given_up_without_waiting_for_it_to_close(
    monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    upstream, opening = GeminiUpstream("none", "v1beta"), StalledOpening()
    monkeypatch.setattr(AsyncLive, "connect", lambda self, **arguments: opening)
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(gemini, "time", SimpleNamespace(monotonic=loop.time))
    begun_at = loop.time()
    dial = asyncio.create_task(upstream.connect(SETUP))
    if cancelled:
        await asyncio.sleep(7)
        dial.cancel()
    await asyncio.wait({dial})
    assert loop.time() - begun_at == pytest.approx(7 if cancelled else 10, abs=0.01)
    if not cancelled:
        failure = dial.exception()
        assert isinstance(failure, UpstreamFailed)
        assert failure.failure == Failure(0, "timed out", Phase.SETUP)
    await asyncio.sleep(SOCKET_OPTIONS["close_timeout"] + 1)
    assert opening.was_left


class UnreadableOpening:
    """The SDK's context manager with a provider whose first frame the SDK cannot read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __aenter__(self) -> None:
        raise self._error


@pytest.mark.parametrize("error", [TypeError("odd"), ValueError("odd"), AttributeError("odd"), RecursionError("odd")])
async def test_an_answer_to_the_set_up_that_cannot_be_read_is_a_failure_of_the_provider(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    upstream = GeminiUpstream("none", "v1beta")
    monkeypatch.setattr(AsyncLive, "connect", lambda self, **arguments: UnreadableOpening(error))
    with pytest.raises(UpstreamFailed) as failed:
        await upstream.connect(SETUP)
    assert failed.value.failure == Failure(1002, "unreadable answer to the set-up", Phase.SETUP)


# -- hearing -----------------------------------------------------------------------------------------------------------


async def all_heard(setup: Setup, *frames: dict[str, Any]) -> list[UpstreamMessage]:
    """What the driver is told of these frames until the connection ends."""
    session = session_over(Wire(*(json.dumps(frame).encode() for frame in frames)))
    connection = GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), setup)
    told: list[UpstreamMessage] = []
    with contextlib.suppress(UpstreamFailed):
        async for message in connection.messages():
            told.append(message)
    return told


class NotingAccess(Access):
    """Notes what it is told of connections."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def opened(self, model: str) -> None:
        self.told.append(("opened", model))

    def closed(self, model: str) -> None:
        self.told.append(("closed", model))

    def expect(self, model: str, within_ms: int = REDIAL_WITHIN_MS) -> None:
        self.told.append(("expected within ms", within_ms))

    def failed(self, model: str, failure: Failure) -> Failure:
        self.told.append(("failed", failure.code))
        return failure


async def test_a_connection_that_ends_announces_the_next_dial_once_and_is_counted_once() -> None:
    access = NotingAccess()
    session = session_over(Wire(b'{"setupComplete": {}}', b'{"goAway": {"timeLeft": "50s"}}'))
    connection = GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), SETUP, access)
    await connection.finish_setup(SETUP, 0.0)
    with contextlib.suppress(UpstreamFailed):
        async for _ in connection.messages():
            pass
    for _ in range(2):
        await connection.close(0)
    model = SETUP.model
    assert access.told == [
        ("opened", model),
        ("expected within ms", 50_000 + REDIAL_WITHIN_MS),
        ("failed", 1000),
        ("closed", model),
    ]


async def heard(frame: dict[str, Any]) -> list[UpstreamMessage]:
    """Read by the SDK as from the wire, then translated."""
    return translate(await session_over(Wire(json.dumps(frame).encode()))._receive())


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({}, []),
        ({"setupComplete": {}}, []),
        ({"serverContent": {}}, []),
        ({"serverContent": {"outputTranscription": {}}}, []),
        ({"serverContent": {"outputTranscription": {"finished": True}}}, []),
        ({"serverContent": {"modelTurn": {"parts": [{"text": "Hm", "thought": True}]}}}, []),
        ({"serverContent": {"modelTurn": {"parts": []}}}, []),
        ({"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAA="}}]}}}, []),
        ({"toolCall": {"functionCalls": [{"name": "f", "id": "1"}]}}, [UndeclaredCall(("f",))]),
        ({"toolCallCancellation": {"ids": ["1"]}}, []),
        (
            {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAE="}}]}}},
            [ReplyAudio(b"\0\1")],
        ),
        ({"serverContent": {"inputTranscription": {"text": "Hi"}}}, [UserWords("Hi")]),
        ({"serverContent": {"outputTranscription": {"text": "Hi"}}}, [ReplyWords("Hi")]),
        ({"serverContent": {"generationComplete": True}}, [GenerationComplete()]),
        ({"serverContent": {"interrupted": True}}, [Interrupted()]),
        ({"serverContent": {"turnComplete": True}}, [TurnComplete()]),
        ({"serverContent": {"turnComplete": True, "interactionStatus": "IDLE"}}, [TurnComplete()]),
        (
            {"serverContent": {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}},
            [TurnComplete(is_filler=True)],
        ),
        (
            {"serverContent": {"turnComplete": True, "turnCompleteReason": "RESPONSE_REJECTED"}},
            [TurnComplete(reason="RESPONSE_REJECTED")],
        ),
        ({"sessionResumptionUpdate": {"newHandle": "h-1", "resumable": True}}, [HandleUpdate("h-1")]),
        ({"sessionResumptionUpdate": {}}, [HandleUpdate(None)]),
        ({"sessionResumptionUpdate": {"newHandle": "", "resumable": False}}, [HandleUpdate(None)]),
        ({"goAway": {"timeLeft": "9.5s"}}, [GoAway(9_500)]),
        ({"goAway": {}}, [GoAway(0)]),
        ({"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.880s"}}, [VoiceBegan()]),
        ({"voiceActivity": {"type": "ACTIVITY_END", "audioOffset": "2.120s"}}, []),
        ({"usageMetadata": {"promptTokenCount": 7}}, [UsageReported(prompt_tokens=7)]),
    ],
)
async def test_each_frame_of_the_provider_says_what_it_says(
    frame: dict[str, Any], expected: list[UpstreamMessage]
) -> None:
    assert await heard(frame) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<noise>", []),
        (" <NOISE> [noise]", []),
        ("<no speech>", []),
        ("<noise> Hello", [UserWords(" Hello")]),
        ("\x00", []),
        ("Hello <noise>there.", [UserWords("Hello there.")]),
        ("Hello <noise> there.<noise>", [UserWords("Hello there.")]),
        ("a < b > c", [UserWords("a < b > c")]),
        ("<html>", [UserWords("<html>")]),
        ("half a pair \ud83d, \x00", [UserWords("half a pair , ")]),
    ],
)
async def test_what_is_nobodys_words_is_not_heard(text: str, expected: list[UpstreamMessage]) -> None:
    assert await heard({"serverContent": {"inputTranscription": {"text": text}}}) == expected
    said = [ReplyWords(words.text) for words in expected if isinstance(words, UserWords)]
    assert await heard({"serverContent": {"outputTranscription": {"text": text}}}) == said


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (("Good morning.", "Is it you?", " Yes", ", it is."), "Good morning. Is it you? Yes, it is."),
        (("今天天气好吗？", "我想出去。"), "今天天气好吗？我想出去。"),
    ],
)
async def test_whole_sentences_are_kept_apart_where_a_model_sends_the_users_words_by_the_sentence(
    sentences: tuple[str, ...], expected: str
) -> None:
    by_sentence = Setup("gemini-3.8-live", "", "Kore", whole_input_transcript=True)
    frames = [{"serverContent": {"inputTranscription": {"text": sentence}}} for sentence in sentences]
    words = [message.text for message in await all_heard(by_sentence, *frames) if isinstance(message, UserWords)]
    assert "".join(words).strip() == expected
    pieces = [message.text for message in await all_heard(SETUP, *frames) if isinstance(message, UserWords)]
    assert pieces == list(sentences)


@pytest.mark.parametrize("raw", ['"hello"', "[1]", "7", "true", '"', "[" * 100_000, '{"serverContent": "x"}'])
async def test_a_frame_that_is_not_understood_is_no_end_of_the_connection(raw: str) -> None:
    session = session_over(Wire(raw.encode(), b'{"serverContent": {"interrupted": true}}'))
    connection = GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), SETUP)
    messages = connection.messages()
    odd = await anext(messages)
    assert isinstance(odd, Unrecognised)
    assert odd.what.startswith("unreadable frame")
    assert await anext(messages) == Interrupted()


async def test_a_call_of_a_function_that_nobody_declared_is_refused_at_once() -> None:
    """3.1 waits for the response, and says nothing until then."""
    calls = [{"name": "look_up", "id": "fc_1", "args": {"q": "PLUM"}}, {"name": "no_id"}, {"name": "f", "id": "fc_2"}]
    wire = Wire(json.dumps({"toolCall": {"functionCalls": calls}}).encode())
    session = session_over(wire)
    connection = GeminiConnection(session, session, LoopLag(), SETUP)  # type: ignore[arg-type]
    messages = connection.messages()
    assert await anext(messages) == UndeclaredCall(("look_up", "no_id", "f"))
    (sent,) = (json.loads(message) for message in wire.sent)
    responses = sent["tool_response"]["functionResponses"]
    assert [(response["id"], response["name"], list(response["response"])) for response in responses] == [
        ("fc_1", "look_up", ["error", "retryable"]),
        ("fc_2", "f", ["error", "retryable"]),
    ]
    assert connection.messages_sent == 1


async def test_several_things_in_one_frame_are_heard_in_the_order_they_matter() -> None:
    frame = {
        "serverContent": {
            "inputTranscription": {"text": "Hi"},
            "modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAE="}}]},
            "outputTranscription": {"text": "Hello"},
            "generationComplete": True,
            "turnComplete": True,
        },
        "usageMetadata": {
            "promptTokenCount": 834,
            "responseTokenCount": 64,
            "totalTokenCount": 898,
            "thoughtsTokenCount": 46,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 313}, {"modality": "AUDIO"}],
            "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 64}],
        },
        "sessionResumptionUpdate": {"newHandle": "h-1", "resumable": True},
        "goAway": {"timeLeft": "50s"},
    }
    assert await heard(frame) == [
        UsageReported(834, 64, 46, 898, {"TEXT": 313, "AUDIO": 0}, {"AUDIO": 64}),
        UserWords("Hi"),
        ReplyAudio(b"\0\1"),
        ReplyWords("Hello"),
        GenerationComplete(),
        TurnComplete(),
        HandleUpdate("h-1"),
        GoAway(50_000),
    ]


AGENT_PLATFORM_USAGE = {
    "promptTokenCount": 44,
    "candidatesTokenCount": 61,
    "cachedContentTokenCount": 12,
    "toolUsePromptTokenCount": 7,
    "totalTokenCount": 112,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 44}],
    "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 11}, {"modality": "AUDIO", "tokenCount": 50}],
    "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
    "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}],
}


async def test_usage_is_read_in_the_words_of_agent_platform_and_with_what_was_cached_or_came_of_tools() -> None:
    (usage,) = await all_heard(SETUP, {"usageMetadata": AGENT_PLATFORM_USAGE})
    assert usage == UsageReported(
        prompt_tokens=44,
        response_tokens=61,
        total_tokens=112,
        tool_use_tokens=7,
        cached_tokens=12,
        prompt_tokens_by_modality={"TEXT": 44},
        response_tokens_by_modality={"TEXT": 11, "AUDIO": 50},
        tool_use_tokens_by_modality={"TEXT": 7},
        cached_tokens_by_modality={"TEXT": 12},
    )


async def test_words_that_name_a_count_are_words() -> None:
    said = '"candidatesTokenCount"'
    (words,) = await all_heard(SETUP, {"serverContent": {"outputTranscription": {"text": said}}})
    assert words == ReplyWords(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50s", 50_000),
        ("9.5s", 9_500),
        ("0.500s", 500),
        ("1.000000001s", 1_000),
        ("0s", 0),
        ("", 0),
        (None, 0),
        ("-1s", 0),
        ("soon", 0),
        ("50", 0),
    ],
)
def test_durations_are_read_in_every_legal_form(text: str | None, expected: int) -> None:
    assert duration_ms(text) == expected


# -- ends --------------------------------------------------------------------------------------------------------------


def refused(status: int, body: bytes = b"", **headers: str) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers(headers), body))


GOOGLE_ERROR = json.dumps(
    {
        "error": {
            "code": 429,
            "message": "You exceeded your current quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "18.5s"}],
        }
    }
).encode()


@pytest.mark.parametrize(
    ("error", "phase", "expected"),
    [
        (errors.APIError(1008, "The operation was aborted."), Phase.LIVE, (1008, "The operation was aborted.")),
        (errors.APIError(1000, ""), Phase.LIVE, (1000, "")),
        (errors.APIError(1006, "Abnormal closure."), Phase.SETUP, (1006, "Abnormal closure.")),
        (ConnectionClosedError(Close(1008, "bad"), Close(1008, "bad"), True), Phase.LIVE, (1008, "bad")),
        (ConnectionClosedOK(Close(1000, ""), Close(1000, ""), True), Phase.LIVE, (1000, "")),
        (ConnectionClosedError(None, None), Phase.LIVE, (1006, "")),
        (
            ConnectionClosedError(None, Close(1011, "keepalive ping timeout")),
            Phase.LIVE,
            (1006, "keepalive ping timeout"),
        ),
        (TimeoutError(), Phase.HANDSHAKE, (0, "timed out")),
        (ConnectionRefusedError(111, "Connect call failed"), Phase.HANDSHAKE, (0, "[Errno 111] Connect call failed")),
        (refused(503), Phase.HANDSHAKE, (503, "")),
        (refused(502, b"<html>Bad Gateway</html>"), Phase.HANDSHAKE, (502, "<html>Bad Gateway</html>")),
        (refused(429, GOOGLE_ERROR), Phase.HANDSHAKE, (429, "RESOURCE_EXHAUSTED You exceeded your current quota")),
        (refused(403, b"\xff\xfe"), Phase.HANDSHAKE, (403, "\ufffd\ufffd")),
    ],
)
def test_every_way_a_connection_ends_is_a_failure_with_its_code_and_text(
    error: BaseException, phase: Phase, expected: tuple[int, str]
) -> None:
    failure = failure_of(error, phase)
    assert (failure.code, failure.text, failure.phase) == (*expected, phase)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(429, GOOGLE_ERROR), 18_500),
        (refused(429, b"", **{"Retry-After": "7"}), 7_000),
        (refused(429, GOOGLE_ERROR, **{"Retry-After": "7"}), 7_000),
        (refused(429, b"", **{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), None),
        (refused(429), None),
    ],
)
def test_the_wait_that_a_refusal_asks_for_is_kept(error: InvalidStatus, expected: int | None) -> None:
    assert failure_of(error, Phase.HANDSHAKE).retry_after_ms == expected


def test_our_own_ping_timeout_is_told_from_other_abnormal_ends() -> None:
    """The SDK says 1006 for it; what we sent ourselves stands in the exception before."""
    try:
        try:
            raise ConnectionClosedError(None, Close(1011, "keepalive ping timeout"))
        except ConnectionClosedError:
            raise errors.APIError(1006, "abnormal closure [internal]")  # noqa: B904  # as the SDK raises it
    except errors.APIError as error:
        failure = failure_of(error, Phase.LIVE)
    assert failure == Failure(1006, "keepalive ping timeout", Phase.LIVE)
    assert judge(failure, History()).verdict is Verdict.RESUME
