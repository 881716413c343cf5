"""A provider in the test's process: what was sent to it stands in lists, what it says is told by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import Connection, Setup, TurnComplete, UpstreamFailed, UpstreamMessage
from sessions_app.live.questions import Question
from sessions_app.live.setups import PROBE_INSTRUCTION
from sessions_app.live.transcript import Turn

CUT = Failure(1006, "abnormal closure [internal]", Phase.LIVE)
REFUSED = Failure(0, "[Errno 111] Connect call failed", Phase.HANDSHAKE)


@dataclass(frozen=True, slots=True)
class AudioEnded:
    """The microphone was muted here, in a list of what was sent."""


Sent = bytes | str | AudioEnded


class FakeConnection:
    """See `live.upstream.Connection`.

    `sent` holds audio as bytes, typed messages as text and `AudioEnded`, in order; `past_turns` what it was told of the
    past in the middle, `questions` those about recordings, `wants_sound` whether replies are heard, `stops` how often
    one was stopped. Hooks: `feed` says something to the client, `drop` ends the connection, `stall` makes every send
    wait until `unstall`, `close_takes_s` is how long the closing handshake needs, sending what is in `unsendable`
    raises what no connection should.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.counts_messages = setup.is_on_agent_platform
        self.sent: list[Sent] = []
        self.past_turns: list[tuple[Turn, ...]] = []
        self.questions: list[Question] = []
        self.wants_sound = True
        self.stops = 0
        self.unread_ms = 65.0
        self.round_trip_ms: float | None = 40.0
        self.loop_lag_ms = 0.0
        self.close_takes_s = 0.0
        self.is_closed = False
        self.unsendable: tuple[Sent, ...] = ()
        self._dead_since: float | None = None
        self._said: asyncio.Queue[UpstreamMessage | Failure] = asyncio.Queue()
        self._failure: Failure | None = None
        self._may_send = asyncio.Event()
        self._may_send.set()

    # -- hooks -------------------------------------------------------------------------------------------------------

    def feed(self, *messages: UpstreamMessage) -> None:
        for message in messages:
            self._said.put_nowait(message)

    def drop(self, failure: Failure = CUT) -> None:
        self._failure = failure
        self._may_send.set()
        self._said.put_nowait(failure)

    def stall(self) -> None:
        self._may_send.clear()

    def unstall(self) -> None:
        self._may_send.set()

    @property
    def audio(self) -> list[bytes]:
        return [item for item in self.sent if isinstance(item, bytes)]

    @property
    def texts(self) -> list[str]:
        return [item for item in self.sent if isinstance(item, str)]

    def die(self) -> None:
        """Nothing comes of the other side any more, not even the answer to a ping."""
        self._dead_since = asyncio.get_running_loop().time()

    @property
    def lifeless_ms(self) -> float:
        return 0.0 if self._dead_since is None else (asyncio.get_running_loop().time() - self._dead_since) * 1000

    @property
    def messages_sent(self) -> int:
        return len(self.sent) + len(self.past_turns)

    # -- the interface -----------------------------------------------------------------------------------------------

    def begin_burst(self) -> None:
        """Nothing to be done: `unread_ms` is what the test says."""

    def end_burst(self) -> None:
        """Nothing to be done, either."""

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        while True:
            said = await self._said.get()
            if isinstance(said, Failure):
                raise UpstreamFailed(said)
            yield said

    def try_send_audio(self, pcm: bytes) -> bool:
        if self._failure is not None or not self._may_send.is_set():
            return False
        self.sent.append(pcm)
        return True

    async def send_audio(self, pcm: bytes) -> None:
        await self._send(pcm)

    async def send_audio_end(self) -> None:
        await self._send(AudioEnded())

    async def send_text(self, text: str) -> None:
        await self._send(text)

    async def send_question(self, question: Question) -> None:
        self._raise_if_gone()
        self.questions.append(question)

    async def send_past_turns(self, turns: tuple[Turn, ...]) -> None:
        self._raise_if_gone()
        self.past_turns.append(turns)

    def want_sound(self, on: bool) -> None:
        self.wants_sound = on

    def stop_reply(self) -> None:
        self.stops += 1

    async def close(self, timeout_ms: int) -> None:
        await asyncio.sleep(min(self.close_takes_s, timeout_ms / 1000))
        self.is_closed = True

    async def _send(self, item: Sent) -> None:
        await self._may_send.wait()
        self._raise_if_gone()
        if item in self.unsendable:
            raise TypeError("not what the encoder expects")
        self.sent.append(item)

    def _raise_if_gone(self) -> None:
        if self._failure is not None:
            raise UpstreamFailed(self._failure)


@dataclass(slots=True)
class Attempt:
    """One dialling: when, with which set-up, and the connection that came of it, if any."""

    at_s: float
    setup: Setup
    connection: FakeConnection | None = None


@dataclass(slots=True)
class Answer:
    """How one dialling is answered: after `after_s`, with a failure or with a connection that `prepare` made ready."""

    failure: Failure | None = None
    after_s: float = 0.0
    prepare: Callable[[FakeConnection], None] = field(default=lambda connection: None)


class FakeUpstream:
    """See `live.upstream.Upstream`.

    `connect_script` holds the answers to the next diallings; when it is empty `otherwise` answers. `refuses` says
    whether a dial is refused whatever was scripted. `is_silent`: nobody answers who is asked whether they are there.
    `attempts` is what was dialled, `expected` the models that it was told to expect dials of.
    """

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.connect_script: list[Answer] = []
        self.otherwise = Answer()
        self.expected: list[str] = []
        self.is_silent = False
        self.refuses: Callable[[Setup], Failure | None] = lambda setup: None

    def script(self, *answers: Answer | Failure) -> None:
        self.connect_script += [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    @property
    def connections(self) -> list[FakeConnection]:
        """Every connection there ever was, oldest first."""
        return [attempt.connection for attempt in self.attempts if attempt.connection is not None]

    @property
    def connection(self) -> FakeConnection:
        """The newest one."""
        return self.connections[-1]

    @property
    def sent(self) -> list[Sent]:
        """What was sent on all connections, in order."""
        return [item for connection in self.connections for item in connection.sent]

    def expect(self, model: str) -> None:
        self.expected.append(model)

    async def connect(self, setup: Setup) -> Connection:
        attempt = Attempt(asyncio.get_running_loop().time(), setup)
        self.attempts.append(attempt)
        answer = self.connect_script.pop(0) if self.connect_script else self.otherwise
        if refusal := self.refuses(setup):
            raise UpstreamFailed(refusal)
        timeout_s = setup.timeout_ms / 1000
        await asyncio.sleep(min(answer.after_s, timeout_s))
        if answer.after_s > timeout_s:
            raise UpstreamFailed(Failure(0, "timed out", Phase.SETUP))
        if answer.failure is not None:
            raise UpstreamFailed(answer.failure)
        attempt.connection = FakeConnection(setup)
        answer.prepare(attempt.connection)
        if setup.instruction == PROBE_INSTRUCTION and not self.is_silent:
            attempt.connection.feed(TurnComplete())
        return attempt.connection
