"""What the history is found by is written with it, goes with it, and comes with a backup."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from config.backup.dump import dump
from config.backup.load import load
from sessions_app.models import Conversation
from summarization import checks, history, search_entries, services
from summarization.history import Filters
from summarization.models import CallHistory, SearchEntry
from summarization.search_entries import SAID_LIMIT_CHARACTERS
from summarization.summarizing import SummarizationService
from tests.summarization.talk import Talk, past_call, spoken, turns


def found(user: User, *words: str) -> int:
    return len(history.find(user, Filters(words)))


def indexed(piece: str) -> int:
    """How many texts the index of pieces has with a piece, whatever the tables say."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM summarization_searchentry WHERE string_to_array(pieces, ' ') @> ARRAY[%s]",
                [piece],
            )
        else:
            cursor.execute(
                "SELECT count(*) FROM summarization_searchpieces WHERE summarization_searchpieces MATCH %s",
                [f'"{piece}"'],
            )
        (count,) = cursor.fetchone()
    return int(count)


def entered(user: User, text: str = "A heron, a Hôtel") -> Talk:
    talk = past_call(user, turns(40, {3: text}))
    services.write_call_history(talk.id)
    return talk


def test_an_sqlite_that_cannot_search_is_told_before_it_is_used() -> None:
    assert checks.check_search() == []
    (error,) = checks.without({"ENABLE_FTS3"})
    assert error.id == "holdline.E401"
    assert "FTS5" in error.msg
    assert "PostgreSQL" in str(error.hint)


@pytest.mark.django_db
def test_an_entry_is_found_at_once_by_what_was_said(alice: User) -> None:
    entered(alice)
    assert SearchEntry.objects.count() == 1
    assert not search_entries.missing().exists()
    assert found(alice, "HERON", "hotel") == 1
    assert indexed("heron") == 1


@pytest.mark.django_db
def test_it_is_found_by_its_summary_and_by_its_new_title(alice: User, service: SummarizationService) -> None:
    talk = entered(alice)
    assert found(alice, "the user said") == 0
    services.write_summary(talk.id, service)
    assert found(alice, "the user said") == 1
    services.rename(alice, talk.id, "Ärger")
    assert found(alice, "arger") == 1
    assert not search_entries.missing().exists()


@pytest.mark.django_db
def test_deleting_leaves_no_word(alice: User, bob: User) -> None:
    talk = entered(alice)
    entered(alice)
    entered(bob)
    services.delete_conversation(alice, talk.id)
    assert (SearchEntry.objects.count(), indexed("heron")) == (2, 2)
    services.delete_all(alice)
    assert (SearchEntry.objects.count(), indexed("heron")) == (1, 1)
    bob.delete()
    assert (SearchEntry.objects.count(), indexed("heron")) == (0, 0)


@pytest.mark.django_db
def test_words_go_with_a_conversation_that_the_version_before_deletes(alice: User) -> None:
    """It does not know of them. It does not work beside this one on SQLite, which one process uses."""
    talk = entered(alice)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM summarization_callhistory")
    else:
        Conversation.objects.filter(pk=talk.id).delete()
    assert (SearchEntry.objects.count(), indexed("heron")) == (0, 0)


@pytest.mark.django_db
def test_what_the_version_before_writes_is_made_ready_afterwards(alice: User) -> None:
    for _ in range(3):
        entered(alice)
    first, second, third = CallHistory.objects.order_by("pk")
    SearchEntry.objects.filter(history=first).delete()
    CallHistory.objects.filter(pk=second.pk).update(title="A zebra")
    assert found(alice, "zebra") == 0
    assert set(search_entries.missing()) == {first, second}
    assert search_entries.write_missing(1) == 1
    assert search_entries.write_missing() == 1
    assert search_entries.write_missing() == 0
    assert found(alice, "zebra") == 1
    CallHistory.objects.filter(pk=third.pk).update(until_turn=90)
    assert set(search_entries.missing()) == {third}


@pytest.mark.django_db
def test_a_transaction_that_is_rolled_back_leaves_nothing(alice: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        entered(alice)
        raise ZeroDivisionError
    assert (SearchEntry.objects.count(), indexed("heron")) == (0, 0)


@pytest.mark.django_db
def test_of_a_very_long_conversation_no_more_is_kept_than_the_limit(alice: User) -> None:
    talk = past_call(alice, (spoken(0, "ab " * SAID_LIMIT_CHARACTERS), spoken(1, "zebra")))
    services.write_call_history(talk.id)
    assert len(SearchEntry.objects.get().said) <= SAID_LIMIT_CHARACTERS


@pytest.mark.django_db(transaction=True)
def test_a_restored_history_is_found(alice: User) -> None:
    entered(alice)
    stream = io.BytesIO()
    dump(stream, lambda name, count: None)
    CallHistory.objects.all().delete()
    load(io.BytesIO(stream.getvalue()), lambda name, count: None, replace=True)
    assert found(User.objects.get(username="alice"), "hotel") == 1
    assert indexed("heron") == 1
    services.delete_all(User.objects.get(username="alice"))
    assert indexed("heron") == 0
