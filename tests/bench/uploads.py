"""`python -m tests.bench.uploads [--mb N]`: what a web process needs while a recording is uploaded, on both servers.

The line is torn twice in the middle of a part: the rest goes on from what the server has. In the end the server's hash
has to be that of the file.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import random
import socket
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measuring import MAKE_CALLERS, memory_kb
from tests.services.settings import use_settings_of_tests

TOKEN = "a" * 32
LOOK_EVERY_S = 0.02
TORN_AT = (1 / 3, 2 / 3)
DONE_WITHIN_S = 300.0


@dataclass(frozen=True)
class Cost:
    """Of one upload: seconds until all is there and until it is checked, bytes that were sent again, and KB by which
    the process grew at most, and was larger afterwards."""

    server: str
    mb: int
    sent_s: float
    checked_s: float
    again_mb: float
    peak_kb: int
    after_kb: int

    def row(self) -> str:
        figures = f"{self.sent_s:.1f} | {self.checked_s:.1f} | {self.again_mb:.1f}"
        return f"| {self.server} | {self.mb} | {figures} | {self.peak_kb / 1000:.1f} | {self.after_kb / 1000:.1f} |"


def write_wav(path: Path, mb: int) -> str:
    """A file of so many MB with noise in it; its SHA-256."""
    size = mb * 1_000_000
    head = b"RIFF" + (size - 8).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\2\0\x80\xbb\0\0\0\xee\2\0\4\0\x10\0"
    head += b"data" + (size - 44).to_bytes(4, "little")
    noise = random.Random(1).randbytes(1_000_000)
    with path.open("wb") as file:
        file.write(head + noise[: 1_000_000 - len(head)])
        for _ in range(mb - 1):
            file.write(noise)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Sender:
    """A page, as far as uploads go."""

    def __init__(self, host: str, cookie: str) -> None:
        self._host = host
        self._headers = {"Cookie": f"{cookie}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
        """Raises RuntimeError for what is refused."""
        connection = http.client.HTTPConnection(self._host, timeout=60)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {**self._headers, **said})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{answer.status} {content[:300]!r}")
        facts: dict[str, Any] = json.loads(content)
        return facts

    def tear(self, path: str, part: bytes, content_range: str) -> None:
        """Send half of a part and go away."""
        host, port = self._host.split(":")
        lines = {**self._headers, "Host": self._host, "Content-Range": content_range, "Content-Length": str(len(part))}
        head = f"PUT {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        with socket.create_connection((host, int(port))) as line:
            line.sendall(head.encode() + part[: len(part) // 2])


class Watched:
    """The largest that a process gets."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.largest_kb = memory_kb(pid)
        self._thread.start()

    def end(self) -> int:
        self._over.set()
        self._thread.join()
        return self.largest_kb

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self.largest_kb = max(self.largest_kb, memory_kb(self._pid))


def upload(sender: Sender, path: Path, sha256: str, is_torn: bool) -> tuple[float, float, int]:
    """Seconds until all was there, seconds until it was checked, bytes that were sent in vain."""
    size = path.stat().st_size
    announced = json.dumps({"name": path.name, "size_bytes": size}).encode()
    upload = sender.ask("POST", "/api/recordings/uploads/", announced, Content_Type="application/json")
    address, chunk = f"/api/recordings/uploads/{upload['id']}/", upload["chunk_bytes"]
    tears = [int(size * share) for share in TORN_AT] if is_torn else []
    began, received, in_vain = time.monotonic(), 0, 0
    with path.open("rb") as file:
        while received < size:
            file.seek(received)
            part = file.read(chunk)
            content_range = f"bytes {received}-{received + len(part) - 1}/{size}"
            if tears and received >= tears[0]:
                tears.pop(0)
                sender.tear(address, part, content_range)
                in_vain += len(part) // 2
                received = sender.ask("GET", address)["received_bytes"]
                continue
            received = sender.ask("PUT", address, part, Content_Range=content_range)["received_bytes"]
    sent_s = time.monotonic() - began
    facts = sender.ask("GET", address)
    while facts["state"] == "checking" and time.monotonic() - began < DONE_WITHIN_S:
        time.sleep(0.2)
        facts = sender.ask("GET", address)
    if facts["state"] != "done" or facts["recording"]["sha256"] != sha256:
        raise RuntimeError(f"it did not come whole: {facts}")
    return sent_s, time.monotonic() - began - sent_s, in_vain


def measure(kind: str, directory: Path, mb: int) -> Cost:
    from tests.services.web import WebServer

    directory.mkdir()
    large, small = directory / "large.wav", directory / "small.wav"
    sha256, small_sha256 = write_wav(large, mb), write_wav(small, 1)
    web = WebServer(directory / "web", {"RECORDING_MAX_MB": "2000"}, kind)
    try:
        (cookie,) = web.shell(MAKE_CALLERS.format(calls=1)).split()
        sender = Sender(web.host, cookie)
        upload(sender, small, small_sha256, is_torn=False)  # what is loaded once is not the cost of an upload
        before_kb = memory_kb(web.pid)
        watched = Watched(web.pid)
        sent_s, checked_s, in_vain = upload(sender, large, sha256, is_torn=True)
        peak_kb = watched.end() - before_kb
        return Cost(kind, mb, sent_s, checked_s, in_vain / 1_000_000, peak_kb, memory_kb(web.pid) - before_kb)
    finally:
        web.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=300, help="how large the recording is")
    options = parser.parse_args()
    use_settings_of_tests()
    print("| server | MB | s sent | s checked | MB in vain | MB grown at most | MB grown afterwards |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place:
        for kind in ("daphne", "uvicorn"):
            print(measure(kind, Path(place) / kind, options.mb).row(), flush=True)


if __name__ == "__main__":
    main()
