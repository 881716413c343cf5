"""The emulator as a program beside the tests, and a client of its control API."""

import json
import os
import resource
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.services.processes import ANSWERS_WITHIN_S, HANGS_AFTER_S, PreparedProgram

ROOT = Path(__file__).resolve().parent.parent.parent
READY = "READY"


QUICK = ("--pace", "8", "--send-speed", "50", "--words-within-s", "14")
"""Options of an emulator whose answers nobody listens to. A busy machine takes long to make words out, and a session
that has none gives up after 16 s what was said."""


ON_AGENT_PLATFORM = {
    "GOOGLE_GENAI_USE_VERTEXAI": "1",
    "GOOGLE_CLOUD_PROJECT": "holdline",
    "GOOGLE_CLOUD_LOCATION": "us-central1",
    "GOOGLE_CLOUD_ACCESS_TOKEN": "emulator",
    "GEMINI_API_KEY": "",
}
"""The settings of a server that talks with the emulator as that."""


class Emulator:
    """A running emulator. `environment` points the app at it; the methods speak its control API."""

    def __init__(self, directory: Path, options: Sequence[str] = ()) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._program = PreparedProgram(
            "emulator",
            ["--port", "0", "--control-port", "0", "--state-dir", str(directory / "state"), *options],
            {**os.environ, "PYTHONUNBUFFERED": "1"},
            directory / "emulator.log",
            ROOT,
        )
        try:
            self._program.wait_until(
                lambda: READY in self._program.output().splitlines(), HANGS_AFTER_S, "the emulator's READY"
            )
        except BaseException:
            self._program.stop()
            raise
        pairs = [line.split("=", 1) for line in self._program.output().splitlines() if "=" in line]
        said = {name: value for name, value in pairs if name.isupper()}
        self.control_url = said.pop("CONTROL_URL")
        self.environment: dict[str, str] = said

    def output(self) -> str:
        """What the program has written."""
        return self._program.output()

    def stop(self) -> int:
        """End the program; its exit code."""
        return self._program.stop()

    def resident_bytes(self) -> int:
        """How much memory the program takes up."""
        pages = int(Path(f"/proc/{self._program.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * resource.getpagesize()

    def fault(self, kind: str, **params: Any) -> dict[str, Any]:
        """Arm or fire a fault, for instance `fault("go_away", time_left="2s")`."""
        return self._ask("POST", "/api/faults", {"fault": kind, **params})

    def disarm(self) -> None:
        """Take back every armed fault."""
        self._ask("DELETE", "/api/faults")

    def connections(self) -> list[dict[str, Any]]:
        """The open connections."""
        connections: list[dict[str, Any]] = self._ask("GET", "/api/connections")["connections"]
        return connections

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """What happened, oldest first, after the entry with this number."""
        entries: list[dict[str, Any]] = self._ask("GET", f"/api/log?after={after}")["entries"]
        return entries

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The log's entries of one kind."""
        return [entry for entry in self.log() if entry["kind"] == kind]

    def account(self, model: str) -> dict[str, Any]:
        """What a model has used by now; empty if nothing."""
        used: dict[str, Any] = self._ask("GET", "/api/account")["models"].get(model, {})
        return used

    def files(self) -> dict[str, Any]:
        """The files of all projects, and how many bytes they take up."""
        return self._ask("GET", "/api/files")

    def forward(self, seconds: float) -> None:
        """Let so much time pass, for whatever expires in it, until the next reset."""
        self._ask("POST", "/api/clock", {"forward_s": seconds})

    def reset(self) -> None:
        """Disarm, close, forget."""
        self._ask("POST", "/api/reset", {})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.control_url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as response:
                answer: dict[str, Any] = json.loads(response.read() or b"{}")
                return answer
        except urllib.error.HTTPError as error:
            raise ValueError(f"{method} {path}: {error.code} {error.read().decode()}") from None
