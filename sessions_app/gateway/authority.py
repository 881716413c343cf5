"""Whether those who were let in may still be there: looked at again while they are, for all of a worker together.

A log-out, a new password or an account that is closed must count while a socket lives. The rows are the truth, and are
read every two seconds; signals only make it quicker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from sessions_app.accounts import browsers
from sessions_app.authority_signals import digest_of
from sessions_app.gateway.database_thread import DatabaseThread

logger = logging.getLogger(__name__)

RECHECK_EVERY_S = 2.0
"""Whoever loses a right loses the line within 5 s, also where a busy database takes its time."""

ANSWER_LIMIT_S = 1.0
"""Longer nobody who types waits for the database."""

IN_ONE_QUERY = 500


@dataclass(frozen=True, slots=True)
class Credentials:
    """By what a page was let in.

    `session_key`: of its browser's session; empty without one. `password_trace`: what changes with the password.
    """

    user_id: int
    session_key: str
    password_trace: str

    @property
    def session_digest(self) -> str:
        return digest_of(self.session_key)


def credentials_of(user: User, scope: Any) -> Credentials:
    """What the socket of a logged-in user has shown at the handshake."""
    session = scope.get("session")
    key = "" if session is None else session.session_key or ""
    return Credentials(user.pk, key, user.get_session_auth_hash())


def those_over(all_held: Collection[Credentials]) -> frozenset[Credentials]:
    """Those that no longer let anybody in, by the database: two queries for up to 500 of them."""
    users: dict[int, str] = {}
    for ids in _slices({held.user_id for held in all_held}):
        for user in User.objects.filter(pk__in=ids, is_active=True).only("pk", "password"):
            users[user.pk] = user.get_session_auth_hash()
    keys: set[str] = {""}
    for some in _slices({held.session_key for held in all_held} - keys):
        living = Session.objects.filter(session_key__in=some, expire_date__gt=timezone.now())
        keys.update(living.values_list("session_key", flat=True))
    return frozenset(
        held for held in all_held if users.get(held.user_id) != held.password_trace or held.session_key not in keys
    )


def _note_seen(all_held: Collection[Credentials]) -> None:
    for some in _slices({held.session_key for held in all_held}):
        browsers.note_seen(some)


def _slices(values: Iterable[Any]) -> Iterator[list[Any]]:
    all_values = list(values)
    for start in range(0, len(all_values), IN_ONE_QUERY):
        yield all_values[start : start + IN_ONE_QUERY]


class AuthorityWatch:
    """Looks at everything that is held, and says what is over.

    Args:
        database: where the rows are read.
        held: gives what lets pages and live sessions be here.
        end: called with what is over; nothing that it let in may stay.
    """

    def __init__(
        self,
        database: DatabaseThread,
        held: Callable[[], set[Credentials]],
        end: Callable[[frozenset[Credentials]], None],
    ) -> None:
        self._database = database
        self._held = held
        self._end = end
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on, for as long as anything is held."""
        if self._task is None:
            self._task = asyncio.create_task(self._look_again_and_again(), name="authority")

    def check_soon(self) -> None:
        """Something has changed."""
        self._soon.set()

    def session_over(self, digest: str) -> None:
        """A browser has logged out. Its row may stand for a moment yet."""
        self._end(frozenset(held for held in self._held() if held.session_key and held.session_digest == digest))

    async def is_over(self, credentials: Credentials) -> bool:
        """Whether these no longer let anybody in, by the rows as they are; if so, what they let in has been ended.

        A database that is away takes no conversation with it: whoever may not be here is found when it is back.
        """
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                over: frozenset[Credentials] = await self._database.run(partial(those_over, {credentials}))
        except Exception as error:
            logger.warning("Whether somebody may still be here cannot be looked up: %s", type(error).__name__)
            return False
        self._end(over)
        return bool(over)

    async def _look_again_and_again(self) -> None:
        loop = asyncio.get_running_loop()
        seen_at_s = loop.time()
        while held := self._held():
            self._soon.clear()
            try:
                self._end(await self._database.run(partial(those_over, held)))
                if loop.time() - seen_at_s >= browsers.SEEN_EVERY.total_seconds():
                    seen_at_s = loop.time()
                    await self._database.run(partial(_note_seen, self._held()))
            except Exception as error:  # the next look may find the database again
                logger.warning("Who may still be here cannot be looked up: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECHECK_EVERY_S):
                    await self._soon.wait()
        self._task = None
