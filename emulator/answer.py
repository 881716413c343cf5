"""Giving one answer: from the model's words to paced frames, until the turn is complete or cut off."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum, auto

from emulator import brain
from emulator.delivery import Delivered, opening, spoken, unspoken
from emulator.faults import Fault
from emulator.line import Line
from emulator.memory import Turn
from emulator.models import Generation
from emulator.sessions import Session
from emulator.setup import Setup
from emulator.state import Emulator
from emulator.tools import ToolCall, choose_call, new_call, result_sentence
from emulator.usage import live_usage, usage_of_call
from emulator.wire import Json

_FILLER = "Let me think about that for a moment."
_WORDS_WORTH_THINKING = 8
# An answer cut off sooner was not heard: its question is still open, and the next answer takes it up.
_HARDLY_BEGUN_MS = 400


class Progress(Enum):
    """How far an answer is, as its dialogue is told."""

    BEGUN = auto()
    GENERATED = auto()
    OVER = auto()
    CUT_SHORT = auto()


class Answer:
    """The model's side of a turn; `run` is a task that an interruption cancels.

    `tell` is awaited at each step of its progress; a `RefusedError` of it ends the answer.
    """

    def __init__(
        self,
        emulator: Emulator,
        line: Line,
        setup: Setup,
        session: Session,
        tell: Callable[[Progress], Awaitable[None]],
        *,
        aloud: bool,
    ) -> None:
        self._emulator = emulator
        self._line = line
        self._setup = setup
        self._profile = setup.profile
        self._session = session
        self._tell = tell
        self._aloud = aloud
        self._context = session.memory
        self._sent: list[tuple[float, str]] = []
        self._sent_ms = 0.0
        self._started_at: float | None = None
        self._tool_results: asyncio.Future[list[Json]] | None = None
        #: Ids of tool calls that wait for their response.
        self.open_calls: list[str] = []
        #: True between the end of a turn and the beginning of the next: nothing is left to interrupt.
        self.is_over = False
        self._is_filling = self._is_silent = False

    async def run(self) -> None:
        """Answer whatever the user has said and nobody answered yet."""
        while self._has_question():
            self._restart()
            await self._tell(Progress.BEGUN)
            if self._profile.generation is Generation.TRANSCRIBE:
                await self._end_transcription()
                continue
            await self._think()
            if await self._stays_silent():
                continue
            text = await self._words()
            if self._is_worth_thinking():
                self._is_filling = True
                await self._say(_FILLER)
                await self._complete("IN_PROGRESS")
                self._restart()
            await self._say(text)
            self._remember(text)
            await self._complete("IDLE")
            await self._tell(Progress.OVER)

    def take_tool_results(self, results: list[Json]) -> bool:
        """Hand over the client's tool response; False if nothing waits for these ids."""
        ids = [str(result.get("id")) for result in results]
        if self._tool_results is None or self._tool_results.done() or not set(ids) & set(self.open_calls):
            return False
        self.open_calls = []
        self._tool_results.set_result(results)
        return True

    async def finish_interrupted(self) -> None:
        """After a cancelled `run`: remember what was heard and end the turn as an interrupted one."""
        heard = self._heard()
        if heard and not self._is_filling:
            self._remember(heard)
        self._line.log("reply_interrupted", text=heard)
        await self._line.send({"serverContent": {"interrupted": True}})
        await self._turn_complete("IDLE", interrupted=True)
        await self._tell(Progress.CUT_SHORT)

    # The steps of an answer.

    def _has_question(self) -> bool:
        turns = self._session.memory.turns
        return bool(turns) and turns[-1].role == "user"

    def _restart(self) -> None:
        self.is_over = self._is_filling = self._is_silent = False
        self._context = self._session.memory
        self._sent, self._sent_ms, self._started_at = [], 0.0, None

    async def _think(self) -> None:
        fault = self._use("slow_thinking")
        if fault is None:
            return
        left_s, every_s = fault.params["delay_s"], fault.params.get("status_every_s", math.inf)
        self._line.log("slow_thinking", seconds=left_s)
        while left_s > every_s:
            await asyncio.sleep(every_s)
            left_s -= every_s
            await self._line.send({"serverContent": {"interactionStatus": "IN_PROGRESS"}})
        await asyncio.sleep(left_s)

    async def _stays_silent(self) -> bool:
        """End the turn at once if a fault says so: heard, and not answered."""
        fault = self._use("refused_turn") or self._use("empty_turn")
        if fault is None:
            return False
        reason = fault.params.get("reason", "")
        self._line.log("empty_turn", reason=reason)
        self._remember("")
        self._is_silent = True
        await self._complete("IDLE", reason)
        await self._tell(Progress.OVER)
        return True

    def _use(self, fault: str) -> Fault | None:
        return self._emulator.faults.use(fault, self._line.id, self._line.model)

    async def _words(self) -> str:
        undeclared = self._use("undeclared_tool_call")
        if undeclared is not None:
            function = undeclared.params["function"]
            self._line.log("undeclared_tool_call", function=function)
            await self._call_tool(new_call(function, {}, self._profile.tool_id_prefix))
        call = choose_call(self._setup.tools, self._context, self._profile.tool_id_prefix)
        if call is None:
            return brain.reply(self._context, self._emulator.options.seed)
        return result_sentence(await self._call_tool(call))

    async def _call_tool(self, call: ToolCall) -> list[Json]:
        self._tool_results = asyncio.get_running_loop().create_future()
        self.open_calls = [call.id]
        await self._line.send(call.frame())
        results = await self._tool_results
        if self._profile.ends_turn_of_tool_call:
            await self._end_turn_of_call()
        return results

    async def _end_turn_of_call(self) -> None:
        """As recorded: the call had a turn of its own, which nobody spoke in."""
        if self._setup.output_transcription:
            await self._line.send({"serverContent": {"outputTranscription": {"finished": True}}})
        await self._line.send({"serverContent": {"generationComplete": True}})
        usage = usage_of_call(self._profile, self._context)
        self._emulator.account.add(self._line.model, usage)
        content: Json = {"turnComplete": True, "groundingMetadata": {}}
        await self._line.send({"serverContent": content, "usageMetadata": usage})

    def _is_worth_thinking(self) -> bool:
        words = self._context.turns[-1].text.split()
        return self._profile.reports_interaction_status and len(words) >= _WORDS_WORTH_THINKING

    async def _say(self, text: str) -> None:
        self._line.log("reply", text=text)
        for frame in opening(self._profile, text, transcribe=self._setup.output_transcription):
            await self._line.send(frame)
        is_midway = False
        async for delivered in self._frames(text):
            await self._line.send(delivered.frame)
            await self._keep_pace(delivered)
            if delivered.words and not is_midway:
                is_midway = True
                await self._line.enter("midway")
        await self._line.send({"serverContent": {"generationComplete": True}})
        await self._tell(Progress.GENERATED)
        await self._wait_for_playback()

    async def _frames(self, text: str) -> AsyncIterator[Delivered]:
        setup = self._setup
        if not self._aloud:
            for delivered in unspoken(text, transcribe=setup.output_transcription):
                yield delivered
            return

        async def speak(sentence: str) -> bytes:
            return await self._emulator.voice.speak(sentence, setup.voice, setup.language)

        async for delivered in spoken(setup.profile, text, speak, transcribe=setup.output_transcription):
            yield delivered

    async def _keep_pace(self, delivered: Delivered) -> None:
        now = asyncio.get_running_loop().time()
        if self._started_at is None:
            self._started_at = now
        if delivered.words:
            self._sent.append((self._sent_ms, delivered.words))
        self._sent_ms += delivered.audio_ms
        options = self._emulator.options
        due = self._started_at + self._sent_ms / 1000 / (options.pace * options.send_speed)
        if due > now:
            await asyncio.sleep(due - now)

    async def _wait_for_playback(self) -> None:
        if self._started_at is None:
            return
        over = self._started_at + self._sent_ms / 1000 / self._emulator.options.pace
        await asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time()))

    def _heard(self) -> str:
        """The words whose sound a listener has begun to hear by now; none in the first moment of an answer."""
        if self._started_at is None:
            return ""
        played_ms = (asyncio.get_running_loop().time() - self._started_at) * 1000 * self._emulator.options.pace
        if played_ms < _HARDLY_BEGUN_MS:
            return ""
        return "".join(words for begins_ms, words in self._sent if begins_ms < played_ms).strip()

    def _remember(self, text: str) -> None:
        audio_ms = round(self._sent_ms) if self._aloud else 0
        # Input that came in during the answer is still unanswered, so the answer takes its place before it.
        memory = self._session.memory
        asked = len(self._context.turns)
        turns = (*memory.turns[:asked], Turn("model", text, audio_ms=audio_ms), *memory.turns[asked:])
        self._session.memory = memory.with_reply(turns)

    async def _complete(self, status: str, reason: str = "") -> None:
        fault = self._use("no_turn_complete")
        self.is_over = True
        if fault is None:
            await self._turn_complete(status, interrupted=False, reason=reason)

    async def _turn_complete(self, status: str, *, interrupted: bool, reason: str = "") -> None:
        content: Json = {"turnComplete": True}
        if self._profile.ends_turn_of_tool_call:
            content["groundingMetadata"] = {}
        if reason:
            content["turnCompleteReason"] = reason
        if self._profile.reports_interaction_status:
            content["interactionStatus"] = status
        spoke = self._aloud and not self._is_silent
        usage = live_usage(self._profile, self._context, round(self._sent_ms), spoke=spoke)
        self._emulator.account.add(self._line.model, usage)
        await self._line.send({"serverContent": content, "usageMetadata": usage})
        self._line.log("turn_complete", interrupted=interrupted, prompt_tokens=usage["promptTokenCount"])

    async def _end_transcription(self) -> None:
        """A transcribing model says nothing: the transcript was the answer."""
        self._remember("")
        await self._complete("IDLE")
        await self._tell(Progress.OVER)
