"""What is kept of somebody, to be handed to them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from energy.levels import Ladder, LevelChange, Mode, Reason
from energy.services import record_changes
from sessions_app.auth_tokens.service import EphemeralTokenService
from sessions_app.auth_tokens.terms import Rules
from sessions_app.services import save_handle
from sessions_app.user_settings import service
from summarization import chats, export, history
from tests.fakes.minter import FakeMinter
from tests.pages.history_rows import NOON, converse
from tests.services.cast import PASSWORD
from tests.summarization.talk import MODEL, Talk, spoken


def exported(name: str) -> list[dict[str, Any]]:
    output = StringIO()
    call_command("export_account", name, stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_the_account_comes_first_and_then_each_conversation_as_the_history_exports_it(alice: User, bob: User) -> None:
    first = converse(alice, "My dog is called Rex.", "A fine name.")
    second = converse(alice, "Where were we?", "At Rex.", continues=first, started_at=NOON + timedelta(hours=1))
    converse(bob, "I am somebody else.", "So you are.")
    account, *conversations = exported("alice")
    assert (account["format"], account["version"], account["username"]) == ("holdline.account", 1, "alice")
    expected = [json.loads(export.as_json(history.read(alice, each.pk))) for each in (first, second)]
    assert conversations == expected


def test_since_when_a_chat_is_pinned_is_exported_with_it(alice: User) -> None:
    converse(alice, "Not this one.", mode="text")
    kept = converse(alice, "Keep this one.", mode="text", started_at=NOON + timedelta(hours=1))
    chats.pin(alice, kept.pk, True)
    kept.refresh_from_db()
    _, other, pinned = exported("alice")
    assert kept.pinned_at is not None
    assert datetime.fromisoformat(pinned["pinned_at"]) - kept.pinned_at < timedelta(seconds=1)
    assert other["pinned_at"] is None


def test_browsers_and_levels_are_part_of_the_account(alice: User, client: Client) -> None:
    client.login(username="alice", password=PASSWORD)
    client.get("/history/")
    ladder = Ladder(Mode.TEXT, ["gemini-3.8-live", "gemini-3.1-flash-live-preview"])
    record_changes(alice.pk, [LevelChange(ladder.top, ladder.level(1), Reason.RATE_LIMIT_EXCEEDED, NOON)])
    (account,) = exported("alice")
    assert [browser["browser"] for browser in account["browsers"]] == ["A browser"]
    assert [(change["previous"], change["level"]) for change in account["level_changes"]] == [(2, 1)]
    assert account["levels"][0]["level"] == 1


def test_which_tokens_somebody_had_is_part_of_the_account_and_the_tokens_are_not(alice: User) -> None:
    rules = Rules((MODEL,), frozenset(), "", "", 3600, 0)
    minted = EphemeralTokenService(alice, FakeMinter(), rules).create_token({"config": {"voice": "Puck"}})
    (account,) = exported("alice")
    assert [(token["name"], token["asked"]["config"]) for token in account["tokens"]] == [
        (minted.row.name, {"voice": "Puck"})
    ]
    assert minted.value not in json.dumps(account)


def test_what_somebody_has_chosen_is_part_of_the_account(alice: User) -> None:
    assert exported("alice")[0]["settings"] is None
    rules = service.rules_of_the_server()
    service.save(alice.pk, replace(rules.defaults, instruction="Talk like a pirate.", theme="dark"), rules)
    settings = exported("alice")[0]["settings"]
    assert (settings["instruction"], settings["theme"], settings["voice"]) == ("Talk like a pirate.", "dark", "Kore")
    assert settings["saved_at"]


def test_what_somebody_wrote_is_exported_also_where_it_does_not_count_any_more(alice: User, settings: Settings) -> None:
    rules = service.rules_of_the_server()
    for instruction in ("Talk like a pirate.", "Talk like a poet."):
        service.save(alice.pk, replace(rules.defaults, instruction=instruction), rules)
    settings.USER_SETTINGS_LOCKED = ["instruction"]
    exported_settings = exported("alice")[0]["settings"]
    assert exported_settings["instruction"] == ""
    assert exported_settings["chosen"] == {"instruction": "Talk like a poet."}
    assert exported_settings["chosen_before"] == {"instruction": "Talk like a pirate."}


def test_nothing_in_it_lets_anybody_in_or_on(alice: User, client: Client) -> None:
    client.login(username="alice", password=PASSWORD)
    talk = Talk(alice)
    talk.say([spoken(0, "Hello.")])
    save_handle(talk.request, talk.opening.session, "a-secret-handle", MODEL, "", 0, 0)
    text = json.dumps(exported("alice"))
    session = client.session.session_key
    assert session
    for secret in (alice.password, session, "a-secret-handle"):
        assert secret not in text


def test_whoever_is_misspelt_is_no_empty_file(db: None) -> None:
    with pytest.raises(CommandError, match="no account alcie"):
        exported("alcie")
