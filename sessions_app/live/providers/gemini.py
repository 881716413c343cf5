"""Gemini Live over the google-genai SDK: the one place that knows it, and where its words become ours.

Traps of the SDK and of the API that are handled here:
* the first frame after the set-up is swallowed when it is not `setupComplete`;
* `receive()` ends after one interaction, so frames are read one by one;
* a frame of an unknown kind raises TypeError, one that holds no object AttributeError, and the socket stays open;
* a closed connection raises APIError while reading and ConnectionClosed while writing;
* credentials of a project are looked for, and renewed, in a dial, which then raises what google.auth raises;
* pongs can take 30 s; the wait for `setupComplete` has no timeout of its own; frames can be larger than 1 MiB.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from google import genai
from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai import errors, types
from google.genai.live import AsyncSession
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from energy.places import id_of
from sessions_app.live.machine.failures import (
    COMPRESSION_FIGURES_FIELD,
    INITIAL_HISTORY_FIELD,
    LANGUAGE_HINT_FIELD,
    SPEECH_FIELD,
    TRANSPARENT_FIELD,
    TURN_TAKING_FIELD,
    Failure,
    Phase,
)
from sessions_app.live.providers.access import REDIAL_WITHIN_MS, Access, ByAccount, ByToken
from sessions_app.live.providers.accounts import Account
from sessions_app.live.providers.consumed import Consumed, Counting
from sessions_app.live.providers.durations import seconds_of
from sessions_app.live.providers.frames import AudioSocket
from sessions_app.live.providers.google_errors import GoogleError, read_error
from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.probes import Probes
from sessions_app.live.providers.recorded import Tap, tapped
from sessions_app.live.providers.spoken_words import as_sentence, words_in
from sessions_app.live.providers.token_keeper import TokenKeeper
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
    Working,
    close_what_comes_of,
)
from sessions_app.live.questions import Question
from sessions_app.live.transcript import Role, Turn
from sessions_app.live.voice import BYTES_PER_MS

logger = logging.getLogger(__name__)

SOCKET_OPTIONS: dict[str, Any] = {
    "open_timeout": 10,
    "close_timeout": 5,
    "ping_interval": 20,
    "ping_timeout": 60,
    "max_size": None,
    "compression": None,
}

SILENCE_FRAME_MS = 100

_START_SENSITIVITIES = {
    "high": types.StartSensitivity.START_SENSITIVITY_HIGH,
    "low": types.StartSensitivity.START_SENSITIVITY_LOW,
}
_END_SENSITIVITIES = {
    "high": types.EndSensitivity.END_SENSITIVITY_HIGH,
    "low": types.EndSensitivity.END_SENSITIVITY_LOW,
}

_UNREADABLE = (TypeError, ValueError, AttributeError, RecursionError)
"""What the SDK raises for a frame that it cannot read: no JSON, no object, of an unknown kind, nested without end."""

_NO_SUCH_FUNCTION = {"error": "There is no such function. Answer without it.", "retryable": False}

_CONNECTION_ERRORS = (errors.APIError, GoogleAuthError, WebSocketException, OSError, TimeoutError)
_LOWEST_CLOSE_CODE = 1000
_ABNORMAL_CLOSURE = 1006
_UNAUTHENTICATED = 401
_PROTOCOL_ERROR = 1002
"""RFC 6455, 7.4.1: for an end that does not speak the protocol."""


class GeminiUpstream:
    """Dials Gemini.

    Args:
        access: the key of the Developer API, a project of Agent Platform, or who has ephemeral tokens made, one for
            each dial. The base URL and the trusted certificates come from the environment, as the SDK documents
            (`GOOGLE_GEMINI_BASE_URL`, `GOOGLE_VERTEX_BASE_URL`, `SSL_CERT_FILE`).
        api_version: with the key: `v1beta` unless a feature wants another, `v1beta1` with a project; one version is
            kept for the life of a handle. Tokens have their own.
        tap: is told all frames of all connections, see `recorded`.
    """

    def __init__(self, access: Account | TokenKeeper, api_version: str, tap: Tap | None = None) -> None:
        recorded = {} if tap is None else {"create_connection": tapped(tap)}
        options = SOCKET_OPTIONS | recorded
        self._access: Access = (
            ByToken(access, options) if isinstance(access, TokenKeeper) else ByAccount(access, api_version, options)
        )
        self._lag = LoopLag()
        self._counting = Counting()
        self._leaving: set[asyncio.Task[None]] = set()

    def expect(self, model: str) -> None:
        self._access.expect(model)

    async def connect(self, setup: Setup) -> GeminiConnection:
        """Dial, set up and give the initial history. Raises `UpstreamFailed`, also when that takes too long."""
        began = time.monotonic()
        client = await self._access.client_for(setup.model, setup.timeout_ms)
        try:
            return await self._dial(client, setup, setup.timeout_ms / 1000 - (time.monotonic() - began))
        except UpstreamFailed:
            self._access.expect(setup.model)
            raise
        finally:
            self._access.dialled(setup.model)

    async def _dial(self, client: genai.Client, setup: Setup, left_s: float) -> GeminiConnection:
        opening = asyncio.create_task(self._open(client, setup), name="live-opening")
        try:
            done, _ = await asyncio.wait({opening}, timeout=left_s)
        except asyncio.CancelledError:
            self._leave_behind(opening)
            raise
        if not done:
            self._leave_behind(opening)
            raise UpstreamFailed(Failure(0, "timed out", Phase.SETUP))
        return opening.result()

    async def _open(self, client: genai.Client, setup: Setup) -> GeminiConnection:
        opening = client.aio.live.connect(model=id_of(setup.model), config=config_of(setup))
        started = time.monotonic()
        phase = Phase.HANDSHAKE
        try:
            session = await opening.__aenter__()
            phase = Phase.SETUP
            connection = GeminiConnection(opening, session, self._lag, setup, self._access, self._counting)
            await connection.finish_setup(setup, started)
        except _CONNECTION_ERRORS as error:
            if phase is Phase.SETUP:
                await _leave(opening)
            elif isinstance(error, errors.APIError):
                phase = Phase.SETUP
            raise UpstreamFailed(self._access.failed(setup.model, failure_of(error, phase))) from error
        except _UNREADABLE as error:
            logger.warning("The answer to the set-up cannot be read: %s", type(error).__name__)
            raise UpstreamFailed(Failure(_PROTOCOL_ERROR, "unreadable answer to the set-up", Phase.SETUP)) from error
        except asyncio.CancelledError:
            if phase is Phase.SETUP:
                await _leave(opening)
            raise
        return connection

    def _leave_behind(self, opening: asyncio.Task[GeminiConnection]) -> None:
        """A provider that stalls does not answer a close, either, which the SDK would wait for."""
        opening.cancel()
        leaving = asyncio.create_task(close_what_comes_of(opening), name="live-tidy")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


class GeminiConnection:
    """One connection, see `upstream.Connection`."""

    def __init__(
        self,
        opening: AbstractAsyncContextManager[AsyncSession],
        session: AsyncSession,
        lag: LoopLag,
        setup: Setup,
        access: Access | None = None,
        counting: Counting | None = None,
    ) -> None:
        self._opening = opening
        self._session = session
        self._probes = Probes(session._ws, lag, setup.intake_margin_ms)
        self._socket = AudioSocket(session)
        self._setup = setup
        self._access = access or Access()
        self._consumed = Consumed(counting or Counting())
        self._ends_turn_of_call = False
        self._is_open = self._is_leaving = False
        self._early: list[UpstreamMessage] = []
        self._messages_sent = 0
        self._setup_ms = 0.0
        self._heard_at = time.monotonic()

    @property
    def unread_ms(self) -> float:
        """By the longest round trip that was measured, the kernel's or the set-up's, and by what pings have shown.

        What only the kernel and pings tell is not enough: a provider that answers them at once and takes 300 ms for its
        set-up has been seen to take input in 60 ms after it arrived.
        """
        return self._probes.unread_ms(max(self._setup_ms, self._socket.round_trip_ms() or 0.0))

    @property
    def round_trip_ms(self) -> float | None:
        return self._socket.round_trip_ms()

    @property
    def loop_lag_ms(self) -> float:
        return self._probes.loop_lag_ms

    @property
    def lifeless_ms(self) -> float:
        self._probes.keep_on()
        return min(self._probes.lifeless_ms, (time.monotonic() - self._heard_at) * 1000)

    @property
    def messages_sent(self) -> int:
        return self._messages_sent

    @property
    def counts_messages(self) -> bool:
        return is_transparent(self._setup)

    def begin_burst(self) -> None:
        self._probes.burst_began()

    def end_burst(self) -> None:
        self._probes.ask()

    async def finish_setup(self, setup: Setup, started: float) -> None:
        """Wait for `setupComplete` if the SDK took another frame for it, then give the history."""
        try:
            await self._finish_setup(setup, started)
        except BaseException:
            self._socket.let_go()
            raise
        self._is_open = True
        self._access.opened(setup.model)
        self._probes.start()

    async def _finish_setup(self, setup: Setup, started: float) -> None:
        while self._session.setup_complete is None:
            frame = await self._next_frame()
            if isinstance(frame, types.LiveServerMessage) and frame.setup_complete is not None:
                self._session.setup_complete = frame.setup_complete
            else:
                self._early += self._translate(frame)
        self._setup_ms = (time.monotonic() - started) * 1000
        if told := self._session.setup_complete.session_id:
            logger.info("%s calls this connection's session %s", setup.model, told)
        if setup.expects_history:
            self._messages_sent += 1
            await self._session.send_client_content(turns=_contents_of(setup.history), turn_complete=True)

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        """What the provider says, until the connection ends with `UpstreamFailed`."""
        early, self._early = self._early, []
        for message in early:
            yield message
        while True:
            try:
                frame = await self._next_frame()
            except _CONNECTION_ERRORS as error:
                raise self._lost(error) from error
            self._heard_at = time.monotonic()
            if type(frame) is bytes:
                self._ends_turn_of_call = False
                yield ReplyAudio(frame)
                continue
            if isinstance(frame, types.LiveServerMessage) and frame.tool_call:
                await self._refuse(frame.tool_call)
            for message in self._translate(frame):
                if isinstance(message, GoAway):
                    self._expect_another(message.time_left_ms)
                yield self._in_our_count(message)

    def _in_our_count(self, message: UpstreamMessage) -> UpstreamMessage:
        """As the driver counts: its messages, and its turns. Agent Platform ends the turn of a call, in which nobody
        has spoken, before it answers (recorded), and counts it by itself; a turn with an answer in it is none."""
        if isinstance(message, HandleUpdate):
            told = message.consumed_index if self._setup.is_on_agent_platform else None
            return replace(message, consumed_index=self._consumed.read(told, self._messages_sent))
        if isinstance(message, (ReplyAudio, ReplyWords)):
            self._ends_turn_of_call = False
        if self._ends_turn_of_call and isinstance(message, UsageReported):
            return replace(message, model=self._setup.model)
        if self._ends_turn_of_call and isinstance(message, TurnComplete):
            self._ends_turn_of_call = False
            return replace(message, is_filler=True)
        return message

    def try_send_audio(self, pcm: bytes) -> bool:
        sent = self._socket.try_send_audio(pcm)
        self._messages_sent += sent
        self._probes.keep_on()
        return sent

    async def send_audio(self, pcm: bytes) -> None:
        self._messages_sent += 1
        try:
            await self._socket.send_audio(pcm)
            self._probes.keep_on()
        except ConnectionClosed as error:
            raise self._lost(error) from error

    async def send_audio_end(self) -> None:
        for _ in range(self._setup.silence_before_end_ms // SILENCE_FRAME_MS):
            await self.send_audio(bytes(SILENCE_FRAME_MS * BYTES_PER_MS))
        if not self._setup.is_on_agent_platform:  # for google-genai 3.6 it is of the Developer API alone
            await self._send(self._session.send_realtime_input(audio_stream_end=True))

    async def send_text(self, text: str) -> None:
        if self._setup.typed_as_content:
            content = types.Content(role="user", parts=[types.Part(text=text)])
            await self._send(self._session.send_client_content(turns=content, turn_complete=True))
        else:
            await self._send(self._session.send_realtime_input(text=text))

    async def send_question(self, question: Question) -> None:
        """Raises NotImplementedError: no model of a line takes files."""
        raise NotImplementedError

    async def send_past_turns(self, turns: tuple[Turn, ...]) -> None:
        await self._send(self._session.send_client_content(turns=_contents_of(turns), turn_complete=False))

    def want_sound(self, on: bool) -> None:
        """The model speaks whether it is heard or not."""

    def stop_reply(self) -> None:
        """Nothing tells the model to stop but speech; what comes is not played."""

    async def close(self, timeout_ms: int) -> None:
        self._probes.stop()
        if self._is_open:
            self._is_open = False
            self._access.closed(self._setup.model)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._session.close()
        except _CONNECTION_ERRORS:
            logger.debug("The connection did not close in good order", exc_info=True)
        await _leave(self._opening)
        self._socket.let_go()

    async def _refuse(self, call: types.LiveServerToolCall) -> None:
        """Answer calls of functions that nobody declared.

        3.1 says nothing until it has a response, whose key `error` is for what went wrong (google-genai 3.6,
        `types.FunctionResponse`). 3.8 tries again unless it is told not to ("Migrate from Gemini 2.5 Flash Live API to
        Gemini 3.8 Live", November 2026). The SDK sends no response without an id.
        """
        responses = [
            types.FunctionResponse(id=called.id, name=called.name, response=_NO_SUCH_FUNCTION)
            for called in call.function_calls or ()
            if called.id
        ]
        if responses:
            self._ends_turn_of_call = self._setup.is_on_agent_platform
            await self._send(self._session.send_tool_response(function_responses=responses))

    async def _send(self, sending: Any) -> None:
        """Counted before it is written: a tool response goes between what another task sends, and what is counted as
        sent after it may come before it."""
        self._messages_sent += 1
        try:
            await sending
            self._probes.keep_on()
        except ConnectionClosed as error:
            raise self._lost(error) from error

    def _expect_another(self, time_left_ms: int = 0) -> None:
        """This connection ends: another one is dialled."""
        if not self._is_leaving:
            self._is_leaving = True
            self._access.expect(self._setup.model, time_left_ms + REDIAL_WITHIN_MS)

    def _lost(self, error: Exception) -> UpstreamFailed:
        failure = self._access.failed(self._setup.model, failure_of(error, Phase.LIVE))
        self._expect_another()
        return UpstreamFailed(failure)

    def _translate(self, frame: bytes | types.LiveServerMessage | Unrecognised) -> list[UpstreamMessage]:
        if isinstance(frame, bytes):
            return [ReplyAudio(frame)]
        if isinstance(frame, Unrecognised):
            return [frame]
        return translate(frame, whole_input_transcript=self._setup.whole_input_transcript)

    async def _next_frame(self) -> bytes | types.LiveServerMessage | Unrecognised:
        try:
            return await self._socket.next()
        except _UNREADABLE as error:
            return Unrecognised(f"unreadable frame: {type(error).__name__}")
        except errors.APIError as error:
            if error.code is not None and error.code >= _LOWEST_CLOSE_CODE:
                raise
            return Unrecognised(f"error frame with code {error.code}")


async def _leave(opening: AbstractAsyncContextManager[AsyncSession]) -> None:
    """Leave the SDK's context manager: the socket is closed whatever state it is in."""
    with contextlib.suppress(Exception):
        await opening.__aexit__(None, None, None)


# -- our words into the SDK's ------------------------------------------------------------------------------------------


def config_of(setup: Setup) -> types.LiveConnectConfig:
    """The SDK's configuration for a set-up, without the fields that this provider refused."""
    fields: dict[str, tuple[str, Any]] = {
        "responseModalities": ("response_modalities", [types.Modality.AUDIO]),
        "systemInstruction": ("system_instruction", _instruction_of(setup.instruction)),
        SPEECH_FIELD: ("speech_config", _speech_of(setup.voice)),
        "inputAudioTranscription": ("input_audio_transcription", _transcription_of(setup)),
        "outputAudioTranscription": ("output_audio_transcription", types.AudioTranscriptionConfig()),
    }
    if setup.resumes:
        fields["sessionResumption"] = (
            "session_resumption",
            types.SessionResumptionConfig(handle=setup.handle, transparent=is_transparent(setup) or None),
        )
    if setup.compression is not None:
        fields["contextWindowCompression"] = ("context_window_compression", _compression_of(setup))
    if setup.turn_taking != TurnTaking():
        fields[TURN_TAKING_FIELD] = ("realtime_input_config", _turn_taking_of(setup.turn_taking))
    if setup.expects_history:
        fields[INITIAL_HISTORY_FIELD] = (
            "history_config",
            types.HistoryConfig(initial_history_in_client_content=True),
        )
    if setup.thinking_level:
        level = types.ThinkingLevel(setup.thinking_level)
        fields["thinkingConfig"] = ("thinking_config", types.ThinkingConfig(thinking_level=level))
    refused = {_camel(name) for name in setup.left_out}
    return types.LiveConnectConfig(**{name: value for key, (name, value) in fields.items() if key not in refused})


def is_transparent(setup: Setup) -> bool:
    """Whether handles are asked for that say which message they cover last, which Agent Platform alone has."""
    return setup.resumes and setup.is_on_agent_platform and TRANSPARENT_FIELD not in setup.left_out


def _instruction_of(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=text)])


def _speech_of(voice: str) -> types.SpeechConfig:
    return types.SpeechConfig(
        voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=voice))
    )


def _transcription_of(setup: Setup) -> types.AudioTranscriptionConfig:
    if not setup.language or LANGUAGE_HINT_FIELD in setup.left_out:
        return types.AudioTranscriptionConfig()
    return types.AudioTranscriptionConfig(language_codes=[setup.language])


def _compression_of(setup: Setup) -> types.ContextWindowCompressionConfig:
    compression = Compression() if COMPRESSION_FIGURES_FIELD in setup.left_out else setup.compression or Compression()
    return types.ContextWindowCompressionConfig(
        trigger_tokens=compression.trigger_tokens or None,
        sliding_window=types.SlidingWindow(target_tokens=compression.target_tokens or None),
    )


def _turn_taking_of(turns: TurnTaking) -> types.RealtimeInputConfig:
    """Only what differs from what the model does by itself is said."""
    is_detected_by_model = turns == TurnTaking(interruptions=turns.interruptions)
    detection = types.AutomaticActivityDetection(
        start_of_speech_sensitivity=_START_SENSITIVITIES.get(turns.start_sensitivity),
        end_of_speech_sensitivity=_END_SENSITIVITIES.get(turns.end_sensitivity),
        silence_duration_ms=turns.silence_ms or None,
    )
    return types.RealtimeInputConfig(
        automatic_activity_detection=None if is_detected_by_model else detection,
        activity_handling=None if turns.interruptions else types.ActivityHandling.NO_INTERRUPTION,
    )


def _contents_of(turns: tuple[Turn, ...]) -> list[types.Content | types.ContentDict]:
    return [
        types.Content(role="user" if turn.role is Role.USER else "model", parts=[types.Part(text=turn.text)])
        for turn in turns
    ]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


# -- the SDK's words into ours -----------------------------------------------------------------------------------------


def translate(message: types.LiveServerMessage, *, whole_input_transcript: bool = False) -> list[UpstreamMessage]:
    """One frame of the provider in our words; several keys may stand in one frame, and an empty one says nothing.

    Nor does a `toolCallCancellation`: every call was refused as it came. `whole_input_transcript`: as in `Setup`.
    """
    found: list[UpstreamMessage] = []
    if message.voice_activity and message.voice_activity.voice_activity_type == types.VoiceActivityType.ACTIVITY_START:
        found.append(VoiceBegan())
    if message.usage_metadata:
        found.append(_usage_of(message.usage_metadata))
    if message.server_content:
        found += _translate_content(message.server_content, whole_input_transcript=whole_input_transcript)
    if message.tool_call:
        found.append(UndeclaredCall(tuple(called.name or "" for called in message.tool_call.function_calls or ())))
    if message.session_resumption_update:
        update = message.session_resumption_update
        handle = update.new_handle if update.resumable and update.new_handle else None
        found.append(HandleUpdate(handle, update.last_consumed_client_message_index))
    if message.go_away:
        found.append(GoAway(duration_ms(message.go_away.time_left)))
    return found


def _translate_content(content: types.LiveServerContent, *, whole_input_transcript: bool) -> list[UpstreamMessage]:
    found: list[UpstreamMessage] = []
    if heard := _words_of(content.input_transcription):
        found.append(UserWords(as_sentence(heard) if whole_input_transcript else heard))
    if content.interrupted:
        found.append(Interrupted())
    for part in (content.model_turn.parts if content.model_turn else None) or ():
        if part.inline_data and part.inline_data.data and (part.inline_data.mime_type or "").startswith("audio/pcm"):
            found.append(ReplyAudio(part.inline_data.data))
    if said := _words_of(content.output_transcription):
        found.append(ReplyWords(said))
    if content.generation_complete:
        found.append(GenerationComplete())
    in_progress = content.interaction_status == types.InteractionStatus.IN_PROGRESS
    if content.turn_complete:
        reason = content.turn_complete_reason
        found.append(TurnComplete(in_progress, reason.value if reason else ""))
    elif in_progress:
        found.append(Working())
    return found


def _words_of(transcription: types.Transcription | None) -> str:
    return words_in(transcription.text or "") if transcription is not None else ""


def _usage_of(usage: types.UsageMetadata) -> UsageReported:
    return UsageReported(
        prompt_tokens=usage.prompt_token_count,
        response_tokens=usage.response_token_count,
        thoughts_tokens=usage.thoughts_token_count,
        total_tokens=usage.total_token_count,
        prompt_tokens_by_modality=by_modality(usage.prompt_tokens_details),
        response_tokens_by_modality=by_modality(usage.response_tokens_details),
        tool_use_tokens=usage.tool_use_prompt_token_count,
        cached_tokens=usage.cached_content_token_count,
        tool_use_tokens_by_modality=by_modality(usage.tool_use_prompt_tokens_details),
        cached_tokens_by_modality=by_modality(usage.cache_tokens_details),
    )


def by_modality(details: list[types.ModalityTokenCount] | None) -> dict[str, int]:
    """Token counts by the name of their modality."""
    return {detail.modality.value: detail.token_count or 0 for detail in details or () if detail.modality}


def duration_ms(text: str | None) -> int:
    """A duration as the provider writes it ("9.5s") in ms, rounded down; nothing, or something else, means no time."""
    return int((seconds_of(text) or 0) * 1000)


def failure_of(error: BaseException, phase: Phase) -> Failure:
    """What an exception of the SDK, or of the library below it, says about the connection."""
    if isinstance(error, InvalidStatus):
        return _failure_of_refusal(error)
    if isinstance(error, errors.APIError):
        said = GoogleError(reason) if (reason := _local_reason(error)) else read_error(error.details)
        return _failure(error.code or 0, said, phase)
    if isinstance(error, ConnectionClosed):
        if error.rcvd is not None:
            return _failure(error.rcvd.code, read_error(error.rcvd.reason), phase)
        return Failure(_ABNORMAL_CLOSURE, error.sent.reason if error.sent else "", phase)
    if isinstance(error, TimeoutError):
        return Failure(0, "timed out", phase)
    if isinstance(error, GoogleAuthError) and not (error.retryable or isinstance(error, TransportError)):
        return Failure(_UNAUTHENTICATED, f"no credentials: {error}", Phase.HANDSHAKE)
    return Failure(0, str(error), phase)


def _local_reason(error: errors.APIError) -> str:
    """Why we ourselves gave up a connection, which the SDK reports as an abnormal closure without a reason."""
    cause = error.__context__
    if error.code == _ABNORMAL_CLOSURE and isinstance(cause, ConnectionClosed) and cause.sent is not None:
        return cause.sent.reason
    return ""


def _failure_of_refusal(error: InvalidStatus) -> Failure:
    """The upgrade was answered with an HTTP status; the body may hold Google's error object."""
    response = error.response
    said = read_error((response.body or b"").decode(errors="replace"))
    failure = _failure(response.status_code, said, Phase.HANDSHAKE)
    retry_after = response.headers.get("Retry-After", "")
    return replace(failure, retry_after_ms=int(retry_after) * 1000) if retry_after.isdecimal() else failure


def _failure(code: int, said: GoogleError, phase: Phase) -> Failure:
    return Failure(code, said.text, phase, said.retry_after_ms, said.quotas)
