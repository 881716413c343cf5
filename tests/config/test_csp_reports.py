"""Reports of broken policies: what is logged of them, how much at most, and that nothing in them does any harm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from config.csp_reports import (
    LARGEST_BODY_BYTES,
    LINES_PER_ADDRESS,
    LINES_PER_WINDOW,
    MOST_REPORTS_OF_A_BODY,
    WINDOW_S,
    ReportLog,
    Violation,
    violations_in,
)

SECRET = "the heron is blue"
"""What somebody said."""

OLD = "application/csp-report"
NEW = "application/reports+json"
INLINE_STYLE = Violation("style-src-attr", "inline", "/text/")


def old_report(**fields: Any) -> dict[str, Any]:
    return {"csp-report": {"document-uri": "https://holdline.example/text/", **fields}}


def new_report(**fields: Any) -> dict[str, Any]:
    body = {"documentURL": "https://holdline.example/text/?q=heron", **fields}
    return {"type": "csp-violation", "age": 5, "url": body["documentURL"], "user_agent": SECRET, "body": body}


def told(*reports: Any) -> list[Violation]:
    return list(violations_in(json.dumps(reports[0] if len(reports) == 1 else reports).encode()))


class Clock:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> ReportLog:
    return ReportLog(clock)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What has been logged so far."""
    return lambda: [record.getMessage() for record in caplog.records]


def other_violation(number: int) -> Violation:
    return Violation("img-src", f"https://{number}.example", "/text/")


def test_both_kinds_of_reports_say_the_same() -> None:
    old = {
        "effective-directive": "style-src-attr",
        "violated-directive": "style-src-attr 'self'",
        "blocked-uri": "inline",
    }
    new = {"effectiveDirective": "style-src-attr", "blockedURL": "inline"}
    assert told(old_report(**old)) == told([new_report(**new)]) == [INLINE_STYLE]


def test_a_browser_that_names_the_whole_directive_is_understood() -> None:
    assert told(old_report(**{"violated-directive": "style-src-attr 'self'", "blocked-uri": "inline"})) == [
        INLINE_STYLE
    ]


def test_of_addresses_only_the_origin_and_the_route_are_told() -> None:
    violation = told(
        old_report(
            **{
                "effective-directive": "img-src",
                "blocked-uri": "https://Evil.example:8443/heron?q=blue#x",
                "document-uri": "https://holdline.example/history/0b0e2a2e-6f2c-4b1e-9c5e-0d5b1f7a7a11/?q=heron",
            }
        )
    )
    assert violation == [Violation("img-src", "https://evil.example:8443", "/history/<uuid:id>/")]


def test_the_token_of_a_link_is_not_told() -> None:
    report = old_report(**{"document-uri": "https://holdline.example/accounts/reset/MQ/cg3z1x-0123456789abcdef/"})
    assert [violation.route for violation in told(report)] == ["/accounts/reset/<uidb64>/<token>/"]


def test_no_word_of_a_report_is_told_that_is_not_known_before() -> None:
    sample = {"script-sample": SECRET, "source-file": SECRET, "referrer": SECRET, "original-policy": SECRET}
    violations = told(
        old_report(**sample, **{"effective-directive": SECRET, "blocked-uri": SECRET, "document-uri": f"/{SECRET}"}),
        new_report(
            sample=SECRET, effectiveDirective=SECRET, blockedURL=f"data:{SECRET}", documentURL=f"https://[{SECRET}"
        ),
    )
    assert violations == [Violation("other", "other", "other")] * 2


def test_a_body_with_many_reports_is_read_so_far() -> None:
    assert len(told([new_report()] * 100)) == MOST_REPORTS_OF_A_BODY


def test_what_comes_again_is_written_once_and_counted(
    log: ReportLog, clock: Clock, lines: Callable[[], list[str]]
) -> None:
    for _ in range(40):
        log.note(INLINE_STYLE, "192.0.2.7")
    assert lines() == ["A page broke the content security policy: style-src-attr refused inline on /text/."]
    clock.now_s += WINDOW_S
    log.note(INLINE_STYLE, "192.0.2.7")
    assert lines()[1:] == [
        "The same was reported 39 times more: style-src-attr refused inline on /text/.",
        "A page broke the content security policy: style-src-attr refused inline on /text/.",
    ]


def test_one_address_cannot_take_all_the_lines(log: ReportLog, lines: Callable[[], list[str]]) -> None:
    for number in range(1000):
        log.note(other_violation(number), "192.0.2.7")
    assert len(lines()) == LINES_PER_ADDRESS
    log.note(INLINE_STYLE, "192.0.2.8")
    assert len(lines()) == LINES_PER_ADDRESS + 1


class Written(logging.Handler):
    """Adds up what the lines say."""

    def __init__(self) -> None:
        super().__init__()
        self.first_lines = self.reports = 0

    def emit(self, record: logging.LogRecord) -> None:
        if "broke" in record.msg:
            self.first_lines += 1
            self.reports += 1
        else:
            assert isinstance(record.args, tuple)
            assert isinstance(record.args[0], int)
            self.reports += record.args[0]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.sampled_from((0, 0, 0, 1, 59, 61))), max_size=300))
def test_no_window_has_more_lines_than_it_may_and_every_report_is_counted(reports: list[tuple[int, int, int]]) -> None:
    clock, written = Clock(), Written()
    began_s = clock.now_s
    logger = logging.getLogger("config.csp_reports")
    logger.addHandler(written)
    try:
        log = ReportLog(clock)
        for number, address, passed_s in reports:
            clock.now_s += passed_s
            log.note(other_violation(number), f"192.0.2.{address}")
        clock.now_s += WINDOW_S
        log.note(INLINE_STYLE, "192.0.2.99")
    finally:
        logger.removeHandler(written)
    assert written.reports == len(reports) + 1
    assert written.first_lines <= LINES_PER_WINDOW * (1 + (clock.now_s - began_s) // WINDOW_S)


def test_reports_are_sent_to_where_they_are_taken(client: Client) -> None:
    assert reverse("csp-reports") == settings.CSP_REPORTS_URL
    for secure in (True, False):
        policy = client.get("/healthz", secure=secure).headers["Content-Security-Policy"]
        assert policy.endswith(f"report-uri {settings.CSP_REPORTS_URL}")


def test_an_endpoint_is_named_with_tls_only(client: Client) -> None:
    """Without TLS a browser that was told of one sends no report at all."""
    for secure in (True, False):
        headers = client.get("/healthz", secure=secure).headers
        assert ("report-to csp" in headers["Content-Security-Policy"].split("; ")) is secure
        assert (headers.get("Reporting-Endpoints") == f'csp="{settings.CSP_REPORTS_URL}"') is secure


def test_a_report_needs_neither_log_in_nor_token(lines: Callable[[], list[str]]) -> None:
    client = Client(enforce_csrf_checks=True)
    report = json.dumps([new_report(effectiveDirective="font-src", blockedURL="https://x.example/")])
    assert client.post("/csp-reports/", report, content_type=NEW).status_code == 204
    assert len(lines()) == 1


def test_what_is_too_large_or_no_report_leaves_no_trace(client: Client, lines: Callable[[], list[str]]) -> None:
    """Not even as a refusal: Django logs a line for each of those."""
    large = json.dumps(old_report(**{"script-sample": "x" * LARGEST_BODY_BYTES}))
    assert client.post("/csp-reports/", large, content_type=OLD).status_code == 204
    for content_type in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
        assert client.post("/csp-reports/", json.dumps(old_report()), content_type=content_type).status_code == 204
    assert lines() == []


def test_nobody_looks_at_reports(client: Client) -> None:
    assert client.get("/csp-reports/").status_code == 405


def reports_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What looks like a report and holds anything."""
    names = st.sampled_from(
        [
            *("document-uri", "effective-directive", "violated-directive", "blocked-uri"),
            *("documentURL", "effectiveDirective", "blockedURL"),
        ]
    )
    fields = st.dictionaries(names, values)
    return st.fixed_dictionaries({"csp-report": fields}) | st.fixed_dictionaries(
        {"type": st.just("csp-violation"), "body": fields}
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | reports_of(inner),
    max_leaves=20,
)


@given(st.binary(max_size=2000) | JSON.map(lambda told: json.dumps(told).encode()), st.sampled_from((OLD, NEW)))
def test_no_report_is_an_error_of_the_server(body: bytes, content_type: str) -> None:
    assert Client().post("/csp-reports/", body, content_type=content_type).status_code == 204


@pytest.mark.parametrize(
    "body", [b"[" * 16_000, b"1" * 16_000, b'{"a":' * 3_000, b'"\\ud800"', b"\xff\xfe", b"", b"NaN"]
)
def test_nor_is_one_that_was_made_to_be(client: Client, body: bytes) -> None:
    assert client.post("/csp-reports/", body, content_type=OLD).status_code == 204
