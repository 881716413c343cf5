"""The REST calls around Live: models, text generation, token counts, ephemeral tokens and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from emulator.admission import key_refusal
from emulator.faults import Fault
from emulator.generate import count_tokens, generate, spoil, stream_pieces
from emulator.models import MODELS, Model, find_model
from emulator.state import Emulator
from emulator.texts import CATALOGUE, model_not_found
from emulator.tokens import TokenError
from emulator.uploads import UploadError
from emulator.wire import Json, camel_keys

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_VERSION = "{version:v1|v1beta|v1alpha}"
_PIECE_PAUSE_S = 0.01
_HANGING_PAUSE_S = 0.05
_OVERLOADED = "The model is overloaded. Please try again later."
_KEY_INVALID = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_STATUSES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


class ApiError(Exception):
    """An answer that is an error, in the shape Google gives it."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(body["error"]["message"])
        self.status = status
        self.body = body


def error_body(code: int, status: str, message: str, *details: Json) -> Json:
    """The JSON of an error answer."""
    error: Json = {"code": code, "message": message, "status": status}
    return {"error": error | ({"details": list(details)} if details else {})}


def read_key(request: web.Request) -> str:
    """The API key of a request: from its header, or from the address."""
    return request.headers.get("x-goog-api-key") or request.query.get("key", "")


@web.middleware
async def rest_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into answers of the API's shape."""
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body, status=error.status)
    except web.HTTPNotFound:
        return web.json_response(error_body(404, "NOT_FOUND", "Not found."), status=404)
    except web.HTTPMethodNotAllowed:
        return web.json_response(error_body(405, "UNIMPLEMENTED", "Method not allowed."), status=405)
    except (AttributeError, KeyError, TypeError) as error:
        # A body whose values have other types than the API gives them.
        return web.json_response(error_body(400, "INVALID_ARGUMENT", f"Invalid value: {error}"), status=400)


def add_rest_routes(application: web.Application, emulator: Emulator) -> None:
    """Add every REST call to the application."""
    calls = RestCalls(emulator)
    router = application.router
    router.add_get(f"/{_VERSION}/models", calls.list_models)
    router.add_get(f"/{_VERSION}/models/{{model}}", calls.get_model)
    router.add_post(f"/{_VERSION}/models/{{model}}:{{verb}}", calls.call_model)
    router.add_post(f"/{_VERSION}/auth_tokens", calls.create_token)
    router.add_post(f"/upload/{_VERSION}/files", calls.upload)
    router.add_get(f"/{_VERSION}/files", calls.list_files)
    router.add_get(f"/{_VERSION}/files/{{file}}", calls.get_file)
    router.add_delete(f"/{_VERSION}/files/{{file}}", calls.delete_file)


class RestCalls:
    """The handlers; each raises `ApiError` for what it refuses."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def list_models(self, request: web.Request) -> web.Response:
        """`GET models`"""
        _check_key(request)
        size = _page_size(request)
        start = _page_start(request)
        chosen = list(MODELS.values())[start : start + size]
        body: Json = {"models": [model.as_resource() for model in chosen]}
        if start + size < len(MODELS):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get_model(self, request: web.Request) -> web.Response:
        """`GET models/MODEL`"""
        _check_key(request)
        return web.json_response(self._model(request, None).as_resource())

    async def call_model(self, request: web.Request) -> web.StreamResponse:
        """`POST models/MODEL:VERB`"""
        _check_key(request)
        verb = request.match_info["verb"]
        if verb == "countTokens":
            self._model(request, verb)
            return web.json_response(count_tokens(await _json(request)))
        if verb not in ("generateContent", "streamGenerateContent"):
            raise ApiError(404, error_body(404, "NOT_FOUND", f"Unknown method {verb}."))
        model = self._model(request, "generateContent")
        refusal = self._emulator.quota.rest_error(model.id)
        if refusal is not None:
            raise ApiError(429, refusal)
        answer = await self._generate(request, model.id)
        if verb == "generateContent":
            return web.json_response(answer)
        return await _stream(request, stream_pieces(answer))

    async def _generate(self, request: web.Request, model: str) -> Json:
        """The answer of a text model, spoiled as the fault `bad_text` has it."""
        body = await _json(request)
        fault = self._emulator.faults.use("bad_text", "", model)
        how = fault.params["answer"] if fault is not None else ""
        self._emulator.log.add("text_generated", model=model, spoiled=how)
        if how == "unavailable":
            raise ApiError(503, error_body(503, "UNAVAILABLE", _OVERLOADED))
        if how == "hang":
            await self._stay_silent(request, model)
        answer = generate(model, body, self._emulator.options.seed)
        return spoil(answer, how) if how not in ("", "hang") else answer

    async def _stay_silent(self, request: web.Request, model: str) -> None:
        """Wait until the fault is gone, or whoever asked."""
        # A fault that expires tells nobody.
        while self._emulator.faults.peek("bad_text", "", model) and _is_connected(request):  # noqa: ASYNC110
            await asyncio.sleep(_HANGING_PAUSE_S)

    async def create_token(self, request: web.Request) -> web.Response:
        """`POST auth_tokens`"""
        _check_key(request)
        slow = self._emulator.faults.use("slow_minting")
        await asyncio.sleep(slow.params["delay_s"] if slow else 0)
        if refusal := self._emulator.faults.use("refuse_minting"):
            raise _no_token(refusal)
        try:
            token = self._emulator.tokens.create(await _json(request))
        except (TokenError, ValueError) as error:
            raise ApiError(400, error_body(400, "INVALID_ARGUMENT", str(error))) from error
        self._emulator.log.add("token_made", model=(token.setup or {}).get("model"), uses=token.uses)
        return web.json_response({"name": token.name})

    async def upload(self, request: web.Request) -> web.Response:
        """`POST upload/files`: the start of an upload, or a piece of it."""
        commands = {part.strip() for part in request.headers.get("X-Goog-Upload-Command", "").split(",")}
        if "start" in commands:
            return await self._start_upload(request)
        try:
            offset = int(request.headers.get("X-Goog-Upload-Offset", "0"))
            upload = self._emulator.uploads.append(
                request.query.get("upload_id", ""),
                offset,
                await request.read(),
                finalize="finalize" in commands,
            )
        except KeyError as error:
            raise ApiError(404, error_body(404, "NOT_FOUND", "Upload not found.")) from error
        except (UploadError, ValueError) as error:
            raise ApiError(400, error_body(400, "INVALID_ARGUMENT", str(error))) from error
        if not upload.complete:
            return web.Response(headers={"X-Goog-Upload-Status": "active"})
        return web.json_response(
            {"file": upload.as_resource(str(request.url.origin()))}, headers={"X-Goog-Upload-Status": "final"}
        )

    async def list_files(self, request: web.Request) -> web.Response:
        """`GET files`"""
        _check_key(request)
        size, start = _page_size(request), _page_start(request)
        files = self._emulator.uploads.all()
        origin = str(request.url.origin())
        body: Json = {"files": [upload.as_resource(origin) for upload in files[start : start + size]]}
        if start + size < len(files):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get_file(self, request: web.Request) -> web.Response:
        """`GET files/FILE`"""
        _check_key(request)
        try:
            upload = self._emulator.uploads.get(request.match_info["file"])
        except KeyError as error:
            raise _no_file() from error
        return web.json_response(upload.as_resource(str(request.url.origin())))

    async def delete_file(self, request: web.Request) -> web.Response:
        """`DELETE files/FILE`"""
        _check_key(request)
        try:
            self._emulator.uploads.delete(request.match_info["file"])
        except KeyError as error:
            raise _no_file() from error
        return web.json_response({})

    async def _start_upload(self, request: web.Request) -> web.Response:
        _check_key(request)
        described = camel_keys(await _json(request)).get("file") or {}
        mime_type = described.get("mimeType") or request.headers.get("X-Goog-Upload-Header-Content-Type", "")
        upload = self._emulator.uploads.start(str(described.get("displayName", "")), str(mime_type))
        address = request.url.with_query(upload_id=upload.id, upload_protocol="resumable")
        return web.Response(headers={"X-Goog-Upload-URL": str(address), "X-Goog-Upload-Status": "active"})

    def _model(self, request: web.Request, method: str | None) -> Model:
        name = request.match_info["model"]
        model = find_model(name)
        if model is None or (method and method not in model.methods):
            text = model_not_found(f"models/{name}", request.match_info["version"]).text
            message = text.replace("bidiGenerateContent", method or "generateContent")
            raise ApiError(404, error_body(404, "NOT_FOUND", message))
        return model


def _check_key(request: web.Request) -> None:
    refused = key_refusal(read_key(request))
    if refused == "unregistered caller":
        raise ApiError(403, error_body(403, "PERMISSION_DENIED", CATALOGUE[refused].text))
    if refused is not None:
        raise ApiError(400, error_body(400, "INVALID_ARGUMENT", CATALOGUE[refused].text, _KEY_INVALID))


def _no_token(refusal: Fault) -> ApiError:
    status = refusal.params["status"]
    name, text = _STATUSES.get(status, _STATUSES[503] if status >= 500 else _STATUSES[400])
    wait_s = refusal.params.get("retry_after_s")
    details = [] if wait_s is None else [{"@type": _RETRY_INFO, "retryDelay": f"{wait_s}s"}]
    return ApiError(status, error_body(status, name, refusal.params.get("text", text), *details))


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _no_file() -> ApiError:
    message = "You do not have permission to access the File or it may not exist."
    return ApiError(403, error_body(403, "PERMISSION_DENIED", message))


async def _json(request: web.Request) -> Json:
    try:
        body: Any = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise ApiError(400, error_body(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")) from error
    if not isinstance(body, dict):
        raise ApiError(400, error_body(400, "INVALID_ARGUMENT", "Invalid JSON payload received."))
    return body


def _page_size(request: web.Request) -> int:
    size = request.query.get("pageSize", "50")
    return min(max(int(size), 1), 1000) if size.isdecimal() else 50


def _page_start(request: web.Request) -> int:
    token = request.query.get("pageToken", "0")
    if not token.isdecimal():
        raise ApiError(400, error_body(400, "INVALID_ARGUMENT", "Invalid page token."))
    return int(token)


async def _stream(request: web.Request, pieces: list[Json]) -> web.StreamResponse:
    """Send pieces as server-sent events, or as one growing JSON list when the client did not ask for events."""
    events = request.query.get("alt") == "sse"
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if events else "application/json"})
    await response.prepare(request)
    for index, piece in enumerate(pieces):
        text = json.dumps(piece)
        if events:
            await response.write(f"data: {text}\r\n\r\n".encode())
        else:
            await response.write(f"{'[' if index == 0 else ','}\n{text}".encode())
        await asyncio.sleep(_PIECE_PAUSE_S)
    if not events:
        await response.write(b"\n]\n")
    await response.write_eof()
    return response
