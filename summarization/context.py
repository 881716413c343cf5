"""What a session without memory is given of a stored conversation: the last recap, and what was said since."""

from __future__ import annotations

from sessions_app.live.context import Context, context_of
from sessions_app.models import Conversation
from sessions_app.services import turns_of
from summarization.rolling import latest_recap


def context_for(conversation: Conversation) -> Context:
    """The context of a conversation as it is stored. Asks no model and waits for none."""
    return context_of(turns_of(conversation), latest_recap(conversation.pk))
