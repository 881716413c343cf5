"""Conversations that continue each other."""

from __future__ import annotations

import uuid

from django.db import connection

from sessions_app.models import Conversation

_ANCESTORS = """
WITH RECURSIVE chain(id, continues_id) AS (
    SELECT id, continues_id FROM sessions_app_conversation WHERE id = %s
    UNION
    SELECT earlier.id, earlier.continues_id FROM sessions_app_conversation earlier
    JOIN chain ON earlier.id = chain.continues_id
)
SELECT id, continues_id FROM chain
"""


def chain_of(conversation: Conversation) -> list[uuid.UUID]:
    """The conversation, the one it continues, the one that one continues, ...: one query at most."""
    return chain_of_id(conversation.pk) if conversation.continues_id is not None else [conversation.pk]


def chain_of_id(conversation_id: uuid.UUID) -> list[uuid.UUID]:
    """As `chain_of`, always with one query; empty when there is no such conversation."""
    key = Conversation._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, [key.get_db_prep_value(conversation_id, connection)])
        earlier_of = {key.to_python(id): key.to_python(earlier) for id, earlier in cursor.fetchall()}
    chain: list[uuid.UUID] = []
    link: uuid.UUID | None = conversation_id
    while link is not None and link in earlier_of:
        chain.append(link)
        link = earlier_of.pop(link)  # each once, should they ever continue each other in a circle
    return chain
