"""Questions about live sessions, and wishes for them: answered by the worker that holds them, asked by any other.

They go through the channel layer, as everything between workers does. It may be away: then an owner elsewhere cannot be
asked, nothing is known of its sessions but what rows tell, and they go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from enum import StrEnum
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.contrib.auth.models import User

from energy.announcements import tell_workers
from energy.levels import Mode
from sessions_app import services
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.gateway.held_session import HeldSession
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.live.machine.events import State
from sessions_app.live.manager import BaseSessionManager
from sessions_app.live.task_owner import TaskOwner
from sessions_app.session_page.report import Report, live_modes, report_of

logger = logging.getLogger(__name__)

ASK_TYPE = "session.ask"
ACT_TYPE = "session.act"
ANSWER_TYPE = "session.answer"

ANSWER_WITHIN_S = 0.5
"""Longer nobody waits for the owner of a session."""

DONE_WITHIN_S = 3.0
"""The same for what it was asked to do: a new session after a reset takes a moment."""

Stats = dict[str, Any]
Reset = Callable[[User, BaseSessionManager, SocketPage], Awaitable[BaseSessionManager]]


class Wish(StrEnum):
    """What a user may wish for a live session. `CONNECT`: try now, where it waits or has given up."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    REFRESH = "refresh"
    FORGET = "forget"
    RESET = "reset"


class Granted(StrEnum):
    """What came of a wish. `NOTHING`: there is no session for it. `UNREACHABLE`: whoever holds the session has not
    answered, and it may be done or not."""

    DONE = "done"
    NOTHING = "nothing"
    UNREACHABLE = "unreachable"


class SessionDesk:
    """Answers for the live sessions of this worker.

    Args:
        sessions: gives those that it holds.
        database: the thread for rows.
        reset: ends the conversation of a page's session and begins another for it.
    """

    def __init__(self, sessions: Callable[[], Iterable[HeldSession]], database: DatabaseThread, reset: Reset) -> None:
        self._sessions = sessions
        self._database = database
        self._reset = reset
        self._tasks = TaskOwner()

    # -- for pages ---------------------------------------------------------------------------------------------------

    async def look(self, user_id: int) -> Report:
        """What the line of a user is like, whichever worker holds it."""
        own = self._stats_of(user_id)
        elsewhere = await self._database.run(partial(live_modes, user_id)) - own.keys()
        own |= await ask_owners(user_id, elsewhere)
        report: Report = await self._database.run(partial(report_of, user_id, own))
        return report

    async def grant(self, user: User, mode: Mode, wish: Wish) -> Granted:
        """Have done what a user wishes for their session, by whichever worker holds it."""
        if await self._carry_out(user.pk, mode, wish):
            return Granted.DONE
        if mode in await self._database.run(partial(live_modes, user.pk)):
            return Granted.DONE if await ask_for(user.pk, mode, wish) else Granted.UNREACHABLE
        if wish is Wish.FORGET and await self._database.run(partial(services.forget_handles_of, user, mode)):
            return Granted.DONE
        return Granted.NOTHING

    # -- for other workers -------------------------------------------------------------------------------------------

    def take(self, message: dict[str, Any]) -> None:
        """Another worker, or a view, asks."""
        self._tasks.start(self._answer(message), "session-desk")

    async def _answer(self, message: dict[str, Any]) -> None:
        user_id = message["user"]
        if message["type"] == ASK_TYPE:
            for mode, stats in self._stats_of(user_id).items():
                await _send(message["reply"], {"mode": mode.value, "stats": stats})
        elif await self._carry_out(user_id, Mode(message["mode"]), Wish(message["wish"])):
            await _send(message["reply"], {})

    # -- the sessions of this worker ---------------------------------------------------------------------------------

    def _stats_of(self, user_id: int) -> dict[Mode, Stats]:
        """What the sessions of a user are like now, as far as this worker holds them."""
        return {held.key[1]: held.manager.get_session_stats().as_data() for held in self._of(user_id)}

    async def _carry_out(self, user_id: int, mode: Mode, wish: Wish) -> bool:
        """Do what a user wishes for their live session; False when this worker does not hold it."""
        held = next((held for held in self._of(user_id) if held.key[1] is mode), None)
        if held is None:
            return False
        match wish:
            case Wish.CONNECT:
                held.manager.reconnect_session()
            case Wish.DISCONNECT:
                held.manager.hang_up()
            case Wish.REFRESH:
                held.manager.refresh_session()
            case Wish.FORGET:
                held.manager.drop_handle()
            case Wish.RESET:
                await self._begin_anew(held)
        return True

    async def _begin_anew(self, held: HeldSession) -> None:
        page = held.manager.page
        if not isinstance(page, SocketPage):
            held.manager.leave("reset", conversation_over=True)
            return
        user = await self._database.run(partial(User.objects.get, pk=held.key[0]))
        page.on_replaced(await self._reset(user, held.manager, page))

    def _of(self, user_id: int) -> list[HeldSession]:
        return [held for held in self._sessions() if held.key[0] == user_id and held.manager.state is not State.ENDED]


async def ask_owners(user_id: int, modes: Collection[Mode]) -> dict[Mode, Stats]:
    """What the workers that hold sessions of a user in these modes say of them; what is not said in time is missing."""
    if not modes:
        return {}
    answers = await _ask({"type": ASK_TYPE, "user": user_id}, len(modes), ANSWER_WITHIN_S)
    return {Mode(answer["mode"]): answer["stats"] for answer in answers}


async def ask_for(user_id: int, mode: Mode, wish: Wish) -> bool:
    """Have the worker that holds a session do something; False when none said that it has."""
    message = {"type": ACT_TYPE, "user": user_id, "mode": mode.value, "wish": wish.value}
    return bool(await _ask(message, 1, DONE_WITHIN_S))


async def _ask(message: dict[str, Any], count: int, within_s: float) -> list[dict[str, Any]]:
    """The first answers of all workers, so many at most, and fewer when they do not come in time. Never raises."""
    layer: Any = get_channel_layer()
    answers: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(within_s):
            reply = await layer.new_channel()
            if await tell_workers(message | {"reply": reply}):
                while len(answers) < count:
                    answers.append(await layer.receive(reply))
    except TimeoutError:
        logger.info("not every owner of a session has answered: %s", message["type"])
    except Exception as error:  # each layer has errors of its own, and none of them is worth a page
        logger.warning("the owner of a session cannot be asked: %s", type(error).__name__)
    return answers


async def _send(channel: str, answer: dict[str, Any]) -> None:
    layer: Any = get_channel_layer()
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await layer.send(channel, answer | {"type": ANSWER_TYPE})
    except Exception as error:
        logger.warning("an answer about a session could not be sent: %s", type(error).__name__)
