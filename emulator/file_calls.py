"""The REST calls of files: the resumable upload, what is there, and what a prompt may use of it."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from emulator.faults import Fault
from emulator.files import (
    FileNameError,
    FileTooLargeError,
    NameTakenError,
    Processing,
    StorageFullError,
    StoredFile,
)
from emulator.quota import storage_error
from emulator.rest_errors import ApiError, check_key, page_size, page_start, read_json, read_key, refusal, refusal_by
from emulator.state import Emulator
from emulator.tcp import reset
from emulator.uploads import Upload, UploadError, UploadOverError
from emulator.wire import Json, camel_keys

_STATUS = "X-Goog-Upload-Status"
_RECEIVED = "X-Goog-Upload-Size-Received"
_GRANULARITY_BYTES = 256 * 1024
_USUAL_PAGE, _LARGEST_PAGE = 10, 100
_FILE_URI = re.compile(r"^https://[^/]+/v1(?:beta|alpha)?/files/(?P<id>[^/?]+)$")
_FAILED = "The file could not be processed."
# Texts as they were met; a file that is gone is never told from one that is somebody else's.
_GONE = "You do not have permission to access the File {} or it may not exist."
_NOT_ACTIVE = "The File {} is not in an ACTIVE state and usage is not allowed."
_UNSUPPORTED = "Invalid or unsupported file uri: {}"


class _TornError(Exception):
    """The connection of a piece is to be torn now."""


class FileCalls:
    """The handlers; each raises `ApiError` for what it refuses."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def upload(self, request: web.Request) -> web.Response:
        """`POST upload/files`: the start of an upload, a piece of it, its end, or a question about it."""
        commands = {part.strip() for part in request.headers.get("X-Goog-Upload-Command", "").lower().split(",")}
        if "start" in commands:
            return await self._start(request)
        upload_id = request.query.get("upload_id", "")
        try:
            upload = self._emulator.files.upload(upload_id)
        except KeyError as error:
            if "query" in commands and (file := self._emulator.finished_uploads.get(upload_id)):
                return self._final(request, file)
            raise _over(404, "Upload not found.") from error
        if "query" in commands:
            return _active(upload)
        if "cancel" in commands:
            self._emulator.files.drop(upload)
            return web.Response(headers={_STATUS: "cancelled"})
        if not commands & {"upload", "finalize"}:
            raise refusal(400, "Invalid upload command.")
        return await self._receive(request, upload, finalize="finalize" in commands)

    async def list(self, request: web.Request) -> web.Response:
        """`GET files`"""
        check_key(request)
        size, start = page_size(request, _USUAL_PAGE, _LARGEST_PAGE), page_start(request)
        files = self._emulator.files.all(read_key(request))
        body: Json = {}
        if shown := files[start : start + size]:
            body["files"] = [self._shown(request, file) for file in shown]
        if start + size < len(files):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get(self, request: web.Request) -> web.Response:
        """`GET files/FILE`"""
        check_key(request)
        file = _find(self._emulator, read_key(request), request.match_info["file"])
        return web.json_response(self._shown(request, file))

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE files/FILE`"""
        check_key(request)
        if fault := self._emulator.faults.use("refuse_deletion"):
            raise refusal_by(fault)
        file = _find(self._emulator, read_key(request), request.match_info["file"])
        self._emulator.files.delete(file)
        self._emulator.log.add("file_deleted", file=file.name)
        return web.json_response({})

    async def _start(self, request: web.Request) -> web.Response:
        check_key(request)
        self._refuse_by_fault("start")
        described = camel_keys(await read_json(request)).get("file") or {}
        declared = request.headers.get("X-Goog-Upload-Header-Content-Length", "")
        mime_type = described.get("mimeType") or request.headers.get("X-Goog-Upload-Header-Content-Type")
        full = self._emulator.faults.use("storage_full")
        try:
            upload = self._emulator.files.begin(
                read_key(request),
                described,
                str(mime_type or "application/octet-stream"),
                int(declared) if declared.isdecimal() else None,
                full.params["limit_bytes"] if full else None,
            )
        except FileNameError as error:
            raise refusal(400, f"* CreateFileRequest.file: {error}\n") from error
        except NameTakenError as error:
            raise refusal(409) from error
        except FileTooLargeError as error:
            raise refusal(413, str(error)) from error
        except StorageFullError as error:
            raise ApiError(429, storage_error(int(str(error)))) from error
        self._emulator.log.add("upload_started", file=f"files/{upload.file_id}", bytes=upload.declared_bytes)
        address = str(request.url.with_query(upload_id=upload.id, upload_protocol="resumable"))
        return web.Response(
            headers={
                _STATUS: "active",
                "X-Goog-Upload-URL": address,
                "X-Goog-Upload-Control-URL": address,
                "X-Goog-Upload-Chunk-Granularity": str(_GRANULARITY_BYTES),
            }
        )

    async def _receive(self, request: web.Request, upload: Upload, *, finalize: bool) -> web.Response:
        self._refuse_by_fault("piece")
        try:
            offset = int(request.headers.get("X-Goog-Upload-Offset", upload.received_bytes))
            await self._take(request, upload, offset)
            if not finalize:
                return _active(upload)
            file = self._emulator.files.complete(upload, self._processing())
        except _TornError:
            reset(request.transport)
            return web.Response()
        except UploadOverError as error:
            self._emulator.files.drop(upload)
            raise _over(400, str(error)) from error
        except NameTakenError as error:
            self._emulator.files.drop(upload)
            raise _over(409, "") from error
        except UploadError as error:
            headers = {_STATUS: "active", _RECEIVED: str(upload.received_bytes)}
            raise refusal(400, str(error), headers=headers) from error
        self._emulator.finished_uploads.add(upload.id, file)
        self._emulator.log.add(
            "file_uploaded", file=file.name, bytes=file.size_bytes, mime_type=file.mime_type, name=file.display_name
        )
        return self._final(request, file)

    async def _take(self, request: web.Request, upload: Upload, offset: int) -> None:
        """Write down a piece as it comes, away from the event loop; what came before a torn end stays."""
        with upload.piece(offset) as file:
            async for data in request.content.iter_any():
                tear = self._emulator.faults.peek("tear_upload")
                left_bytes = tear.params["at_byte"] - upload.received_bytes if tear else -1
                is_torn = 0 <= left_bytes < len(data)
                await asyncio.to_thread(upload.write, file, data[:left_bytes] if is_torn else data)
                if is_torn:
                    self._emulator.faults.use("tear_upload")
                    self._emulator.log.add("fault", fault="tear_upload", received=upload.received_bytes)
                    raise _TornError

    def _refuse_by_fault(self, step: str) -> None:
        fault = self._emulator.faults.peek("refuse_upload")
        if fault and fault.params["step"] == step:
            self._emulator.faults.use("refuse_upload")
            raise refusal_by(fault)

    def _processing(self) -> Processing:
        slow, failing = self._emulator.faults.use("slow_processing"), self._emulator.faults.use("fail_processing")
        seconds = slow.params["delay_s"] if slow else self._emulator.options.processing_s
        return Processing(seconds, _failure(failing))

    def _final(self, request: web.Request, file: StoredFile) -> web.Response:
        headers = {_STATUS: "final", _RECEIVED: str(file.size_bytes)}
        return web.json_response({"file": self._shown(request, file)}, headers=headers)

    def _shown(self, request: web.Request, file: StoredFile) -> Json:
        return file.as_resource(str(request.url.origin()), self._emulator.clock.time())


def file_for_prompt(emulator: Emulator, project: str, uri: str) -> StoredFile | None:
    """The file of a URI, or None for an address that lies elsewhere and is not looked into.

    Raises `ApiError` for a file that is gone, of another project, or not ready, and for what is no address.
    """
    match = _FILE_URI.match(uri)
    if match is None:
        if uri.startswith("https://"):
            return None
        raise refusal(400, _UNSUPPORTED.format(uri))
    file = _find(emulator, project, match["id"])
    if file.state(emulator.clock.time()) != "ACTIVE":
        raise refusal(400, _NOT_ACTIVE.format(file.id), status="FAILED_PRECONDITION")
    return file


def _find(emulator: Emulator, project: str, file_id: str) -> StoredFile:
    try:
        file = emulator.files.get(project, file_id)
    except KeyError as error:
        raise refusal(403, _GONE.format(file_id)) from error
    if emulator.faults.use("lose_file"):
        emulator.log.add("fault", fault="lose_file", file=file.name)
        emulator.files.delete(file)
        raise refusal(403, _GONE.format(file_id))
    return file


def _failure(fault: Fault | None) -> str:
    return fault.params.get("text", _FAILED) if fault else ""


def _active(upload: Upload) -> web.Response:
    return web.Response(headers={_STATUS: "active", _RECEIVED: str(upload.received_bytes)})


def _over(code: int, message: str) -> ApiError:
    """A refusal after which the upload is no more."""
    return refusal(code, message, headers={_STATUS: "final"})
