"""The memory of conversations that live sessions are given: rolling summaries and the history."""

from __future__ import annotations

import uuid

from sessions_app.live.context import Recap
from summarization import earlier_call, rolling, services


class SummarisedMemory:
    """See `sessions_app.live.conversation_memory.ConversationMemory`."""

    def recap(self, conversation_id: uuid.UUID) -> Recap | None:
        return earlier_call.added_to(rolling.latest_recap(conversation_id), conversation_id)

    def condense(self, conversation_id: uuid.UUID) -> Recap | None:
        return earlier_call.added_to(rolling.request_rolling_summary_if_due(conversation_id), conversation_id)

    def remember(self, conversation_id: uuid.UUID) -> None:
        services.write_call_history(conversation_id)
