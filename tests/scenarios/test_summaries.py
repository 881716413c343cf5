"""Summaries from end to end: the real SDK against the emulator, and the processes that do the work."""

from __future__ import annotations

import datetime
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from celery import Celery
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from sessions_app.models import LiveSession
from summarization import rolling, services
from summarization.attempts import CLAIMS_LOST_BEFORE_FAILED
from summarization.gemini import GeminiSummarizer
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.summarizing import SummarizationService
from tests.services.emulator import Emulator
from tests.services.processes import PreparedProgram, Program, children_of, has_ended, wait_until
from tests.services.valkey import running_valkey
from tests.services.web import WebServer
from tests.summarization.lost_workers import let_claims_run_out
from tests.summarization.talk import Talk, past_call, turns

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = ("gemini-3.8-flash", "gemini-3.5-flash-lite")
FACTS = {
    2: "My dog is called Rex.",
    11: "My train is at nine.",
    23: "My code word is PLUM-42.",
    35: "My home town is Ghent.",
}
KEPT = ("Rex", "nine", "PLUM-42", "Ghent")
ROOT = Path(__file__).resolve().parent.parent.parent
DONE_WITHIN_S = 120
ONE_HOUR = datetime.timedelta(hours=1)
NOBODY_LISTENS = "redis://127.0.0.1:9/0"
WORKER = (
    *("celery", "--app", "config", "worker"),
    *("--concurrency", "2", "--without-gossip", "--without-mingle"),
)

Start = Callable[..., Program]


@pytest.fixture
def gemini(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SummarizationService]:
    """Gemini as the emulator plays it: `gemini(answer_limit_s=0.3)`."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)

    def build(key: str = "a-key", answer_limit_s: float = 60) -> SummarizationService:
        return SummarizationService(GeminiSummarizer(key, "v1beta", MODELS, answer_limit_s))

    return build


@pytest.fixture
def start(emulator: Emulator, tmp_path: Path) -> Iterator[Start]:
    """Start a Python module on the database of the tests and on the emulator."""
    programs: list[Program] = []

    def start(module: str, *arguments: str, **environment: str) -> Program:
        inherited = {**os.environ, **emulator.environment, "DATABASE_URL": database_url()}
        inherited |= {"DJANGO_SETTINGS_MODULE": "config.settings", "HOLDLINE_DATA_DIR": str(tmp_path), **environment}
        programs.append(PreparedProgram(module, arguments, inherited, tmp_path / "program.log", ROOT))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()


def database_url() -> str:
    """The address of the database that the tests use at the moment."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def left_by_a_dead_process(user: User) -> Talk:
    """A call in whose middle the web process was killed."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    talk = Talk(user, owner=f"{socket.gethostname()}:{process.pid}")
    talk.say(turns(40, FACTS))
    return talk


def entered_call(user: User) -> Talk:
    talk = past_call(user, turns(40, FACTS))
    services.write_call_history(talk.id)
    return talk


def working_process() -> int:
    """The process that is at the summary at this moment, whose claim says so."""
    return int(CallHistory.objects.get().claimed_by.rpartition(":")[2])


def wait_until_asked(worker: Program, emulator: Emulator, times: int = 1) -> None:
    """Until the model was asked so many times."""

    def is_asked() -> bool:
        return len(emulator.entries("text_generated")) >= times

    worker.wait_until(is_asked, DONE_WITHIN_S, "the call of the model")


def send(redis_url: str, queue: str, name: str, *arguments: str, **options: Any) -> None:
    sender = Celery(broker=redis_url, set_as_current=False)
    sender.conf.task_default_queue = queue
    sender.send_task(name, arguments, **options)
    sender.close()


def look_for_what_is_due(redis_url: str, queue: str = "holdline-short") -> None:
    """What a beat sends."""
    send(redis_url, queue, "summarization.enqueue_due")


def times_looked(worker: Program) -> int:
    """How often workers have looked for what is due, as their log tells."""
    return len(re.findall(r"Task summarization\.enqueue_due.* succeeded", worker.output()))


def is_ready() -> bool:
    return CallHistory.objects.filter(state=SummaryState.READY).exists()


# -- the real SDK ------------------------------------------------------------------------------------------------------


def test_a_call_is_summarised_with_its_facts(
    alice: User, gemini: Callable[..., SummarizationService], emulator: Emulator
) -> None:
    talk = entered_call(alice)
    services.write_summary(talk.id, gemini())
    entry = CallHistory.objects.get()
    assert entry.state == SummaryState.READY
    assert entry.model == MODELS[0]
    assert entry.title
    assert all(any(fact in kept for kept in entry.facts) for fact in KEPT)
    assert [entry["model"] for entry in emulator.entries("text_generated")] == [MODELS[0]]


def test_a_conversation_of_forty_turns_is_always_condensed_in_time(
    alice: User, gemini: Callable[..., SummarizationService]
) -> None:
    service, talk = gemini(), Talk(alice)
    for turn in turns(40, FACTS):
        talk.say((turn,))
        rolling.request_rolling_summary_if_due(talk.id)
        rolling.write_rolling_summary(talk.id, service)
    context = talk.context
    known = context.summary + " ".join(turn.text for turn in context.turns)
    assert all(fact in known for fact in KEPT)
    assert RollingSummary.objects.get().until_turn >= 33


@pytest.mark.parametrize(
    ("kind", "parameters", "reason"),
    [
        ("quota", {"limit": "minute", "for_s": 60}, "the quota of gemini-3.8-flash is used up for now"),
        ("bad_text", {"answer": "garbage"}, "gemini-3.8-flash gave an answer that cannot be used"),
        ("bad_text", {"answer": "empty"}, "gemini-3.8-flash gave an empty answer"),
        ("bad_text", {"answer": "hang"}, "gemini-3.8-flash did not answer in time"),
        ("bad_text", {"answer": "unavailable"}, "gemini-3.8-flash is not available at present (503)"),
    ],
)
def test_whatever_is_wrong_with_the_model_the_call_is_there_and_the_summary_comes_when_it_is_back(
    alice: User,
    gemini: Callable[..., SummarizationService],
    emulator: Emulator,
    kind: str,
    parameters: dict[str, str | int],
    reason: str,
) -> None:
    emulator.fault(kind, **parameters)
    hangs, talk = parameters.get("answer") == "hang", entered_call(alice)
    services.write_summary(talk.id, gemini(answer_limit_s=2) if hangs else gemini())
    entry = CallHistory.objects.get()
    assert (entry.state, entry.reason) == (SummaryState.PENDING, reason)
    assert "PLUM-42" in entry.search_text
    emulator.disarm()
    with time_machine.travel(entry.due_at or timezone.now()):
        services.write_summary(talk.id, gemini())
    assert is_ready()


def test_a_provider_that_says_how_long_to_wait_is_left_alone_for_that_long(
    alice: User, gemini: Callable[..., SummarizationService], emulator: Emulator
) -> None:
    emulator.fault("quota", limit="minute", retry_after_s=47)
    talk = entered_call(alice)
    before = timezone.now()
    services.write_summary(talk.id, gemini())
    after = timezone.now()
    due_at = CallHistory.objects.get().due_at
    assert due_at
    assert before + datetime.timedelta(seconds=46) < due_at <= after + datetime.timedelta(seconds=47)


def test_another_model_writes_it_when_the_first_is_spent(
    alice: User, gemini: Callable[..., SummarizationService], emulator: Emulator
) -> None:
    emulator.fault("quota", limit="day", model=MODELS[0])
    services.write_summary(entered_call(alice).id, gemini())
    assert CallHistory.objects.get().model == MODELS[1]


def test_what_the_provider_will_not_summarise_is_said_so(
    alice: User, gemini: Callable[..., SummarizationService], emulator: Emulator
) -> None:
    emulator.fault("bad_text", answer="blocked")
    services.write_summary(entered_call(alice).id, gemini())
    entry = CallHistory.objects.get()
    assert (entry.state, entry.due_at) == (SummaryState.FAILED, None)
    assert entry.reason == "gemini-3.8-flash refused to summarise what was said"


def test_a_wrong_key_is_said_to_be_wrong(alice: User, gemini: Callable[..., SummarizationService]) -> None:
    services.write_summary(entered_call(alice).id, gemini(key="bad"))
    entry = CallHistory.objects.get()
    assert entry.state == SummaryState.FAILED
    assert "API key" in entry.reason


def test_a_provider_that_cannot_be_reached_is_tried_again(
    alice: User, gemini: Callable[..., SummarizationService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://127.0.0.1:9")
    services.write_summary(entered_call(alice).id, gemini())
    entry = CallHistory.objects.get()
    assert (entry.state, entry.reason) == (SummaryState.PENDING, "the provider cannot be reached")


# -- who does the work -------------------------------------------------------------------------------------------------


def test_without_a_broker_the_web_process_cleans_up_as_it_starts_and_writes_summaries(
    alice: User, start: Start
) -> None:
    talk = left_by_a_dead_process(alice)
    program = start("tests.summarization.background_process", REDIS_URL="")
    program.wait_until(lambda: CallHistory.objects.exists(), DONE_WITHIN_S, "the entry in the history")
    assert LiveSession.objects.get().ended_at
    services.request_summary(talk.id)  # it was left, so its summary would wait for the page
    program.stop()
    program = start("tests.summarization.background_process", REDIS_URL="")
    program.wait_until(is_ready, DONE_WITHIN_S, "the summary")
    assert "Traceback" not in program.output()


@pytest.mark.laptop
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_a_web_process_that_ends_in_the_middle_of_a_summary_lets_go_of_it(
    kind: str, alice: User, start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    """The next one need not wait, and nobody counts as lost."""
    emulator.fault("bad_text", answer="hang")
    entered_call(alice)
    web = start_web(kind, DATABASE_URL=database_url(), REDIS_URL="")
    wait_until(lambda: bool(emulator.entries("text_generated")), DONE_WITHIN_S, "the call of the model")
    assert CallHistory.objects.get().claimed_until
    web.stop()
    entry = CallHistory.objects.get()
    assert (entry.claimed_by, entry.claimed_until, entry.claims_lost) == ("", None, 0)


def test_with_a_broker_workers_do_the_work_and_a_lost_message_costs_nothing_but_time(
    alice: User, start: Start, emulator: Emulator
) -> None:
    left_by_a_dead_process(alice)
    with running_valkey() as redis_url:
        left = [f"left-{number}" for number in range(5)]  # by a beat, while nobody took any
        for id in left:
            send(redis_url, "holdline-short", "summarization.enqueue_due", expires=0.1, task_id=id)
        web = start("tests.summarization.background_process", REDIS_URL=redis_url)
        web.wait_until(lambda: CallHistory.objects.exists(), DONE_WITHIN_S, "the entry in the history")
        command = start("manage", "summarize_missing", REDIS_URL=NOBODY_LISTENS)
        assert command.wait() == 0

        worker = start(*WORKER, "--beat", REDIS_URL=redis_url)
        worker.wait_until(lambda: "ready." in worker.output(), DONE_WITHIN_S, "the worker")
        worker.wait_until(is_ready, DONE_WITHIN_S, "the summary")
        assert len(emulator.entries("text_generated")) == 1
        worker.wait_until(lambda: "beat: Starting" in worker.output(), DONE_WITHIN_S, "the beat")
        discarded = [f"Discarding revoked task: summarization.enqueue_due[{id}]" for id in left]
        worker.wait_until(
            lambda: all(line in worker.output() for line in discarded), DONE_WITHIN_S, "what was left to be discarded"
        )
        assert "PLUM-42" not in worker.output()
        assert worker.stop() == 0


def test_what_a_killed_worker_had_in_hand_another_one_takes_over(alice: User, start: Start, emulator: Emulator) -> None:
    """The half minute until its claim runs out is not waited for here; `tests.bench.takeover` does."""
    emulator.fault("bad_text", answer="hang")
    with running_valkey() as redis_url:
        workers = [start(*WORKER, "--beat", REDIS_URL=redis_url) for _ in range(2)]
        workers[1].wait_until(lambda: workers[1].output().count("ready.") == 2, DONE_WITHIN_S, "both workers")
        # Not before: the model is asked no longer than half a minute, in which a worker need not have started.
        entered_call(alice)
        look_for_what_is_due(redis_url)
        wait_until_asked(workers[0], emulator)
        first, second = sorted(workers, key=lambda worker: working_process() not in children_of(worker.pid))
        others = children_of(first.pid)
        for pid in (first.pid, working_process()):
            os.kill(pid, signal.SIGKILL)
        assert CallHistory.objects.filter(claimed_until__gt=timezone.now()).update(
            claimed_until=timezone.now() + ONE_HOUR
        )
        emulator.disarm()
        looked = times_looked(second)
        look_for_what_is_due(redis_url)
        second.wait_until(lambda: times_looked(second) > looked, DONE_WITHIN_S, "somebody to look")
        assert CallHistory.objects.get().attempts == 1  # for all that is known the dead one is alive
        let_claims_run_out()
        look_for_what_is_due(redis_url)
        second.wait_until(is_ready, DONE_WITHIN_S, "the summary")
        second.wait_until(lambda: all(map(has_ended, others)), DONE_WITHIN_S, "its beat, and what else it has left")
    assert CallHistory.objects.values_list("attempts", "claims_lost").get() == (2, 0)


@pytest.mark.laptop
def test_a_process_that_was_suspended_wakes_and_writes_nothing(alice: User, start: Start, emulator: Emulator) -> None:
    emulator.fault("bad_text", answer="hang")
    entered_call(alice)
    with running_valkey() as redis_url:
        worker = start(*WORKER, REDIS_URL=redis_url)
        wait_until_asked(worker, emulator)
        suspended = working_process()
        os.kill(suspended, signal.SIGSTOP)
        try:
            assert let_claims_run_out() == 1
            emulator.disarm()
            look_for_what_is_due(redis_url, queue="holdline")  # where the version before sent it
            worker.wait_until(is_ready, DONE_WITHIN_S, "the summary of the other process")
            newer = CallHistory.objects.values().get()
        finally:
            os.kill(suspended, signal.SIGCONT)
        done = "Task summarization.write_summary"
        worker.wait_until(lambda: len(re.findall(rf"{done}.* succeeded", worker.output())) == 2, DONE_WITHIN_S, "it")
    assert CallHistory.objects.values().get() == newer


@pytest.mark.laptop
def test_a_summary_that_kills_its_processes_is_given_up(alice: User, start: Start, emulator: Emulator) -> None:
    """As the system does when it is out of memory."""
    emulator.fault("bad_text", answer="hang")
    entered_call(alice)
    with running_valkey() as redis_url:
        worker = start(*WORKER, REDIS_URL=redis_url)
        for number in range(1, CLAIMS_LOST_BEFORE_FAILED + 1):
            wait_until_asked(worker, emulator, number)
            os.kill(working_process(), signal.SIGKILL)
            assert let_claims_run_out() == 1
            look_for_what_is_due(redis_url)
        entry = CallHistory.objects.get()
        assert (entry.state, entry.attempts) == (SummaryState.FAILED, CLAIMS_LOST_BEFORE_FAILED)
        assert "ended in the middle" in entry.reason
        assert len(emulator.entries("text_generated")) == CLAIMS_LOST_BEFORE_FAILED
        assert let_claims_run_out() == 0


@pytest.mark.laptop
def test_work_that_reaches_its_limit_of_time_is_broken_off_in_order(
    alice: User, start: Start, emulator: Emulator
) -> None:
    """The limit is five seconds instead of ten minutes; the model does not answer in that time."""
    emulator.fault("bad_text", answer="hang")
    with running_valkey() as redis_url:
        worker = start(*WORKER, REDIS_URL=redis_url)
        # A worker that starts looks for what is due, and would take it up without this limit.
        worker.wait_until(lambda: times_looked(worker) == 1, DONE_WITHIN_S, "its first look")
        talk = entered_call(alice)
        send(redis_url, "holdline-long", "summarization.write_summary", str(talk.id), soft_time_limit=5)
        worker.wait_until(lambda: bool(CallHistory.objects.get().reason), DONE_WITHIN_S, "the reason")
    entry = CallHistory.objects.get()
    assert (entry.reason, entry.claimed_by, entry.claims_lost) == ("it took too long", "", 0)
