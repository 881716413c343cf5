"""The store of one live session: the services, called from the event loop through the database thread."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError

from sessions_app import lines, services
from sessions_app.gateway.database_thread import DatabaseThread, Job
from sessions_app.lines import Fenced, Hold
from sessions_app.live.context import Recap
from sessions_app.live.conversation_memory import ConversationMemory
from sessions_app.live.page import Opening, StoreFenced, StoreRefused
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.transcript import Turn
from sessions_app.usage import save_usage


class DatabaseStore:
    """See `live.page.Store`.

    Args:
        database: the thread for rows.
        request: of the page.
        opening: what the session starts from.
        hold: by which its line is held; nothing is written without it.
        memory: remembers the conversation.
        on_fenced: called when the line turns out to be held elsewhere.
    """

    def __init__(
        self,
        database: DatabaseThread,
        request: services.SessionRequest,
        opening: Opening,
        hold: Hold,
        memory: ConversationMemory,
        on_fenced: Callable[[Fenced], None],
    ) -> None:
        self._database = database
        self._hold = hold
        self._on_fenced = on_fenced
        self._request = request
        self._conversation = opening.conversation
        self._session = opening.session
        self._memory = memory

    def belongs_to(self, page_id: uuid.UUID) -> None:
        """Another page life of the same user goes on with the session."""
        self._request = replace(self._request, page_id=page_id)

    async def save_turns(self, turns: tuple[Turn, ...]) -> None:
        await self._run(partial(services.save_turns, self._conversation, self._request.page_id, turns))

    async def save_handle(
        self, handle: str, model: str, made_with: str, acknowledged_number: int, covered_turn: int
    ) -> None:
        arguments = (self._request, self._session, handle, model, made_with, acknowledged_number, covered_turn)
        await self._run(partial(services.save_handle, *arguments))

    async def forget_handle(self) -> None:
        await self._run(partial(services.forget_handle, self._request))

    async def save_usage(self, connection: int, turn: int, model: str, usage: UsageReported) -> None:
        arguments = (self._conversation, self._session, connection, turn, model, usage.as_data())
        await self._run(partial(save_usage, *arguments))

    async def load_recap(self) -> Recap | None:
        recap: Recap | None = await self._run(partial(self._memory.condense, uuid.UUID(self._conversation)))
        return recap

    async def record(self, kind: str, data: dict[str, Any]) -> None:
        await self._run(partial(services.record_event, self._conversation, self._session, kind, data))

    async def finish(self, reason: str, conversation_over: bool) -> None:
        arguments = (self._conversation, self._session, reason, conversation_over)
        await self._run(partial(services.finish_session, *arguments))
        await self._run(partial(self._memory.remember, uuid.UUID(self._conversation)))

    async def _run(self, job: Job) -> Any:
        """Run a job in the database thread.

        Rows that belong to rows that are gone, and values that the database does not take, are refused for good. Of the
        database's words only the first line is passed on: on PostgreSQL the row itself follows.
        """
        try:
            return await self._database.run(partial(lines.as_holder, self._hold, job))
        except Fenced as fenced:
            self._on_fenced(fenced)
            raise StoreFenced from fenced
        except (IntegrityError, DataError) as error:
            raise StoreRefused(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}") from error
