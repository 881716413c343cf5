"""The store of one live session: the services, called from the event loop."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from sessions_app import services
from sessions_app.live.page import Opening
from sessions_app.live.transcript import Turn


class DatabaseStore:
    """See `live.page.Store`."""

    def __init__(self, request: services.SessionRequest, opening: Opening) -> None:
        self._request = request
        self._conversation = opening.conversation
        self._session = opening.session

    async def save_turns(self, turns: tuple[Turn, ...]) -> None:
        await database_sync_to_async(services.save_turns)(self._conversation, self._request.page_id, turns)

    async def save_handle(self, handle: str, model: str, acknowledged_number: int, covered_turn: int) -> None:
        await database_sync_to_async(services.save_handle)(
            self._request, self._session, handle, model, acknowledged_number, covered_turn
        )

    async def forget_handle(self) -> None:
        await database_sync_to_async(services.forget_handle)(self._request)

    async def record(self, kind: str, data: dict[str, Any]) -> None:
        await database_sync_to_async(services.record_event)(self._conversation, self._session, kind, data)

    async def finish(self, reason: str, conversation_over: bool) -> None:
        await database_sync_to_async(services.finish_session)(
            self._conversation, self._session, reason, conversation_over
        )
