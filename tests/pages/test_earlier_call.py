"""What pages say of a call that goes on from another one."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from energy.levels import Mode
from sessions_app import services
from sessions_app.models import Conversation
from sessions_app.services import SessionRequest
from sessions_app.user_settings.rows import UserSettings
from tests.pages.history_rows import converse


def an_ended_call(user: User, title: str = "A trip") -> Conversation:
    return converse(user, "Where to?", "To Rome.", title=title, started_at=timezone.now() - timedelta(hours=5))


def a_call_that_goes_on(user: User, from_: uuid.UUID) -> str:
    request = SessionRequest(user, Mode.CALL, "gdm:call-session-handle", uuid.uuid4(), goes_on_from=from_)
    return services.open_session(request, "gemini-3.8-live", "host:1").conversation


def page_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_lobby_asks_about_the_users_own_last_call(client: Client, alice: User, bob: User) -> None:
    own = an_ended_call(alice, 'A <b>trip</b> "there"')
    an_ended_call(bob)
    client.force_login(alice)
    page = page_of(client, "/call/")
    assert page.count("data-conversation=") == 1
    assert f'data-conversation="{own.pk}"' in page
    assert 'data-title="A &lt;b&gt;trip&lt;/b&gt; &quot;there&quot;"' in page


@pytest.mark.parametrize("query", ["?continue=00000000-0000-4000-8000-000000000000", "?take=ticket"])
def test_whoever_continues_a_conversation_or_takes_one_over_is_not_asked(
    client: Client, alice: User, query: str
) -> None:
    an_ended_call(alice)
    client.force_login(alice)
    assert "data-conversation=" not in page_of(client, f"/call/{query}")


@pytest.mark.parametrize(("new_call", "boxes", "ticked"), [("never", 0, 0), ("ask", 2, 0), ("always", 2, 2)])
def test_the_setting_decides_whether_there_is_a_question_and_how_it_is_answered_beforehand(
    client: Client, alice: User, new_call: str, boxes: int, ticked: int
) -> None:
    an_ended_call(alice)
    UserSettings.objects.create(user=alice, new_call=new_call)
    client.force_login(alice)
    page = page_of(client, "/call/")
    assert (page.count('type="checkbox" autocomplete="off"'), page.count(" checked>")) == (boxes, ticked)


def test_the_history_of_each_of_the_two_leads_to_the_other(client: Client, alice: User) -> None:
    earlier = an_ended_call(alice)
    later = a_call_that_goes_on(alice, earlier.pk)
    client.force_login(alice)
    link = f'<a href="/history/{earlier.pk}/">A trip</a>'
    page = page_of(client, f"/history/{later}/")
    assert f"Goes on from {link}" in page
    assert f"This call goes on from {link}." in page
    assert f'A call went on from it: <a href="/history/{later}/">' in page_of(client, f"/history/{earlier.pk}/")
    exported = client.get(f"/history/{later}/export.json").json()
    assert exported["goes_on_from"] == {"id": str(earlier.pk), "title": "A trip"}
    assert f"Goes on from: {earlier.history.title}" in page_of(client, f"/history/{later}/export.md")


def test_a_call_in_which_nothing_was_said_is_not_the_last_one_at_home(client: Client, alice: User) -> None:
    a_call_that_goes_on(alice, uuid.uuid4())
    client.force_login(alice)
    assert "Last call" not in page_of(client, "/")
