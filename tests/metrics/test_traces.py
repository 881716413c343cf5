"""Live sessions as traces: which spans there are, under which names, and that nobody pays for them who has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from config.tracing import Traces
from energy.levels import Mode
from sessions_app.live.machine.observed import (
    Left,
    OpeningEnded,
    Outcome,
    Replied,
    ResumeOutcome,
    ResumeTried,
    SwapKind,
    Swapped,
    TurnCounted,
)
from sessions_app.live.watch import Watched
from tests.config.commands import SECRET_KEY, clean_environment, run_python
from tests.scenarios.page import Page
from tests.services.web import WebServer

MODEL = "gemini-3.8-live"
NOW_NS = 1_800_000_000_000_000_000
MS = 1_000_000


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> Traces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traces(provider, lambda: NOW_NS)


@pytest.fixture
def call() -> Watched:
    return Watched("conversation-1", "session-1", Mode.CALL, MODEL)


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


def test_a_reply_is_a_span_by_the_conventions_with_what_it_took(
    traces: Traces, exporter: InMemorySpanExporter, call: Watched
) -> None:
    traces.saw(call, OpeningEnded(Outcome.NEW, 400))
    traces.saw(call, Replied(1_500))
    assert exporter.get_finished_spans()[-1].name == "live.resume.opening", "what it took may still be told"
    traces.saw(call, TurnCounted(120, 40))
    reply = named(exporter, f"chat {MODEL}")
    assert reply.kind is SpanKind.CLIENT
    assert (reply.start_time, reply.end_time) == (NOW_NS - 1_500 * MS, NOW_NS)
    assert dict(reply.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
        "gen_ai.conversation.id": "conversation-1",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 40,
        "live.resume.session.id": "session-1",
        "live.resume.mode": "call",
    }


def test_a_swap_is_a_span_as_long_as_its_gap_in_the_trace_of_its_session(
    traces: Traces, exporter: InMemorySpanExporter, call: Watched
) -> None:
    traces.saw(call, OpeningEnded(Outcome.NEW, 400))
    traces.saw(call, ResumeTried(ResumeOutcome.ACCEPTED))
    traces.saw(call, Swapped(SwapKind.GO_AWAY, Outcome.RESUMED, 700))
    traces.saw(call, Swapped(SwapKind.CONNECTION_LOST, Outcome.FAILED, 60_000))
    traces.saw(call, Replied(10))
    traces.saw(call, Left())
    good, bad = [span for span in exporter.get_finished_spans() if span.name == "live.resume.swap"]
    session = named(exporter, "live.resume.session")
    assert good.attributes is not None
    assert good.attributes["live.resume.kind"] == "go-away"
    assert good.attributes["live.resume.gap_ms"] == 700
    assert good.start_time == NOW_NS - 700 * MS
    assert (good.status.status_code, bad.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert session.context is not None
    assert {span.context.trace_id for span in exporter.get_finished_spans() if span.context} == {
        session.context.trace_id
    }
    assert {span.parent.span_id for span in (good, bad) if span.parent} == {session.context.span_id}
    assert [event.name for event in session.events] == ["live.resume.resume"]
    assert session.start_time == NOW_NS - 400 * MS
    assert named(exporter, f"chat {MODEL}").end_time == NOW_NS, "nothing was told of what it took"


def test_a_session_that_is_over_leaves_nothing_behind(
    traces: Traces, exporter: InMemorySpanExporter, call: Watched
) -> None:
    for _ in range(3):
        traces.saw(call, OpeningEnded(Outcome.FAILED, 10))
        traces.saw(call, Left())
        traces.saw(call, TurnCounted(10, 10))
        traces.saw(call, Left())
    assert [span.name for span in exporter.get_finished_spans()] == ["live.resume.opening", "live.resume.session"] * 3


def test_without_an_endpoint_nothing_of_opentelemetry_is_loaded(tmp_path: Path) -> None:
    tell = "import config.asgi, sys; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    environment = clean_environment(
        SECRET_KEY=SECRET_KEY,
        DEBUG="1",
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=f"sqlite:///{tmp_path / 'database'}",
        HOLDLINE_DATA_DIR=str(tmp_path),
    )
    done = run_python("-c", tell, environment=environment)
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Takes traces as a collector does; its address, and what it was sent."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *words: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, name="collector")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.laptop
async def test_a_web_process_sends_its_traces_and_what_is_left_when_it_ends(
    start_web: Callable[..., WebServer], collector: tuple[str, list[ExportTraceServiceRequest]]
) -> None:
    endpoint, received = collector
    web = start_web("uvicorn", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    async with Page(web, "text") as page:
        await page.start()
        await page.say("my code word is PLUM-42")
        await page.reply()
    assert web.stop() in (0, -15)
    resources = [resource for request in received for resource in request.resource_spans]
    spans = [span for resource in resources for scope in resource.scope_spans for span in scope.spans]
    names = {span.name for span in spans}
    assert names == {"live.resume.session", "live.resume.opening", "live.resume.dial", f"chat {MODEL}"}
    services = {pair.value.string_value for resource in resources for pair in resource.resource.attributes}
    assert "holdline" in services
    assert "PLUM-42" not in str(received), "what is said is in no span"
