"""The REST calls around Live: models, ephemeral tokens and files, and where those of the others are."""

from __future__ import annotations

import asyncio

from aiohttp import web

from emulator.cache_calls import CacheCalls
from emulator.generation_calls import GenerationCalls
from emulator.models import MODELS
from emulator.rest_errors import (
    ApiError,
    check_key,
    is_gone,
    page_size,
    page_start,
    read_json,
    read_model,
    refusal,
    refusal_by,
)
from emulator.state import Emulator
from emulator.tokens import TokenError
from emulator.uploads import UploadError
from emulator.wire import Json, camel_keys

_VERSION = "{version:v1|v1beta|v1alpha}"


def add_rest_routes(application: web.Application, emulator: Emulator) -> None:
    """Add every REST call to the application."""
    calls = RestCalls(emulator)
    router = application.router
    router.add_get(f"/{_VERSION}/models", calls.list_models)
    router.add_get(f"/{_VERSION}/models/{{model}}", calls.get_model)
    router.add_post(f"/{_VERSION}/models/{{model}}:{{verb}}", GenerationCalls(emulator).call_model)
    caches = CacheCalls(emulator)
    router.add_post(f"/{_VERSION}/cachedContents", caches.create)
    router.add_get(f"/{_VERSION}/cachedContents", caches.list)
    router.add_get(f"/{_VERSION}/cachedContents/{{cache}}", caches.get)
    router.add_patch(f"/{_VERSION}/cachedContents/{{cache}}", caches.prolong)
    router.add_delete(f"/{_VERSION}/cachedContents/{{cache}}", caches.delete)
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
        check_key(request)
        size = page_size(request)
        start = page_start(request)
        offered = [model for model in MODELS.values() if not is_gone(model, self._emulator.faults)]
        body: Json = {"models": [model.as_resource() for model in offered[start : start + size]]}
        if start + size < len(offered):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get_model(self, request: web.Request) -> web.Response:
        """`GET models/MODEL`"""
        check_key(request)
        return web.json_response(read_model(request, self._emulator.faults).as_resource())

    async def create_token(self, request: web.Request) -> web.Response:
        """`POST auth_tokens`"""
        check_key(request)
        slow = self._emulator.faults.use("slow_minting")
        await asyncio.sleep(slow.params["delay_s"] if slow else 0)
        if fault := self._emulator.faults.use("refuse_minting"):
            raise refusal_by(fault)
        try:
            token = self._emulator.tokens.create(await read_json(request))
        except (TokenError, ValueError) as error:
            raise refusal(400, str(error)) from error
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
            raise refusal(404, "Upload not found.") from error
        except (UploadError, ValueError) as error:
            raise refusal(400, str(error)) from error
        if not upload.complete:
            return web.Response(headers={"X-Goog-Upload-Status": "active"})
        return web.json_response(
            {"file": upload.as_resource(str(request.url.origin()))}, headers={"X-Goog-Upload-Status": "final"}
        )

    async def list_files(self, request: web.Request) -> web.Response:
        """`GET files`"""
        check_key(request)
        size, start = page_size(request), page_start(request)
        files = self._emulator.uploads.all()
        origin = str(request.url.origin())
        body: Json = {"files": [upload.as_resource(origin) for upload in files[start : start + size]]}
        if start + size < len(files):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get_file(self, request: web.Request) -> web.Response:
        """`GET files/FILE`"""
        check_key(request)
        try:
            upload = self._emulator.uploads.get(request.match_info["file"])
        except KeyError as error:
            raise _no_file() from error
        return web.json_response(upload.as_resource(str(request.url.origin())))

    async def delete_file(self, request: web.Request) -> web.Response:
        """`DELETE files/FILE`"""
        check_key(request)
        try:
            self._emulator.uploads.delete(request.match_info["file"])
        except KeyError as error:
            raise _no_file() from error
        return web.json_response({})

    async def _start_upload(self, request: web.Request) -> web.Response:
        check_key(request)
        described = camel_keys(await read_json(request)).get("file") or {}
        mime_type = described.get("mimeType") or request.headers.get("X-Goog-Upload-Header-Content-Type", "")
        upload = self._emulator.uploads.start(str(described.get("displayName", "")), str(mime_type))
        address = request.url.with_query(upload_id=upload.id, upload_protocol="resumable")
        return web.Response(headers={"X-Goog-Upload-URL": str(address), "X-Goog-Upload-Status": "active"})


def _no_file() -> ApiError:
    message = "You do not have permission to access the File or it may not exist."
    return refusal(403, message)
