"""Who remembers conversations, as live sessions see it. `config/composition.py` hands one in."""

from __future__ import annotations

import uuid
from typing import Protocol

from sessions_app.live.context import Recap


class ConversationMemory(Protocol):
    """All methods ask the database: they are called in its thread, one after the other for one conversation."""

    def recap(self, conversation_id: uuid.UUID) -> Recap | None:
        """What a new session of this conversation is told of the past, as far as it has been condensed, and of the
        call that it goes on from."""

    def condense(self, conversation_id: uuid.UUID) -> Recap | None:
        """More was said: have it condensed if it is time. Nobody waits for that: gives `recap` as it is by now."""

    def remember(self, conversation_id: uuid.UUID) -> None:
        """A session of this conversation has ended, and the conversation perhaps with it. May be called again."""
