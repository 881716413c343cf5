"""The Files API of Gemini over HTTP: a resumable upload, what has become of a file, and its deletion.

The SDK begins an upload anew when its line is torn, so the protocol is spoken here: `start` gives an address, pieces go
there one after the other, `query` says how much of them has come, and the answer to the last one has the file
(https://ai.google.dev/gemini-api/docs/files, read on 27 November 2026). A file is kept for 48 hours, a project has room
for 20 GB, and what is gone is not told from what is somebody else's: both are 403.
"""

from __future__ import annotations

import base64
import datetime
import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

import certifi
import httpx2

from sessions_app.live.providers.google_errors import GoogleError, may_pass, read_error

logger = logging.getLogger(__name__)

PIECE_BYTES = 8 * 1024**2
"""A multiple of the 256 KiB that the protocol asks for."""

READ_BYTES = 256 * 1024
"""What is in memory of a piece at a time."""

TIMEOUT_S = 60.0
"""For each step of a request: to connect, to send some bytes, to wait for the answer."""

FAILURES_IN_A_ROW = 5
FAILURES_IN_ALL = 100
"""Of an upload: also one that gets on by a few bytes each time comes to an end."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Whoever is asked to wait for longer is not kept: the upload has failed for now."""

TEXT_CHARACTERS = 200

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
_NAME = re.compile(r"files/[a-z0-9-]{1,60}", re.ASCII)
_ABOUT_STORAGE = re.compile(r"file_?storage", re.IGNORECASE)
_GONE = (403, 404)


class FileState(StrEnum):
    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the API has it. `reason`: why it has failed. `sha256`: in hex; empty where the API does not say."""

    name: str
    uri: str
    state: FileState
    expires_at: datetime.datetime
    sha256: str = ""
    reason: str = ""


class FilesError(Exception):
    """The API does not do what it was asked. The text is a sentence for people, without key and content."""

    def __init__(self, reason: str, may_work_later: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.may_work_later, self.retry_after_s = reason, may_work_later, retry_after_s


class FileGone(FilesError):
    """The file is not there any more, or has never been this project's."""


class StorageFull(FilesError):
    """The project has no room for the file."""


class _Interrupted(Exception):
    """An upload did not get on; it goes on from where it is."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class GeminiFiles:
    """Blocks while it asks. Several threads may use it. The base URL and the trusted certificates come from the
    environment, as the SDK documents (`GOOGLE_GEMINI_BASE_URL`, `SSL_CERT_FILE`)."""

    def __init__(self, api_key: str, api_version: str, sleep: Callable[[float], None] = time.sleep) -> None:
        base_url = os.environ.get("GOOGLE_GEMINI_BASE_URL") or DEFAULT_BASE_URL
        self._base_url, self._api_version = base_url.rstrip("/"), api_version
        self._sleep = sleep
        tls = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
        self._client = httpx2.Client(timeout=TIMEOUT_S, verify=tls, headers={"x-goog-api-key": api_key})

    def upload(
        self, sound: IO[bytes], size_bytes: int, media_type: str, told: Callable[[int], None] = lambda sent_bytes: None
    ) -> RemoteFile:
        """Upload a file, and go on where a torn connection left off.

        Args:
            sound: its bytes; it is read piece by piece, and sought in.
            told: called again and again with how much was sent; what it raises ends the upload.

        Raises `FilesError`, `StorageFull`, and OSError where `sound` cannot be read.
        """
        return _Upload(self, sound, size_bytes, media_type, told).run(self._sleep)

    def get(self, name: str) -> RemoteFile:
        """What has become of a file. Raises `FileGone`, `FilesError`."""
        return read_file(_json_of(self._ask("GET", name)))

    def delete(self, name: str) -> None:
        """Have a file deleted; one that is gone is as good. Raises `FilesError`."""
        try:
            self._ask("DELETE", name)
        except FileGone:
            logger.info("%s was gone already", name)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def start(self, size_bytes: int, media_type: str) -> httpx2.Response:
        """Announce a file; the answer has the address for its pieces. Raises `httpx2.HTTPError`."""
        headers = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size_bytes),
            "X-Goog-Upload-Header-Content-Type": media_type,
        }
        address = f"{self._base_url}/upload/{self._api_version}/files"
        return self._client.post(address, headers=headers, json={"file": {"mimeType": media_type}})

    def command(
        self, address: str, command: str, headers: dict[str, str] | None = None, content: Iterator[bytes] | None = None
    ) -> httpx2.Response:
        """One step of an upload. Raises `httpx2.HTTPError`."""
        told = {"X-Goog-Upload-Command": command, **(headers or {"Content-Length": "0"})}
        return self._client.post(address, headers=told, content=content)

    def _ask(self, method: str, name: str) -> httpx2.Response:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a file")
        try:
            response = self._client.request(method, f"{self._base_url}/{self._api_version}/{name}")
        except httpx2.HTTPError as error:
            raise FilesError(f"the provider cannot be reached: {type(error).__name__}") from None
        if response.status_code in _GONE:
            raise FileGone("the provider has this file no more")
        if response.is_error:
            raise failure_of(response)
        return response


class _Upload:
    """One file on its way. `_at`: how much of it the API has, as far as is known."""

    def __init__(
        self, api: GeminiFiles, sound: IO[bytes], size_bytes: int, media_type: str, told: Callable[[int], None]
    ) -> None:
        self._api, self._sound, self._told = api, sound, told
        self._size_bytes, self._media_type = size_bytes, media_type
        self._address, self._at = "", 0

    def run(self, sleep: Callable[[float], None]) -> RemoteFile:
        in_a_row = 0
        for _ in range(FAILURES_IN_ALL):
            before = self._at
            try:
                return self._go_on()
            except (_Interrupted, httpx2.HTTPError) as error:
                in_a_row = 1 if self._at > before else in_a_row + 1
                asked_s = error.retry_after_s if isinstance(error, _Interrupted) else 0.0
                reason = str(error) if isinstance(error, _Interrupted) else type(error).__name__
                if in_a_row > FAILURES_IN_A_ROW or asked_s > LONGEST_PAUSE_S:
                    raise FilesError(f"the upload to the provider failed: {reason}", True, asked_s or None) from None
                logger.info("an upload goes on from byte %d: %s", self._at, reason)
                self._told(self._at)
                sleep(min(LONGEST_PAUSE_S, max(asked_s, FIRST_PAUSE_S * 2 ** (in_a_row - 1))))
        raise FilesError("the upload to the provider was interrupted too often")

    def _go_on(self) -> RemoteFile:
        if not self._address:
            self._start()
        elif (file := self._query()) is not None:
            return file
        while True:
            if (file := self._send_piece()) is not None:
                return file

    def _start(self) -> None:
        response = self._api.start(self._size_bytes, self._media_type)
        address = response.headers.get("X-Goog-Upload-URL", "")
        if response.is_error or not address.startswith("https://"):
            error = failure_of(response)
            if isinstance(error, StorageFull) or not error.may_work_later:
                raise error
            raise _Interrupted(error.reason, error.retry_after_s or 0.0)
        self._address, self._at = address, 0

    def _query(self) -> RemoteFile | None:
        """The file, if all of it has come; else it is known where to go on."""
        response = self._api.command(self._address, "query")
        if response.is_success and response.headers.get("X-Goog-Upload-Status") == "final":
            return read_file(_json_of(response).get("file") or {})
        received = response.headers.get("X-Goog-Upload-Size-Received", "")
        if response.is_error or not received.isdecimal() or int(received) > self._size_bytes:
            if response.status_code < 500:
                self._address = ""  # the upload is over, and begins anew
            raise _Interrupted("the upload is not known any more")
        self._at = int(received)
        return None

    def _send_piece(self) -> RemoteFile | None:
        length = min(PIECE_BYTES, self._size_bytes - self._at)
        is_last = self._at + length == self._size_bytes
        headers = {"X-Goog-Upload-Offset": str(self._at), "Content-Length": str(length)}
        command = "upload, finalize" if is_last else "upload"
        response = self._api.command(self._address, command, headers, self._bytes(length))
        if response.is_error:
            error = failure_of(response)
            if response.status_code in (401, 403):
                raise error
            raise _Interrupted(error.reason, error.retry_after_s or 0.0)
        if is_last:
            return read_file(_json_of(response).get("file") or {})
        self._at += length
        return None

    def _bytes(self, length: int) -> Iterator[bytes]:
        self._sound.seek(self._at)
        left = length
        while left:
            data = self._sound.read(min(READ_BYTES, left))
            if not data:
                raise OSError("the sound is shorter than it was")
            left -= len(data)
            yield data
            self._told(self._at + length - left)


def read_file(shown: dict[str, Any]) -> RemoteFile:
    """A file as the API shows it. Raises `FilesError` for what is none."""
    try:
        name, uri, state = str(shown["name"]), str(shown["uri"]), FileState(shown["state"])
        expires_at = datetime.datetime.fromisoformat(shown["expirationTime"])
    except (KeyError, TypeError, ValueError):
        raise FilesError("the provider's answer about a file cannot be read") from None
    if not _NAME.fullmatch(name) or expires_at.tzinfo is None:
        raise FilesError("the provider's answer about a file cannot be read")
    reason = str((shown.get("error") or {}).get("message") or "")[:TEXT_CHARACTERS]
    return RemoteFile(name, uri, state, expires_at, _digest(shown.get("sha256Hash")), reason)


def _digest(text: object) -> str:
    """In hex. It comes as the base64 of the hexadecimal digits; that of the digest itself is read as well."""
    try:
        raw = base64.b64decode(str(text or ""), validate=True)
    except ValueError:
        return ""
    return raw.hex() if len(raw) == 32 else raw.decode("ascii", "replace") if len(raw) == 64 else ""


def failure_of(response: httpx2.Response) -> FilesError:
    """What an answer that is none says."""
    error: GoogleError = read_error(response.text)
    retry_after_s = None if error.retry_after_ms is None else error.retry_after_ms / 1000
    if response.status_code == 429 and any(map(_ABOUT_STORAGE.search, (error.text, *error.quotas))):
        return StorageFull("the project has no room for more files at the provider", True, retry_after_s)
    may_work_later = may_pass(response.status_code) or response.is_success
    text = error.text[:TEXT_CHARACTERS] or "no text"
    return FilesError(f"the provider says {response.status_code}: {text}", may_work_later, retry_after_s)


def _json_of(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
