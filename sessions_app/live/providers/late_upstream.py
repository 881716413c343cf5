"""A provider that is made when it is first needed, and never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sessions_app.live.providers.upstream import Connection, Setup, Upstream


class LateUpstream:
    """See `upstream.Upstream`.

    Importing google-genai takes about a second, and its first client another 0.1 to 0.5 s, most of it for certificates
    (google-genai 3.6, measured): all other conversations of the process would stand still meanwhile.

    Args:
        make: gives the provider; runs in a thread of its own, one run at a time, and again at the next dial if it
            raised. What it raises, dialling raises.
    """

    def __init__(self, make: Callable[[], Upstream]) -> None:
        self._make = make
        self._upstream: Upstream | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upstream")

    def prepare(self) -> None:
        """Begin to make the provider, so that nobody has to wait for it. Returns at once; any thread may call it."""
        self._thread.submit(self._made)

    def expect(self, model: str) -> None:
        if self._upstream is not None:
            self._upstream.expect(model)

    async def connect(self, setup: Setup) -> Connection:
        upstream = self._upstream
        if upstream is None:
            upstream = await asyncio.get_running_loop().run_in_executor(self._thread, self._made)
        return await upstream.connect(setup)

    def _made(self) -> Upstream:
        if self._upstream is None:
            self._upstream = self._make()
        return self._upstream
