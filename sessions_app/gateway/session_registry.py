"""The live sessions of this process: which page life has which, and how they leave when the process does."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from energy.fair_use import FairUseRefusal
from energy.levels import Mode
from energy.queue import holder_of
from energy.services import EnergyBarService
from sessions_app import hand_over, kept_sound, lines, services, stored_turns
from sessions_app.gateway.admission import Admission
from sessions_app.gateway.authority import AuthorityWatch, Credentials
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.gateway.energy_bar import SessionEnergy
from sessions_app.gateway.held_session import HeldSession, Key
from sessions_app.gateway.line_keeper import LineKeeper
from sessions_app.gateway.opened_session import OpenedSession, open_session
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.recording_news import RecordingNews
from sessions_app.gateway.rounds import Rounds
from sessions_app.gateway.session_desk import SessionDesk
from sessions_app.gateway.socket_bounds import UserBounds
from sessions_app.gateway.start_line import StartLine
from sessions_app.gateway.store import DatabaseStore
from sessions_app.gateway.unsent import Unsent
from sessions_app.gateway.wire import Start
from sessions_app.gateway.worker_channel import WorkerChannel
from sessions_app.hand_over import Moving
from sessions_app.lines import Fenced, Hold, News, Owner, Taken, Wanted
from sessions_app.live.close_codes import DRAINING, NOT_LOGGED_IN, OPENED_ELSEWHERE, TOO_MUCH
from sessions_app.live.conversation_memory import ConversationMemory
from sessions_app.live.downlink import Downlink
from sessions_app.live.machine.events import State
from sessions_app.live.manager import BaseSessionManager, CallSessionManager, TextSessionManager
from sessions_app.live.page import Page
from sessions_app.live.providers.upstream import Upstream
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.turn_window import TurnWindow
from sessions_app.live.watch import Observer
from sessions_app.recordings.conversations import NotAttached, attach_all
from sessions_app.services import SessionRequest
from sessions_app.usage import fair_use_refusal

logger = logging.getLogger(__name__)

DRAIN_LIMIT_S = 8
"""Sockets are closed by then in any case: servers and their supervisors wait 10 s."""

RELEASE_WITHIN_S = 1.0
"""Longer nobody waits for a page that is to send what it still has: its network may be why the other one came."""

MANAGERS: dict[Mode, type[BaseSessionManager]] = {Mode.TEXT: TextSessionManager, Mode.CALL: CallSessionManager}


@dataclass(frozen=True, slots=True)
class ComingBack:
    """What a page life had before the live session that is opened for it: the number of the sound that it heard last,
    the sound it was sent and the first audio number not taken in where those are known, and how long it was cut off."""

    last_down: int
    downlink: Downlink | None = None
    next_number: int | None = None
    away_ms: int = 0


class SessionRegistry:
    """Opens live sessions for pages, and finds them again.

    Args:
        upstream: the provider to dial.
        memory: remembers conversations for the sessions to come.
        observer: watches what becomes of the sessions; nobody when None.
    """

    def __init__(self, upstream: Upstream, memory: ConversationMemory, observer: Observer | None = None) -> None:
        self.unsent = Unsent()
        self._upstream = upstream
        self._memory = memory
        self._observer = observer
        self._database = DatabaseThread()
        self._authority = AuthorityWatch(self._database, self._held_credentials, self._end_what_is_over)
        self._lines = LineKeeper(self._database, Owner(), self._on_line_news)
        self._sessions: dict[Key, HeldSession] = {}
        self.desk = SessionDesk(self._sessions.values, self._database, self.reset)
        self._rounds = Rounds(self._sessions.values, self._database)
        self._recordings = RecordingNews(self._sessions.values, self._database)
        self._channel = WorkerChannel(
            self._on_energy_reset,
            self._on_end,
            self._authority.session_over,
            self._authority.check_soon,
            self._lines.check_soon,
            self.desk.take,
            self._rounds.settings_changed,
        )
        self._pages: dict[SocketPage, Credentials] = {}
        self._places: UserBounds[SocketPage] = UserBounds()
        self._line = StartLine()
        self._tasks = TaskOwner()
        self._admission = Admission(self._database, self._lines.owner.name)
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether this process is about to end, and takes nobody in any more."""
        return self._is_draining

    @property
    def open_pages(self) -> int:
        """How many pages are connected, with a live session or without."""
        return len(self._pages)

    def standing(self) -> Counter[tuple[Mode, str, State]]:
        """How many live sessions there are by mode, model and state; without a model left, that is empty."""
        managers = (held.manager for held in self._sessions.values())
        return Counter((manager.mode, manager.get_current_model(), manager.state) for manager in managers)

    def serve(self) -> None:
        """The server runs: other workers and operators are to see this one."""
        self._lines.serve()

    def welcome(self, page: SocketPage, credentials: Credentials) -> None:
        """A page has connected, and was let in by `credentials`; it has no session yet."""
        self._pages[page] = credentials
        self._authority.start()
        displaced = self._places.enter(credentials.user_id, page)
        if displaced is not None:
            displaced.tell_error("limit.sockets", _("Too many of your pages are open."), fatal=True)
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
            held = self._sessions.get(key)
            if held is not None and not start.fresh and await self._goes_on(held):
                self._note_who_was_let_in(held, page)
                held.manager.attach(page, start.last_down, start.away_ms)
                return held.manager
            if start.take and (taken := await self._take_over(user, mode, start, page)) is not None:
                return taken
            if start.continues is not None:
                await self._database.run(partial(services.get_conversation_for, user, start.continues))
            if start.opens is not None:
                await self._database.run(partial(services.get_chat_for, user, start.opens))
            await self._clear_place(user, mode)
            await self._lines.ask_for(user.pk, mode, start.page_id)
            slot, earlier, sounds = MANAGERS[mode].storage_key, start.goes_on_from, start.recordings
            request = SessionRequest(
                user, mode, slot, start.page_id, start.continues, start.fresh, earlier, sounds, start.opens
            )
            return await self._open(request, page, ComingBack(start.last_down, away_ms=start.away_ms))

    async def attach(
        self, user: User, manager: BaseSessionManager, recordings: tuple[uuid.UUID, ...], page: SocketPage, id: str = ""
    ) -> bool:
        """Make recordings part of the conversation of a page, which is told of those that are not; whether all are.
        `id`: of the typed message that asks about them."""
        job = partial(attach_all, user, uuid.UUID(manager.opening.conversation), recordings)
        try:
            refused: list[NotAttached] = await self._database.run(job)
        except Exception as error:
            logger.warning("recordings could not be looked up: %s", type(error).__name__)
            page.tell_error("recordings.unavailable", _("That could not be looked up. Try again in a moment."), id=id)
            return False
        for each in refused:
            page.tell_error(each.code, each.text, id=id, recording=str(each.recording))
        self._recordings.look_soon()
        return not refused

    async def reset(self, user: User, manager: BaseSessionManager, page: SocketPage) -> BaseSessionManager:
        """End the conversation and begin a new one for the same page life, whose numbering of audio goes on.

        Nothing happens where another page has taken over meanwhile: this one is being closed.
        """
        mode = manager.mode
        async with self._line.turn(user.pk, mode):
            held = self._held(manager)
            if held is None or not await self._goes_on(held):
                return manager
            manager.release()
            manager.leave("reset", conversation_over=True)
            await manager.stored()
            request = SessionRequest(user, mode, manager.storage_key, held.key[2], fresh=True)
            manager.downlink.discard()
            return await self._open(request, page, ComingBack(-1, manager.downlink, manager.next_number))

    async def turns_before(self, conversation: str, page_id: uuid.UUID, number: int) -> TurnWindow:
        """What was said before the turn of this number, in a conversation that this page life has open."""
        read = partial(stored_turns.turns_before, uuid.UUID(conversation), page_id, number)
        window: TurnWindow = await self._database.run(read)
        return window

    async def drain(self) -> None:
        """Let every session and page go: all is stored, and the pages are asked to come back at once, each as soon as
        its own session is."""
        self._is_draining = True
        pages, sessions = tuple(self._pages), tuple(self._sessions.values())
        await self._lines.leave()
        for page in pages:
            page.tell_toast("server.draining")
        with_session: dict[Page | None, HeldSession] = {held.manager.page: held for held in sessions}
        for held in sessions:
            held.manager.leave("draining")
        await _wait_for([_send_away(page, with_session.get(page)) for page in pages])
        await _wait_for([held.given_back.wait() for held in sessions])
        for page in pages:
            page.close(DRAINING)
        await _wait_for([page.closed.wait() for page in pages])
        await self._lines.retire()
        logger.info("drained %d sessions and %d pages", len(sessions), len(pages))

    async def _clear_place(self, user: User, mode: Mode) -> None:
        """Another page of the same user takes over: the old one is closed, and its call is over."""
        for held in tuple(self._sessions.values()):
            if held.key[:2] == (user.pk, mode):
                self._let_go_to_another_page(held)
                await held.manager.stored()

    async def _open(self, request: SessionRequest, page: SocketPage, back: ComingBack) -> BaseSessionManager:
        key = (request.user.pk, request.mode, request.page_id)
        bar = EnergyBarService(request.user.pk, holder_of(*key))
        energy = SessionEnergy(self._database, bar, request.user.pk, partial(_fair_use_refusal, request.user.pk))
        await energy.load(request.mode)
        model = energy.get_level(request.mode).model
        job = partial(open_session, request, model, self._lines.owner, self._memory)
        opened: OpenedSession = await self._database.run(job)
        opening, parcel = opened.opening, opened.parcel
        bar.conversation_id = uuid.UUID(opening.conversation)
        energy.session = uuid.UUID(opening.session)
        if back.next_number is not None:
            opening = replace(opening, next_number=back.next_number)
        on_fenced = partial(self._on_fenced, opened.hold)
        store = DatabaseStore(self._database, request, opening, opened.hold, self._memory, on_fenced)
        manager = MANAGERS[request.mode](
            upstream=self._upstream,
            store=store,
            energy=energy,
            assistant=opened.assistant,
            opening=opening,
            downlink=back.downlink or Downlink(parcel.next_down, parcel.down, owes_flush=parcel.owes_flush),
            overlaps=settings.SWAP_OVERLAP,
            observer=self._observer,
        )
        held = HeldSession(key, manager, store, opened.hold, opened.revision)
        self._keep(held, page)
        manager.take_over(parcel)
        manager.attach(page, back.last_down, back.away_ms)
        if opened.begins_anew:
            page.tell_toast("begins_anew")
        await self._admission.enter(held.place, request.user.pk, manager)
        if self._is_draining:
            manager.leave("draining")
        return manager

    def _keep(self, held: HeldSession, page: SocketPage) -> None:
        self._sessions[held.key] = held
        self._lines.keep(held.hold)
        self._note_who_was_let_in(held, page)
        self._channel.start()
        self._rounds.start()
        self._recordings.start()
        session = held.manager.opening.session
        self._tasks.start(self._give_back_when_finished(held), f"live-{session}")

    async def _give_back_when_finished(self, held: HeldSession) -> None:
        await held.manager.finished.wait()
        is_last = self._sessions.get(held.key) is held
        try:
            if is_last:
                del self._sessions[held.key]
                await self._leave_behind(held)
        finally:
            await self._lines.give_back(held.hold)
            held.given_back.set()
        if not self._sessions:
            self._channel.stop()
            self._rounds.stop()
            self._recordings.stop()

    async def _leave_behind(self, held: HeldSession) -> None:
        """What belongs to the page life and not to this worker: its place in the budget, and what it has not heard."""
        user_id, mode, page_id = held.key
        goes_on = held.goes_on_for is not None
        if goes_on:
            self._admission.hand_on(held.place)
        else:
            await self._admission.leave(held.place)
        parcel = held.manager.parcel(with_input=goes_on and held.goes_on_for != page_id)
        keep = partial(kept_sound.keep, user_id, mode, held.goes_on_for or page_id, parcel)
        try:
            await self._database.run(partial(lines.as_holder, held.hold, keep))
        except Fenced:
            pass  # the page went on without it
        except Exception as error:
            logger.warning("what a page has not heard is not kept: %s", type(error).__name__)

    def _held(self, manager: BaseSessionManager) -> HeldSession | None:
        return next((held for held in self._sessions.values() if held.manager is manager), None)

    # -- another device ----------------------------------------------------------------------------------------------

    async def _take_over(self, user: User, mode: Mode, start: Start, page: SocketPage) -> BaseSessionManager | None:
        """A page has come by the link that another one of the user showed: the conversation goes on in it.

        Here the line stands, and the page takes the place of the other. Elsewhere the owner lets go of everything for
        it, and None is given: the session is to be opened. Raises `TicketInvalid`.
        """
        use = partial(hand_over.use_ticket, user, mode, start.page_id, start.take)
        moving: Moving | None = await self._database.run(use)
        if moving is None:
            return None
        move = partial(hand_over.move_page_life, user, mode, moving, start.page_id)
        held = self._sessions.get((user.pk, mode, moving.page_id))
        played_until = -1
        if held is not None and await self._goes_on(held):
            held.goes_on_for = start.page_id  # also if it ends in this very moment, because this worker leaves
            played_until = await self._have_released(held)
        if held is None or held.manager.state is State.ENDED:
            if held is not None:
                await held.given_back.wait()
            await self._lines.ask_for(user.pk, mode, start.page_id, hands_on=True)
            await self._database.run(move)
            return None
        held.goes_on_for = None
        place = held.place
        del self._sessions[held.key]
        held.key = (user.pk, mode, start.page_id)
        self._sessions[held.key] = held
        self._admission.move(place, held.place)
        held.store.belongs_to(start.page_id)
        await self._database.run(move)
        self._note_who_was_let_in(held, page)
        held.manager.attach(page, played_until)
        return held.manager

    async def _have_released(self, held: HeldSession) -> int:
        """Have the page that is there send what it has, and close it; gives the number of the sound it played last."""
        page = held.manager.page
        if not isinstance(page, SocketPage):
            return -1
        page.ask_to_release()
        try:
            async with asyncio.timeout(RELEASE_WITHIN_S):
                await page.released.wait()
        except TimeoutError:
            logger.info("a page did not answer that it has sent everything")
        held.send_page_away(OPENED_ELSEWHERE, "moved")
        return page.played_until

    async def _hand_on(self, held: HeldSession) -> None:
        """Let go for a page that goes on with the conversation at another worker."""
        await self._have_released(held)
        held.manager.leave("handed-on")

    # -- one owner ---------------------------------------------------------------------------------------------------

    async def _goes_on(self, held: HeldSession) -> bool:
        """Whether the session lives, and is still ours: another worker may have taken it while this one was away."""
        if held.manager.state is not State.ENDED and not await self._lines.is_held(held.hold):
            self._stop_at_once(held, held.key[2])
        return held.manager.state is not State.ENDED

    def _on_line_news(self, news: News) -> None:
        held = next((held for held in self._sessions.values() if held.hold == news.hold), None)
        if held is None or held.manager.state is State.ENDED:
            return
        if isinstance(news, Taken):
            self._stop_at_once(held, news.page_id)
        else:
            self._let_go(held, news)

    def _on_fenced(self, hold: Hold, fenced: Fenced) -> None:
        self._on_line_news(Taken(hold, fenced.page_id))

    def _let_go(self, held: HeldSession, wanted: Wanted) -> None:
        """A page has come to another worker: store everything, close, and give the line back."""
        if held.goes_on_for is not None:
            return
        if wanted.page_id != held.key[2] and not wanted.hands_on:
            self._let_go_to_another_page(held)
            return
        held.goes_on_for = wanted.page_id
        if wanted.hands_on:
            self._tasks.start(self._hand_on(held), "hand-over")
            return
        held.send_page_away(OPENED_ELSEWHERE)
        held.manager.leave("moved")

    def _let_go_to_another_page(self, held: HeldSession) -> None:
        held.send_page_away(OPENED_ELSEWHERE, "takeover")
        held.manager.leave("taken-over", conversation_over=held.key[1] is Mode.CALL)

    def _stop_at_once(self, held: HeldSession, page_id: uuid.UUID | None) -> None:
        """The line was taken while this worker was away, for `page_id`: nothing may be said or stored here any more."""
        session = held.manager.opening.session
        logger.warning("a live session is held elsewhere and ends here", extra={"session": session})
        held.goes_on_for = page_id or held.key[2]
        if held.goes_on_for == held.key[2]:
            held.send_page_away(DRAINING)
        else:
            held.send_page_away(OPENED_ELSEWHERE, "takeover")
        held.manager.leave("fenced")

    # -- who may stay ------------------------------------------------------------------------------------------------

    def _note_who_was_let_in(self, held: HeldSession, page: SocketPage) -> None:
        """A live session may stay without a page for as long as the one that it had last might."""
        if page in self._pages:
            held.let_in = self._pages[page]

    def _held_credentials(self) -> set[Credentials]:
        return {*self._pages.values(), *(held.let_in for held in self._sessions.values() if held.let_in is not None)}

    def _end_what_is_over(self, over: frozenset[Credentials]) -> None:
        """Nobody may say anything more by these: what was said is stored, and the provider is left."""
        if not over:
            return
        for page in [page for page, credentials in self._pages.items() if credentials in over]:
            page.tell_error("auth.over", _("You were logged out."), fatal=True)
            page.close(NOT_LOGGED_IN)
        for held in [held for held in self._sessions.values() if held.let_in in over]:
            held.let_in = None
            held.manager.release()
            held.manager.leave("logged-out")

    def _on_energy_reset(self, user_id: int, mode: Mode) -> None:
        for held in self._sessions.values():
            if held.key[:2] == (user_id, mode):
                held.manager.restore_level()

    def _on_end(self, session: str) -> None:
        for held in self._sessions.values():
            if held.manager.opening.session == session:
                held.manager.leave("operator", conversation_over=True)


def _fair_use_refusal(user_id: int, mode: Mode, session: uuid.UUID | None) -> FairUseRefusal | None:
    return fair_use_refusal(user_id, mode, timezone.now(), session)


async def _wait_for(waiting: list[Coroutine[Any, Any, Any]]) -> None:
    """Wait for all, but not longer than the drain may take."""
    if waiting:
        _, late = await asyncio.wait([asyncio.ensure_future(one) for one in waiting], timeout=DRAIN_LIMIT_S / 2)
        for task in late:
            task.cancel()


async def _send_away(page: SocketPage, held: HeldSession | None) -> None:
    """Close a page as soon as its session can go on elsewhere."""
    if held is not None:
        await held.given_back.wait()
    page.close(DRAINING)
