"""The other end of a page's WebSocket, played by a test: it says what it is told to and notes what it hears."""

import json
import re
import struct
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from tests.services.processes import ANSWERS_WITHIN_S

ENERGY = {"mode": "call", "level": 3, "previous": 3, "max": 3, "word": "full", "model": "gemini-x", "resets_at": None}


class Peer:
    """Answers every `start` with `ready` while `answers` is on, and every `ping` while `answers_pings` is.

    `sockets` holds the page's connections in order, `heard` what came through all of them: messages as they are,
    audio frames as `{"type": "audio", "number": ..., "pcm": ...}`.
    """

    def __init__(self, page: Page, mode: str, **ready: Any) -> None:
        self.page = page
        self.answers = True
        self.answers_pings = True
        self.ready = {
            "type": "ready",
            "action": "new",
            "conversation": "c1",
            "session": "s1",
            "mode": mode,
            "model": "gemini-x",
            "energy": ENERGY | {"mode": mode},
            "ack": 0,
            "transcript": [],
            "summary": None,
            **ready,
        }
        self.sockets: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []
        page.route_web_socket(re.compile(rf"/ws/{mode}/(\?|$)"), self._welcome)

    def say(self, kind: str, **fields: Any) -> None:
        """Send one message through the present connection."""
        self.sockets[-1].send(json.dumps({"type": kind, **fields}))

    def say_ready(self, **fields: Any) -> None:
        """Send `ready`, which from now on has these fields."""
        self.ready |= fields
        self.sockets[-1].send(json.dumps(self.ready))

    def turn(self, number: int, role: str, text: str, status: str = "complete", **more: Any) -> None:
        """Send one line of the transcript."""
        self.say("turn", turn=number, role=role, text=text, status=status, **more)

    def play(self, first: int, milliseconds: int, loudness: int = 12000) -> int:
        """Send so much of a 400 Hz square wave in frames of 100 ms; the number after the last."""
        frame = struct.pack("<2400h", *(([loudness] * 30 + [-loudness] * 30) * 40))
        count = milliseconds // 100
        for number in range(first, first + count):
            self.sockets[-1].send(struct.pack(">I", number) + frame)
        return first + count

    def close(self, code: int) -> None:
        """Close the present connection."""
        self.sockets[-1].close(code=code)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """What was heard of these kinds."""
        return [message for message in self.heard if message["type"] in kinds]

    def since_start(self) -> list[dict[str, Any]]:
        """What was heard through the present connection."""
        starts = [place for place, message in enumerate(self.heard) if message["type"] == "start"]
        return self.heard[starts[-1] :]

    def numbers(self) -> list[int]:
        """The numbers of the audio frames, in the order they came."""
        return [message["number"] for message in self.of("audio")]

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = ANSWERS_WITHIN_S) -> None:
        """Let the page go on until `condition` holds."""
        for _ in range(int(seconds * 50)):
            if condition():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"waited {seconds} s in vain for {what}; heard {[m['type'] for m in self.heard][-20:]}")

    def _welcome(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda data: self._hear(socket, data))

    def _hear(self, socket: WebSocketRoute, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self.heard.append({"type": "audio", "number": struct.unpack_from(">I", data)[0], "pcm": data[4:]})
            return
        message = json.loads(data)
        self.heard.append(message)
        if message["type"] == "ping" and self.answers_pings:
            socket.send(json.dumps({"type": "pong", "t": message["t"]}))
        if message["type"] == "start" and self.answers:
            socket.send(json.dumps(self.ready))
