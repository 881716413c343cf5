"""The operator's pages: what they show, in how many queries, and what their actions do."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions_app import secrets
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent
from summarization.models import CallHistory

LISTS = ["conversation", "livesession", "sessionevent", "resumptionhandle"]
HANDLE = "the-handle-that-nobody-may-see"


@pytest.fixture
def operator(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def make(user: User, count: int = 1) -> list[Conversation]:
    """Conversations that go on, each with two turns, an event and a handle."""
    now = timezone.now()
    made = []
    for number in range(count):
        conversation = Conversation.objects.create(user=user, mode="call", started_at=now - timedelta(minutes=number))
        session = LiveSession.objects.create(
            conversation=conversation, page_id=uuid.uuid4(), model="gemini-x", owner="host:1"
        )
        for turn, text in enumerate(("Where is the heron?", "=HYPERLINK(1)")):
            role = "model" if turn else "user"
            conversation.turns.create(number=turn, role=role, text=text, status="complete", at=now)
        SessionEvent.objects.create(conversation=conversation, live_session=session, kind="connected")
        ResumptionHandle.objects.create(
            user=user,
            live_session=session,
            slot="gdm:call-session-handle",
            page_id=session.page_id,
            model="gemini-x",
            ciphertext=secrets.encrypt(HANDLE),
            acknowledged_number=0,
            covered_turn=1,
            expires_at=now + timedelta(hours=2),
        )
        made.append(conversation)
    return made


def act(client: Client, model: str, action: str, *ids: object) -> str:
    """Choose an action for rows; what the page says afterwards, or the file."""
    form = {"action": action, "_selected_action": [str(id) for id in ids]}
    return client.post(f"/admin/sessions_app/{model}/", form, follow=True).content.decode()


@pytest.mark.parametrize("model", LISTS)
def test_fifty_rows_take_as_many_queries_as_one(operator: Client, alice: User, model: str) -> None:
    make(alice)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            page = operator.get(f"/admin/sessions_app/{model}/")
            counts.append((len(queries), page.content.decode().count('name="_selected_action"')))
        make(alice, 49)
    (queries_of_one, one), (queries_of_fifty, fifty) = counts
    assert (one, fifty) == (1, 50)
    assert queries_of_fifty == queries_of_one
    assert queries_of_one <= 14


def test_a_conversation_takes_as_many_queries_with_many_turns_as_with_few(operator: Client, alice: User) -> None:
    (conversation,) = make(alice)
    path = f"/admin/sessions_app/conversation/{conversation.pk}/change/"
    with CaptureQueriesContext(connection) as with_few:
        operator.get(path)
    for number in range(2, 40):
        conversation.turns.create(number=number, role="user", text="More", status="complete", at=timezone.now())
        SessionEvent.objects.create(conversation=conversation, kind="usage", data={"turn": number})
    with CaptureQueriesContext(connection) as with_many:
        page = operator.get(path).content.decode()
    assert len(with_many) <= len(with_few)
    assert "Where is the heron?" in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("model", LISTS)
def test_nothing_can_be_added_and_handles_show_nowhere(operator: Client, alice: User, model: str) -> None:
    (conversation,) = make(alice)
    handle = ResumptionHandle.objects.get()
    rows = {
        "conversation": conversation.pk,
        "livesession": handle.live_session_id,
        "sessionevent": SessionEvent.objects.get().pk,
        "resumptionhandle": handle.pk,
    }
    assert operator.get(f"/admin/sessions_app/{model}/add/").status_code == 403
    shown = operator.get(f"/admin/sessions_app/{model}/").content
    shown += operator.get(f"/admin/sessions_app/{model}/{rows[model]}/change/").content
    shown += act(operator, model, "export_as_csv", rows[model]).encode()
    assert HANDLE.encode() not in shown
    assert bytes(handle.ciphertext)[:30] not in shown


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("conversation", "q=heron"),
        ("conversation", "mode__exact=call&live_sessions__model=gemini-x"),
        ("livesession", "ended_at__isempty=1&q=alice"),
        ("sessionevent", "kind=connected"),
        ("resumptionhandle", "q=alice"),
    ],
)
def test_rows_are_found_by_words_and_filters(operator: Client, alice: User, model: str, query: str) -> None:
    make(alice)
    page = operator.get(f"/admin/sessions_app/{model}/?{query}")
    assert page.status_code == 200
    assert page.content.decode().count('name="_selected_action"') == 1


def test_the_csv_file_has_the_columns_of_the_list(operator: Client, alice: User) -> None:
    first, second = make(alice, 2)
    file = csv.reader(io.StringIO(act(operator, "conversation", "export_as_csv", first.pk, second.pk)))
    head, *rows = file
    assert head[:5] == ["id", "user", "mode", "status", "turns"]
    assert [row[:5] for row in rows] == [
        [str(conversation.pk), "alice", "call", "active", "2"] for conversation in (first, second)
    ]
    assert rows[0][5] == first.started_at.isoformat()


def test_a_cell_that_a_spreadsheet_would_run_is_quoted(operator: Client, alice: User) -> None:
    make(alice)
    SessionEvent.objects.update(kind="=HYPERLINK(1)")
    exported = act(operator, "sessionevent", "export_as_csv", SessionEvent.objects.get().pk)
    assert "'=HYPERLINK(1)" in exported


def test_ending_a_session_ends_its_conversation_and_puts_it_into_the_history(operator: Client, alice: User) -> None:
    (conversation,) = make(alice)
    session = LiveSession.objects.get()
    assert "1 sessions were ended." in act(operator, "livesession", "end_sessions", session.pk)
    session.refresh_from_db()
    conversation.refresh_from_db()
    assert session.ended_at is not None
    assert (conversation.status, conversation.end_reason) == ("ended", "operator")
    assert CallHistory.objects.get().conversation == conversation
    assert not ResumptionHandle.objects.exists()
    assert "0 sessions were ended." in act(operator, "livesession", "end_sessions", session.pk)


def test_a_handle_is_forgotten_and_its_session_stays(operator: Client, alice: User) -> None:
    make(alice)
    shown = act(operator, "resumptionhandle", "forget_handles", ResumptionHandle.objects.get().pk)
    assert "1 handles were forgotten." in shown
    assert not ResumptionHandle.objects.exists()
    assert LiveSession.objects.get().ended_at is None


def test_summaries_are_asked_for_again_where_there_can_be_one(operator: Client, alice: User) -> None:
    over, going_on = make(alice, 2)
    Conversation.objects.filter(pk=over.pk).update(status="ended", ended_at=timezone.now())
    CallHistory.objects.create(conversation=over, title="T", state="failed", reason="No model answered.")
    shown = act(operator, "conversation", "summarise_conversations_again", over.pk, going_on.pk)
    assert "1 summaries were asked for." in shown
    assert CallHistory.objects.get().state == "pending"


def test_a_user_has_no_business_here(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/sessions_app/conversation/").status_code == 302
