"""The operator's page: its figures are those of the lists they lead to, and nobody sees what they may not."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.line_page.outages import SHOWN
from config.line_page.today import GAPS_DRAWN
from energy.ledger import project_of_the_key
from energy.models import EnergyChange, EnergyState, LiveSlot, ModelQuota
from sessions_app.models import Conversation, LiveSession, SessionEvent, Worker
from summarization.models import CallHistory

PAGE = "/admin/line/"
NOON = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
STILL = NOON + datetime.timedelta(days=9999)
"""For what is held against the clock of the database, which is not at noon."""

FIGURE = re.compile(r'<a class="figure[^"]*" href="([^"]+)"><span class="figure__count">([\d,]+)</span>')
SEEN = {
    *("sessions_app.conversation", "sessions_app.livesession", "sessions_app.sessionevent", "sessions_app.worker"),
    *("energy.liveslot", "energy.modelquota", "energy.energychange", "energy.energystate"),
    "summarization.callhistory",
}
"""Whose rows are shown."""


@pytest.fixture(autouse=True)
def it_is_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def operator(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def clerk(db: None) -> User:
    """Member of the staff who may see nothing yet."""
    return User.objects.create_user("clerk", is_staff=True)


def allow(user: User, label: str) -> Permission:
    app, model = label.split(".")
    permission = Permission.objects.get(content_type__app_label=app, codename=f"view_{model}")
    user.user_permissions.add(permission)
    return permission


def text_of(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def figures(page: str) -> list[tuple[str, int]]:
    return [(unescape(url), int(count.replace(",", ""))) for url, count in FIGURE.findall(page)]


def named(page: str, words: str) -> int:
    """The figure with these words beside it."""
    (count,) = re.findall(rf'__count">([\d,]+)</span> <span class="figure__words">{re.escape(words)}</span>', page)
    return int(count.replace(",", ""))


def ago(**time: float) -> datetime.datetime:
    return NOON - datetime.timedelta(**time)


def session_of(user: User, mode: str = "call", **fields: Any) -> LiveSession:
    conversation = Conversation.objects.create(user=user, mode=mode, started_at=fields.pop("started_at", ago(hours=1)))
    values = {"page_id": uuid.uuid4(), "model": "gemini-x", "owner": "web1:1", "started_at": conversation.started_at}
    return LiveSession.objects.create(conversation=conversation, **{**values, **fields})


def event(session: LiveSession, kind: str, at: datetime.datetime = NOON, **data: Any) -> SessionEvent:
    return SessionEvent.objects.create(
        conversation=session.conversation, live_session=session, kind=kind, at=at, data=data
    )


def gap(session: LiveSession, at: datetime.datetime, gap_ms: int, cause: str) -> SessionEvent:
    return event(session, "connected", at, action="resumed", outage_ms=0, gap_ms=gap_ms, cause=cause)


def make_rows(user: User, number: int = 0) -> None:
    """Something in every part of the page, and beside it what must not be counted."""
    call, chat = session_of(user), session_of(user, "text", owner=f"web2:{number}")
    lost = session_of(user, ended_at=ago(minutes=3), end_reason="owner-lost", owner="web3:3")
    session_of(user, ended_at=ago(minutes=3), end_reason="hung-up", started_at=ago(days=1))
    event(call, "connected", ago(hours=2), action="new", outage_ms=0)
    gap(call, ago(hours=2), 340, "go-away")
    gap(chat, ago(hours=3), 500, "level-changed")
    gap(chat, ago(hours=4), 4_200, "network")
    gap(chat, ago(hours=13), 9_000, "network")
    for session in (call, call, chat):
        event(session, "connection_lost", ago(hours=4), reason="network", code=1006, text="")
    event(chat, "connection_lost", ago(hours=4), reason="quota")
    event(chat, "level_lowered", ago(hours=4), model="gemini-y")
    event(chat, "exhausted", ago(days=2))
    event(lost, "failed", ago(days=9), reason="network")
    event(call, "lost", ago(hours=5), ms=1_500, messages=0, reason="connection")
    event(call, "lost", ago(days=6), ms=0, messages=2, reason="limit")
    event(call, "lost", ago(days=8), ms=0, messages=7, reason="limit")
    for name, owner in ((f"web1:1{number or ''}", {}), (f"web4:{number}", {"leaving_at": NOON})):
        Worker.objects.create(name=name, seen_at=STILL, **owner)
    Worker.objects.create(name=f"web5:{number}", seen_at=ago(days=400))
    spent = {"project": project_of_the_key(), "kind": "day", "spent_since": ago(hours=1), "resets_at": NOON}
    ModelQuota.objects.create(model=f"gemini-{number}", text="You exceeded your quota", **spent)
    ModelQuota.objects.create(model=f"well-{number}", restored_at=NOON, **spent)
    ModelQuota.objects.create(model=f"gemini-{number}", **{**spent, "project": "another"})
    changed = {"user": user, "mode": "call", "previous": 3, "level": 2, "word": "w"}
    EnergyChange.objects.create(reason="rate-limit-exceeded", at=NOON, **changed)
    EnergyChange.objects.create(reason="rate-limit-exceeded", at=ago(days=1), **changed)
    EnergyChange.objects.create(reason="manual", at=NOON, **changed)
    for granted_at, seen_at in ((NOON, NOON), (None, NOON), (None, NOON), (NOON, ago(minutes=5))):
        LiveSlot.objects.create(
            holder=uuid.uuid4(), user=user, mode="call", owner="w", granted_at=granted_at, seen_at=seen_at
        )
    CallHistory.objects.create(conversation=call.conversation, claimed_until=STILL)
    CallHistory.objects.create(conversation=lost.conversation, state="failed", reason="It failed.")
    EnergyState.objects.create(user=user, mode="text", level=0)
    EnergyState.objects.create(user=user, mode="call", level=2)


def test_every_figure_leads_to_as_many_rows_as_it_says(operator: Client, alice: User) -> None:
    make_rows(alice)
    found = figures(text_of(operator))
    assert len(found) > 30
    for url, count in found:
        rows = operator.get(url)
        assert rows.status_code == 200, url
        assert rows.context["cl"].result_count == count, url


def test_on_an_empty_server_every_figure_is_zero_and_every_part_says_so(operator: Client) -> None:
    page = text_of(operator)
    found = figures(page)
    assert {count for _, count in found} == {0}
    assert {operator.get(url).context["cl"].result_count for url, _ in found} == {0}
    for said in ("nobody can talk", "None in 7 days", "without its line today", "No model is known to be spent"):
        assert said in page
    assert "line__table" not in page
    assert 'figure--large" href' in page
    assert "figure--bad" not in page


def test_the_figures_are_those_of_today_and_of_what_still_holds(operator: Client, alice: User) -> None:
    make_rows(alice)
    page = text_of(operator)
    told = {
        **{"sessions open": 2, "of them a call": 1, "of them a text chat": 1, "conversations begun today": 3},
        **{"waiting for a place": 2, "workers heard": 2, "worker silent": 1, "leaving": 1},
        **{"gaps today": 3, "planned": 2, "unplanned": 1, "losses today": 1, "losses in 7 days": 2},
        **{"models spent": 1, "steps down today, by the provider": 1, "users at level 0": 1},
        **{"summaries to be written": 1, "being written": 1, "failed": 1},
    }
    assert {words: named(page, words) for words in told} == told
    assert "0 messages, 1.5 seconds of sound" in page
    assert "2 messages, 1.5 seconds of sound" in page
    assert "2026-11-27 12:00:00" in page
    assert "midnight, UTC" in page


def test_places_are_told_of_how_many_there_are(operator: Client, alice: User, settings: Any) -> None:
    make_rows(alice)
    settings.LIVE_SESSIONS_MAX = 3
    assert named(text_of(operator), "place taken of 3") == 1


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_few(operator: Client, alice: User) -> None:
    make_rows(alice)
    with CaptureQueriesContext(connection) as few:
        text_of(operator)
    for number in range(1, 4):
        make_rows(User.objects.create(username=f"user-{number}"), number)
    for row in list(SessionEvent.objects.all()):
        again = {"conversation": row.conversation, "live_session": row.live_session, "at": row.at, "data": row.data}
        SessionEvent.objects.bulk_create(SessionEvent(kind=row.kind, **again) for _ in range(20))
    Worker.objects.bulk_create(Worker(name=f"more:{number}") for number in range(60))
    with CaptureQueriesContext(connection) as many:
        page = text_of(operator)
    assert len(many) == len(few) <= 22
    assert re.search(r"\d\d more are in the list", page)


def test_the_longest_gaps_are_drawn_and_the_page_says_how_many_there_are(operator: Client, alice: User) -> None:
    session = session_of(alice)
    SessionEvent.objects.bulk_create(
        SessionEvent(
            conversation=session.conversation,
            live_session=session,
            kind="connected",
            at=ago(seconds=number),
            data={"gap_ms": 100 + number, "cause": "go-away" if number % 2 else "network"},
        )
        for number in range(GAPS_DRAWN + 20)
    )
    page = text_of(operator)
    assert "The longest 500 of 520 are drawn." in page
    assert page.count("<use class=") == GAPS_DRAWN + 2, "and two in the key"
    assert page.count('href="#gap-planned"') == page.count('href="#gap-unplanned"') == GAPS_DRAWN // 2 + 1
    assert page.count("<td>planned</td>") == GAPS_DRAWN // 2
    assert ", 619 ms, " in page
    assert ", 120 ms, " in page
    assert ", 119 ms, " not in page, "the shortest are left out"


def test_outages_are_told_newest_first_by_the_hour_with_whom_they_hit(operator: Client, alice: User) -> None:
    first, second = session_of(alice), session_of(alice)
    for session, minutes in ((first, 70), (first, 80), (second, 90)):
        event(session, "connection_lost", ago(minutes=minutes), reason="network")
    event(first, "connection_abandoned", ago(minutes=5), reason="silent")
    event(second, "connection_lost", ago(hours=30), reason="quota")
    page = text_of(operator)
    told = re.findall(r'class="line__words">([^<]+)</th>', page)
    assert told == ["Connections given up as dead: silent", "Connections broke: network", "Connections broke: quota"]
    hit_and_rows = re.findall(r'__count">(\d+)</span><span.*?__count">(\d+)<', page, re.DOTALL)
    assert hit_and_rows == [("1", "1"), ("2", "3"), ("1", "1")]
    assert "10:30:00</span> to" in page
    assert "11-26" in page


def test_no_more_than_twenty_outages_are_told(operator: Client, alice: User) -> None:
    session = session_of(alice)
    for hours in range(SHOWN + 5):
        event(session, "connection_lost", ago(hours=hours), reason="network")
    assert text_of(operator).count("Connections broke: network") == SHOWN


def test_workers_that_are_not_well_come_first_and_those_without_a_row_are_named(operator: Client, alice: User) -> None:
    make_rows(alice)
    page = text_of(operator)
    states = re.findall(r'<th scope="row">([^<]+)</th>\s*<td>(?:<strong>)?(\w+)', page)
    assert states == [("web2:0", "gone"), ("web4:0", "leaving"), ("web5:0", "silent"), ("web1:1", "heard")]
    assert "have no row any more" in page


def test_what_the_provider_said_is_shown_as_text(operator: Client) -> None:
    ModelQuota.objects.create(
        project=project_of_the_key(), model="x", kind="day", spent_since=NOON, resets_at=NOON, text="<b>spent</b>"
    )
    assert "&lt;b&gt;spent&lt;/b&gt;" in text_of(operator)


def test_the_page_needs_no_style_and_no_script_of_its_own(operator: Client, alice: User) -> None:
    make_rows(alice)
    page = text_of(operator)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", page)
    assert "http-equiv" not in page


def test_the_index_of_the_admin_leads_to_it(operator: Client) -> None:
    assert f'href="{PAGE}"' in operator.get("/admin/").content.decode()


@pytest.mark.parametrize("label", sorted(SEEN))
def test_whoever_may_see_one_kind_of_row_sees_figures_of_that_alone(
    client: Client, clerk: User, alice: User, label: str
) -> None:
    make_rows(alice)
    allow(clerk, label)
    client.force_login(clerk)
    found = figures(text_of(client))
    assert found
    for url, count in found:
        assert url.startswith(f"/admin/{label.replace('.', '/')}/?")
        assert client.get(url).context["cl"].result_count == count, url


def test_all_kinds_of_rows_are_tried(operator: Client, alice: User) -> None:
    make_rows(alice)
    kinds = {".".join(url.split("/")[2:4]) for url, _ in figures(text_of(operator))}
    assert kinds == SEEN


def test_what_may_not_be_seen_any_more_is_shown_no_more(client: Client, clerk: User, alice: User) -> None:
    make_rows(alice)
    permission = allow(clerk, "sessions_app.sessionevent")
    client.force_login(clerk)
    page = text_of(client)
    assert "Words lost" in page
    assert "Workers" not in page
    clerk.user_permissions.remove(permission)
    page = text_of(client)
    assert "You may see nothing of what is shown here." in page
    assert not figures(page)
    assert "Words lost" not in page


def test_sessions_are_chosen_by_events_only_by_those_who_may_see_events(
    client: Client, clerk: User, alice: User
) -> None:
    make_rows(alice)
    allow(clerk, "sessions_app.livesession")
    client.force_login(clerk)
    by_event = "/admin/sessions_app/livesession/?events__kind=lost"
    assert client.get(by_event).status_code == 400
    allow(clerk, "sessions_app.sessionevent")
    assert client.get(by_event).status_code == 200


@pytest.mark.parametrize("who", ["nobody", "a user"])
def test_it_is_for_operators(client: Client, alice: User, who: str) -> None:
    if who == "a user":
        client.force_login(alice)
    response = client.get(PAGE)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={PAGE}"


def test_the_row_of_a_worker_cannot_be_deleted_by_hand(operator: Client) -> None:
    worker = Worker.objects.create(name="web1:1")
    assert operator.post(f"/admin/sessions_app/worker/{worker.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Worker.objects.filter(pk=worker.pk).exists()


def test_a_user_whose_line_is_held_can_still_be_deleted(
    operator: Client, alice: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    worker = Worker.objects.create(name="web1:1")
    alice.lines.create(mode="call", worker=worker)
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
