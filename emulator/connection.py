"""One WebSocket: framing, pings, the close handshake, and the faults that live on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
import socket
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientConnectionResetError, WSMessage, WSMsgType, web

from emulator.admission import Caller, admit, take_up_session
from emulator.dialogue import Dialogue
from emulator.fault_actions import perform_all
from emulator.faults import Fault, Phase
from emulator.late_words import LateWords
from emulator.state import Emulator
from emulator.tcp import reset
from emulator.texts import CATALOGUE, CloseText, RefusedError, cut_reason
from emulator.wire import Json, WireError, camel_keys, encode_frame, format_duration, parse_client_message

_logger = logging.getLogger("emulator")

_CLOSE_WAIT_S = 5.0
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_HANG_UP_CHECK_S = 1.0
# Codes that stand for the absence of a close frame and may not be sent.
_UNSENDABLE = (0, 1005, 1006, 1015)


class Connection:
    """Opens one `Dialogue` and carries its messages, whose meaning is not its business."""

    def __init__(
        self, emulator: Emulator, *, version: str, key: str = "", token: str | None = None, is_there: bool = False
    ) -> None:
        self.emulator = emulator
        self._caller = Caller(self, version, key, token, is_there)
        self.opened_at = time.time()
        self.closing = False
        self.id = emulator.register(self)
        self.dialogue: Dialogue | None = None
        #: The id of the model, empty before the set-up was read.
        self.model = ""
        self._setting_up = False
        self._ws = web.WebSocketResponse(
            autoping=False,
            autoclose=False,
            compress=False,
            max_msg_size=_MAX_MESSAGE_BYTES,
            timeout=_CLOSE_WAIT_S,
        )
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._muted = False
        self._late_words = LateWords()
        # Messages that have arrived and were not taken in yet, each with the loop's time at which it is.
        self._arrived: deque[tuple[float, str | bytes]] = deque()
        self._lag_share: float | None = None
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._logged_close = False

    @property
    def session_id(self) -> str:
        """The id of the session, empty before there is one."""
        return self.dialogue.session.id if self.dialogue else ""

    def describe(self) -> Json:
        """The connection as the control API shows it."""
        return {
            "id": self.id,
            "session": self.session_id,
            "model": self.model,
            "resumed": bool(self.dialogue and self.dialogue.resumed),
            "opened_at": round(self.opened_at, 3),
            "state": self.dialogue.state if self.dialogue else "listening",
            "audio_in_ms": round(self.dialogue.audio.received_ms) if self.dialogue else 0,
            "closing": self.closing,
        }

    def log(self, kind: str, **facts: Any) -> None:
        """Add an entry about this connection to the log."""
        self.emulator.log.add(kind, connection=self.id, session=self.session_id, **facts)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside the read loop; it ends with the connection at the latest."""
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the connection until it ends."""
        try:
            await self._ws.prepare(request)
            self._transport = request.transport
            await self._read()
        finally:
            self.closing = True
            self._log_close(1006, "", "client")
            for task in list(self._tasks):
                task.cancel()
            if lost := self._late_words.release():
                self.log("late_words", frames=len(lost), lost=True)
            # Whatever was closed in order is detached already.
            self._detach(was_lost=True)
            self.emulator.unregister(self.id)
        return self._ws

    async def send(self, message: Json) -> None:
        """Send one server message; silently nothing once the connection closes or is muted."""
        fault = self.emulator.faults.peek("late_words", self.id, self.model)
        if fault is None:
            for late in self._late_words.release():
                await self._send(late)
        left = self._late_words.hold_back(message, fault.params["side"]) if fault else message
        if left is not None:
            await self._send(left)
        if message.get("serverContent", {}).get("turnComplete"):
            self._let_late_words_come()

    async def _send(self, message: Json) -> None:
        await self._flowing.wait()
        if self.closing or self._muted:
            return
        with contextlib.suppress(ClientConnectionResetError, ConnectionError):
            await self._ws.send_bytes(encode_frame(message))

    def _let_late_words_come(self) -> None:
        late = self._late_words.release()
        if late:
            fault = self.emulator.faults.use("late_words", self.id, self.model)
            self.log("late_words", frames=len(late))
            self.spawn(self._send_later(late, fault.params["delay_s"] if fault else 0.0))

    async def _send_later(self, messages: list[Json], seconds: float) -> None:
        await asyncio.sleep(seconds)
        for message in messages:
            await self._send(message)

    async def enter(self, phase: Phase) -> None:
        """Let the faults happen that wait for this phase."""
        await self._perform(self.emulator.faults.entering(phase, self.id, self.model))

    async def turn_completed(self) -> None:
        """A turn is complete here; let the faults happen that waited for so many of the whole emulator."""
        self.emulator.turns_completed += 1
        await self._perform(self.emulator.faults.after_turns(self.emulator.turns_completed))

    async def _perform(self, due: list[Fault]) -> None:
        if due:
            await perform_all(self.emulator, due, self)

    # What faults and refusals do to a connection.

    async def close(self, text: CloseText) -> None:
        """Close with the code and text, as the service does; returns when the close handshake is over."""
        await self.close_with(text.code, text.text)

    async def close_with(self, code: int, reason: str) -> None:
        """Close with any code and reason; the reason is cut to what a close frame holds."""
        if self._begin_close(code, reason):
            await self._ws.close(code=code, message=cut_reason(reason).encode())

    def close_soon(self, code: int, reason: str) -> None:
        """As `close_with`, without waiting for the client's half of the handshake; nothing is sent any more."""
        if self._begin_close(code, reason):
            self.emulator.see_through(self._ws.close(code=code, message=cut_reason(reason).encode()))

    async def cut(self) -> None:
        """End the TCP connection with a reset and no close frame."""
        self.closing = True
        self._log_close(1006, "", "cut")
        self._detach(was_lost=True)
        # The client may have gone meanwhile, unnoticed while nothing was read.
        reset(self._transport)
        self._flowing.set()

    async def go_away(self, time_left_s: float, *, then_close: bool, end: CloseText | None = None) -> None:
        """Announce the end, and bring it when the time is up."""
        self.log("go_away", time_left=format_duration(time_left_s))
        await self.send({"goAway": {"timeLeft": format_duration(time_left_s)}})
        if then_close:
            self.spawn(self._close_after(time_left_s, end or CATALOGUE["aborted"]))

    def stall(self, seconds: float) -> None:
        """Neither send nor read for a while; the TCP connection stays up."""
        self._hold()
        self.spawn(self._resume_after(seconds))

    def black_hole(self) -> None:
        """Neither send nor read ever again; ends when the client hangs up."""
        self._hold()
        self.spawn(self._wait_for_hang_up())

    def mute(self) -> None:
        """Take everything in and answer nothing; pings and closes are still answered."""
        self._muted = True

    def _begin_close(self, code: int, reason: str) -> bool:
        if self.closing:
            return False
        self.closing = True
        self._log_close(code, cut_reason(reason), "server")
        self._detach()
        return True

    # Reading.

    async def _read(self) -> None:
        while not self._ws.closed:
            message = await self._ws.receive()
            await self._flowing.wait()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._arrive(message.data)
            elif message.type is WSMsgType.PING:
                await self._answer_ping(message.data)
            elif message.type is WSMsgType.CLOSE:
                await self._answer_close(message)
            elif message.type is not WSMsgType.PONG:
                return

    async def _arrive(self, data: str | bytes) -> None:
        """Take a message in, now or after the lag of the fault `input_lag`; always in the order of arrival."""
        lag = self.emulator.faults.use("input_lag", self.id, self.model) if self.dialogue else None
        if lag is None and not self._arrived:
            await self._take(data)
            return
        if not self._arrived:
            self.spawn(self._take_arrived())
        lag_s = self._lag_ms(lag) / 1000 if lag else 0.0
        self._arrived.append((asyncio.get_running_loop().time() + lag_s, data))

    def _lag_ms(self, fault: Fault) -> float:
        least: float = fault.params["lag_ms"]
        most: float = fault.params.get("up_to_ms", least)
        if self._lag_share is None:
            self._lag_share = self.emulator.chance.random()
        return least + self._lag_share * (most - least)

    async def _take_arrived(self) -> None:
        while self._arrived:
            due, data = self._arrived[0]
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self._flowing.wait()
            await self._take(data)
            self._arrived.popleft()

    async def _take(self, data: str | bytes) -> None:
        if self.closing:
            return
        try:
            message = parse_client_message(data)
            if self.dialogue is not None:
                await self.dialogue.receive(message)
            else:
                self._receive_first(message)
        except WireError:
            await self.close(CATALOGUE["invalid argument"])
        except RefusedError as refused:
            await self.close(refused.close)
        except (AttributeError, KeyError, TypeError, ValueError):
            # A message whose values have other types than the API gives them.
            _logger.exception("%s sent what cannot be read", self.id)
            await self.close(CATALOGUE["invalid argument"])

    def _receive_first(self, message: Json) -> None:
        """Before the set-up is complete only one message is welcome, once: `setup`."""
        setup = message.get("setup")
        if self._setting_up or len(message) != 1 or not isinstance(setup, dict):
            raise RefusedError(CATALOGUE["invalid argument"])
        self._setting_up = True
        self.spawn(self._set_up(setup))

    async def _set_up(self, body: Json) -> None:
        self.log("setup", asked=camel_keys(body))
        setup = admit(self.emulator, self._caller, body)
        self.model = setup.model.id
        if self._caller.token is not None:
            ends_at = self.emulator.tokens.find(self._caller.token).expires.timestamp()
            self.spawn(self._close_at(ends_at, CATALOGUE["token expired"]))
        await self.enter("setup")
        if self.closing:
            return
        session, resumed = await take_up_session(self.emulator, self._caller, setup)
        self.dialogue = Dialogue(self.emulator, self, setup, session, resumed=resumed)
        await self.dialogue.open()
        if (down := self.emulator.faults.peek("live_down")) and down.params["dials"] == "silent":
            self.log("fault", fault="live_down")
            self.mute()

    def _detach(self, *, was_lost: bool = False) -> None:
        if self.dialogue is not None:
            self.dialogue.detach(was_lost=was_lost)

    async def _answer_ping(self, payload: bytes) -> None:
        fault = self.emulator.faults.use("slow_pongs", self.id, self.model)
        if fault is None:
            await self._pong(payload)
        else:
            self.spawn(self._pong(payload, fault.params["delay_s"]))

    async def _pong(self, payload: bytes, delay_s: float = 0.0) -> None:
        await asyncio.sleep(delay_s)
        if not self.closing:
            with contextlib.suppress(ClientConnectionResetError, ConnectionError):
                await self._ws.pong(payload)

    async def _answer_close(self, message: WSMessage) -> None:
        self.closing = True
        self._log_close(message.data or 1005, message.extra or "", "client")
        fault = self.emulator.faults.use("slow_close", self.id, self.model)
        if fault is not None:
            await asyncio.sleep(fault.params["delay_s"])
        self._detach()
        await self._ws.close(code=1000 if message.data in _UNSENDABLE else message.data)

    def _log_close(self, code: int, reason: str, by: str) -> None:
        if not self._logged_close:
            self._logged_close = True
            self.log("closed", code=code, reason=reason, by=by)

    # Holding the flow.

    def _hold(self) -> None:
        self._flowing.clear()
        if self._transport is not None:
            self._transport.pause_reading()

    async def _resume_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._flowing.set()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    async def _close_after(self, seconds: float, text: CloseText) -> None:
        await asyncio.sleep(seconds)
        await self.close(text)

    async def _close_at(self, moment: float, text: CloseText) -> None:
        await self.emulator.clock.until(moment)
        await self.close(text)

    async def _wait_for_hang_up(self) -> None:
        # With reading paused the loop does not notice that the peer has gone; the kernel does.
        sock: socket.socket | None = self._transport.get_extra_info("socket") if self._transport else None
        if self._transport is None or sock is None:
            return
        poll = select.poll()
        poll.register(sock.fileno(), getattr(select, "POLLRDHUP", select.POLLHUP))
        while not self.closing and not poll.poll(0):  # noqa: ASYNC110 - the kernel has no event for us here
            await asyncio.sleep(_HANG_UP_CHECK_S)
        self._transport.abort()
        self._flowing.set()

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except RefusedError as refused:
            await self.close(refused.close)
        except Exception:
            _logger.exception("%s failed", self.id)
            await self.close(CATALOGUE["internal error encountered"])
