"""The list of text chats, what can be done with one, and that one which is opened again is the same conversation."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from energy.levels import Mode
from sessions_app.models import Conversation
from sessions_app.services import NotYours
from summarization import chats, services
from summarization.models import CallHistory
from tests.pages.history_rows import NOON, converse
from tests.sessions_app.test_services import ask_for, open_for

pytestmark = pytest.mark.stored


def titles(user: User, number: int = 1) -> list[str]:
    return [chat.title for chat in chats.page_of_chats(user, number).chats]


def chat_of(user: User, title: str, hours: int = 0, **more: object) -> Conversation:
    return converse(user, "One?", "One.", title=title, mode="text", started_at=NOON + timedelta(hours=hours), **more)  # type: ignore[arg-type]


def test_pinned_chats_come_first_and_then_those_that_were_used_last(alice: User, bob: User) -> None:
    old = chat_of(alice, "Old")
    chat_of(alice, "New", 2)
    chat_of(alice, "Middle", 1)
    chat_of(bob, "Bob's", 3)
    converse(alice, "Hello?", title="A call", mode="call")
    Conversation.objects.create(user=alice, mode="text")
    assert titles(alice) == ["New", "Middle", "Old"]
    chats.pin(alice, old.pk, True)
    assert titles(alice) == ["Old", "New", "Middle"]
    chats.pin(alice, old.pk, False)
    assert titles(alice) == ["New", "Middle", "Old"]


def test_a_chat_that_another_one_continues_is_its_beginning(alice: User) -> None:
    first = chat_of(alice, "First")
    second = Conversation.objects.create(user=alice, mode="text", continues=first)
    assert titles(alice) == ["First"]
    second.turns.create(number=5, role="user", text="Second", status="complete", at=NOON)
    assert titles(alice) == ["Second"]


def test_what_programs_ask_in_is_no_chat_of_pages(alice: User) -> None:
    asked = chat_of(alice, "Asked")
    Conversation.objects.filter(pk=asked.pk).update(end_reason=Conversation.ASKED)
    assert titles(alice) == []
    with pytest.raises(NotYours):
        open_for(replace(ask_for(alice), opens=asked.pk))


def test_a_page_has_twenty_and_says_which_are_beside_it(alice: User) -> None:
    for number in range(21):
        chat_of(alice, f"Chat {number}", number)
    first, second = chats.page_of_chats(alice, 1), chats.page_of_chats(alice, 2)
    assert (len(first.chats), first.newer, first.older) == (20, None, 2)
    assert ([chat.title for chat in second.chats], second.newer, second.older) == (["Chat 0"], 1, None)
    assert chats.page_of_chats(alice, 0) == first
    assert chats.page_of_chats(alice, 10**30).chats == ()


def test_a_chat_that_is_opened_is_the_same_conversation_and_the_one_before_is_over(alice: User) -> None:
    old = chat_of(alice, "Old")
    current = open_for(ask_for(alice))
    opening = open_for(replace(ask_for(alice), opens=old.pk))
    assert opening.conversation == str(old.pk)
    assert [turn.text for turn in opening.turns] == ["One?", "One."]
    assert Conversation.objects.get(pk=current.conversation).status == Conversation.Status.ENDED
    assert Conversation.objects.get(pk=old.pk).status == Conversation.Status.ACTIVE
    assert open_for(ask_for(alice)).conversation == str(old.pk)


def test_nobody_opens_the_chat_of_somebody_else_or_a_call_as_a_chat(alice: User, bob: User) -> None:
    call = converse(alice, "Hello?", mode="call")
    for user, id in ((bob, chat_of(alice, "Hers").pk), (alice, call.pk), (alice, uuid.uuid4())):
        with pytest.raises(NotYours):
            open_for(replace(ask_for(user), opens=id))


def test_a_call_has_no_chat_to_open(alice: User) -> None:
    old = chat_of(alice, "Old")
    assert open_for(replace(ask_for(alice, Mode.CALL), opens=old.pk)).conversation != str(old.pk)


def test_a_chat_that_goes_on_can_be_renamed_and_keeps_its_name(alice: User, client: Client) -> None:
    chat = chat_of(alice, "", is_over=False)
    assert not CallHistory.objects.filter(conversation=chat).exists()
    client.force_login(alice)
    page = client.get(f"/text/chats/{chat.pk}/rename/")
    assert page.status_code == 200
    answer = client.post(f"/text/chats/{chat.pk}/rename/", {"title": "Tides"})
    assert answer["Location"] == "/text/chats/"
    assert titles(alice) == ["Tides"]
    in_the_box = f"/text/chats/{chat.pk}/rename/?from=text"
    assert b'href="/text/#chats">Cancel' in client.get(in_the_box).content
    assert client.post(in_the_box, {"title": "Tides"})["Location"] == "/text/#chats"
    chat.turns.create(number=9, role="user", text="Something else entirely?", status="complete", at=NOON)
    Conversation.objects.filter(pk=chat.pk).update(status="ended", ended_at=NOON)
    services.write_call_history(chat.pk)
    assert titles(alice) == ["Tides"]


def test_the_page_lists_pins_and_lets_go_and_a_stranger_finds_nothing(alice: User, bob: User, client: Client) -> None:
    chat = chat_of(alice, "Tides <b>")
    live = chat_of(alice, "Open", 1, is_over=False)
    client.force_login(alice)
    page = client.get("/text/chats/").content.decode()
    assert f'href="/text/?open={chat.pk}"' in page
    assert "Tides &lt;b&gt;" in page
    assert ">One?<" in page
    assert f"/history/{chat.pk}/delete/" in page
    assert f"/history/{live.pk}/delete/" not in page
    assert client.post(f"/text/chats/{chat.pk}/pin/", {"pinned": "1"})["Location"] == "/text/chats/"
    assert "data-pinned" in client.get("/text/chats/?page=x").content.decode()
    client.post(f"/text/chats/{chat.pk}/pin/", {"pinned": "0"})
    assert "data-pinned" not in client.get("/text/chats/?page=²").content.decode()
    assert client.get(f"/text/chats/{chat.pk}/pin/").status_code == 405
    client.force_login(bob)
    assert client.post(f"/text/chats/{chat.pk}/pin/").status_code == 404
    assert client.get(f"/text/chats/{chat.pk}/rename/").status_code == 404
    assert "is kept here, chat by chat" in client.get("/text/chats/").content.decode()
