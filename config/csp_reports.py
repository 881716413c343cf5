"""What browsers report when a page breaks the content security policy: a line in the log for each way in which one did.

Anybody may report anything, so a line is made of known words alone (a directive, an origin, a route of ours); what else
stands in a report, such as the piece of script that was refused, may hold what somebody said. Lines are counted.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from csp.utils import DEFAULT_DIRECTIVES
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sessions_app.client_address import address_of_request

logger = logging.getLogger(__name__)

CONTENT_TYPES = ("application/csp-report", "application/reports+json")
LARGEST_BODY_BYTES = 16 * 1024
MOST_REPORTS_OF_A_BODY = 20

WINDOW_S = 60
LINES_PER_WINDOW = 20
LINES_PER_ADDRESS = 5
"""Ways of breaking the policy that a process tells within a window, and those of them that one address may report."""

_ORIGIN = re.compile(r"(?:https?|wss?)://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?")
_BLOCKED_WORDS = frozenset(
    ("inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-policy", "trusted-types-sink")
)
OTHER = "other"


@dataclass(frozen=True)
class Violation:
    """A directive, what it refused (a word such as `inline`, or an origin), and the route of the page."""

    directive: str
    blocked: str
    route: str

    def __str__(self) -> str:
        return f"{self.directive} refused {self.blocked} on {self.route}"


def violations_in(body: bytes) -> Iterator[Violation]:
    """What a report tells, of either kind: the old one of `report-uri` or a list of the newer one of `report-to`."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return
    for report in told[:MOST_REPORTS_OF_A_BODY] if isinstance(told, list) else [told]:
        if not isinstance(report, dict):
            continue
        if isinstance(old := report.get("csp-report"), dict):
            directive = old.get("effective-directive") or old.get("violated-directive")
            yield _violation(directive, old.get("blocked-uri"), old.get("document-uri"))
        elif report.get("type") == "csp-violation" and isinstance(new := report.get("body"), dict):
            yield _violation(new.get("effectiveDirective"), new.get("blockedURL"), new.get("documentURL"))


def _violation(directive: Any, blocked: Any, document: Any) -> Violation:
    return Violation(_known_directive(directive), _origin(blocked), _route(document))


def _known_directive(directive: Any) -> str:
    name = str(directive).partition(" ")[0]
    return name if name in DEFAULT_DIRECTIVES else OTHER


def _origin(address: Any) -> str:
    text = str(address).lower()
    match = _ORIGIN.match(text)
    return match[0] if match else text if text in _BLOCKED_WORDS else OTHER


def _route(address: Any) -> str:
    try:
        return "/" + resolve(urlsplit(str(address)).path or "/").route
    except (ValueError, Resolver404):
        return OTHER


class ReportLog:
    """Writes each violation once in a window, and after it how often it came again and how many were left out.

    What has been counted is written when the first report after the window comes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begin()

    def note(self, violation: Violation, address: str) -> None:
        with self._lock:
            if self._clock() - self._began_s >= WINDOW_S:
                self._sum_up()
                self._begin()
            if violation in self._times:
                self._times[violation] += 1
            elif len(self._times) < LINES_PER_WINDOW and self._lines_of[address] < LINES_PER_ADDRESS:
                self._times[violation] = 1
                self._lines_of[address] += 1
                logger.warning("A page broke the content security policy: %s.", violation)
            else:
                self._left_out += 1

    def _begin(self) -> None:
        self._began_s = self._clock()
        self._times: dict[Violation, int] = {}
        self._lines_of: Counter[str] = Counter()
        self._left_out = 0

    def _sum_up(self) -> None:
        for violation, times in self._times.items():
            if times > 1:
                logger.warning("The same was reported %d times more: %s.", times - 1, violation)
        if self._left_out:
            logger.warning("%d more reports of broken policies were left out.", self._left_out)


report_log = ReportLog()


@csrf_exempt
@require_POST
def csp_reports(request: HttpRequest) -> HttpResponse:
    """204 whatever is sent; what is too large or no report is dropped. Django would log a line for each refusal."""
    if request.content_type in CONTENT_TYPES:
        body = request.read(LARGEST_BODY_BYTES + 1)
        if len(body) <= LARGEST_BODY_BYTES:
            address = address_of_request(request)
            for violation in violations_in(body):
                report_log.note(violation, address)
    return HttpResponse(status=204)
