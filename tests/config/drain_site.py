"""A site of one socket, with the real drain around it. Served by real servers in `test_drain.py`.

/ws/page/   echoes; leaves when it is told to
/ws/stuck/  echoes; never leaves
/ws/stray/  echoes; the drain knows nothing of it
"""

import asyncio
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from config.drain import Drain, Lifespan, install_with_daphne  # noqa: E402

known: set["Page"] = set()


class Page(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.gone = asyncio.Event()
        known.add(self)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data=text_data)

    async def disconnect(self, code: int) -> None:
        known.discard(self)
        self.gone.set()


class Stuck(Page):
    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """As if the connection took nothing any more."""


class Stray(Page):
    async def connect(self) -> None:
        await super().connect()
        known.discard(self)


async def send_away() -> None:
    pages = list(known)
    for page in pages:
        await page.close(code=4012)
    await asyncio.gather(*(page.gone.wait() for page in pages))


drain = Drain(send_away, limit_s=float(os.environ["DRAIN_SITE_LIMIT_S"]))
install_with_daphne(drain)
kinds: dict[str, Any] = {"page": Page.as_asgi(), "stuck": Stuck.as_asgi(), "stray": Stray.as_asgi()}
routes: list[Any] = [path(f"ws/{name}/", consumer) for name, consumer in kinds.items()]
application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": URLRouter(routes),
        "lifespan": Lifespan(drain, lambda receive: None),
    }
)
