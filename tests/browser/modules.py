"""The modules below `static` in a browser without a server: the fixture `modules` is a page that can import them."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "https://modules.test"

WORKLET = """
async ([url, rate]) => {
    globalThis.sampleRate = rate;
    globalThis.AudioWorkletProcessor = class {
        constructor() { this.port = { posted: [], postMessage(data) { this.posted.push(structuredClone(data)); } }; }
    };
    const made = new Promise((resolve) => { globalThis.registerProcessor = (name, kind) => resolve(kind); });
    await import(url);
    globalThis.processor = new (await made)();
}
"""
"""Stands in for the audio thread, so that a test decides when each render quantum comes."""


def serve(route: Route) -> None:
    """Everything below `static` as it lies on the disk; anywhere else an empty page."""
    path = STATIC / route.request.url.removeprefix(ORIGIN).lstrip("/")
    if path.is_file():
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)
    else:
        route.fulfill(body="<!doctype html><title>Modules</title>", content_type="text/html")


def run(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """What `body`, a function's inside that knows the module as `m`, returns in the browser."""
    script = f"async (argument) => {{ const m = await import('/js/{module}'); {body} }}"
    return page.evaluate(script, argument)
