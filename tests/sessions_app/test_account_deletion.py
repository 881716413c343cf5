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
from django.db.models.signals import post_delete
from django.test import Client
from django.utils import timezone

from energy.levels import Mode, Reason
from energy.models import EnergyChange, EnergyState, LiveSlot
from sessions_app import kept_sound, lines, throttle_rows
from sessions_app.accounts import access_keys, deletion
from sessions_app.accounts.deletion import LastOperator, delete_account, is_last_operator
from sessions_app.lines import Owner
from sessions_app.live.parcel import Parcel
from sessions_app.models import (
    Conversation,
    EphemeralToken,
    LiveSession,
    Recording,
    ResumptionHandle,
    ToolCall,
    Turn,
    TurnUsage,
    UserSettings,
)
from sessions_app.throttle import EXPORT, Scope
from sessions_app.usage import save_recording_usage
from summarization import search_entries
from summarization.models import CallHistory, RollingSummary
from tests.services.processes import PATIENCE_S, wait_until

WORKER = Owner()


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
    search_entries.write(CallHistory.objects.create(conversation=conversation), ())
    RollingSummary.objects.create(conversation=conversation)
    recording = Recording.objects.create(
        user=user, name="a", sha256="0" * 64, size_bytes=1, duration_ms=1, peaks=b"", file=f"recordings/{user.pk}/a"
    )
    recording.attachments.create(conversation=conversation)
    recording.uploads.create(user=user, name="a", size_bytes=1, state="done")
    save_recording_usage(user.pk, recording.pk, "m", {})
    UserSettings.objects.create(user=user, theme="dark")
    EnergyState.objects.create(user=user, mode=Mode.CALL, level=1)
    EnergyChange.objects.create(user=user, mode=Mode.CALL, previous=2, level=1, word="low", reason=Reason.MANUAL)
    LiveSlot.objects.create(holder=uuid.uuid4(), user=user, mode=Mode.CALL, owner="host:1")
    lines.take(user, Mode.CALL, live_session.page_id, WORKER)
    kept_sound.keep(user.pk, Mode.CALL, live_session.page_id, Parcel(1, ((0, b"ab"),)))
    throttle_rows.take(EXPORT, {Scope.ACCOUNT: str(user.pk)}, user)
    ToolCall.objects.create(user=user, transport="http", tool="list_conversations")
    EphemeralToken.objects.create(
        user=user,
        access_key=access_keys.make(user, "laptop").row,
        model="m",
        asked={},
        locked=[],
        uses=1,
        new_session_expire_time=now + datetime.timedelta(minutes=1),
        expire_time=now + datetime.timedelta(minutes=30),
    )
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


def somebody_waits() -> bool:
    """Whether somebody waits for a lock. On SQLite nobody can tell, and whoever writes has the whole database."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


class LiveSessionElsewhere(threading.Thread):
    """Stores something in a transaction of its own, and may be told that it cannot."""

    def __init__(self, *stores: Callable[[], object], commit: Callable[[], object] = bool) -> None:
        super().__init__()
        self._stores = stores
        self._commit = commit
        self.has_stored = threading.Event()
        self.refusal: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                for store in self._stores:
                    store()
                self.has_stored.set()
                self._commit()
        except (IntegrityError, OperationalError) as refusal:
            # There is no such account any more, or one of two that wait for each other has to give way.
            self.refusal = refusal
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_what_a_live_session_stores_in_between_does_not_keep_the_account(alice: User) -> None:
    """Turns are deleted already, their conversations not yet."""
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    conversation.live_sessions.create(page_id=uuid.uuid4(), model="m", owner="host:1")
    turn = partial(Turn.objects.create, conversation=conversation, number=0, role="user", status="complete")
    session = LiveSessionElsewhere(partial(turn, text="Hello", at=timezone.now()))

    def store(**signal: object) -> None:
        session.start()
        wait_until(lambda: not session.is_alive() or somebody_waits(), PATIENCE_S, "the turn to be stored, or not")

    post_delete.connect(store, sender=LiveSession)
    try:
        deletion.remove(alice.pk)
    finally:
        post_delete.disconnect(store, sender=LiveSession)
        session.join()
    assert (User.objects.count(), Conversation.objects.count(), Turn.objects.count()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_who_holds_a_line_is_waited_for_before_anything_is_locked_that_it_may_want(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder has the line first and then wants the conversation; in another order each would wait for the other."""
    monkeypatch.setattr(deletion, "TRIES", 1)
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    with transaction.atomic():
        hold = lines.take(alice, Mode.CALL, uuid.uuid4(), WORKER)
    has_line = threading.Event()

    def store() -> None:
        has_line.set()
        wait_until(somebody_waits, PATIENCE_S, "the deletion to wait")
        conversation.turns.create(number=0, role="user", text="Hello", status="complete", at=timezone.now())

    session = LiveSessionElsewhere(partial(lines.as_holder, hold, store))
    session.start()
    assert has_line.wait(PATIENCE_S)
    deletion.remove(alice.pk)
    session.join()
    assert session.refusal is None
    assert (User.objects.count(), Conversation.objects.count(), Turn.objects.count()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_live_session_and_a_deletion_that_wait_for_each_other_come_to_an_end(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    session = LiveSessionElsewhere(
        lambda: Conversation.objects.filter(pk=conversation.pk).update(last_activity_at=timezone.now()),
        lambda: EnergyState.objects.create(user=alice, mode=Mode.CALL, level=1),
        commit=lambda: wait_until(somebody_waits, PATIENCE_S, "the deletion to wait"),
    )
    session.start()
    assert session.has_stored.wait(PATIENCE_S)
    deletion.remove(alice.pk)
    session.join()
    assert (User.objects.count(), Conversation.objects.count(), EnergyState.objects.count()) == (0, 0, 0)
