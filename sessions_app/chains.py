"""Conversations that continue each other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import connection

from sessions_app.models import Conversation

_ANCESTORS = """
WITH RECURSIVE chain(id, continues_id, goes_on_from_id) AS (
    SELECT id, continues_id, goes_on_from_id FROM sessions_app_conversation WHERE id = %s
    UNION
    SELECT earlier.id, earlier.continues_id, earlier.goes_on_from_id FROM sessions_app_conversation earlier
    JOIN chain ON earlier.id = chain.continues_id
)
SELECT id, continues_id, goes_on_from_id FROM chain
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A conversation of a chain. `goes_on_from`: the earlier call that it began with, see `Conversation`."""

    id: uuid.UUID
    goes_on_from: uuid.UUID | None


def chain_of(conversation: Conversation) -> list[uuid.UUID]:
    """The conversation, the one it continues, the one that one continues, ...: one query at most."""
    return chain_of_id(conversation.pk) if conversation.continues_id is not None else [conversation.pk]


def chain_of_id(conversation_id: uuid.UUID) -> list[uuid.UUID]:
    """As `chain_of`, always with one query; empty when there is no such conversation."""
    return [link.id for link in links_of_id(conversation_id)]


def links_of_id(conversation_id: uuid.UUID) -> list[Link]:
    """The same, and what each goes on from."""
    key = Conversation._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, [key.get_db_prep_value(conversation_id, connection)])
        rows = [tuple(map(key.to_python, row)) for row in cursor.fetchall()]
    links = {id: (Link(id, goes_on_from), earlier) for id, earlier, goes_on_from in rows}
    chain: list[Link] = []
    id: uuid.UUID | None = conversation_id
    while id is not None and id in links:
        link, id = links.pop(id)  # each once, should they ever continue each other in a circle
        chain.append(link)
    return chain
