"""The Live protocol of one connection: set-up, input, turns, and when handles are offered."""

from __future__ import annotations

import asyncio
import uuid
from typing import Literal

from emulator.answer import Answer, Progress
from emulator.deafness import Activity, Deafness, SpeechMissed, draw
from emulator.delivery import input_transcripts
from emulator.hearing import AudioInput
from emulator.line import Line
from emulator.memory import Memory, Turn, measured_words
from emulator.models import Generation, Profile
from emulator.sessions import Session
from emulator.setup import Fields, Setup, check_fields, content_text
from emulator.state import Emulator
from emulator.texts import CATALOGUE, RefusedError, unknown_name
from emulator.tools import cancellation, read_tool_response
from emulator.vad import SpeechEnded, SpeechStarted
from emulator.wire import Json, camel_keys, camel_name, format_duration, snake_name

_AFTER_SEED_S = 0.05
_BLOB: Fields = {"data": None, "mimeType": None, "displayName": None}
_MESSAGES: dict[str, Fields] = {
    "clientContent": {"turns": None, "turnComplete": None},
    "realtimeInput": {
        "audio": _BLOB,
        "video": _BLOB,
        "text": None,
        "mediaChunks": None,
        "audioStreamEnd": None,
        "activityStart": None,
        "activityEnd": None,
    },
    "toolResponse": {"functionResponses": None},
    "contextUpdate": {"systemInstruction": None, "tools": None},
}


class Dialogue:
    """What a connection and its session say to each other, from `setupComplete` on."""

    def __init__(self, emulator: Emulator, line: Line, setup: Setup, session: Session, *, resumed: bool) -> None:
        self._emulator = emulator
        self._line = line
        self.setup = setup
        self.profile: Profile = setup.profile
        self.session = session
        self.resumed = resumed
        self.state: Literal["listening", "generating", "speaking"] = "listening"
        self.audio = AudioInput(setup, session.heard, self._next_deafness)
        self._awaits_history = setup.initial_history
        self._conversing = session.memory.replies > 0
        self._handle_offered = False
        self._hearing = 0
        self._hearing_in_order = asyncio.Lock()
        self._answer: Answer | None = None
        self._answer_task: asyncio.Task[None] | None = None
        self._detached = False
        # The client's messages so far, and what the connection before this one said of its own.
        self._consumed = 0
        self._index_before = session.last_index

    @property
    def memory(self) -> Memory:
        """What the session remembers now."""
        return self.session.memory

    @memory.setter
    def memory(self, memory: Memory) -> None:
        self.session.memory = memory

    async def open(self) -> None:
        """Tell the client that the set-up is complete, and begin what happens by itself."""
        self._line.log(
            "opened",
            resumed=self.resumed,
            handle_given=bool(self.setup.handle),
            model=self.setup.model.id,
            location=self.setup.place.location,
            chunks=len(self.session.heard),
        )
        other = self._emulator.faults.use("first_frame_not_setup", self._line.id, self._line.model)
        if other is not None:
            unreadable = other.params["unreadable"]
            await self._line.send({"setupComplete": "?"} if unreadable else {"sessionResumptionUpdate": {}})
        complete = {"sessionId": str(uuid.uuid4())} if self.profile.tells_session_id else {}
        await self._line.send({"setupComplete": complete})
        await self._send_extra_frames()
        self._line.spawn(self._offer_handles())
        self._line.spawn(self._live_out())
        # Loading takes longer than a short sentence where the machine is busy.
        self._line.spawn(self._emulator.recogniser.warm_up())
        await self._line.enter("listening")

    def detach(self, *, was_lost: bool) -> None:
        """Let go of the session: the connection ends, without a close handshake if it `was_lost`."""
        if self._answer_task is not None:
            self._answer_task.cancel()
        if not self._detached:
            self._emulator.sessions.connection_closed(self.session, was_lost=was_lost)
        self._detached = True

    # Messages.

    async def receive(self, message: Json) -> None:
        """Take one client message; raises `RefusedError` where the service would close."""
        if len(message) != 1:
            raise RefusedError(CATALOGUE["invalid argument"])
        ((name, body),) = message.items()
        kind = camel_name(name)
        if kind not in _MESSAGES:
            raise RefusedError(unknown_name(name, "") if kind != "setup" else CATALOGUE["invalid argument"])
        if not isinstance(body, dict):
            raise RefusedError(CATALOGUE["invalid argument"])
        check_fields(body, _MESSAGES[kind], snake_name(kind))
        body = camel_keys(body)
        self._consumed += 1
        match kind:
            case "clientContent":
                await self._client_content(body)
            case "realtimeInput":
                await self._realtime_input(body)
            case "toolResponse":
                self._tool_response(body)
            case "contextUpdate":
                self._context_update(body)

    def _happens(self, fault: str) -> bool:
        """True if the standing fault concerns this connection now; counts it as used."""
        return self._emulator.faults.use(fault, self._line.id, self.setup.model.id) is not None

    async def _client_content(self, body: Json) -> None:
        turns = [_read_turn(turn) for turn in body.get("turns") or []]
        complete = bool(body.get("turnComplete"))
        if self._awaits_history:
            self._seed(turns, complete)
            return
        if not self.profile.client_content_any_time and self._conversing:
            raise RefusedError(CATALOGUE["invalid argument"])
        if complete and self.profile.history_must_end_with_user and turns and turns[-1].role != "user":
            raise RefusedError(CATALOGUE["invalid argument"])
        self._check_room()
        if not complete:
            self.memory = self.memory.plus(*turns)
            self._line.log("seeded", turns=len(turns))
            return
        self.memory = self.memory.plus(*turns)
        if len(turns) > 1:
            self._line.log("seeded", turns=len(turns) - 1)
        if turns:
            self._line.log("text_in", text=turns[-1].text)
        await self.interrupt()
        self._conversing = True
        self._begin_answer(aloud=not self.profile.mute_for_client_content)

    def _seed(self, turns: list[Turn], complete: bool) -> None:
        self.memory = self.memory.plus(*turns)
        if turns:
            self._line.log("seeded", turns=len(turns))
        if complete:
            self._awaits_history = False
            self._conversing = True
            self._line.spawn(self._offer_handle_soon())

    async def _realtime_input(self, body: Json) -> None:
        if self._awaits_history:
            raise RefusedError(CATALOGUE["invalid argument"])
        if "audioStreamEnd" in body and not self.profile.takes_stream_end:
            raise RefusedError(unknown_name("audio_stream_end", "realtime_input"))
        self._conversing = True
        for name, value in body.items():
            match name:
                case "audio":
                    await self._take_audio(value)
                case "mediaChunks":
                    if not self.profile.takes_media_chunks or not value:
                        raise RefusedError(CATALOGUE["invalid argument"])
                    await self._take_audio(value[0])
                case "text":
                    await self._take_text(str(value))
                case "audioStreamEnd" if value:
                    self._line.log("audio_end")
                    if not self._happens("stream_end_ignored"):
                        await self._activity(self.audio.stream_end())
                case "activityStart":
                    await self._activity(self.audio.activity_start())
                case "activityEnd":
                    await self._activity(self.audio.activity_end())

    async def _take_audio(self, blob: Json) -> None:
        if self.resumed and not self.audio.received_ms and self._happens("close_on_replay"):
            raise RefusedError(CATALOGUE["invalid argument"])
        activity = self.audio.feed(blob)
        if activity is not None:
            await self._activity(activity)

    async def _take_text(self, text: str) -> None:
        self._check_room()
        self.memory = self.memory.plus(Turn("user", text))
        self._line.log("text_in", text=text)
        if self.setup.interrupts:
            await self.interrupt()
        self._begin_answer()

    def _tool_response(self, body: Json) -> None:
        results = read_tool_response(body)
        if self._answer is None or not self._answer.take_tool_results(results):
            raise RefusedError(CATALOGUE["invalid argument"])

    def _context_update(self, body: Json) -> None:
        if not self.profile.takes_context_update:
            raise RefusedError(CATALOGUE["invalid argument"])
        if "systemInstruction" in body:
            self.memory = self.memory.with_instruction(content_text(body["systemInstruction"]))

    def _check_room(self) -> None:
        """Without compression a full context ends the session."""
        if self.setup.compression is None and self.memory.tokens > self.profile.context_tokens:
            raise RefusedError(CATALOGUE["invalid argument"])

    # Speech.

    def _next_deafness(self) -> Deafness | None:
        """What the fault `deaf_vad` makes of the utterance that begins now."""
        fault = self._emulator.faults.peek("deaf_vad", self._line.id, self.setup.model.id)
        if fault is None:
            return None
        deafness = draw(self._emulator.chance, **fault.params, in_answer=self.state != "listening")
        if deafness is not None:
            self._happens("deaf_vad")
        return deafness

    async def _activity(self, activity: Activity | None) -> None:
        match activity:
            case SpeechStarted():
                await self._voice_activity("ACTIVITY_START", activity.offset_ms)
                await self._line.enter("speech")
                if self.setup.interrupts:
                    await self.interrupt()
            case SpeechMissed():
                self._line.log("speech_missed", ms=activity.speech_ms)
                if activity.was_noticed:
                    await self._voice_activity("ACTIVITY_END", activity.offset_ms)
            case SpeechEnded():
                await self._voice_activity("ACTIVITY_END", activity.offset_ms)
                if activity.missed_ms:
                    self._line.log("speech_missed", ms=activity.missed_ms)
                self._hearing += 1
                self._line.spawn(self._hear(activity))

    async def _voice_activity(self, kind: str, offset_ms: int) -> None:
        if self.profile.sends_voice_activity:
            offset = format_duration(offset_ms / 1000)
            await self._line.send({"voiceActivity": {"type": kind, "audioOffset": offset}})

    async def _hear(self, speech: SpeechEnded) -> None:
        try:
            async with self._hearing_in_order:
                text = await self._emulator.recogniser.recognise(speech.pcm)
                if self._line.closing:
                    return
                self._check_room()
                self.memory = self.memory.plus(
                    Turn("user", text or "", "spoken", speech.speech_ms, recognised=text is not None)
                )
                self._line.log("speech_in", ms=speech.speech_ms, text=text or "", recognised=text is not None)
                words = text or self._measured_words(speech)
                if words and (self.setup.input_transcription or self.profile.generation is Generation.TRANSCRIBE):
                    for frame in input_transcripts(self.profile, words):
                        await self._line.send(frame)
        finally:
            self._hearing -= 1
        if self.audio.rate_is_missing:
            raise RefusedError(CATALOGUE["internal error encountered"])
        # Someone who goes on talking is answered when they have finished.
        if not self.audio.in_speech and not self._hearing:
            self._begin_answer()

    def _measured_words(self, speech: SpeechEnded) -> str:
        """A transcript for tests that need one and no recogniser; the session remembers that it made out no words."""
        return measured_words(speech.speech_ms) if self._emulator.options.measured_words else ""

    # Turns.

    def _begin_answer(self, *, aloud: bool = True) -> None:
        if self._answer_task is not None and not self._answer_task.done():
            # Not interrupted on purpose: the running answer goes on to whatever is still unanswered.
            return
        self._answer = Answer(self._emulator, self._line, self.setup, self.session, self._follow, aloud=aloud)
        self._answer_task = self._line.spawn(self._answer.run())

    async def interrupt(self) -> None:
        """Stop the answer that is being given, if there is one, and say so."""
        task, answer = self._answer_task, self._answer
        if task is None or answer is None or task.done():
            return
        if answer.is_over:
            await asyncio.wait([task])
            return
        self._answer_task = self._answer = None
        task.cancel()
        await asyncio.wait([task])
        if answer.open_calls:
            await self._line.send(cancellation(answer.open_calls))
        await answer.finish_interrupted()

    async def _follow(self, progress: Progress) -> None:
        match progress:
            case Progress.BEGUN:
                await self._before_answer()
            case Progress.GENERATED:
                self.state = "speaking"
            case Progress.OVER:
                await self._turn_over()
            case Progress.CUT_SHORT:
                self.state = "listening"

    async def _turn_over(self) -> None:
        """A turn is complete: compress, listen again and offer a handle."""
        compression = self.setup.compression
        if compression and self.memory.tokens > compression.trigger_tokens:
            self.memory = self.memory.compressed(compression.target_tokens)
        self.state = "listening"
        await self.offer_handle()
        await self._line.turn_completed()
        await self._line.enter("listening")

    async def _send_extra_frames(self) -> None:
        if not self._happens("extra_frames"):
            return
        await self._line.send({"modelWeather": {"outlook": "fair"}})
        await self._line.send({})
        await self._line.send({"error": {"code": 13, "message": "Internal error.", "status": "INTERNAL"}})

    async def _before_answer(self) -> None:
        """An answer begins: it cannot be resumed from here, and the quota may be gone."""
        self.state = "generating"
        await self._line.enter("generating")
        refusal = self._emulator.quota.refusal_of_reply(self.setup.model.id, self.setup.place, self._line.id)
        if refusal is not None:
            raise RefusedError(refusal)
        await self._send_extra_frames()
        if self._handle_offered:
            await self._line.send({"sessionResumptionUpdate": {}})

    # Handles.

    async def offer_handle(self) -> None:
        """Send a handle for the state as it is, unless something is going on that it could not name."""
        busy = self.state != "listening" or self._hearing or self.audio.in_sound or self._awaits_history
        if busy or self._line.closing:
            return
        if self.profile.first_handle_s is None and not (self.setup.wants_resumption and self.memory.replies):
            return
        if self._happens("withhold_handles"):
            self._line.log("handle_withheld")
            return
        checkpoint = self._emulator.sessions.issue(self.session)
        self._handle_offered = True
        self._line.log(
            "handle_issued",
            handle=checkpoint.handle,
            turns=len(checkpoint.memory.turns),
            chunks=len(checkpoint.heard),
            consumed=self._consumed,
        )
        update = {"newHandle": checkpoint.handle, "resumable": True} | self._index()
        await self._line.send({"sessionResumptionUpdate": update})

    def _index(self) -> Json:
        """The client's message that the session knows last, where the client wants to know.

        An int64, so it is a string, and left out at 0, as protobuf writes JSON; the set-up counts as the options say.
        """
        if not self.setup.transparent:
            return {}
        index = self._emulator.options.setup_index + self._consumed
        self.session.last_index = index
        fault = self._emulator.faults.use("odd_index", self._line.id, self.setup.model.id)
        match fault.params["how"] if fault else "":
            case "lags":
                index -= fault.params["by"] if fault else 0
            case "jumps":
                index += fault.params["by"] if fault else 0
            case "of-before":
                index = self._index_before
            case "missing":
                return {}
        return {"lastConsumedClientMessageIndex": str(index)} if index > 0 else {}

    async def _offer_handles(self) -> None:
        if self.profile.first_handle_s is None:
            return
        await asyncio.sleep(self.profile.first_handle_s)
        await self.offer_handle()
        while self.profile.idle_handle_s is not None:
            await asyncio.sleep(self.profile.idle_handle_s)
            await self.offer_handle()

    async def _offer_handle_soon(self) -> None:
        if self.profile.first_handle_s is not None:
            await asyncio.sleep(_AFTER_SEED_S)
            await self.offer_handle()

    async def _live_out(self) -> None:
        """Connections do not last: GoAway first, the end a while later."""
        await asyncio.sleep(self.profile.lifetime_s - self.profile.go_away_before_s)
        await self._line.go_away(self.profile.go_away_before_s, then_close=True, end=CATALOGUE[self.profile.end_text])


def _read_turn(content: Json) -> Turn:
    if not isinstance(content, dict) or content.get("role", "user") not in ("user", "model"):
        raise RefusedError(CATALOGUE["invalid argument"])
    parts = content.get("parts") or []
    images = sum(1 for part in parts if isinstance(part, dict) and "inlineData" in part)
    return Turn("model" if content.get("role") == "model" else "user", content_text(content), "typed", images=images)
