"""Conversations that are longer than what is read of them at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from energy.levels import Mode
from sessions_app.live.context import CONTEXT_BUDGET_TOKENS, select_turns
from sessions_app.live.page import EarlierTurns
from sessions_app.live.turn_window import TURNS_AT_ONCE
from sessions_app.models import Conversation, Turn
from sessions_app.stored_turns import load_past, turns_before
from tests.stored import turns_of

pytestmark = pytest.mark.django_db

LONG = 3_000
PAGE, OTHER_PAGE = uuid.uuid4(), uuid.uuid4()
AT = datetime(2026, 1, 1, tzinfo=UTC)


def chat(user: User, continues: Conversation | None = None) -> Conversation:
    return Conversation.objects.create(user=user, mode=Mode.TEXT, continues=continues)


def say(
    talk: Conversation, numbers: Sequence[int], text: str = "Well, so it is.", page: uuid.UUID = OTHER_PAGE
) -> None:
    """The user's even numbers, typed, and the model's odd ones."""
    Turn.objects.bulk_create(
        Turn(
            conversation=talk,
            number=number,
            role="model" if number % 2 else "user",
            text=text,
            status="complete",
            page_id=page,
            client_id="" if number % 2 else f"typed-{number}",
            at=AT,
        )
        for number in numbers
    )


def numbers_before(talk: Conversation, number: int) -> list[int]:
    return [turn.number for turn in turns_before(talk.pk, PAGE, number).turns]


def all_numbers(talk: Conversation) -> list[int]:
    """As a page comes to know them that scrolls up to the first."""
    turns, earlier = load_past(talk, PAGE)
    numbers, more = [turn.number for turn in turns], earlier.exist
    while more:
        window = turns_before(talk.pk, PAGE, numbers[0])
        numbers, more = [turn.number for turn in window.turns] + numbers, window.more
    return numbers


# -- the newest --------------------------------------------------------------------------------------------------------


def test_a_conversation_that_fits_is_there_as_a_whole(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(TURNS_AT_ONCE))
    assert load_past(talk, PAGE) == (turns_of(talk, PAGE), EarlierTurns())


def test_of_a_longer_one_the_newest_are_there(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(LONG))
    turns, earlier = load_past(talk, PAGE)
    assert turns == turns_of(talk, PAGE)[-TURNS_AT_ONCE:]
    assert earlier.exist


@pytest.mark.parametrize("text", ["Yes.", "Well, so it is, and so it was. " * 3, "word " * 400])
def test_a_session_without_memory_is_told_as_much_as_if_all_had_been_read(text: str, alice: User) -> None:
    talk = chat(alice)
    say(talk, range(LONG), text)
    turns, earlier = load_past(talk, PAGE)
    told = select_turns((*earlier.spoken, *turns))
    assert told == select_turns(turns_of(talk, PAGE))
    assert sum(len(turn.text) for turn in earlier.spoken) <= 4 * CONTEXT_BUDGET_TOKENS


def test_what_waits_for_its_reply_takes_no_place_in_the_context(alice: User) -> None:
    """The page sends it again; what was said before the outage must still be told."""
    talk = chat(alice)
    say(talk, range(100), "word " * 40)
    say(talk, range(100, 1_100, 2), "Are you there? " * 40, PAGE)
    turns, earlier = load_past(talk, PAGE)
    assert {turn.role for turn in turns} == {"user"}
    assert earlier.spoken == select_turns(turns_of(talk, PAGE)[:100])
    assert (earlier.last_reply, earlier.last_whole_reply) == (99, 99)


def test_a_reply_that_was_cut_off_is_the_last_and_not_the_last_whole_one(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(100))
    Turn.objects.filter(number=99).update(status="interrupted")
    say(talk, range(100, 1_100, 2), page=PAGE)
    _, earlier = load_past(talk, PAGE)
    assert (earlier.last_reply, earlier.last_whole_reply) == (99, 97)


@pytest.mark.parametrize("code", ["turn.no_answer", "turn.refused"])
def test_the_word_that_there_is_no_answer_ends_an_exchange_as_a_reply_does(code: str, alice: User) -> None:
    talk = chat(alice)
    say(talk, range(100))
    Turn.objects.filter(number=99).update(role="system", code=code)
    say(talk, range(100, 1_100, 2), page=PAGE)
    _, earlier = load_past(talk, PAGE)
    assert (earlier.last_reply, earlier.last_whole_reply) == (99, 99)


def test_every_message_that_the_page_typed_is_known_by_its_id_and_no_other_pages(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(0, 1_000), page=PAGE)
    say(talk, range(1_000, 2_000))
    _, earlier = load_past(talk, PAGE)
    assert earlier.typed == {f"typed-{number}": number for number in range(0, 1_000, 2)}


# -- earlier ones ------------------------------------------------------------------------------------------------------


def test_the_turns_before_a_number_follow_on_without_a_gap(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(LONG))
    assert numbers_before(talk, 2_800) == list(range(2_800 - TURNS_AT_ONCE, 2_800))
    assert turns_before(talk.pk, PAGE, TURNS_AT_ONCE + 1).more
    assert not turns_before(talk.pk, PAGE, TURNS_AT_ONCE).more
    assert numbers_before(talk, 0) == []
    assert all_numbers(talk) == list(range(LONG))


def test_numbers_may_have_gaps(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(0, LONG, 7))
    assert all_numbers(talk) == list(range(0, LONG, 7))


def test_long_turns_come_in_smaller_pieces(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(40), "\N{GRINNING FACE}" * 32_000)
    assert len(numbers_before(talk, 40)) == 4
    assert all_numbers(talk) == list(range(40))


@pytest.mark.parametrize("lengths", [[5] * 12, [1, 900, 2, 0, 3, 450, 1], [400, 400, 400]])
def test_a_chain_of_conversations_is_read_as_one(lengths: list[int], alice: User) -> None:
    link, first = chat(alice), 0
    for length in lengths:
        link = chat(alice, continues=link)
        say(link, range(first, first + length))
        first += length
    say(chat(alice), range(50_000, 50_300))
    assert all_numbers(link) == list(range(first))


def test_ids_are_told_to_the_page_that_typed_them(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(2))
    assert [turn.id for turn in turns_before(talk.pk, OTHER_PAGE, 2).turns] == ["typed-0", ""]
    assert [turn.id for turn in turns_before(talk.pk, PAGE, 2).turns] == ["", ""]


# -- what it costs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("links", "queries"), [(1, 2), (2, 3), (9, 3)])
def test_the_number_of_queries_does_not_grow(
    links: int, queries: int, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    talk = chat(alice)
    for link in range(links - 1):
        say(talk, range(link * 100, link * 100 + 100))
        talk = chat(alice, continues=talk)
    say(talk, range(10_000, 10_500))
    with django_assert_max_num_queries(queries + 2):  # the savepoint and its end
        turns_before(talk.pk, PAGE, 10_400)


def test_the_newest_turns_are_found_in_the_index_and_not_sorted(alice: User) -> None:
    talk = chat(alice)
    say(talk, range(LONG))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE sessions_app_turn")
    with CaptureQueriesContext(connection) as captured:
        turns_before(talk.pk, PAGE, 2_000)
    (read,) = [query["sql"] for query in captured if "sessions_app_turn" in query["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("EXPLAIN " + read[read.index("SELECT") :])
            plan = " ".join(row[0] for row in cursor.fetchall())
            assert "Index Scan Backward using turn_number_unique" in plan
            assert "Sort" not in plan
        else:
            cursor.execute("EXPLAIN QUERY PLAN " + read)
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
            assert "USING INDEX" in plan
            assert "TEMP B-TREE" not in plan
