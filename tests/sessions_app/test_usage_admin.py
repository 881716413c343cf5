"""The operator's view of usage: lists, totals by filter, days and users, files."""

from __future__ import annotations

import csv
import datetime
import io
import re
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from energy.admin import ROWS_PER_PAGE
from sessions_app import admin
from sessions_app.models import Conversation, LiveSession, TurnUsage
from sessions_app.usage import save_usage

LIST = "/admin/sessions_app/turnusage/"
MODEL = "gemini-3.8-live"
NOON = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def operator(client: Client, sam: User, settings: Settings) -> Client:
    settings.TOKEN_PRICES = '{"gemini-3.8": {"audio_in": 3, "audio_out": 12}}'
    client.force_login(sam)
    return client


def spend(
    user: User, at: datetime.datetime = NOON, mode: str = "call", model: str = MODEL, turns: int = 1
) -> Conversation:
    """Turns of 1,000 tokens heard and 100 spoken, 4,200 micro-dollars each."""
    conversation = Conversation.objects.create(user=user, mode=mode)
    session = LiveSession.objects.create(conversation=conversation, page_id=uuid.uuid4(), model=model, owner="host:1")
    heard = {"prompt_tokens": 1000, "prompt_tokens_by_modality": {"AUDIO": 1000}}
    for turn in range(turns):
        save_usage(str(conversation.pk), str(session.pk), turn, turn, model, {**heard, "response_tokens": 100})
    conversation.usages.update(at=at)
    return conversation


def text_of(client: Client, path: str) -> str:
    """What is to be read on the page, without its tags."""
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def table_of(client: Client, path: str) -> list[list[str]]:
    response = client.get(path)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode())))


def test_the_list_shows_turns_and_the_totals_of_all(operator: Client, alice: User, bob: User) -> None:
    spend(alice, turns=2)
    spend(bob)
    shown = text_of(operator, LIST)
    assert (
        "3 turns: 3,000 tokens in (0 text, 3,000 audio; 0 of tools, 0 cached), 300 out (0 text, 300 audio), $0.0126"
        in shown
    )
    assert "0.004200" in shown


@pytest.mark.parametrize(
    "query",
    [
        "q=alice",
        "conversation__mode__exact=text",
        "model=gemini-x",
        "at__day=19&at__month=11&at__year=2026",
        "at__gte=2026-11-19+00%3A00%3A00%2B00%3A00&at__lt=2026-11-20+00%3A00%3A00%2B00%3A00",
    ],
)
def test_the_totals_are_those_of_what_the_filters_leave(operator: Client, alice: User, bob: User, query: str) -> None:
    spend(bob, turns=3)
    spend(alice, NOON - DAY, "text", "gemini-x")
    assert "1 turn: 1,000 tokens in (0 text, 1,000 audio; 0 of tools, 0 cached), 100 out" in text_of(
        operator, f"{LIST}?{query}"
    )
    for key, group in (("day", "2026-11-19"), ("user", "alice")):
        (_, line) = table_of(operator, f"{LIST}per-{key}.csv?{query}")
        assert line == [group, "1", "1000", "0", "1000", "0", "0", "100", "0", "100", "0.000000"]


def test_the_totals_cover_every_page_of_the_list(operator: Client, alice: User) -> None:
    spend(alice, turns=ROWS_PER_PAGE + 1)
    assert "51 turns: 51,000 tokens in" in text_of(operator, f"{LIST}?p=2")


def test_days_and_users_are_shown_and_lead_back_to_the_list(operator: Client, alice: User, bob: User) -> None:
    spend(alice, turns=2)
    spend(alice, NOON - DAY)
    spend(bob, NOON - DAY)
    page = operator.get(f"{LIST}?model={MODEL}").content.decode()
    assert f'href="{LIST}per-day/?model={MODEL}"' in page
    assert f'href="{LIST}per-user/?model={MODEL}"' in page
    days = text_of(operator, f"{LIST}per-day/?model={MODEL}")
    assert (
        "Nov. 20, 2026 2 2000 0 2000 0 0 200 0 200 0.008400 Nov. 19, 2026 2 2000 0 2000 0 0 200 0 200 0.008400" in days
    )
    users = operator.get(f"{LIST}per-user/?model={MODEL}").content.decode()
    assert f'href="{LIST}?model={MODEL}"' in users
    assert f'href="{LIST}per-user.csv?model={MODEL}"' in users
    shown = text_of(operator, f"{LIST}per-user/")
    assert "alice 3 3000 0 3000 0 0 300 0 300 0.012600 bob 1 1000 0 1000 0 0 100 0 100 0.004200" in shown
    assert "more are in the CSV file" not in shown


def test_a_page_shows_no_more_than_it_can_and_the_file_has_the_rest(
    operator: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "TOTALS_SHOWN", 2)
    for days in range(5):
        spend(alice, NOON - days * DAY)
    shown = text_of(operator, f"{LIST}per-day/")
    assert "Nov. 19, 2026" in shown
    assert "Nov. 18, 2026" not in shown
    assert "3 more are in the CSV file." in shown
    head, *lines = table_of(operator, f"{LIST}per-day.csv")
    assert head == [
        "day",
        "turns",
        "tokens in",
        "text in",
        "audio in",
        "of tools in",
        "cached in",
        "tokens out",
        "text out",
        "audio out",
        "cost, USD",
    ]
    assert len(lines) == 5


def test_the_file_of_users_runs_no_formula(operator: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="@SUM(1)")
    spend(alice)
    assert table_of(operator, f"{LIST}per-user.csv")[1][0] == "'@SUM(1)"


def test_selected_turns_can_be_exported(operator: Client, alice: User) -> None:
    spend(alice)
    form = {"action": "export_as_csv", "_selected_action": [str(TurnUsage.objects.get().pk)]}
    head, line = csv.reader(io.StringIO(operator.post(LIST, form).content.decode()))
    row = dict(zip(head, line, strict=True))
    assert (row["at"], row["User"], row["Mode"], row["model"]) == (NOON.isoformat(), "alice", "call", MODEL)
    assert (row["tokens in"], row["audio out"], row["cost, USD"]) == ("1000", "100", "0.004200")


@pytest.mark.parametrize("path", ["", "per-day/", "per-user/", "per-day.csv", "per-user.csv"])
def test_many_turns_take_as_many_queries_as_one(operator: Client, alice: User, bob: User, path: str) -> None:
    spend(alice)
    with CaptureQueriesContext(connection) as of_one:
        operator.get(f"{LIST}{path}")
    for user in (alice, bob):
        spend(user, NOON - DAY, turns=30)
    with CaptureQueriesContext(connection) as of_many:
        operator.get(f"{LIST}{path}")
    assert len(of_many) == len(of_one)
    assert len(of_one) <= 12


def test_pages_without_a_turn_say_so(operator: Client) -> None:
    assert "0 turns: 0 tokens in" in text_of(operator, LIST)
    assert "No turn has been counted." in text_of(operator, f"{LIST}per-day/")


def test_nothing_can_be_added_or_changed(operator: Client, alice: User) -> None:
    spend(alice)
    assert operator.get(f"{LIST}add/").status_code == 403
    page = operator.get(f"{LIST}{TurnUsage.objects.get().pk}/change/").content.decode()
    assert 'name="_save"' not in page


def test_filters_that_make_no_sense_lead_nowhere(operator: Client) -> None:
    assert operator.get(f"{LIST}?at__year=never").status_code == 302
    assert operator.get(f"{LIST}per-day/?at__year=never").status_code == 404


def test_usage_is_for_those_who_may_see_it(client: Client, alice: User) -> None:
    paths = [f"{LIST}{path}" for path in ("", "per-day/", "per-user/", "per-day.csv", "per-user.csv")]
    client.force_login(alice)
    assert [client.get(path).status_code for path in paths] == [302] * 5
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert [client.get(path).status_code for path in paths] == [403] * 5
    alice.user_permissions.add(Permission.objects.get(codename="view_turnusage"))
    spend(alice, timezone.now())
    assert [client.get(path).status_code for path in paths] == [200] * 5


def test_the_pages_keep_the_policy(operator: Client, alice: User) -> None:
    spend(alice)
    for path in ("", "per-day/", "per-user/"):
        page = operator.get(f"{LIST}{path}").content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
