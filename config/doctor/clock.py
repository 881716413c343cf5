"""This machine's clock beside those of the provider and of the database."""

from __future__ import annotations

import email.utils
import http.client
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from config.doctor.findings import Finding, failed, not_set, ok, warning
from config.doctor.http import Address, Answer, ask
from energy.models import Persona

GOOGLE = "https://generativelanguage.googleapis.com"
RIGHT_S, USABLE_S = 2.0, 60.0
ADVICE = "Have NTP set the clock: quotas, handles and heartbeats go by it."


def look() -> Iterator[Finding]:
    try:
        yield of_provider(ask(Address(settings.GOOGLE_GEMINI_BASE_URL or GOOGLE), "/"))
    except (OSError, http.client.HTTPException) as error:
        yield failed(f"the provider tells no time: {error}", "See that this machine reaches it.")
    yield of_database()


def of_provider(answer: Answer) -> Finding:
    """By the header of any answer, which has whole seconds."""
    try:
        told = email.utils.parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return not_set("the provider tells no time")
    return _finding(_beyond(told - answer.ended, told + 1 - answer.began), "the provider's")


def of_database() -> Finding:
    if connection.vendor != "postgresql":
        return not_set("SQLite goes by the same clock")
    began = time.time()
    told = Persona.objects.values_list(Now(), flat=True).first()
    if told is None:
        return not_set("the database has nothing in it yet")
    return _finding(_beyond(told.timestamp() - time.time(), told.timestamp() - began), "the database's")


def _beyond(least: float, most: float) -> float:
    """How far two clocks are certainly apart, in seconds, when it lies between these."""
    return max(0.0, least, -most)


def _finding(apart_s: float, whose: str) -> Finding:
    if apart_s <= RIGHT_S:
        return ok(f"agrees with {whose}")
    make = warning if apart_s <= USABLE_S else failed
    return make(f"{apart_s:.0f} s away from {whose}", ADVICE)
