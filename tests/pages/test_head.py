"""HEAD is GET without the body: link checkers, monitors and download managers ask that way."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

from sessions_app.models import Conversation, Throttle
from tests.pages.history_rows import converse
from tests.pages.routes import path_of, routes

pytestmark = pytest.mark.usefixtures("patient_readiness")

RENEWED = {"Expires", "Content-Security-Policy"}
"""Headers that may differ between two answers to the same GET: a moment, a nonce."""

SEEN_BY = {
    "visitor": {"", "healthz", "readyz", "accounts/login/", "accounts/signup/"},
    "alice": {
        *("", "text/", "call/", "history/", "history/delete-all/", "history/<id>/"),
        *("history/<id>/rename/", "history/<id>/delete/", "history/<id>/export.md", "history/<id>/export.json"),
    },
    "sam": {
        *("admin/", "admin/sessions_app/conversation/", "admin/sessions_app/conversation/<object_id>/change/"),
        *("admin/sessions_app/turnusage/per-day/", "admin/sessions_app/turnusage/per-day.csv"),
    },
}
"""Pages that the comparison must have reached: a walk that meets refusals alone would prove nothing."""


OF_NOBODY = {"healthz", "admin/jsi18n/", "favicon.ico", "manifest.webmanifest"}
"""Pages that say the same to everybody."""


@pytest.fixture
def conversation(alice: User) -> Conversation:
    """One of Alice's, with everything that a page about it may show or export."""
    return converse(alice, "My code word is PLUM-42", "Noted.", reports=({"prompt_tokens": 7, "response_tokens": 3},))


@pytest.fixture
def clients(client: Client, alice: User, sam: User) -> dict[str, Client]:
    """Browsers of a visitor, a user and an operator."""
    clients = {"visitor": client, "alice": Client(), "sam": Client()}
    clients["alice"].force_login(alice)
    clients["sam"].force_login(sam)
    return clients


def head_and_get(client: Client, path: str) -> tuple[dict[str, str], dict[str, str]]:
    """What HEAD and GET say besides the body. HEAD goes first: a GET after it tells if it has changed anything."""
    answers = []
    for ask in (client.head, client.get):
        client.cookies.pop("messages", None)  # a note left by the request before would be shown, and gone, in this one
        response = ask(path)
        headers = {name: value for name, value in response.headers.items() if name not in RENEWED}
        answers.append({"status": str(response.status_code), "cookies": " ".join(sorted(response.cookies)), **headers})
        assert b"".join(response) == b"" or ask == client.get, path  # streamed or not
    return answers[0], answers[1]


def count_rows() -> dict[str, int]:
    """How many there are of each kind, but of the counts of who asks for how much."""
    kinds = [model for model in apps.get_models() if model is not Throttle]
    return {model._meta.label: model._default_manager.count() for model in kinds}


@pytest.mark.parametrize("who", ["visitor", "alice", "sam"])
def test_every_route_that_answers_get_answers_head_alike_and_is_kept_in_no_cache(
    clients: dict[str, Client], conversation: Conversation, who: str
) -> None:
    seen, kept = set(), set()
    different = {}
    for route in routes():
        path = path_of(route, conversation)
        head, get = head_and_get(clients[who], path)
        if get["status"] == "405":
            continue
        if head != get:
            different[path] = sorted(head.items() ^ get.items())
        if get["status"] == "200":
            seen.add(route)
            if who != "visitor" and "no-store" not in get.get("Cache-Control", ""):
                kept.add(route)
    assert different == {}
    assert kept <= OF_NOBODY, "what is somebody's is kept in no cache"
    assert seen >= SEEN_BY[who], "these pages were not compared at all"


def test_what_takes_a_form_takes_no_head_for_one(clients: dict[str, Client], conversation: Conversation) -> None:
    """A HEAD that deletes, logs out or asks for a summary would be a way around the form's token."""
    before = count_rows()
    refusing = set()
    for route in routes():
        path = path_of(route, conversation)
        refused = clients["alice"].get(path).status_code == 405
        if refused:
            refusing.add(route)
        assert (clients["alice"].head(path).status_code == 405) is refused, path
    assert {"accounts/logout/", "history/<id>/summarise/"} <= refusing
    assert count_rows() == before


@pytest.mark.parametrize("name", ["export.md", "export.json"])
def test_the_size_of_an_export_is_known_before_it_is_fetched(
    clients: dict[str, Client], conversation: Conversation, name: str
) -> None:
    path = f"/history/{conversation.pk}/{name}"
    head = clients["alice"].head(path)
    assert head.content == b""
    assert int(head["Content-Length"]) == len(clients["alice"].get(path).content) > 0
    assert head["Content-Disposition"].startswith("attachment; filename=")


def test_a_file_for_operators_is_announced_like_it_is_sent(
    clients: dict[str, Client], conversation: Conversation
) -> None:
    path = "/admin/sessions_app/turnusage/per-user.csv"
    head, get = clients["sam"].head(path), clients["sam"].get(path)
    assert (head["Content-Type"], head["Content-Length"]) == ("text/csv; charset=utf-8", str(len(get.content)))


def test_a_strangers_head_tells_no_more_than_a_strangers_get(
    client: Client, conversation: Conversation, bob: User
) -> None:
    client.force_login(bob)
    assert client.head(f"/history/{conversation.pk}/export.md").status_code == 404


@pytest.mark.django_db
def test_static_files_answer_head(client: Client) -> None:
    path = staticfiles_storage.url("css/reset.css")
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.headers) == (get.status_code, get.headers)
    assert head.status_code == 200
    get.close()
