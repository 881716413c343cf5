"""What stands in the database of the app that is photographed: conversations of somebody who has used it for weeks."""

from __future__ import annotations

ALICES = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from tests.pages.history_rows import converse

alice = User.objects.get(username="alice")
now = timezone.now()
events = (
    (0, "connected", {"action": "new"}),
    (129, "connection_lost", {"reason": "network"}),
    (131, "connected", {"action": "resumed", "outage_ms": 1900}),
    (312, "go_away", {}),
    (313, "connected", {"action": "resumed", "outage_ms": 240}),
)
tides = converse(
    alice,
    "Can you explain why there are two tides a day, and not just one?",
    "The Moon pulls the near side of the sea harder than the Earth, and the Earth harder than the far side. So the "
    "water is stretched into two bulges, and we turn through both of them once a day.",
    "And why are some higher than others?",
    "When Sun and Moon pull along one line, at full and new moon, their tides add up: these are spring tides.",
    title="Why there are two tides a day",
    started_at=now - timedelta(hours=3),
    events=events,
    summary="The Moon stretches the sea into two bulges, and the Earth turns through both. At full and new moon the "
    "Sun adds its share, which makes spring tides.",
    open_points=["Look up the tide table for Saturday."],
    facts=["They live in Husum.", "The boat needs 1.20 m of water."],
    reports=({"input_tokens": 1240, "output_tokens": 310},),
)
for number in range(30):
    converse(
        alice,
        "Help me plan a quiet Sunday.",
        "Begin with a walk, before it gets warm.",
        title=f"A quiet Sunday, plan {number + 1}" if number % 7 else "Wegbeschreibung vom Bahnhof zum Hafen",
        mode="text" if number % 3 else "call",
        started_at=now - timedelta(days=number + 1, hours=number),
        summary="A walk before noon, soup, and a book.",
        state="failed" if number == 2 else "ready",
        reason="The models that write summaries did not answer." if number == 2 else "",
    )
converse(
    User.objects.get(username="sam"),
    "Which harbour comes after Husum?",
    "Going north, it is Dagebüll.",
    title="The harbours north of Husum",
    started_at=now - timedelta(minutes=13),
    is_over=False,
    is_open=False,
)
print(tides.pk)
"""

ERROR_PAGES = """
import json
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.shortcuts import render
from django.test import RequestFactory
from django.utils.translation import override
from django.views import csrf, defaults

def pages():
    request = RequestFactory().get("/broken/")
    answers = {
        "400": defaults.bad_request(request, SuspiciousOperation()),
        "403": defaults.permission_denied(request, PermissionDenied()),
        "403-form": csrf.csrf_failure(request),
        "404": defaults.page_not_found(request, Http404()),
        "429": render(request, "429.html", {"sentence": "Too many tries. You can try again in 40 seconds."}),
        "500": defaults.server_error(request),
    }
    return {name: answer.content.decode() for name, answer in answers.items()}

found = {}
for language in LANGUAGES:
    with override(language):
        found[language] = pages()
print(json.dumps(found))
"""
