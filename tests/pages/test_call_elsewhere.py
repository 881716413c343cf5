"""The link with which a call goes on on another device: who gets one, and what it says."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from energy.levels import Mode
from sessions_app import hand_over
from sessions_app.models import LiveSession
from sessions_app.throttle import HAND_OVER, Scope
from tests.pages.history_rows import call_that_goes_on

pytestmark = pytest.mark.django_db

URL = "/call/elsewhere/"


@pytest.fixture
def call(alice: User) -> LiveSession:
    """A call of Alice's that goes on."""
    return call_that_goes_on(alice, "m")


def test_the_link_leads_to_the_call_page_with_a_ticket_that_works(
    browser: Client, alice: User, call: LiveSession
) -> None:
    answer = browser.post(URL)
    assert answer["Cache-Control"].find("no-store") >= 0
    told = answer.json()
    link = urlsplit(told["link"])
    assert (link.netloc, link.path, parse_qs(link.query)["take"]) == ("testserver", "/call/", [told["ticket"]])
    assert told["code"].startswith("data:image/svg+xml")
    assert told["valid_s"] == 120
    moving = hand_over.use_ticket(alice, Mode.CALL, uuid.uuid4(), told["ticket"])
    assert moving == hand_over.Moving(call.conversation_id, call.page_id)
    assert "Continue your call here" in browser.get(told["link"]).content.decode()


def test_without_a_call_there_is_none(browser: Client) -> None:
    answer = browser.post(URL)
    assert answer.status_code == HTTPStatus.CONFLICT
    assert answer.json() == {"error": "There is no call that could go on elsewhere."}


def test_a_visitor_and_a_mere_look_get_none(client: Client, browser: Client) -> None:
    assert client.post(URL).status_code == HTTPStatus.FOUND
    assert browser.get(URL).status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.usefixtures("call")
def test_a_form_of_another_site_gets_none(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(URL).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("call")
def test_who_asks_again_and_again_waits(browser: Client) -> None:
    free = HAND_OVER.limits[Scope.ACCOUNT].free
    with time_machine.travel(timezone.now(), tick=False):
        answers = [browser.post(URL, headers={"Accept": "application/json"}).status_code for _ in range(free + 1)]
    assert answers == [HTTPStatus.OK] * free + [HTTPStatus.TOO_MANY_REQUESTS]
