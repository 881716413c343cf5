"""What a session without memory is given of a conversation: the last recap, and what was said since."""

from __future__ import annotations

from collections.abc import Iterable

from sessions_app.live.context import CONTEXT_BUDGET_TOKENS, TURNS_KEPT_AT_LEAST, Context, select_turns
from sessions_app.live.transcript import Turn
from sessions_app.models import Conversation
from sessions_app.services import turns_of
from summarization.prompts import count_tokens, spoken
from summarization.services import Recap, latest_recap


def context_for(conversation: Conversation) -> Context:
    """The context of a conversation as it is stored. Asks no model and waits for none."""
    return select_context(turns_of(conversation), latest_recap(conversation.pk))


def select_context(turns: Iterable[Turn], recap: Recap | None) -> Context:
    """The recap and every turn since it, but at least the last eight, as far as the budget of tokens goes."""
    said = spoken(turns)
    if recap is None:
        return Context(select_turns(said))
    first = next((place for place, turn in enumerate(said) if turn.number > recap.until_turn), len(said))
    first = max(0, min(first, len(said) - TURNS_KEPT_AT_LEAST))
    budget = CONTEXT_BUDGET_TOKENS - count_tokens(recap.text)
    return Context(select_turns(said[first:], budget), recap.text)
