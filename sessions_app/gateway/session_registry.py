"""The live sessions of this process: which page life has which, and how they leave when the process does."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from energy.fair_use import FairUseRefusal
from energy.levels import Mode
from energy.queue import holder_of
from energy.services import EnergyBarService
from sessions_app import services, stored_turns
from sessions_app.gateway.admission import Admission
from sessions_app.gateway.authority import AuthorityWatch, Credentials
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.gateway.energy_bar import SessionEnergy
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.socket_bounds import UserBounds
from sessions_app.gateway.start_line import StartLine
from sessions_app.gateway.store import DatabaseStore
from sessions_app.gateway.unheard import Key, UnheardSound
from sessions_app.gateway.unsent import Unsent
from sessions_app.gateway.wire import Start
from sessions_app.gateway.worker_channel import WorkerChannel
from sessions_app.live.close_codes import DRAINING, NOT_LOGGED_IN, OPENED_ELSEWHERE, TOO_MUCH
from sessions_app.live.conversation_memory import ConversationMemory
from sessions_app.live.downlink import Downlink
from sessions_app.live.machine.events import State
from sessions_app.live.manager import BaseSessionManager, CallSessionManager, TextSessionManager
from sessions_app.live.page import Assistant, Opening
from sessions_app.live.providers.upstream import Upstream
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.turn_window import TurnWindow
from sessions_app.services import SessionRequest
from sessions_app.usage import fair_use_refusal, is_limited

logger = logging.getLogger(__name__)

DRAIN_LIMIT_S = 8
"""Sockets are closed by then in any case: servers and their supervisors wait 10 s."""

FAIR_USE_EVERY_S = 10

MANAGERS: dict[Mode, type[BaseSessionManager]] = {Mode.TEXT: TextSessionManager, Mode.CALL: CallSessionManager}


@dataclass(frozen=True, slots=True)
class ComingBack:
    """What a page life had before the live session that is opened for it: the number of the sound that it heard last,
    the sound it was sent, the first audio number not taken in if that is known, and how long it was cut off."""

    last_down: int
    downlink: Downlink | None
    next_number: int | None = None
    away_ms: int = 0


class SessionRegistry:
    """Opens live sessions for pages, and finds them again.

    Args:
        upstream: the provider to dial.
        memory: remembers conversations for the sessions to come.
    """

    def __init__(self, upstream: Upstream, memory: ConversationMemory) -> None:
        self.unsent = Unsent()
        self._upstream = upstream
        self._memory = memory
        self._database = DatabaseThread()
        self._authority = AuthorityWatch(self._database, self._held_credentials, self._end_what_is_over)
        self._channel = WorkerChannel(
            self._on_energy_reset, self._on_end, self._authority.session_over, self._authority.check_soon
        )
        self._managers: dict[Key, BaseSessionManager] = {}
        self._let_in: dict[Key, Credentials] = {}
        self._fair_use_watch: asyncio.Task[None] | None = None
        self._unheard = UnheardSound()
        self._pages: dict[SocketPage, Credentials] = {}
        self._places: UserBounds[SocketPage] = UserBounds()
        self._line = StartLine()
        self._tasks = TaskOwner()
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._admission = Admission(self._database, self._worker)
        self._is_draining = False

    def welcome(self, page: SocketPage, credentials: Credentials) -> None:
        """A page has connected, and was let in by `credentials`; it has no session yet."""
        self._pages[page] = credentials
        self._authority.start()
        displaced = self._places.enter(credentials.user_id, page)
        if displaced is not None:
            displaced.tell_error("limit.sockets", "Too many of your pages are open.", fatal=True)
            displaced.close(TOO_MUCH)
        if self._is_draining:
            page.close(DRAINING)

    def dismiss(self, page: SocketPage) -> None:
        """The socket of a page is gone."""
        credentials = self._pages.pop(page, None)
        if credentials is not None:
            self._places.leave(credentials.user_id, page)

    async def may_stay(self, page: SocketPage) -> bool:
        """Whether a page may still say something, by the rows as they are; if not, it is closed with all it had."""
        credentials = self._pages.get(page)
        return credentials is not None and not await self._authority.is_over(credentials)

    async def open(self, user: User, mode: Mode, start: Start, page: SocketPage) -> BaseSessionManager:
        """Give a page its live session: the one of its page life, or a new one in the place of any other.

        Raises `services.NotYours`; `Overtaken` when the page did not wait, or did not need to.
        """
        self._places.started(user.pk, page)
        async with self._line.turn_to_start(user.pk, mode, page):
            key = (user.pk, mode, start.page_id)
            manager = self._managers.get(key)
            if manager is not None and not start.fresh and manager.state is not State.ENDED:
                self._note_who_was_let_in(key, page)
                manager.attach(page, start.last_down, start.away_ms)
                return manager
            if start.continues is not None:
                await self._database.run(partial(services.get_conversation_for, user, start.continues))
            await self._clear_place(user, mode)
            request = SessionRequest(
                user, mode, MANAGERS[mode].storage_key, start.page_id, start.continues, start.fresh
            )
            unheard = self._unheard.take(key, self._now_s())
            back = ComingBack(start.last_down, None if start.fresh else unheard, away_ms=start.away_ms)
            return await self._open(request, page, back)

    async def reset(self, user: User, manager: BaseSessionManager, page: SocketPage) -> BaseSessionManager:
        """End the conversation and begin a new one for the same page life, whose numbering of audio goes on.

        Nothing happens where another page has taken over meanwhile: this one is being closed.
        """
        mode = manager.mode
        async with self._line.turn(user.pk, mode):
            page_id = next((key[2] for key, held in self._managers.items() if held is manager), None)
            if page_id is None:
                return manager
            manager.release()
            manager.leave("reset", conversation_over=True)
            await manager.stored()
            request = SessionRequest(user, mode, manager.storage_key, page_id, fresh=True)
            manager.downlink.discard()
            return await self._open(request, page, ComingBack(-1, manager.downlink, manager.next_number))

    async def turns_before(self, conversation: str, page_id: uuid.UUID, number: int) -> TurnWindow:
        """What was said before the turn of this number, in a conversation that this page life has open."""
        read = partial(stored_turns.turns_before, uuid.UUID(conversation), page_id, number)
        window: TurnWindow = await self._database.run(read)
        return window

    async def drain(self) -> None:
        """Let every session and page go: all is stored, and the pages are asked to come back at once."""
        self._is_draining = True
        pages, managers = tuple(self._pages), tuple(self._managers.values())
        for page in pages:
            page.tell_toast("server.draining")
        for manager in managers:
            manager.leave("draining")
        await _wait_for([manager.finished.wait() for manager in managers])
        for page in pages:
            page.close(DRAINING)
        await _wait_for([page.closed.wait() for page in pages])
        logger.info("drained %d sessions and %d pages", len(managers), len(pages))

    async def _clear_place(self, user: User, mode: Mode) -> None:
        """Another page of the same user takes over: the old one is closed, and its call is over."""
        for (user_id, other_mode, _), manager in tuple(self._managers.items()):
            if user_id == user.pk and other_mode is mode:
                page = manager.release()
                if page is not None:
                    page.tell_toast("takeover")
                    page.close(OPENED_ELSEWHERE)
                manager.leave("taken-over", conversation_over=mode is Mode.CALL)
                await manager.stored()

    async def _open(
        self,
        request: SessionRequest,
        page: SocketPage,
        back: ComingBack,
    ) -> BaseSessionManager:
        holder = holder_of(request.user.pk, request.mode, request.page_id)
        bar = EnergyBarService(request.user.pk, holder)
        energy = SessionEnergy(self._database, bar, request.user.pk, partial(_fair_use_refusal, request.user.pk))
        await energy.load(request.mode)
        model = energy.get_level(request.mode).model
        opening = await self._database.run(partial(_open, request, model, self._worker, self._memory))
        bar.conversation_id = uuid.UUID(opening.conversation)
        energy.session = uuid.UUID(opening.session)
        if back.next_number is not None:
            opening = replace(opening, next_number=back.next_number)
        manager = MANAGERS[request.mode](
            upstream=self._upstream,
            store=DatabaseStore(self._database, request, opening, self._memory),
            energy=energy,
            assistant=Assistant(settings.ASSISTANT_INSTRUCTION, settings.ASSISTANT_VOICE),
            opening=opening,
            downlink=back.downlink,
            overlaps=settings.SWAP_OVERLAP,
        )
        self._keep(request, manager, page, holder)
        manager.attach(page, back.last_down, back.away_ms)
        await self._admission.enter(holder, request.user.pk, manager)
        if self._is_draining:
            manager.leave("draining")
        return manager

    def _keep(self, request: SessionRequest, manager: BaseSessionManager, page: SocketPage, holder: uuid.UUID) -> None:
        key = (request.user.pk, request.mode, request.page_id)
        self._managers[key] = manager
        self._note_who_was_let_in(key, page)
        self._channel.start()
        if self._fair_use_watch is None and is_limited():
            self._fair_use_watch = asyncio.create_task(self._watch_fair_use(), name="fair-use")
        session = manager.opening.session
        self._tasks.start(self._forget_when_finished(key, manager, holder), f"live-{session}")

    async def _forget_when_finished(self, key: Key, manager: BaseSessionManager, holder: uuid.UUID) -> None:
        await manager.finished.wait()
        if self._managers.get(key) is manager:
            del self._managers[key]
            self._let_in.pop(key, None)
            self._unheard.keep(key, manager.downlink, self._now_s())
            await self._admission.leave(holder)
            if not self._managers:
                self._channel.stop()
                self._stop_watching_fair_use()

    # -- who may stay ------------------------------------------------------------------------------------------------

    def _note_who_was_let_in(self, key: Key, page: SocketPage) -> None:
        """A live session may stay without a page for as long as the one that it had last might."""
        if page in self._pages:
            self._let_in[key] = self._pages[page]

    def _held_credentials(self) -> set[Credentials]:
        return {*self._pages.values(), *self._let_in.values()}

    def _end_what_is_over(self, over: frozenset[Credentials]) -> None:
        """Nobody may say anything more by these: what was said is stored, and the provider is left."""
        if not over:
            return
        for page in [page for page, credentials in self._pages.items() if credentials in over]:
            page.tell_error("auth.over", "You were logged out.", fatal=True)
            page.close(NOT_LOGGED_IN)
        for key in [key for key, credentials in self._let_in.items() if credentials in over]:
            del self._let_in[key]
            manager = self._managers.get(key)
            if manager is not None:
                manager.release()
                manager.leave("logged-out")

    def _on_energy_reset(self, user_id: int, mode: Mode) -> None:
        for (holder_id, other_mode, _), manager in self._managers.items():
            if holder_id == user_id and other_mode is mode:
                manager.restore_level()

    async def _watch_fair_use(self) -> None:
        """A share may be used up while its user talks: the conversation then ends between two turns."""
        while True:
            await asyncio.sleep(FAIR_USE_EVERY_S)
            for manager in tuple(self._managers.values()):
                await manager.check_fair_use()

    def _stop_watching_fair_use(self) -> None:
        if self._fair_use_watch is not None:
            self._fair_use_watch.cancel()
            self._fair_use_watch = None

    def _on_end(self, session: str) -> None:
        for manager in self._managers.values():
            if manager.opening.session == session:
                manager.leave("operator", conversation_over=True)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _open(request: SessionRequest, model: str, worker: str, memory: ConversationMemory) -> Opening:
    opening = services.open_session(request, model, worker)
    return replace(opening, recap=memory.recap(uuid.UUID(opening.conversation)))


def _fair_use_refusal(user_id: int, mode: Mode, session: uuid.UUID | None) -> FairUseRefusal | None:
    return fair_use_refusal(user_id, mode, timezone.now(), session)


async def _wait_for(waiting: list[Coroutine[Any, Any, Any]]) -> None:
    """Wait for all, but not longer than the drain may take."""
    if waiting:
        _, late = await asyncio.wait([asyncio.ensure_future(one) for one in waiting], timeout=DRAIN_LIMIT_S / 2)
        for task in late:
            task.cancel()
