"""Many small writes in one transaction, of which a bad one takes no other with it."""

from __future__ import annotations

import asyncio
import threading
import uuid
from functools import partial

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import IntegrityError

from energy.levels import Mode
from sessions_app import services
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.models import SessionEvent
from tests.sessions_app.conftest import close_connections

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_row_whose_conversation_is_gone_is_refused_alone_though_the_database_notices_only_at_the_end(
    alice: User,
) -> None:
    """Both databases look at references when a transaction ends, and here it holds the writes of others, too."""
    request = services.SessionRequest(alice, Mode.CALL, "slot", uuid.uuid4())
    opening = await database_sync_to_async(services.open_session)(request, "a-model", "a-worker")
    thread = DatabaseThread()
    gone = str(uuid.uuid4())

    def record(conversation: str, session: str, kind: str) -> asyncio.Future[None]:
        return asyncio.ensure_future(thread.run(partial(services.record_event, conversation, session, kind, {})))

    results = await asyncio.gather(
        record(opening.conversation, opening.session, "before"),
        record(gone, gone, "gone"),
        record(opening.conversation, opening.session, "after"),
        return_exceptions=True,
    )
    thread._executor.submit(close_connections).result()
    thread._executor.shutdown()
    assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
    kinds = await database_sync_to_async(
        lambda: list(SessionEvent.objects.order_by("pk").values_list("kind", flat=True))
    )()
    assert kinds == ["before", "after"]


@pytest.mark.parametrize("is_at_work", [False, True])
async def test_who_asks_for_rows_while_the_loop_ends_is_not_left_waiting(is_at_work: bool) -> None:
    """All tasks are cancelled then, the worker with them, and some still ask for rows to tidy up: they get them."""
    thread, begun, may_end = DatabaseThread(), threading.Event(), threading.Event()
    tidied: list[str] = []

    def work() -> None:
        begun.set()
        may_end.wait()

    async def tidy_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(await thread.run(lambda: "a row"))

    tidying = asyncio.create_task(tidy_up())
    working = asyncio.create_task(thread.run(work))
    await asyncio.sleep(0)
    if is_at_work:
        await asyncio.to_thread(begun.wait)
    assert thread._worker is not None
    for task in (tidying, working, thread._worker):
        task.cancel()
    may_end.set()
    _, pending = await asyncio.wait({tidying, working}, timeout=10)
    thread._executor.shutdown()
    assert (pending, tidied) == (set(), ["a row"])
