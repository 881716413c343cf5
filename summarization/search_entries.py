"""The only writer of what the history is found by: in the transaction that writes an entry, and afterwards of those
that were written without it, by the version before."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q, QuerySet

from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.services import own_turns_of
from summarization.folding import fold
from summarization.models import CallHistory, SearchEntry
from summarization.prompts import spoken
from summarization.search_words import pieces_of_text

SAID_LIMIT_CHARACTERS = 200_000
"""Of a conversation that is longer its beginning is found."""

_BATCH = 50
_MOST_AT_ONCE = 2_000
"""A tenth of a second for twenty: what is left the next run does."""


def write(history: CallHistory, turns: Iterable[SpokenTurn]) -> None:
    """Fold an entry as it stands, with what was said. To be called in the transaction that writes it."""
    SearchEntry.objects.bulk_create(
        [_folded(history, turns)],
        update_conflicts=True,
        unique_fields=["history"],
        update_fields=["title", "summary", "said", "pieces", "of_title", "of_turn", "of_summary_at"],
    )


def write_missing(most: int = _MOST_AT_ONCE) -> int:
    """Fold entries that were not, or were changed since, newest first; gives their number.

    In small transactions: nobody waits for it, and two at once do not meet.
    """
    count = 0
    while count < most and (written := _write_some(min(_BATCH, most - count))):
        count += written
    return count


def missing() -> QuerySet[CallHistory]:
    """The entries that are not found by what they say now."""
    has_other_title = ~Q(search_entry__of_title=F("title"))
    has_more_turns = Q(search_entry__of_turn__lt=F("until_turn"))
    has_newer_summary = Q(search_entry__of_summary_at=None) | Q(search_entry__of_summary_at__lt=F("summarised_at"))
    return CallHistory.objects.filter(
        has_other_title | has_more_turns | Q(summarised_at__isnull=False) & has_newer_summary
    )


@transaction.atomic
def _write_some(most: int) -> int:
    some = missing().select_related("conversation").select_for_update(skip_locked=True, of=("self",))
    histories = list(some.defer("search_text").order_by("-written_at")[:most])
    for history in histories:
        write(history, spoken(own_turns_of(history.conversation)))
    return len(histories)


def _folded(history: CallHistory, turns: Iterable[SpokenTurn]) -> SearchEntry:
    title = fold(history.title)
    summary = "\n".join(map(fold, (history.summary, *history.facts)))
    said = "\n".join(map(fold, _within_limit(turn.text for turn in turns)))
    pieces = pieces_of_text("\n".join((title, summary, said)))
    return SearchEntry(
        history=history,
        title=title,
        summary=summary,
        said=said,
        pieces=" ".join((owner_piece(history.conversation.user_id), *sorted(pieces))),
        of_title=history.title,
        of_turn=history.until_turn,
        of_summary_at=history.summarised_at,
    )


def owner_piece(user_id: int) -> str:
    """Among the pieces of what belongs to a user. No word has such a piece: it is longer than any."""
    return f"owner{user_id}"


def _within_limit(texts: Iterable[str]) -> Iterable[str]:
    left = SAID_LIMIT_CHARACTERS
    for text in texts:
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return
