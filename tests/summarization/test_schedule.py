"""What Celery is told: which queue a task goes to, how long it may take, and what a beat may send twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from kombu import Queue
from pytest_django import Settings

from sessions_app import services as conversations
from sessions_app import throttle_rows
from sessions_app.models import Conversation, GeminiFile, LiveSession, RecordingUpload, ResumptionHandle, Throttle
from sessions_app.throttle import LOG_IN, Scope
from summarization import cleanup, queue, rolling, services
from summarization.attempts import CLAIM_VALID
from summarization.models import CallHistory, SearchEntry
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.services.processes import free_port
from tests.summarization.side_by_side import side_by_side
from tests.summarization.talk import MODEL, Talk, past_call, turns

LONG_AGO = timedelta(days=40)
SOON_S = 60
MODEL_CALLS = {queue.WRITE_SUMMARY, queue.WRITE_ROLLING_SUMMARY, queue.WRITE_RECORDING_WORK}
UPLOADS = {"summarization.renew_files"}


@pytest.fixture(scope="module", autouse=True)
def _tasks_are_known() -> None:
    current_app.loader.import_default_modules()


def tasks() -> dict[str, Any]:
    """Ours by their names."""
    return {name: task for name, task in current_app.tasks.items() if name.startswith("summarization.")}


def scheduled(settings: Settings) -> list[dict[str, Any]]:
    return list(settings.CELERY_BEAT_SCHEDULE.values())


# -- what Celery is told -----------------------------------------------------------------------------------------------


def test_what_waits_for_a_model_or_an_upload_is_in_nobody_elses_way(settings: Settings) -> None:
    queues = {name: current_app.amqp.router.route({}, name)["queue"].name for name in tasks()}
    assert {name for name, its in queues.items() if its == settings.LONG_QUEUE} == MODEL_CALLS | UPLOADS
    assert {its for name, its in queues.items() if name not in MODEL_CALLS | UPLOADS} == {settings.SHORT_QUEUE}


def test_a_worker_takes_from_both_queues_and_from_that_of_the_version_before(settings: Settings) -> None:
    assert set(current_app.amqp.queues.consume_from) == {"holdline-long", "holdline-short", "holdline"}


def test_a_queue_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        current_app.amqp.queues.select(["lnog"])


def test_every_task_is_broken_off_in_order_before_its_process_is_killed() -> None:
    assert len(tasks()) == 15
    for task in tasks().values():
        assert 0 < task.soft_time_limit < task.time_limit


def test_no_message_comes_again_while_its_task_may_still_be_at_work(settings: Settings) -> None:
    """Redis hands out again what has waited in a worker for its time, and then was worked at for as long as it may."""
    longest_s = settings.DUE_EVERY_S + max(task.time_limit for task in tasks().values())
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > longest_s


def test_a_message_is_kept_until_its_task_is_done_and_one_that_kills_its_process_does_not_come_back() -> None:
    for task in tasks().values():
        assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (True, False, True)
    assert current_app.conf.worker_prefetch_multiplier == 1


def test_of_what_a_beat_sent_to_a_queue_that_stood_the_last_alone_is_done(settings: Settings) -> None:
    for entry in scheduled(settings):
        assert entry["options"]["expires"] <= entry["schedule"]


# -- twice, and at the same moment -------------------------------------------------------------------------------------


def _leave_calls(user: User) -> None:
    for _ in range(3):
        Talk(user, owner="elsewhere:1").say(turns(40))
        past_call(user, turns(40))
    LiveSession.objects.update(started_at=timezone.now() - LONG_AGO)
    Conversation.objects.update(last_activity_at=timezone.now() - LONG_AGO)


def _calls_are_in_the_history() -> bool:
    return not LiveSession.objects.filter(ended_at=None).exists() and CallHistory.objects.count() == 6


def _lose_workers(user: User) -> None:
    _leave_calls(user)
    cleanup.close_stale_sessions()
    past = timezone.now() - CLAIM_VALID
    CallHistory.objects.update(claimed_by="elsewhere:1", claimed_until=past, attempts=1)


def _workers_are_counted_once() -> bool:
    return set(CallHistory.objects.values_list("claims_lost", "claimed_until", "attempts")) == {(1, None, 1)}


def _leave_handles(user: User) -> None:
    for number in range(3):
        talk = Talk(user)
        conversations.save_handle(talk.request, talk.opening.session, f"h-{number}", MODEL, "", 0, 0)
    past = timezone.now() - LONG_AGO
    ResumptionHandle.objects.update(issued_at=past - LONG_AGO, expires_at=past)


def _leave_browsers(user: User) -> None:
    for number in range(3):
        Session.objects.create(session_key=f"key-{number}", session_data="", expire_date=timezone.now() - LONG_AGO)


def _leave_old_calls(user: User) -> None:
    _leave_calls(user)
    cleanup.close_stale_sessions()


def _leave_tries(user: User) -> None:
    for number in range(3):
        throttle_rows.take(LOG_IN, {Scope.ACCOUNT: f"name-{number}"})
    Throttle.objects.update(over_at=timezone.now() - LONG_AGO)


def _leave_files(user: User) -> None:
    for _ in range(3):
        upload = RecordingUpload.objects.create(user=user, name="a", size_bytes=9, received_bytes=9, state="checking")
        upload.path.write_bytes(b"no sound.")
    RecordingUpload.objects.update(touched_at=timezone.now() - LONG_AGO)


def _files_are_refused() -> bool:
    return set(RecordingUpload.objects.values_list("state", flat=True)) == {"refused"}


def _leave_copies(user: User) -> None:
    past = timezone.now() - LONG_AGO
    GeminiFile.objects.create(project="a", sha256="b", size_bytes=1, state="active", name="files/a", expires_at=past)


def _copies_are_noted() -> bool:
    return list(GeminiFile.objects.values_list("state", "name")) == [("deleted", "")]


def _leave_unfolded(user: User) -> None:
    _leave_old_calls(user)
    SearchEntry.objects.all().delete()


TWICE: dict[str, tuple[Callable[[User], None], Callable[[], bool]]] = {
    "close_stale_sessions": (_leave_calls, _calls_are_in_the_history),
    "enqueue_due": (_lose_workers, _workers_are_counted_once),
    "purge_expired_handles": (_leave_handles, lambda: not ResumptionHandle.objects.exists()),
    "clear_ended_sessions": (_leave_browsers, lambda: not Session.objects.exists()),
    "prune_history": (_leave_old_calls, lambda: not Conversation.objects.exists()),
    "check_left_recordings": (_leave_files, _files_are_refused),
    "purge_expired_files": (_leave_copies, _copies_are_noted),
    "fold_history": (_leave_unfolded, lambda: SearchEntry.objects.count() == 6),
    "prune_throttles": (_leave_tries, lambda: not Throttle.objects.exists()),
}
"""For each scheduled task what it finds, and whether that was done, once."""


def test_every_scheduled_task_is_tried_twice_that_changes_something(settings: Settings) -> None:
    assert set(settings.CELERY_BEAT_SCHEDULE) - {"check_models", "renew_files"} == set(TWICE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", TWICE)
def test_two_beats_do_no_harm(name: str, alice: User, settings: Settings) -> None:
    settings.HISTORY_DAYS = 30
    find, is_done_once = TWICE[name]
    find(alice)
    task = tasks()[f"summarization.{name}"]
    side_by_side(task)
    assert is_done_once()
    task()
    assert is_done_once()


def _ended(user: User, service: SummarizationService) -> Callable[[], None]:
    talk = past_call(user, turns(40))
    services.write_call_history(talk.id)
    return lambda: services.write_summary(talk.id, service)


def _going_on(user: User, service: SummarizationService) -> Callable[[], None]:
    talk = Talk(user)
    talk.say(turns(6))
    rolling.request_rolling_summary_if_due(talk.id)
    return lambda: rolling.write_rolling_summary(talk.id, service)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepare", [_ended, _going_on])
def test_several_messages_about_a_row_are_one_call_of_the_model(
    prepare: Callable[[User, SummarizationService], Callable[[], None]],
    alice: User,
    service: SummarizationService,
    summarizer: FakeSummarizer,
) -> None:
    """The model thinks about the first until the others have come and gone."""
    work, gone = prepare(alice, service), threading.Semaphore(0)
    summarizer.while_thinking = lambda: [gone.acquire(timeout=SOON_S) for _ in range(3)]

    def come_and_go() -> None:
        work()
        gone.release()

    side_by_side(come_and_go)
    assert len(summarizer.asked) == 1


# -- how much waits ----------------------------------------------------------------------------------------------------


@pytest.fixture
def let_wait(settings: Settings) -> Iterator[Callable[[int], None]]:
    """Have so many messages wait for model calls, in a queue of this test's own, at whichever broker there is."""
    settings.TASKS_IN_PROCESS = False
    settings.LONG_QUEUE = f"test-{uuid.uuid4()}"
    waiting: Any = Queue(settings.LONG_QUEUE, routing_key=settings.LONG_QUEUE)

    def let_wait(count: int) -> None:
        for _ in range(count):
            current_app.send_task(queue.WRITE_SUMMARY, ("nobody's",), queue=waiting)

    yield let_wait
    with current_app.connection_for_write() as connection:
        waiting(connection.default_channel).purge()


def test_a_cleanup_adds_to_the_messages_that_wait_up_to_a_bound(let_wait: Callable[[int], None]) -> None:
    assert queue.room_for_model_calls() == queue.WAITING_LIMIT
    let_wait(3)
    assert queue.room_for_model_calls() == queue.WAITING_LIMIT - 3


def test_a_queue_that_is_full_is_not_added_to(let_wait: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "WAITING_LIMIT", 2)
    let_wait(3)
    assert queue.room_for_model_calls() == 0


def test_a_broker_that_is_away_is_told_of_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TASKS_IN_PROCESS = False
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")
    assert queue.room_for_model_calls() == 0
    assert "does not say how much waits" in caplog.text


@pytest.mark.django_db
def test_those_that_have_been_due_for_longest_are_told_of_first(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    settings.LONG_QUEUE = f"test-{uuid.uuid4()}"  # what waits in that of others leaves less room
    monkeypatch.setattr(queue, "WAITING_LIMIT", 2)
    ended = [past_call(alice, turns(40)) for _ in range(3)]
    for age, talk in enumerate(ended):
        services.write_call_history(talk.id)
        due_at = timezone.now() - timedelta(minutes=age)
        CallHistory.objects.filter(conversation_id=talk.id).update(due_at=due_at)
    with django_capture_on_commit_callbacks() as told:
        assert services.enqueue_due() == 2
    assert [callback.args[1] for callback in told] == [str(ended[2].id), str(ended[1].id)]
