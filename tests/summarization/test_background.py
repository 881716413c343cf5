"""The thread that does what must not be waited for."""

from __future__ import annotations

import datetime
import itertools
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from sessions_app import background
from sessions_app.background import BackgroundThread
from summarization import queue
from summarization.attempts import FIRST_DELAY, LONGEST_DELAY, TRIES_BY_ITSELF, delay_after
from summarization.summarizer import Refused, Unavailable

SOON_S = 60


def test_jobs_run_in_their_order_and_one_that_fails_takes_none_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now_s = 0.0
    monkeypatch.setattr(background, "time", SimpleNamespace(monotonic=lambda: now_s))
    thread = BackgroundThread("test")
    done = threading.Event()
    order: list[int] = []
    gate = threading.Event()
    thread.put(gate.wait)
    thread.put(lambda: order.append(3), 60)
    thread.put(lambda: order.append(1))
    thread.put(lambda: 1 // 0)
    thread.put(lambda: order.append(2))
    gate.set()
    assert thread.flush(SOON_S)
    assert order == [1, 2]
    now_s = 60.0
    thread.put(done.set)
    assert done.wait(SOON_S)
    assert order == [1, 2, 3]
    assert "a job failed" in caplog.text


def test_a_job_that_comes_sooner_is_not_kept_waiting_by_a_later_one() -> None:
    thread = BackgroundThread("test")
    done = threading.Event()
    thread.put(lambda: None, 3_600)
    thread.put(done.set)
    assert done.wait(SOON_S)


def test_a_full_queue_drops_what_comes_and_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    thread = BackgroundThread("test", limit=2)
    ran = itertools.count()
    for _ in range(5):
        thread.put(lambda: next(ran), 3_600)
    assert "queue is full" in caplog.text


def test_tries_come_further_and_further_apart_and_end() -> None:
    failure = Unavailable("busy")
    delays = [delay_after(tries, failure) for tries in range(1, TRIES_BY_ITSELF)]
    assert delays[:3] == [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4]
    assert delays[-1] == LONGEST_DELAY
    assert delay_after(TRIES_BY_ITSELF, failure) is None


def test_a_provider_that_asks_for_a_longer_pause_gets_it() -> None:
    assert delay_after(1, Unavailable("busy", 61.5)) == datetime.timedelta(seconds=61.5)
    assert delay_after(1, Unavailable("busy", 1e9)) == LONGEST_DELAY


def test_a_refusal_is_not_tried_again() -> None:
    assert delay_after(1, Refused("no")) is None


def test_flushing_waits_for_what_is_due_and_for_nothing_else() -> None:
    thread = BackgroundThread("test")
    gate = threading.Event()
    ran: list[str] = []
    assert thread.flush(SOON_S)
    thread.put(gate.wait)
    thread.put(lambda: ran.append("due"))
    thread.put(lambda: ran.append("later"), 3_600)
    assert not thread.flush(0.01)
    assert ran == []
    gate.set()
    assert thread.flush(SOON_S)
    assert ran == ["due"]


def test_a_process_that_ends_with_something_unpublished_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread, gate = BackgroundThread("test"), threading.Event()
    monkeypatch.setattr(queue, "_thread", thread)
    monkeypatch.setattr(queue, "PUBLISHING_LIMIT_S", 0.01)
    queue._publish_what_is_left()
    assert caplog.text == ""
    thread.put(gate.wait)
    queue._publish_what_is_left()
    assert "a cleanup will find the rest" in caplog.text
    gate.set()


def test_whoever_listens_to_a_recording_keeps_no_summary_waiting(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TASKS_IN_PROCESS = True
    threads = {name: BackgroundThread(name) for name in ("_thread", "_listening")}
    for name, thread in threads.items():
        monkeypatch.setattr(queue, name, thread)
    gate, written = threading.Event(), threading.Event()
    work: dict[str, Callable[[], object]] = {queue.WRITE_RECORDING_WORK: gate.wait, queue.WRITE_SUMMARY: written.set}
    monkeypatch.setattr(queue, "_run", lambda name, about: work[name]())
    threads["_thread"].put(lambda: None)
    queue._hand_over(queue.WRITE_RECORDING_WORK, "a", 0.0)
    queue._hand_over(queue.WRITE_SUMMARY, "b", 0.0)
    assert written.wait(SOON_S)
    gate.set()
    assert all(thread.flush(SOON_S) for thread in threads.values())
