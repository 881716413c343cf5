"""WebKitGTK by its own WebDriver, in a display that nobody sees."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.services.processes import free_port

START_LIMIT_S = 60
ANSWER_LIMIT_S = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which WebDriver hands elements out (its section on elements)."""

OPTIONS = ["--automation", "--enable-media-stream=true", "--enable-mock-capture-devices=true"]
NOTE_ERRORS = """
window.saidByConsole ??= [];
if (!window.isNoted) {
  window.isNoted = true;
  addEventListener("error", (event) => window.saidByConsole.push(String(event.message)));
  addEventListener("unhandledrejection", (event) => window.saidByConsole.push(String(event.reason)));
  addEventListener("securitypolicyviolation", (event) => window.saidByConsole.push(event.violatedDirective));
  const say = console.error;
  console.error = (...words) => { window.saidByConsole.push(words.join(" ")); say(...words); };
}
"""
"""Its driver has no log of the console: what is said from the end of loading on is noted in the page itself."""


class WebKit:
    """A MiniBrowser of WebKitGTK."""

    name = "WebKitGTK"

    def __init__(self, driver: str, browser: str, directory: Path) -> None:
        directory.mkdir(parents=True)
        display = f":{90 + os.getpid() % 900}"
        self._screen = subprocess.Popen(
            ["Xvfb", display, "-screen", "0", "1280x900x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL
        )
        port = free_port()
        self._address = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            **{"DISPLAY": display, "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory), "NO_AT_BRIDGE": "1"},
            **{"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "LIBGL_ALWAYS_SOFTWARE": "1"},
        }
        with (directory / "webkit.log").open("wb") as log:
            self._driver = subprocess.Popen([driver, f"--port={port}"], env=environment, stdout=log, stderr=log)
        try:
            self._await_driver()
            wanted = {"webkitgtk:browserOptions": {"binary": browser, "args": OPTIONS}}
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{made['sessionId']}"
            self.version = str(made["capabilities"]["browserVersion"])
        except BaseException:
            self.close()
            raise

    def open(self, url: str) -> None:
        self._call("POST", f"{self._session}/url", {"url": url})
        self._run(NOTE_ERRORS)

    def ask(self, expression: str) -> Any:
        return json.loads(self._run(f"return JSON.stringify({expression}) ?? 'null';"))

    def press(self, selector: str) -> None:
        self._call("POST", f"{self._session}/element/{self._find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        self._call("POST", f"{self._session}/element/{self._find(selector)}/value", {"text": f"{text}\ue007"})

    def complaints(self) -> list[str]:
        said: list[str] = self.ask("(window.saidByConsole ?? []).splice(0)")
        return said

    def close(self) -> None:
        with contextlib.suppress(AttributeError, OSError, AssertionError):
            self._call("DELETE", self._session)
        for process in (self._driver, self._screen):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)

    def _find(self, selector: str) -> str:
        found = self._call("POST", f"{self._session}/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def _run(self, script: str) -> Any:
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def _await_driver(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self._call("GET", "/status")
                return
            except OSError:
                if time.monotonic() > deadline or self._driver.poll() is not None:
                    raise
                time.sleep(0.1)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The value of an answer. AssertionError with what was refused."""
        request = urllib.request.Request(
            self._address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as response:
                return json.loads(response.read())["value"]
        except urllib.error.HTTPError as error:
            value = json.loads(error.read())["value"]
            raise AssertionError(f"{path}: {value['error']}: {value['message']}") from None
