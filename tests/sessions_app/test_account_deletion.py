"""An account goes with everything of it, whatever is going on meanwhile."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.test import Client
from django.utils import timezone

from energy.levels import Mode, Reason
from energy.models import EnergyChange, EnergyState, LiveSlot
from sessions_app.accounts import deletion
from sessions_app.accounts.deletion import LastOperator, delete_account, is_last_operator
from sessions_app.models import Conversation, ResumptionHandle, SessionEvent, Turn, TurnUsage
from summarization.models import CallHistory, RollingSummary
from tests.services.processes import wait_until


def everything_of(user: User) -> None:
    """At least one row of theirs in every table that has rows of users."""
    now = timezone.now()
    conversation = Conversation.objects.create(user=user, mode=Mode.CALL)
    Conversation.objects.create(user=user, mode=Mode.TEXT, continues=conversation)
    conversation.turns.create(number=0, role="user", text="Hello", status="complete", at=now)
    live_session = conversation.live_sessions.create(page_id=uuid.uuid4(), model="m", owner="host:1", ended_at=now)
    conversation.events.create(live_session=live_session, kind="connected")
    ResumptionHandle.objects.create(
        user=user,
        live_session=live_session,
        slot="gdm:call-session-handle",
        page_id=live_session.page_id,
        model="m",
        ciphertext=b"x",
        acknowledged_number=0,
        covered_turn=-1,
        issued_at=now,
        expires_at=now + datetime.timedelta(hours=1),
    )
    counts = {
        field.name: 0
        for field in TurnUsage._meta.fields
        if field.name.endswith("_tokens") or field.name in ("connection", "turn", "cost_micro_usd")
    }
    TurnUsage.objects.create(conversation=conversation, live_session=live_session, model="m", report={}, **counts)
    CallHistory.objects.create(conversation=conversation)
    RollingSummary.objects.create(conversation=conversation)
    EnergyState.objects.create(user=user, mode=Mode.CALL, level=1)
    EnergyChange.objects.create(user=user, mode=Mode.CALL, previous=2, level=1, word="low", reason=Reason.MANUAL)
    LiveSlot.objects.create(holder=uuid.uuid4(), user=user, mode=Mode.CALL, owner="host:1")
    LogEntry.objects.create(user=user, object_repr="x", action_flag=2)
    user.groups.add(Group.objects.get_or_create(name="helpers")[0])
    user.user_permissions.add(Permission.objects.all()[0])
    browser = Client()
    browser.force_login(user)
    browser.get("/text/")


def tables() -> Iterator[type[models.Model]]:
    """Every table of every app, those between two models included."""
    yield from apps.get_models(include_auto_created=True)


def tables_of_users() -> set[type[models.Model]]:
    """Every table whose rows point to an account, also by way of other rows."""
    found: set[type[models.Model]] = {User}
    while True:
        more = {
            model
            for model in tables()
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey) and field.related_model in found
        }
        if more <= found:
            return found - {User}
        found |= more


def count_rows() -> Counter[str]:
    return Counter({model._meta.label: model._base_manager.count() for model in tables()})


def test_every_table_is_as_if_the_account_had_never_been(alice: User, bob: User) -> None:
    everything_of(bob)
    before = count_rows()
    everything_of(alice)
    held = count_rows() - before
    empty = {model._meta.label for model in tables_of_users()} - held.keys()
    assert not empty, "give the account of this test a row in each of these"
    delete_account(alice)
    before[User._meta.label] -= 1
    assert count_rows() == before
    assert User.objects.filter(username="bob").exists()


def test_a_session_that_was_never_seen_again_goes_as_well(alice: User) -> None:
    Client().force_login(alice)
    delete_account(alice)
    assert not Session.objects.exists()


def test_the_only_superuser_stays(sam: User, alice: User) -> None:
    with pytest.raises(LastOperator):
        delete_account(sam)
    sam.refresh_from_db()
    assert sam.is_active
    assert not is_last_operator(alice)


def test_one_of_two_superusers_may_go_but_a_closed_account_is_no_other(sam: User, alice: User) -> None:
    alice.is_superuser, alice.is_active = True, False
    alice.save()
    assert is_last_operator(sam)
    alice.is_active = True
    alice.save()
    delete_account(sam)
    assert not User.objects.filter(username="sam").exists()


def test_a_refusal_of_the_database_is_tried_again(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    really_remove, refusals = deletion._remove, iter([OperationalError("deadlock detected")])

    def refuse_once(user_id: int) -> None:
        for refusal in refusals:
            raise refusal
        really_remove(user_id)

    monkeypatch.setattr(deletion, "_remove", refuse_once)
    delete_account(alice)
    assert not User.objects.filter(username="alice").exists()


def test_an_account_that_cannot_be_deleted_is_as_it_was(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(user_id: int) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(deletion, "_remove", refuse)
    with pytest.raises(OperationalError):
        delete_account(alice)
    alice.refresh_from_db()
    assert alice.is_active


def test_a_live_session_of_a_worker_that_is_gone_is_not_waited_for_long(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "LIVE_SESSIONS_END_WITHIN_S", 0.05)
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    conversation.live_sessions.create(page_id=uuid.uuid4(), model="m", owner="elsewhere:1")
    delete_account(alice)
    assert not Conversation.objects.exists()


def test_an_operator_deletes_in_the_admin_in_the_same_way(client: Client, sam: User, alice: User, bob: User) -> None:
    everything_of(alice)
    client.force_login(sam)
    client.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
    client.post("/admin/auth/user/", chosen)
    assert list(User.objects.all()) == [sam]
    assert not Conversation.objects.exists()


def is_waited_for() -> bool:
    """Whether somebody waits for a lock; where nobody can tell, because only one may write at all, at once."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def while_being_deleted(user: User, stores: list[Callable[[], object]]) -> None:
    """Delete the account while a live session stores these rows in one transaction: the first before, the rest after."""
    has_begun, deleting = threading.Event(), threading.Event()

    def store() -> None:
        try:
            with transaction.atomic():
                stores[0]()
                has_begun.set()
                assert deleting.wait(10)
                wait_until(is_waited_for, 10, "the deletion to wait")
                for further in stores[1:]:
                    further()
        except (IntegrityError, OperationalError):
            pass  # it was told that there is no such account any more, or that one of them must give way
        finally:
            connection.close()

    session = threading.Thread(target=store)
    session.start()
    assert has_begun.wait(10)
    deleting.set()
    deletion.remove(user.pk)
    session.join()


@pytest.mark.django_db(transaction=True)
def test_what_a_live_session_stores_meanwhile_does_not_keep_the_account(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    turn = partial(Turn.objects.create, conversation=conversation, number=0, role="user", status="complete")
    while_being_deleted(alice, [partial(turn, text="Hello", at=timezone.now())])
    assert (User.objects.count(), Conversation.objects.count(), Turn.objects.count()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_live_session_and_a_deletion_that_wait_for_each_other_come_to_an_end(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    event = partial(SessionEvent.objects.create, conversation=conversation, kind="connected")
    state = partial(EnergyState.objects.create, user=alice, mode=Mode.CALL, level=1)
    while_being_deleted(alice, [event, state])
    assert (User.objects.count(), SessionEvent.objects.count(), EnergyState.objects.count()) == (0, 0, 0)
