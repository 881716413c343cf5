"""The resumable upload as it goes over the wire: asked for, torn, resumed, called off, and never held in memory."""

import http.client
import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import PATIENCE_S, sdk, tls
from tests.services.emulator import Emulator
from tests.services.processes import wait_until

LARGE_BYTES = 64 * 1024 * 1024
GROWTH_BYTES = 20 * 1024 * 1024


class Wire:
    """An upload in the wire's own words."""

    def __init__(self, emulator: Emulator) -> None:
        self._address = urllib.parse.urlsplit(emulator.environment["GOOGLE_GEMINI_BASE_URL"]).netloc
        self._context = tls(emulator)
        self._upload = ""

    def start(self, declared_bytes: int | None, **described: str) -> tuple[int, dict[str, str], Any]:
        length = {} if declared_bytes is None else {"X-Goog-Upload-Header-Content-Length": str(declared_bytes)}
        headers = {"X-Goog-Upload-Command": "start", "x-goog-api-key": "emulator", **length}
        answer = self._post("/upload/v1beta/files", headers, json.dumps({"file": described}).encode())
        if "x-goog-upload-url" in answer[1]:
            url = urllib.parse.urlsplit(answer[1]["x-goog-upload-url"])
            self._upload = f"{url.path}?{url.query}"
        return answer

    def tell(self, command: str, offset: int = 0, data: bytes = b"") -> tuple[int, dict[str, str], Any]:
        headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
        return self._post(self._upload, headers, data)

    def break_off(self, declared_bytes: int, data: bytes) -> None:
        """Send the beginning of a piece and hang up."""
        connection = self._connection()
        connection.putrequest("POST", self._upload)
        for name, value in (("Command", "upload, finalize"), ("Offset", "0")):
            connection.putheader(f"X-Goog-Upload-{name}", value)
        connection.putheader("Content-Length", str(declared_bytes))
        connection.endheaders(data)
        connection.close()

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        connection = self._connection()
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            read = response.read()
        finally:
            connection.close()
        parsed = json.loads(read) if read else None
        return response.status, {name.lower(): value for name, value in response.getheaders()}, parsed

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address, context=self._context, timeout=PATIENCE_S)


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    return Wire(emulator)


def received(wire: Wire) -> int:
    status, headers, _ = wire.tell("query")
    assert (status, headers["x-goog-upload-status"]) == (200, "active")
    return int(headers["x-goog-upload-size-received"])


def test_an_upload_says_how_far_it_is_and_what_came_of_it(wire: Wire) -> None:
    status, headers, _ = wire.start(10, display_name="Notes", mime_type="text/plain")
    assert (status, headers["x-goog-upload-status"]) == (200, "active")
    assert headers["x-goog-upload-chunk-granularity"] == "262144"
    assert received(wire) == 0
    assert wire.tell("upload", 0, b"Hello")[1]["x-goog-upload-size-received"] == "5"
    assert received(wire) == 5
    status, headers, body = wire.tell("upload, finalize", 5, b"world")
    assert (status, headers["x-goog-upload-status"]) == (200, "final")
    assert (body["file"]["displayName"], body["file"]["sizeBytes"]) == ("Notes", "10")
    status, headers, asked = wire.tell("query")
    assert (status, headers["x-goog-upload-status"], asked) == (200, "final", body)


def test_an_upload_may_end_without_a_last_piece(wire: Wire) -> None:
    wire.start(None)
    wire.tell("upload", 0, b"Hello")
    status, _, body = wire.tell("finalize", 5)
    assert (status, body["file"]["sizeBytes"]) == (200, "5")


@pytest.mark.parametrize("offset", [0, 3, 6])
def test_a_piece_at_another_offset_is_refused_and_the_upload_goes_on(wire: Wire, offset: int) -> None:
    wire.start(10)
    wire.tell("upload", 0, b"Hello")
    status, headers, body = wire.tell("upload, finalize", offset, b"world")
    assert (status, headers["x-goog-upload-status"]) == (400, "active")
    assert headers["x-goog-upload-size-received"] == "5"
    assert body["error"]["message"] == f"Expected offset 5, not {offset}."
    assert wire.tell("upload, finalize", 5, b"world")[0] == 200


@pytest.mark.parametrize("data", [b"Hell", b"Hello!"])
def test_a_file_of_another_size_than_declared_is_refused(emulator: Emulator, wire: Wire, data: bytes) -> None:
    wire.start(5)
    status, headers, body = wire.tell("upload, finalize", 0, data)
    assert (status, headers["x-goog-upload-status"]) == (400, "final")
    assert "declared" in body["error"]["message"]
    assert emulator.files()["unfinished_uploads"] == 0
    assert wire.tell("query")[0] == 404


def test_an_upload_that_is_called_off_is_gone(emulator: Emulator, wire: Wire) -> None:
    wire.start(5)
    wire.tell("upload", 0, b"He")
    assert wire.tell("cancel")[1]["x-goog-upload-status"] == "cancelled"
    assert wire.tell("upload, finalize", 2, b"llo")[0] == 404
    assert emulator.files() == {"files": [], "stored_bytes": 0, "unfinished_uploads": 0}


def test_an_unknown_command_is_refused(wire: Wire) -> None:
    wire.start(5)
    assert wire.tell("perhaps")[0] == 400


def test_what_came_before_a_lost_connection_is_kept(wire: Wire) -> None:
    wire.start(10)
    wire.break_off(10, b"Hello")
    wait_until(lambda: received(wire) == 5, PATIENCE_S, "the first half")
    wait_until(lambda: wire.tell("upload, finalize", 5, b"world")[0] == 200, PATIENCE_S, "the second half")


def test_an_upload_is_torn_at_a_byte_and_resumed_there(emulator: Emulator, wire: Wire) -> None:
    emulator.fault("tear_upload", at_byte=70_000)
    data = bytes(range(256)) * 400
    wire.start(len(data))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        wire.tell("upload, finalize", 0, data)
    assert received(wire) == 70_000
    _, headers, body = wire.tell("upload, finalize", 70_000, data[70_000:])
    assert headers["x-goog-upload-status"] == "final"
    assert body["file"]["sizeBytes"] == str(len(data))


def test_a_large_file_is_never_held_in_memory(emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "meeting.wav"
    client = sdk(emulator)
    path.write_bytes(b"n")
    client.files.upload(file=path)
    with path.open("wb") as file:
        file.truncate(LARGE_BYTES)
    before = emulator.resident_bytes()
    assert client.files.upload(file=path).size_bytes == LARGE_BYTES
    assert emulator.resident_bytes() - before < GROWTH_BYTES
