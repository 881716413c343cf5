"""Traces of live sessions, for OpenTelemetry; loaded only where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

A trace is a live session, with a span for each reply of the model by the conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/, read 2026-11), and spans of our own for what its line
goes through, under `live.resume`. What is said is in none of them. Spans go out in batches, from a thread of their own.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from sessions_app.live.machine.observed import (
    SERVED,
    AlarmJudged,
    ConnectionJudged,
    FramesResent,
    InputLost,
    Left,
    LevelMoved,
    Observation,
    OpeningEnded,
    Outcome,
    Replied,
    ResumeTried,
    SetUp,
    Swapped,
    TurnCounted,
    WaitedInLine,
)
from sessions_app.live.watch import Watched

PROVIDER = "gcp.gemini"
OPERATION = "chat"
NS_PER_MS = 1_000_000

FLUSH_LIMIT_S = 2.0
"""A process that ends does not wait any longer for a collector that does not answer."""

BEGINNINGS = (WaitedInLine, OpeningEnded, SetUp, ResumeTried, ConnectionJudged)
"""What can be the first that is seen of a session. Anything else may still be told of one that is over."""

Attributes = dict[str, AttributeValue]


def exporting_provider() -> TracerProvider:
    """A provider that exports as the variables of OpenTelemetry say."""
    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "holdline"}
    instance = {"service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    provider = TracerProvider(resource=Resource.create({**named, **instance}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


@dataclass(slots=True)
class _Trace:
    """The span of a session, and a reply that is over and waits to be told what it took."""

    root: Span
    reply: Span | None = None
    reply_ended_ns: int = 0


class Traces:
    """Tells what it sees of live sessions as spans; an `Observer` of them all.

    Args:
        provider: where spans go.
        now_ns: the time of day.
    """

    def __init__(self, provider: TracerProvider, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("holdline")
        self._now_ns = now_ns
        self._open: dict[Watched, _Trace] = {}
        self._listeners: Mapping[type[Observation], Callable[[_Trace, Watched, Any], None]] = {
            WaitedInLine: self._on_waited_in_line,
            OpeningEnded: partial(self._on_way, "live.resume.opening"),
            Swapped: partial(self._on_way, "live.resume.swap"),
            SetUp: self._on_set_up,
            Replied: self._on_replied,
            TurnCounted: self._on_turn_counted,
            ResumeTried: self._on_resume_tried,
            ConnectionJudged: self._on_connection_judged,
            AlarmJudged: self._on_alarm_judged,
            FramesResent: self._on_frames_resent,
            InputLost: self._on_input_lost,
            LevelMoved: self._on_level_moved,
            Left: self._on_left,
        }

    def saw(self, watched: Watched, observation: Observation) -> None:
        trace = self._open.get(watched)
        if trace is None:
            if not isinstance(observation, BEGINNINGS):
                return
            trace = self._open[watched] = self._begin(watched, getattr(observation, "ms", 0))
        self._listeners[type(observation)](trace, watched, observation)

    def close(self) -> None:
        """Export what is left; blocks, but not for long. Servers end by a signal, after which nobody is asked."""
        closing = Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(FLUSH_LIMIT_S)

    def _begin(self, watched: Watched, ago_ms: int) -> _Trace:
        root = self._tracer.start_span(
            "live.resume.session", attributes=_of(watched), start_time=self._now_ns() - ago_ms * NS_PER_MS
        )
        return _Trace(root)

    # -- spans ---------------------------------------------------------------------------------------------------------

    def _on_waited_in_line(self, trace: _Trace, watched: Watched, seen: WaitedInLine) -> None:
        self._span(trace, "live.resume.queue", seen.ms, {"live.resume.let_in": seen.was_let_in}).end()

    def _on_way(self, name: str, trace: _Trace, watched: Watched, seen: OpeningEnded | Swapped) -> None:
        attributes: Attributes = {**_of(watched), "live.resume.outcome": seen.outcome}
        if isinstance(seen, Swapped):
            attributes |= {"live.resume.kind": seen.kind, "live.resume.gap_ms": seen.ms}
        span = self._span(trace, name, seen.ms, attributes)
        if seen.outcome not in (*SERVED, Outcome.ENDED):
            span.set_attribute("error.type", seen.outcome)
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _on_set_up(self, trace: _Trace, watched: Watched, seen: SetUp) -> None:
        attributes: Attributes = {**_of(watched), "live.resume.outcome": seen.outcome}
        self._span(trace, "live.resume.dial", seen.ms, attributes, SpanKind.CLIENT).end()

    def _on_replied(self, trace: _Trace, watched: Watched, seen: Replied) -> None:
        """What it took in and put out is told after it, or not at all."""
        _end_reply(trace)
        attributes: Attributes = {"gen_ai.operation.name": OPERATION, **_of(watched)}
        name = f"{OPERATION} {watched.model}"
        trace.reply = self._span(trace, name, seen.ms, attributes, SpanKind.CLIENT)
        trace.reply_ended_ns = self._now_ns()

    def _on_turn_counted(self, trace: _Trace, watched: Watched, seen: TurnCounted) -> None:
        if trace.reply is not None:
            trace.reply.set_attribute("gen_ai.usage.input_tokens", seen.input_tokens)
            trace.reply.set_attribute("gen_ai.usage.output_tokens", seen.output_tokens)
        _end_reply(trace)

    def _on_left(self, trace: _Trace, watched: Watched, seen: Left) -> None:
        _end_reply(trace)
        trace.root.end()
        del self._open[watched]

    def _span(
        self, trace: _Trace, name: str, ms: int, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL
    ) -> Span:
        """Of something that is over now, and took so long."""
        return self._tracer.start_span(
            name,
            set_span_in_context(trace.root),
            kind,
            attributes,
            start_time=self._now_ns() - ms * NS_PER_MS,
        )

    # -- moments in the span of the session ----------------------------------------------------------------------------

    def _on_resume_tried(self, trace: _Trace, watched: Watched, seen: ResumeTried) -> None:
        trace.root.add_event("live.resume.resume", {"live.resume.outcome": seen.outcome})

    def _on_connection_judged(self, trace: _Trace, watched: Watched, seen: ConnectionJudged) -> None:
        told = {"live.resume.phase": seen.phase, "live.resume.verdict": seen.verdict}
        trace.root.add_event("live.resume.connection_lost", told)

    def _on_alarm_judged(self, trace: _Trace, watched: Watched, seen: AlarmJudged) -> None:
        told = {"live.resume.kind": seen.alarm, "live.resume.outcome": seen.outcome}
        trace.root.add_event("live.resume.alarm", told)

    def _on_frames_resent(self, trace: _Trace, watched: Watched, seen: FramesResent) -> None:
        if seen.count:
            told: Attributes = {"live.resume.frames": seen.count, "live.resume.reason": seen.reason}
            trace.root.add_event("live.resume.frames_resent", told)

    def _on_input_lost(self, trace: _Trace, watched: Watched, seen: InputLost) -> None:
        told: Attributes = {"live.resume.lost_ms": seen.ms, "live.resume.lost_messages": seen.messages}
        trace.root.add_event("live.resume.input_lost", {**told, "live.resume.reason": seen.reason})

    def _on_level_moved(self, trace: _Trace, watched: Watched, seen: LevelMoved) -> None:
        told: Attributes = {"live.resume.raised": seen.is_raised, "live.resume.reason": seen.reason}
        trace.root.add_event("live.resume.level_changed", told)


def _end_reply(trace: _Trace) -> None:
    reply, trace.reply = trace.reply, None
    if reply is not None:
        reply.end(trace.reply_ended_ns)


def _of(watched: Watched) -> Attributes:
    """Which session it is, and of what model."""
    return {
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.conversation.id": watched.conversation,
        "gen_ai.request.model": watched.model,
        "live.resume.session.id": watched.session,
        "live.resume.mode": watched.mode,
    }
