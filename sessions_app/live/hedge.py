"""A second dial beside one that is slow: a set-up that stalls is often alone with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from sessions_app.live.machine.failures import is_of_the_network
from sessions_app.live.providers.upstream import (
    Connection,
    Setup,
    Upstream,
    UpstreamFailed,
    close_what_comes_of,
)
from sessions_app.live.task_owner import TaskOwner

HEDGE_AFTER_MS = 4_000
"""A set-up takes a second, two at most; one that takes as long as this has probably stalled."""

Dial = asyncio.Task[Connection]


async def connect_hedged(
    upstream: Upstream, setup: Setup, tasks: TaskOwner, on_hedged: Callable[[bool], None]
) -> Connection:
    """Dial, and once more after a while beside it; whichever is set up first is used, and the other is closed.

    Both together have the time of `setup`. With a handle, too, both dial with it, for nobody else can be resumed: but a
    provider may refuse to resume a session while another connection holds it, and that would be the first dial. So what
    the second is told never counts, and a handle is not judged by it; the first goes on until its time is over, and the
    dial after that is refused or not on its own account. What the first is told counts at once, unless it was lost on
    the way: then the second may still come.

    Args:
        upstream: the provider.
        setup: of the connection.
        tasks: owns what is closed in the background.
        on_hedged: called when there was a second dial, with True when it was that one which was set up.

    Raises:
        UpstreamFailed: as the first dial did.
    """
    dials: list[Dial] = [asyncio.create_task(upstream.connect(setup), name="live-dial")]
    winner: Dial | None = None
    try:
        await asyncio.wait(dials, timeout=HEDGE_AFTER_MS / 1000)
        if not dials[0].done():
            left_ms = setup.timeout_ms - HEDGE_AFTER_MS
            second = upstream.connect(replace(setup, timeout_ms=left_ms))
            dials.append(asyncio.create_task(second, name="live-dial-beside"))
        winner = await _first_to_count(dials)
        return winner.result()
    finally:
        if len(dials) > 1:
            on_hedged(winner is dials[1])
        for dial in dials:
            if dial is not winner:
                dial.cancel()
                tasks.start(close_what_comes_of(dial), "live-tidy")


async def _first_to_count(dials: list[Dial]) -> Dial:
    """The dial whose end is that of them all."""
    first, waiting = dials[0], set(dials)
    while waiting:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for dial in dials:
            if dial.done() and dial.exception() is None:
                return dial
        if first.done() and not _was_lost(first):
            return first
    return first


def _was_lost(dial: Dial) -> bool:
    """Whether the dial failed without a word of the provider."""
    error = dial.exception()
    return isinstance(error, UpstreamFailed) and is_of_the_network(error.failure)
