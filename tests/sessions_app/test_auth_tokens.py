"""Ephemeral tokens of users: what they may be asked for, how things stand with them, and what is kept."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.accounts import access_keys
from sessions_app.accounts.deletion import delete_account
from sessions_app.auth_tokens import service as rows
from sessions_app.auth_tokens.service import (
    EphemeralTokenService,
    MintedToken,
    NoSuchToken,
    RightEnded,
    TooManyTokens,
)
from sessions_app.auth_tokens.status import NO_TOKEN, status_of
from sessions_app.auth_tokens.terms import Rules, WishRefused, locked_by, order_of, read_wish
from sessions_app.live.providers.minting import MintingFailed
from sessions_app.models import EphemeralToken
from tests.fakes.minter import FakeMinter
from tests.services.processes import PATIENCE_S

BEST, OTHER = "gemini-3.8-live", "gemini-3.1-flash-live-preview"
NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


def rules(*locked: str, a_day: int = 0, longest_s: int = 3600) -> Rules:
    return Rules((BEST, OTHER), frozenset(locked), "You are calm.", "Kore", longest_s, a_day)


def seconds(count: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=count)


# -- what may be asked for ---------------------------------------------------------------------------------------------


def test_without_a_wish_it_begins_one_session_of_the_best_model_within_a_minute() -> None:
    wish = read_wish({}, rules())
    order = order_of(wish, rules(), "", NOON)
    assert (order.model, order.uses) == (BEST, 1)
    assert (order.new_session_expire_time - NOON, order.expire_time - NOON) == (seconds(60), seconds(1800))
    assert order.locked == frozenset()


def test_what_is_given_is_held_fast_and_so_is_what_is_locked_without_a_value() -> None:
    wish = read_wish({"config": {"voice": "Puck", "temperature": 0.5}, "lock": ["instruction"]}, rules())
    order = order_of(wish, rules(), "", NOON)
    assert (order.voice, order.temperature, order.instruction) == ("Puck", 0.5, "")
    assert order.locked == {"voice", "temperature", "instruction"} == locked_by(wish, rules())


def test_what_the_operator_locks_is_holdlines_own() -> None:
    order = order_of(read_wish({}, rules("instruction", "voice")), rules("instruction", "voice"), "", NOON)
    assert (order.instruction, order.voice) == ("You are calm.", "Kore")
    assert order.locked == {"instruction", "voice"}


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"model": "gemini-9"}, "foreign_model", f"Tokens are made for {BEST}, {OTHER} alone."),
        ({"model": ["x"]}, "foreign_model", "Tokens are made for"),
        ({"config": {"voice": "Puck"}}, "locked_field", "The operator of this server holds voice fast: leave it out."),
        ({"use": 1}, "unknown_field", "The request has no field 'use'; it has model, uses,"),
        ({"config": {"tools": []}}, "unknown_field", "config has no field 'tools'"),
        ({"uses": 0}, "bad_value", "uses is a whole number from 1 to 100."),
        ({"uses": True}, "bad_value", "uses is a whole number"),
        ({"expire_in_s": 3601}, "bad_value", "expire_in_s is a whole number from 10 to 3,600."),
        ({"expire_in_s": 60, "new_session_expire_in_s": 61}, "bad_value", "from 10 to 60."),
        ({"config": {"temperature": float("nan")}}, "bad_value", "config.temperature is a number from 0 to 2."),
        ({"config": {"instruction": " "}}, "bad_value", "config.instruction is a text of 1 to 8,000 characters."),
        ({"config": {"instruction": "a\0b"}}, "bad_value", "config.instruction is a text"),
        ({"config": {"instruction": "\ud800"}}, "bad_value", "config.instruction is a text"),
        ({"config": []}, "bad_value", "config is a JSON object."),
        ({"lock": ["tools"]}, "bad_value", "lock is a list of any of instruction, voice, temperature."),
        ({"lock": "voice"}, "bad_value", "lock is a list"),
        ([], "bad_value", "The request is a JSON object."),
    ],
)
def test_what_cannot_be_granted_is_refused_with_a_sentence(asked: Any, code: str, words: str) -> None:
    with pytest.raises(WishRefused) as refused:
        read_wish(asked, rules("voice"))
    assert refused.value.code == code
    assert words in str(refused.value)
    assert refused.value.is_forbidden == (code in {"foreign_model", "locked_field"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WISHES = st.dictionaries(
    st.sampled_from(["model", "uses", "new_session_expire_in_s", "expire_in_s", "config", "lock", "x"]),
    JSON | st.integers(1, 100) | st.lists(st.sampled_from(["voice", "temperature"])) | st.just({"voice": "Puck"}),
)


@given(asked=JSON | WISHES)
def test_whatever_is_asked_for_is_refused_or_read_the_same_again_within_bounds(asked: Any) -> None:
    try:
        wish = read_wish(asked, rules())
    except WishRefused:
        return
    assert read_wish(wish.as_data(), rules()) == wish
    order = order_of(wish, rules(), "", NOON)
    assert NOON < order.new_session_expire_time <= order.expire_time <= NOON + seconds(3600)
    assert 1 <= order.uses <= 100


# -- how things stand --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_s", "begins", "valid", "begin_ms", "total_ms"),
    [
        (0, True, True, 60_000, 1_800_000),
        (59.9995, False, True, 0, 1_740_000),
        (60, False, True, 0, 1_740_000),
        (1799, False, True, 0, 1_000),
        (1800, False, False, 0, 0),
        (9999, False, False, 0, 0),
    ],
)
def test_a_token_begins_sessions_first_and_carries_them_on_until_it_expires(
    after_s: float, begins: bool, valid: bool, begin_ms: int, total_ms: int
) -> None:
    status = status_of("auth_tokens/1…", 2, NOON + seconds(60), NOON + seconds(1800), NOON + seconds(after_s))
    assert status.is_valid == valid
    assert status.new_session_time_left_ms == begin_ms
    assert abs(status.total_time_left_ms - total_ms) <= 1
    assert status.can_start_new_session == begins
    assert (status.has_token, status.uses, status.name) == (True, 2, "auth_tokens/1…")


def test_it_is_due_for_renewal_a_minute_before_it_expires_and_afterwards() -> None:
    due = [
        status_of("t", 1, NOON + seconds(60), NOON + seconds(600), NOON + seconds(after)).is_due_for_renewal
        for after in (0, 539, 540, 700)
    ]
    assert due == [False, False, True, True]
    assert not NO_TOKEN.is_due_for_renewal


# -- what is kept ------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def minter() -> FakeMinter:
    return FakeMinter()


@pytest.fixture
def service(alice: User, minter: FakeMinter, clock: time_machine.Traveller) -> EphemeralTokenService:
    return EphemeralTokenService(alice, minter, rules())


def stored() -> list[Any]:
    """Everything that stands in the rows."""
    return [value for row in EphemeralToken.objects.values() for value in row.values()]


def test_a_token_is_given_once_and_kept_nowhere(service: EphemeralTokenService) -> None:
    minted = service.create_token({"config": {"voice": "Puck"}})
    assert minted.value == f"auth_tokens/{1:064x}"
    assert minted.value not in str(stored())
    assert (minted.row.name, minted.row.locked) == ("auth_tokens/000000…", ["voice"])
    assert service.get_token_status() == service.get_token_status(minted.row.pk)
    assert service.get_token_status().can_start_new_session


def test_without_a_token_the_status_says_so(service: EphemeralTokenService) -> None:
    assert service.get_token_status() == NO_TOKEN


@pytest.mark.parametrize("failure", [MintingFailed(), MintingFailed(400), MintingFailed(429, 30)])
def test_what_the_provider_does_not_make_leaves_no_row(
    service: EphemeralTokenService, minter: FakeMinter, failure: MintingFailed
) -> None:
    minter.fail_with = failure
    minter.meanwhile = lambda: rows_meanwhile.append(service.get_token_status())
    rows_meanwhile: list[object] = []
    with pytest.raises(MintingFailed):
        service.create_token({})
    assert rows_meanwhile == [NO_TOKEN], "what was only asked for is no token"
    assert not EphemeralToken.objects.exists()


def test_a_renewed_token_is_as_the_old_one_which_is_forgotten(
    service: EphemeralTokenService, minter: FakeMinter, clock: time_machine.Traveller
) -> None:
    old = service.create_token({"model": OTHER, "uses": 3, "config": {"voice": "Puck"}})
    clock.shift(seconds(1790))
    new = service.renew_token(old.row.pk)
    assert new.value != old.value
    assert [(order.model, order.uses, order.voice) for order in minter.orders] == [(OTHER, 3, "Puck")] * 2
    assert service.get_token_status(old.row.pk) == NO_TOKEN
    assert service.get_token_status() == service.get_token_status(new.row.pk)
    assert service.tokens(10) == [new.row]


def test_a_renewal_that_fails_leaves_the_old_token(service: EphemeralTokenService, minter: FakeMinter) -> None:
    old = service.create_token({})
    minter.fail_with = MintingFailed()
    with pytest.raises(MintingFailed):
        service.renew_token(old.row.pk)
    assert service.get_token_status(old.row.pk).is_valid


def test_a_token_that_is_forgotten_while_it_is_renewed_costs_nobody_the_new_one(
    service: EphemeralTokenService, minter: FakeMinter
) -> None:
    old = service.create_token({})
    minter.meanwhile = lambda: service.forget_token(old.row.pk)
    assert service.renew_token(old.row.pk).value


def test_what_the_operator_has_locked_since_is_not_renewed(alice: User, minter: FakeMinter) -> None:
    old = EphemeralTokenService(alice, minter, rules()).create_token({"config": {"voice": "Puck"}})
    with pytest.raises(WishRefused, match="holds voice fast"):
        EphemeralTokenService(alice, minter, rules("voice")).renew_token(old.row.pk)


def test_a_forgotten_token_is_neither_renewed_nor_forgotten_again(service: EphemeralTokenService) -> None:
    minted = service.create_token({})
    service.forget_token(minted.row.pk)
    assert service.get_token_status() == NO_TOKEN
    for attempt in (service.forget_token, service.renew_token):
        with pytest.raises(NoSuchToken):
            attempt(minted.row.pk)
    assert EphemeralToken.objects.get().forgotten_at == NOON, "operators still see who had it"


def test_nobody_has_anything_of_the_tokens_of_others(
    service: EphemeralTokenService, bob: User, minter: FakeMinter
) -> None:
    minted = service.create_token({})
    stranger = EphemeralTokenService(bob, minter, rules())
    assert stranger.get_token_status(minted.row.pk) == NO_TOKEN
    assert stranger.tokens(10) == []
    for attempt in (stranger.forget_token, stranger.renew_token):
        with pytest.raises(NoSuchToken):
            attempt(minted.row.pk)
    with pytest.raises(NoSuchToken):
        service.forget_token(uuid.uuid4())


def test_a_day_has_so_many_tokens_and_the_first_comes_back_first(
    alice: User, bob: User, minter: FakeMinter, clock: time_machine.Traveller
) -> None:
    mine = EphemeralTokenService(alice, minter, rules(a_day=2))
    for _ in range(2):
        mine.create_token({})
        clock.shift(seconds(600))
    assert mine.left_today() == 0
    with pytest.raises(TooManyTokens, match="You may have 2 tokens in 24 hours") as refused:
        mine.create_token({})
    assert refused.value.wait_s == 24 * 3600 - 1200
    EphemeralTokenService(bob, minter, rules(a_day=2)).create_token({})
    clock.shift(seconds(refused.value.wait_s))
    mine.create_token({})


def test_tokens_that_were_not_made_do_not_count(alice: User, minter: FakeMinter) -> None:
    mine = EphemeralTokenService(alice, minter, rules(a_day=1))
    minter.fail_with = MintingFailed()
    with pytest.raises(MintingFailed):
        mine.create_token({})
    minter.fail_with = None
    mine.create_token({})


@pytest.mark.django_db(transaction=True)
def test_of_those_who_ask_side_by_side_no_more_get_one_than_may(alice: User) -> None:
    minter, made, refused = FakeMinter(), list[MintedToken](), list[TooManyTokens]()
    mine = EphemeralTokenService(alice, minter, rules(a_day=3))
    together = threading.Barrier(6)

    def ask() -> None:
        together.wait(PATIENCE_S)
        try:
            made.append(mine.create_token({}))
        except TooManyTokens as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (3, 3)


def test_an_account_that_is_closed_meanwhile_gets_none(
    alice: User, service: EphemeralTokenService, minter: FakeMinter
) -> None:
    minter.meanwhile = lambda: User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(RightEnded):
        service.create_token({})
    assert not EphemeralToken.objects.exists()


def test_an_account_that_is_deleted_meanwhile_gets_none(
    alice: User, service: EphemeralTokenService, minter: FakeMinter
) -> None:
    minter.meanwhile = lambda: delete_account(alice)
    with pytest.raises(RightEnded):
        service.create_token({})
    assert not User.objects.exists()


def test_a_key_that_is_revoked_meanwhile_gets_none(alice: User, minter: FakeMinter) -> None:
    key = access_keys.make(alice, "laptop").row
    by_key = EphemeralTokenService(alice, minter, rules(), key)
    minter.meanwhile = lambda: access_keys.revoke(alice, key.pk)
    with pytest.raises(RightEnded):
        by_key.create_token({})
    with pytest.raises(RightEnded):
        by_key.create_token({})
    assert len(minter.orders) == 1, "a key that is gone already does not ask"
    assert not EphemeralToken.objects.exists()


def test_rows_go_a_month_after_their_tokens_and_those_of_none_within_hours(
    service: EphemeralTokenService, clock: time_machine.Traveller
) -> None:
    service.create_token({"expire_in_s": 60})
    unmade = service.create_token({}).row
    EphemeralToken.objects.filter(pk=unmade.pk).update(name="")
    clock.shift(seconds(3599))
    assert rows.prune() == 0
    clock.shift(seconds(2))
    assert rows.prune() == 1
    clock.shift(datetime.timedelta(days=30))
    assert rows.prune() == 1
