"""What pages are told of the recordings of their conversations, and when live sessions look at them anew.

Recordings are attached by any page over HTTP, written down by workers, and brought to the provider by whoever needs
them: all of that stands in rows, so they are looked at, and a page is told what has changed.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings

from sessions_app.gateway import wire
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.gateway.held_session import HeldSession
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.live.machine.events import State
from sessions_app.live.page import Page
from sessions_app.recordings.conversations import Facts, facts_of, is_under_way

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""At those about which more is going to be known before long."""

ALL_EVERY = 3
"""So many looks, of which one is at all of them."""


class RecordingNews:
    """Looks at the recordings of the live sessions of this worker.

    Args:
        sessions: gives those that it holds.
        database: the thread for rows.
    """

    def __init__(self, sessions: Callable[[], Iterable[HeldSession]], database: DatabaseThread) -> None:
        self._sessions = sessions
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()

    def start(self) -> None:
        """Look from now on, if that has not begun."""
        if settings.RECORDINGS and self._task is None:
            self._task = asyncio.create_task(self._look_again_and_again(), name="recording-news")
        self._soon.set()

    def stop(self) -> None:
        """There is nothing to look at."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def look_soon(self) -> None:
        """Something has changed here."""
        self._soon.set()

    async def _look_again_and_again(self) -> None:
        count = 0
        while True:
            is_asked = self._soon.is_set()
            self._soon.clear()
            await self._look(everywhere=is_asked or count % ALL_EVERY == 0)
            count += 1
            await asyncio.sleep(LOOK_EVERY_S / 4)  # more often nobody is told, however much happens
            try:
                async with asyncio.timeout(LOOK_EVERY_S * 3 / 4):
                    await self._soon.wait()
            except TimeoutError:
                continue

    async def _look(self, *, everywhere: bool) -> None:
        held = [each for each in self._sessions() if everywhere or _expects_news(each)]
        if not held:
            return
        ids = {uuid.UUID(each.manager.opening.conversation) for each in held}
        try:
            found: dict[uuid.UUID, list[Facts]] = await self._database.run(partial(facts_of, ids))
        except Exception as error:  # the next look may find the database again
            logger.warning("recordings cannot be looked up: %s", type(error).__name__)
            return
        for each in held:
            _tell(each, found[uuid.UUID(each.manager.opening.conversation)])


def _expects_news(held: HeldSession) -> bool:
    page, readies, facts = held.recordings
    return (page, readies) != _page_of(held) or any(map(is_under_way, facts))


def _page_of(held: HeldSession) -> tuple[Page | None, int]:
    """The page that is there, and how often it was told that its session is open."""
    page = held.manager.page
    return page, page.readies if isinstance(page, SocketPage) else 0


def _tell(held: HeldSession, facts: list[Facts]) -> None:
    *told_to, told = held.recordings
    page, readies = _page_of(held)
    if facts == told and told_to == [page, readies]:
        return
    held.recordings = (page, readies, facts)
    if isinstance(page, SocketPage) and (readies or held.manager.state in (State.FAILED, State.EXHAUSTED)):
        page.tell(wire.recordings(facts))
    if list(map(_what_is_known, facts)) != list(map(_what_is_known, told)):
        held.manager.look_at_recordings()


def _what_is_known(facts: Facts) -> tuple[object, ...]:
    """What a model is told of it."""
    work = facts["work"]
    return facts["id"], work["state"], work["title"], work["summary"]
