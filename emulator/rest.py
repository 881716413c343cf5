"""The REST calls around Live: models and ephemeral tokens, and where those of the others are."""

from __future__ import annotations

import asyncio

from aiohttp import web

from emulator.cache_calls import CacheCalls
from emulator.file_calls import FileCalls
from emulator.generation_calls import GenerationCalls
from emulator.models import MODELS
from emulator.rest_errors import (
    check_bearer,
    check_key,
    is_gone,
    page_size,
    page_start,
    read_json,
    read_model,
    refusal,
    refusal_by,
)
from emulator.sides import is_served_anywhere
from emulator.state import Emulator
from emulator.tokens import TokenError
from emulator.wire import Json

_VERSION = "{version:v1|v1beta|v1alpha}"
# Of Agent Platform. The SDK joins its base address and the path with one slash or two.
_THERE = "/{slash:/?}{version:v1|v1beta1}"
_LOCATION = f"{_THERE}/projects/{{project}}/locations/{{location}}"


def add_rest_routes(application: web.Application, emulator: Emulator) -> None:
    """Add every REST call to the application."""
    calls = RestCalls(emulator)
    router = application.router
    router.add_get(f"/{_VERSION}/models", calls.list_models)
    router.add_get(f"/{_VERSION}/models/{{model}}", calls.get_model)
    router.add_get("/{slash:/?}v1beta1/publishers/google/models", calls.list_publisher_models)
    generation = GenerationCalls(emulator)
    router.add_post(f"/{_VERSION}/models/{{model}}:{{verb}}", generation.call_model)
    router.add_post(f"{_LOCATION}/publishers/google/models/{{model}}:{{verb}}", generation.call_model)
    caches = CacheCalls(emulator)
    for parent in (f"/{_VERSION}", _LOCATION):
        router.add_post(f"{parent}/cachedContents", caches.create)
        router.add_get(f"{parent}/cachedContents", caches.list)
        router.add_get(f"{parent}/cachedContents/{{cache}}", caches.get)
        router.add_patch(f"{parent}/cachedContents/{{cache}}", caches.prolong)
        router.add_delete(f"{parent}/cachedContents/{{cache}}", caches.delete)
    router.add_post(f"/{_VERSION}/auth_tokens", calls.create_token)
    files = FileCalls(emulator)
    router.add_post(f"/upload/{_VERSION}/files", files.upload)
    router.add_get(f"/{_VERSION}/files", files.list)
    router.add_get(f"/{_VERSION}/files/{{file}}", files.get)
    router.add_delete(f"/{_VERSION}/files/{{file}}", files.delete)


class RestCalls:
    """The handlers; each raises `ApiError` for what it refuses."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def list_models(self, request: web.Request) -> web.Response:
        """`GET models`"""
        check_key(request)
        size = page_size(request)
        start = page_start(request)
        faults = self._emulator.faults
        offered = [model for model in MODELS.values() if model.is_on_developer_api and not is_gone(model, faults)]
        body: Json = {"models": [model.as_resource() for model in offered[start : start + size]]}
        if start + size < len(offered):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def list_publisher_models(self, request: web.Request) -> web.Response:
        """`GET publishers/google/models` of Agent Platform, which names no place."""
        check_bearer(request)
        faults = self._emulator.faults
        offered = [model for model in MODELS.values() if is_served_anywhere(model) and not is_gone(model, faults)]
        return web.json_response({"publisherModels": [model.as_publisher_model() for model in offered]})

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
