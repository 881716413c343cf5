"""Filming a page of Chromium, and an animated WebP made out of the film."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from playwright.sync_api import Page

FRAMES_PER_S = 10
QUALITY = 82


@dataclass
class Film:
    """Pictures of a page, each with the second at which it was drawn; Chromium sends one when something changed."""

    page: Page
    shots: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chromium = self.page.context.new_cdp_session(self.page)
        self._chromium.on("Page.screencastFrame", self._keep)

    def start(self) -> None:
        self._chromium.send("Page.startScreencast", {"format": "png"})

    def stop(self) -> None:
        self._chromium.send("Page.stopScreencast")

    def _keep(self, shot: dict[str, Any]) -> None:
        self.shots.append((shot["metadata"]["timestamp"], base64.b64decode(shot["data"])))
        self._chromium.send("Page.screencastFrameAck", {"sessionId": shot["sessionId"]})


def frames_of(shots: list[tuple[float, bytes]], until_s: float) -> list[bytes]:
    """What was to be seen at each tick of `FRAMES_PER_S`, from the first shot on."""
    frames, seen, left = list[bytes](), shots[0][1], list(shots)
    for tick in range(int((until_s - shots[0][0]) * FRAMES_PER_S)):
        while left and left[0][0] <= shots[0][0] + tick / FRAMES_PER_S:
            seen = left.pop(0)[1]
        frames.append(seen)
    return frames


def write_webp(path: Path, frames: list[bytes], width: int, height: int) -> None:
    """An animation that begins anew when it is over."""
    with av.open(str(path), "w", format="webp", options={"loop": "0"}) as out:
        stream = out.add_stream("libwebp_anim", rate=FRAMES_PER_S, options={"quality": str(QUALITY)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, png in enumerate(frames):
            with av.open(io.BytesIO(png), "r") as picture:
                frame = next(picture.decode(video=0)).reformat(width, height, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
