"""Lines beside which questions about recordings are answered, see `upstream.Upstream`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sessions_app.live.providers.questions.answering import Listeners
from sessions_app.live.providers.questions.connection import QuestionsConnection
from sessions_app.live.providers.upstream import Setup, Upstream

logger = logging.getLogger(__name__)


class LateListeners:
    """Who is asked about recordings: made when the first question comes, in a thread, for the SDK loads slowly.

    Args:
        make: gives them; called again for the next question if it raised `UpstreamFailed`.
    """

    def __init__(self, make: Callable[[], Listeners]) -> None:
        self._make = make
        self._made: Listeners | None = None

    async def get(self) -> Listeners:
        """Raises what `make` does."""
        if self._made is None:
            self._made = await asyncio.to_thread(self._make)
        return self._made


class UpstreamWithQuestions:
    """Gives the connections of another upstream, with somebody beside them who listens to recordings.

    Args:
        inner: who dials.
        listeners: who is asked.
    """

    def __init__(self, inner: Upstream, listeners: LateListeners) -> None:
        self._inner = inner
        self._listeners = listeners

    def expect(self, model: str) -> None:
        self._inner.expect(model)

    async def connect(self, setup: Setup) -> QuestionsConnection:
        return QuestionsConnection(await self._inner.connect(setup), setup, self._listeners.get)
