"""What a dead process, a page that vanished and time itself leave behind."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from energy.levels import Mode
from sessions_app import services as conversations
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, Turn, UserSettings
from summarization import cleanup, rolling, services
from summarization.cleanup import CleanedUp
from summarization.models import CallHistory, SummaryState
from summarization.summarizing import SummarizationService
from tests.summarization.side_by_side import side_by_side
from tests.summarization.talk import MODEL, Talk, past_call, turns

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)
HERE = f"{socket.gethostname()}:{os.getpid()}"


@pytest.fixture
def dead_process() -> str:
    """The name of a process of this machine that has just ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return f"{socket.gethostname()}:{done.pid}"


def call(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def in_the_future(hours: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + hours * HOUR)


# -- sessions that nobody holds ----------------------------------------------------------------------------------------


def test_after_a_kill_the_call_is_in_the_history_and_its_page_can_still_come_back(
    alice: User, dead_process: str
) -> None:
    talk = Talk(alice, owner=dead_process)
    talk.say(turns(40))
    conversations.save_handle(talk.request, talk.opening.session, "h-1", MODEL, "", 7, 39)
    assert cleanup.close_stale_sessions() == CleanedUp(sessions=1, calls=0, histories=1)
    entry = CallHistory.objects.get()
    assert entry.until_turn == 39
    session = LiveSession.objects.get()
    assert session.end_reason == "owner-lost"
    assert session.ended_at

    again = talk.come_back()
    assert again.id == talk.id
    assert again.opening.handle == "h-1"
    assert again.opening.handle_was_cut
    again.say(turns(2, first=40))
    again.hang_up()
    services.write_call_history(again.id)
    assert CallHistory.objects.get().until_turn == 41


def test_a_reply_that_a_kill_broke_off_is_interrupted_although_nobody_comes_back(
    alice: User, dead_process: str
) -> None:
    talk = Talk(alice, owner=dead_process)
    talk.say(turns(4))
    Turn.objects.filter(number=3).update(status="partial")
    cleanup.close_stale_sessions()
    assert Turn.objects.get(number=3).status == "interrupted"


def test_a_session_of_a_living_process_is_left_alone(alice: User) -> None:
    Talk(alice, owner=HERE).say(turns(4))
    assert not cleanup.close_stale_sessions()


def test_a_process_that_got_the_number_of_a_dead_one_is_not_taken_for_it(alice: User) -> None:
    Talk(alice, owner=HERE).say(turns(4))
    LiveSession.objects.update(started_at=timezone.now() - 1000 * HOUR)
    assert cleanup.close_stale_sessions().sessions == 1


def test_a_session_of_another_machine_is_left_alone_while_it_shows_signs_of_life(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(4))
    with in_the_future(3):
        conversations.record_event(talk.opening.conversation, talk.opening.session, "connected", {})
    with in_the_future(4):
        assert not cleanup.close_stale_sessions()
    with in_the_future(5.5):
        assert cleanup.close_stale_sessions().sessions == 1


def test_a_call_that_nobody_can_come_back_to_is_ended_as_of_its_last_word(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(40))
    talk.leave()
    with in_the_future(1.9):
        assert cleanup.close_stale_sessions() == CleanedUp(histories=1)
        assert talk.row.status == Conversation.Status.ACTIVE
    with in_the_future(2.1):
        assert cleanup.close_stale_sessions() == CleanedUp(calls=1)
        assert not cleanup.close_stale_sessions()
    row = talk.row
    assert (row.status, row.end_reason, row.ended_at) == ("ended", "page-left", row.last_activity_at)
    assert not ResumptionHandle.objects.exists()


def test_a_text_chat_that_was_left_goes_on_and_is_in_the_history(alice: User) -> None:
    talk = Talk(alice, Mode.TEXT)
    talk.say(turns(4))
    talk.leave()
    with in_the_future(100):
        assert cleanup.close_stale_sessions() == CleanedUp(histories=1)
    assert talk.row.status == Conversation.Status.ACTIVE


def test_a_conversation_that_lost_its_entry_gets_it(alice: User) -> None:
    past_call(alice, turns(40))
    past_call(alice, ())
    assert cleanup.close_stale_sessions() == CleanedUp(histories=1)
    assert not cleanup.close_stale_sessions()


def test_a_dry_run_tells_the_same_and_changes_nothing(alice: User, dead_process: str) -> None:
    Talk(alice, owner=dead_process).say(turns(40))
    past_call(alice, turns(3))
    told = call("close_stale_sessions", "--dry-run")
    assert told == "Would be: 1 live sessions closed, 0 calls ended, 2 conversations entered.\n"
    assert not CallHistory.objects.exists()
    assert call("close_stale_sessions") == told.removeprefix("Would be: ")
    assert call("close_stale_sessions", "--silent-for", "1") == (
        "0 live sessions closed, 0 calls ended, 0 conversations entered.\n"
    )


def test_nonsense_is_refused() -> None:
    with pytest.raises(CommandError, match="not a number of hours"):
        call("close_stale_sessions", "--silent-for", "soon")
    with pytest.raises(CommandError, match="not a number of days"):
        call("prune_history", "--days", "0")


@pytest.mark.django_db(transaction=True)
def test_cleanups_side_by_side_do_everything_once(alice: User, dead_process: str) -> None:
    for _ in range(5):
        Talk(alice, owner=dead_process).say(turns(40))
        past_call(alice, turns(40))
    found = side_by_side(cleanup.close_stale_sessions)
    assert sum(cleaned_up.sessions for cleaned_up in found) == 5
    assert CallHistory.objects.count() == 10


# -- retention ---------------------------------------------------------------------------------------------------------


def test_what_is_older_than_its_retention_goes_and_what_goes_on_stays(alice: User) -> None:
    old, young, live = past_call(alice, turns(3)), past_call(alice, turns(3)), Talk(alice)
    cleanup.close_stale_sessions()
    for talk in (old, live):
        Conversation.objects.filter(pk=talk.id).update(last_activity_at=timezone.now() - 24 * 31 * HOUR)
    assert call("prune_history", "--days", "30", "--dry-run") == "1 conversations would be deleted.\n"
    assert Conversation.objects.count() == 3
    assert call("prune_history", "--days", "30") == "1 conversations deleted.\n"
    assert set(Conversation.objects.values_list("pk", flat=True)) == {young.id, live.id}
    assert call("prune_history", "--days", "30") == "0 conversations deleted.\n"


def test_without_a_retention_everything_is_kept(alice: User, settings: Settings) -> None:
    past_call(alice, turns(3))
    with in_the_future(10_000):
        assert "everything is kept" in call("prune_history")
        settings.HISTORY_DAYS = 30
        assert call("prune_history") == "1 conversations deleted.\n"


def test_who_wants_to_keep_less_keeps_less_and_nobody_else_does(alice: User, bob: User, settings: Settings) -> None:
    mine, young, others = (past_call(user, turns(3)) for user in (alice, alice, bob))
    for talk in (mine, others):
        Conversation.objects.filter(pk=talk.id).update(last_activity_at=timezone.now() - 24 * 8 * HOUR)
    UserSettings.objects.create(user=alice, history_days=7)
    UserSettings.objects.create(user=bob, history_days=0)
    settings.USER_SETTINGS_LOCKED = ["history_days"]
    assert cleanup.prune_as_wished() == 0
    settings.USER_SETTINGS_LOCKED = []
    assert cleanup.prune_as_wished(dry_run=True) == 1
    assert cleanup.prune_as_wished() == 1
    assert set(Conversation.objects.values_list("pk", flat=True)) == {young.id, others.id}


@pytest.mark.django_db(transaction=True)
def test_two_machines_may_prune_at_once(alice: User) -> None:
    for _ in range(20):
        past_call(alice, turns(2))
    Conversation.objects.update(last_activity_at=timezone.now() - 24 * 31 * HOUR)
    assert sum(side_by_side(lambda: cleanup.prune_history(30))) == 20
    assert not Conversation.objects.exists()


# -- summaries that are missing ----------------------------------------------------------------------------------------


def test_missing_summaries_are_asked_for_again(alice: User, service: SummarizationService) -> None:
    talk = past_call(alice, turns(40))
    services.write_call_history(talk.id)
    CallHistory.objects.update(state=SummaryState.FAILED, reason="the key was wrong", due_at=None, attempts=20)
    assert call("summarize_missing", "--dry-run") == "1 missing summaries would be requested.\n"
    services.write_summary(talk.id, service)
    assert CallHistory.objects.get().state == SummaryState.FAILED
    assert call("summarize_missing") == "1 missing summaries requested.\n"
    services.write_summary(talk.id, service)
    assert CallHistory.objects.get().state == SummaryState.READY
    assert call("summarize_missing") == "0 missing summaries requested.\n"


def test_the_cleanup_finds_what_is_due_and_nobody_is_at(alice: User, service: SummarizationService) -> None:
    first, second = past_call(alice, turns(40)), past_call(alice, turns(40))
    going_on = Talk(alice)
    going_on.say(turns(6))
    rolling.request_rolling_summary_if_due(going_on.id)
    services.write_call_history(first.id)
    services.write_call_history(second.id)
    assert services.enqueue_due() == 3
    CallHistory.objects.filter(conversation_id=first.id).update(claimed_until=timezone.now() + HOUR)
    CallHistory.objects.filter(conversation_id=second.id).update(due_at=timezone.now() + HOUR)
    rolling.write_rolling_summary(going_on.id, service)
    assert services.enqueue_due() == 0
