"""What stands in the rows of a conversation, for tests to compare with what a session is given."""

from __future__ import annotations

import uuid

from sessions_app.chains import chain_of
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.models import Conversation, Turn
from sessions_app.stored_turns import spoken_turn


def turns_of(conversation: Conversation, page_id: uuid.UUID | None = None) -> tuple[SpokenTurn, ...]:
    """The turns of a conversation and of those it continues, oldest first; ids of this page life's messages alone."""
    rows = Turn.objects.filter(conversation__in=chain_of(conversation)).order_by("number")
    return tuple(spoken_turn(row, page_id) for row in rows)
