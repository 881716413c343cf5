"""What a check finds, and how checks are run: beside each other, each with a limit of time. Nothing secret is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connections

LIMIT_S = 30.0
"""More than any of them gives what it asks: whoever does not answer is told of by the check itself."""

SHORTEST_API_KEY = 20


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text`: what is so, in a sentence without its full stop. `advice`: what to do, where there is something."""

    verdict: Verdict
    text: str
    advice: str = ""


def ok(text: str) -> Finding:
    return Finding(Verdict.OK, text)


def warning(text: str, advice: str) -> Finding:
    return Finding(Verdict.WARNING, text, advice)


def failed(text: str, advice: str) -> Finding:
    return Finding(Verdict.FAILED, text, advice)


def not_set(text: str) -> Finding:
    """The check does not apply; `text` names what is not set."""
    return Finding(Verdict.NOT_SET, text)


@dataclass(frozen=True, slots=True)
class Check:
    """One subject. `look` gives what it finds, one after the other; what it raises is a finding as well."""

    subject: str
    look: Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class _Run:
    check: Check
    thread: threading.Thread
    found: list[Finding]


def run(checks: Collection[Check], limit_s: float = LIMIT_S) -> Iterator[tuple[str, Finding]]:
    """What all of them find, (subject, finding), in their order. They run at the same time, each for `limit_s`; what
    takes longer has failed, and is left behind in its thread."""
    runs = [_start(check) for check in checks]
    until = time.monotonic() + limit_s
    for each in runs:
        each.thread.join(max(0.0, until - time.monotonic()))
        found = list(each.found)
        if each.thread.is_alive():
            found.append(failed(f"no answer within {limit_s:g} s", "Look at what it asks: see the lines around it."))
        for finding in found:
            yield each.check.subject, told(finding)


def _start(check: Check) -> _Run:
    found: list[Finding] = []

    def look() -> None:
        try:
            for finding in check.look():
                found.append(finding)
        except Exception as error:
            first_line = (str(error).splitlines() or [""])[0]
            found.append(failed(f"{type(error).__name__}: {first_line}".rstrip(": "), "See docs/operations.md."))
        finally:
            connections.close_all()

    thread = threading.Thread(target=look, name=f"doctor-{check.subject}", daemon=True)
    thread.start()
    return _Run(check, thread, found)


def told(finding: Finding) -> Finding:
    """The finding without anything that is secret: errors of libraries may have addresses with passwords in them."""
    text, advice = finding.text, finding.advice
    for secret in _secrets():
        text, advice = text.replace(secret, "***"), advice.replace(secret, "***")
    return replace(finding, text=text, advice=advice)


def _secrets() -> list[str]:
    database = settings.DATABASES["default"]
    # The emulator's key is a word that may stand in any sentence; a real one has 39 characters.
    api_key = settings.GEMINI_API_KEY if len(settings.GEMINI_API_KEY) >= SHORTEST_API_KEY else ""
    known = [
        api_key,
        settings.GEMINI_TOKEN_SERVICE_SECRET,
        # As the key: the emulator's is a word.
        settings.GOOGLE_CLOUD_ACCESS_TOKEN if len(settings.GOOGLE_CLOUD_ACCESS_TOKEN) >= SHORTEST_API_KEY else "",
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
        *settings.HANDLE_FERNET_KEYS,
        settings.EMAIL_HOST_PASSWORD,
        str(database.get("PASSWORD") or ""),
        *_passwords_in(settings.REDIS_URL),
    ]
    return sorted({secret for secret in known if secret}, key=len, reverse=True)


def _passwords_in(url: str) -> list[str]:
    password = urlsplit(url).password or ""
    return [password, unquote(password)]
