"""Firefox by WebDriver BiDi, which it speaks itself: no driver stands in between."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

START_LIMIT_S = 60
ANSWER_LIMIT_S = 60
ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")

PREFERENCES: Mapping[str, Any] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.cubeb.backend": "",
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "remote.active-protocols": 1,
}
"""A microphone that beeps and asks nobody; nothing is fetched that no page wants."""


class Firefox:
    """A headless Firefox with a profile of its own below a directory."""

    name = "Firefox ESR"

    def __init__(self, program: str, directory: Path) -> None:
        profile, self._log = directory / "profile", directory / "firefox.log"
        profile.mkdir(parents=True)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items() if value != ""
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(directory)},
            )
        self._number = 0
        self._said: list[str] = []
        try:
            self._socket: ClientConnection = connect(f"{self._address()}/session", max_size=None)
            capabilities = self._send("session.new", capabilities={})["capabilities"]
            self.version = str(capabilities["browserVersion"])
            self._send("session.subscribe", events=["log.entryAdded"])
            self._page = self._send("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self.close()
            raise

    def open(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def ask(self, expression: str) -> Any:
        wrapped = f"JSON.stringify({expression}) ?? 'null'"
        done = self._send("script.evaluate", expression=wrapped, target={"context": self._page}, awaitPromise=True)
        if done["type"] == "exception":
            raise AssertionError(done["exceptionDetails"]["text"])
        return json.loads(done["result"]["value"])

    def press(self, selector: str) -> None:
        place = self._place_of(selector)
        moves = [
            {"type": "pointerMove", **place},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": moves})

    def type(self, selector: str, text: str) -> None:
        self.press(selector)
        keys = [{"type": kind, "value": key} for key in [*text, "\ue007"] for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": keys})

    def complaints(self) -> list[str]:
        self._send("browsingContext.getTree")  # what was said before the answer has been read with it
        said, self._said = self._said, []
        return said

    def close(self) -> None:
        with contextlib.suppress(AttributeError, ConnectionClosed, TimeoutError):
            self._send("browser.close")
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()

    def _address(self) -> str:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := ADDRESS.search(self._log.read_text(encoding="utf-8", errors="replace")):
                return found[1]
            time.sleep(0.1)
        raise RuntimeError(f"Firefox did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')}")

    def _place_of(self, selector: str) -> dict[str, int]:
        script = (
            "(() => { const node = document.querySelector(SELECTOR); node.scrollIntoView({ block: 'nearest' });"
            "const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        x, y = self.ask(script.replace("SELECTOR", json.dumps(selector)))
        return {"x": round(x), "y": round(y)}

    def _act(self, source: dict[str, Any]) -> None:
        self._send("input.performActions", context=self._page, actions=[source])

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; events that come before it are noted. AssertionError if it is refused or not
        answered."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            try:
                message = json.loads(self._socket.recv(ANSWER_LIMIT_S))
            except TimeoutError as error:
                raise AssertionError(f"{method}: no answer within {ANSWER_LIMIT_S} s") from error
            if message["type"] == "event":
                self._note(message["params"])
            elif message["id"] == self._number:
                if message["type"] == "error":
                    raise AssertionError(f"{method}: {message['message']}")
                result: dict[str, Any] = message["result"]
                return result

    def _note(self, entry: dict[str, Any]) -> None:
        if entry.get("level") == "error":
            self._said.append(str(entry.get("text")))
