"""The memory of conversations that live sessions are given: rolling summaries and the history."""

from __future__ import annotations

import uuid

from sessions_app.live.context import Recap
from summarization import earlier_call, recording_notes, rolling, services


class SummarisedMemory:
    """See `sessions_app.live.conversation_memory.ConversationMemory`."""

    def recap(self, conversation_id: uuid.UUID) -> Recap | None:
        return self._with_what_else_is_known(rolling.latest_recap(conversation_id), conversation_id)

    def condense(self, conversation_id: uuid.UUID) -> Recap | None:
        return self._with_what_else_is_known(rolling.request_rolling_summary_if_due(conversation_id), conversation_id)

    def remember(self, conversation_id: uuid.UUID) -> None:
        services.write_call_history(conversation_id)

    def _with_what_else_is_known(self, recap: Recap | None, conversation_id: uuid.UUID) -> Recap | None:
        return recording_notes.added_to(earlier_call.added_to(recap, conversation_id), conversation_id)
