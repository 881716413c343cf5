"""How late the event loop is, measured all the time at next to no cost."""

import asyncio

from prometheus_client import Histogram

EVERY_S = 0.25
"""What holds the loop up for as long is seen for certain, and of what is shorter a share."""


def watch_lag(loop: asyncio.AbstractEventLoop, figure: Histogram) -> None:
    """Measure from now on, for as long as the loop turns."""

    def look(due_s: float) -> None:
        now_s = loop.time()
        figure.observe(max(0.0, now_s - due_s))
        loop.call_at(now_s + EVERY_S, look, now_s + EVERY_S)

    loop.call_later(EVERY_S, look, loop.time() + EVERY_S)
