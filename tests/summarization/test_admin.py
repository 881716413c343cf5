"""What operators see of summaries, and what they can do about them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from summarization import claims, rolling, services
from summarization.attempts import CLAIM_VALID, CLAIMS_LOST_BEFORE_FAILED
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.summarizing import SummarizationService
from tests.summarization.talk import Talk, past_call, turns

pytestmark = pytest.mark.django_db

HISTORIES = "/admin/summarization/callhistory/"
ROLLING = "/admin/summarization/rollingsummary/"
QUERIES = 12
"""Session, account, counts, filters, date hierarchy, and one for the rows, however many."""


@pytest.fixture
def operator(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def enter(user: User, count: int) -> None:
    for _ in range(count):
        services.write_call_history(past_call(user, turns(12)).id)


def test_fifty_rows_cost_as_many_queries_as_one(
    operator: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    enter(alice, 50)
    going_on = Talk(alice)
    going_on.say(turns(6))
    rolling.request_rolling_summary_if_due(going_on.id)
    for page in (HISTORIES, ROLLING):
        with django_assert_max_num_queries(QUERIES):
            answer = operator.get(page)
        assert answer.status_code == 200
        assert "alice" in answer.content.decode()


def test_an_entry_is_shown_without_what_only_the_search_needs(operator: Client, alice: User) -> None:
    enter(alice, 1)
    page = operator.get(f"{HISTORIES}{CallHistory.objects.get().pk}/change/")
    assert page.status_code == 200
    assert "search_text" not in page.content.decode()


def test_an_operator_has_summaries_written_again(operator: Client, alice: User, service: SummarizationService) -> None:
    enter(alice, 2)
    for history in CallHistory.objects.all():
        services.write_summary(history.conversation_id, service)
    first = CallHistory.objects.first()
    assert first
    operator.post(HISTORIES, {"action": "summarise_again", "_selected_action": [first.pk]})
    assert CallHistory.objects.filter(state=SummaryState.PENDING).get() == first


def test_rows_are_exported_as_they_are_listed(operator: Client, alice: User) -> None:
    enter(alice, 2)
    ids = list(CallHistory.objects.values_list("pk", flat=True))
    answer = operator.post(HISTORIES, {"action": "export_as_csv", "_selected_action": ids})
    assert answer["Content-Type"].startswith("text/csv")
    assert len(answer.content.decode().splitlines()) == 3


def test_operators_see_which_claims_run_by_whom_and_until_when(operator: Client, alice: User) -> None:
    enter(alice, 3)
    running, lost, _ = CallHistory.objects.all()
    claim = claims.take(CallHistory.objects.all(), running.conversation_id)
    assert claim
    claims.take(CallHistory.objects.all(), lost.conversation_id, timezone.now() - 2 * CLAIM_VALID)
    page = operator.get(f"{HISTORIES}?claim=running").content.decode()
    assert claim.rows.get().claimed_by in page
    assert "1 call history" in page
    assert str(running.conversation_id) in page
    assert str(lost.conversation_id) in operator.get(f"{HISTORIES}?claim=run-out").content.decode()


def test_operators_find_what_was_given_up_and_let_it_be_tried_again(operator: Client, alice: User) -> None:
    given_up = RollingSummary.objects.create(conversation=Talk(alice).row, claims_lost=CLAIMS_LOST_BEFORE_FAILED)
    RollingSummary.objects.create(conversation=Talk(alice).row)
    page = operator.get(f"{ROLLING}?claim=given-up").content.decode()
    assert "1 rolling summary" in page
    answer = operator.post(ROLLING, {"action": "allow_again", "_selected_action": [given_up.pk]}, follow=True)
    assert "1 summaries may be tried again." in answer.content.decode()
    given_up.refresh_from_db()
    assert given_up.claims_lost == 0


@pytest.mark.parametrize("page", [HISTORIES, ROLLING])
def test_nothing_can_be_added_or_changed(operator: Client, alice: User, page: str) -> None:
    enter(alice, 1)
    RollingSummary.objects.create(conversation=CallHistory.objects.get().conversation)
    assert operator.get(f"{page}add/").status_code == 403
    first = (CallHistory if page == HISTORIES else RollingSummary).objects.get()
    assert operator.post(f"{page}{first.pk}/change/", {"attempts": 7}).status_code == 403


@pytest.mark.parametrize("page", [HISTORIES, ROLLING])
def test_users_do_not_get_in(client: Client, alice: User, page: str) -> None:
    client.force_login(alice)
    assert client.get(page).status_code == 302
