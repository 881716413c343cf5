"""The consumers of `/ws/text/` and `/ws/call/`: they authenticate, parse, delegate and answer with coded errors.

The loop that takes what comes is their own: that of Channels starts a task for every message and closes old connections
to the database in another thread, of which there are none here. Audio comes 25 times a second, pings once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.contrib.auth.models import AnonymousUser, User
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from energy.levels import Mode
from sessions_app.gateway import wire
from sessions_app.gateway.authority import credentials_of
from sessions_app.gateway.inbox import Event, Inbox
from sessions_app.gateway.limits import (
    AUDIO_SPEED,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    AudioGate,
    AudioVerdict,
    Bucket,
    Strikes,
)
from sessions_app.gateway.older_turns import OlderTurns
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.start_line import Overtaken
from sessions_app.gateway.wire import (
    AUDIO_FRAME_LIMIT_BYTES,
    TEXT_FRAME_LIMIT_BYTES,
    TYPED_LIMIT_CHARACTERS,
    Attach,
    HangUp,
    Heard,
    Malformed,
    Mic,
    Older,
    Oversized,
    PageMessage,
    Ping,
    Released,
    Reset,
    Retry,
    Sound,
    Start,
    Stop,
    TypedText,
)
from sessions_app.hand_over import TicketInvalid
from sessions_app.live.close_codes import (
    MALFORMED,
    NO_START,
    NOT_LOGGED_IN,
    NOT_YOURS,
    OUR_FAULT,
    TOO_LARGE,
    TOO_MUCH,
)
from sessions_app.live.manager import BaseSessionManager
from sessions_app.live.voice import BYTES_PER_MS
from sessions_app.numbers import in_digits_lazily
from sessions_app.services import NotYours
from sessions_app.user_settings.page_language import language_of_socket

if TYPE_CHECKING:
    from energy.marking import Words

logger = logging.getLogger(__name__)

START_WITHIN_S = 10
MALFORMED_ALLOWED = 3


class LiveConsumer(AsyncConsumer):
    """One socket of a page in one mode.

    Args:
        registry: where live sessions are.
    """

    mode: ClassVar[Mode]
    channel_layer_alias = ""  # none: a live call must not end because a channel layer does

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry
        self._manager: BaseSessionManager | None = None
        self._page_id = uuid.UUID(int=0)
        self._malformed = 0
        self._oversized = Strikes(seconds_limit=MALFORMED_ALLOWED, volume_limit=MALFORMED_ALLOWED)
        self._too_much = Strikes()
        self._too_much_audio = Strikes()
        self._start_timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._scope = scope
        self.base_send = send
        self._user: User | AnonymousUser = scope["user"]
        now_s = self._now_s()
        self._page = SocketPage(self.mode, send, self._registry.unsent, language_of_socket(scope["query_string"]))
        self._page.on_replaced = self._go_on_with
        self._inbox = Inbox(receive, self._page.drop, self._refuse_flood)
        self._older = OlderTurns(self._registry.turns_before, self._page)
        self._audio_gate = AudioGate(now_s)
        self._message_allowance = Bucket(MESSAGES_PER_S, MESSAGES_BURST, now_s)
        try:
            await self._take_what_comes()
        finally:
            self._leave()

    async def _take_what_comes(self) -> None:
        """Until the socket is gone."""
        with contextlib.suppress(StopConsumer):
            while True:
                event = await self._inbox.next()
                if frame := event.get("bytes"):
                    self._take_audio_frame(frame)
                else:
                    await getattr(self, get_handler_name(event))(event)
                    await asyncio.sleep(0)  # whoever sends a lot leaves others their turn

    # -- the socket --------------------------------------------------------------------------------------------------

    async def websocket_connect(self, event: Event) -> None:
        await self.send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if isinstance(self._user, AnonymousUser):
            self._refuse(NOT_LOGGED_IN, "auth.login", _("Log in first."))
            return
        self._registry.welcome(self._page, credentials_of(self._user, self._scope))
        self._start_timer = asyncio.get_running_loop().call_later(
            START_WITHIN_S, self._refuse, NO_START, "protocol.no_start", _("There was no start within 10 s.")
        )

    async def websocket_receive(self, event: Event) -> None:
        """A text frame; whatever goes wrong with it is answered, and never raised."""
        if not self._user.is_authenticated or self._page.is_closing:
            return
        try:
            await self._take_text_frame(event.get("text") or "")
        except Malformed as malformed:
            self._answer_malformed(malformed)
        except Oversized:
            self._answer_oversized("limit.text_frame", f"A text frame has at most {TEXT_FRAME_LIMIT_BYTES} bytes.")
        except Overtaken:
            logger.debug("A page did not wait for its session, or another one took over meanwhile")
        except TicketInvalid:
            text = _("This link was used already, or is older than two minutes. Make a new one on the other device.")
            self._refuse(NOT_YOURS, "hand_over.invalid", text)
        except NotYours:
            self._refuse(NOT_YOURS, "conversation.not_yours", _("There is no such conversation of yours."))
        except Exception:
            logger.exception("A frame could not be handled")
            self._refuse(OUR_FAULT, "server.fault", _("Something went wrong on our side."))

    async def websocket_disconnect(self, event: Event) -> None:
        raise StopConsumer

    def _leave(self) -> None:
        if self._start_timer is not None:
            self._start_timer.cancel()
        self._older.forget()
        self._page.drop()
        self._registry.dismiss(self._page)
        if self._manager is not None:
            self._manager.detach(self._page)

    # -- frames ------------------------------------------------------------------------------------------------------

    def _take_audio_frame(self, frame: bytes) -> None:
        if self._page.is_closing:
            return
        if len(frame) > AUDIO_FRAME_LIMIT_BYTES:
            self._answer_oversized("limit.audio_frame", f"An audio frame has at most {AUDIO_FRAME_LIMIT_BYTES} bytes.")
            return
        if self._manager is None:
            self._answer_malformed(Malformed("protocol.start_first", "The first message is start."))
            return
        try:
            number, pcm = wire.parse_audio_frame(frame)
        except Malformed as malformed:
            self._answer_malformed(malformed)
            return
        self._judge_audio(self._manager, number, pcm)

    def _judge_audio(self, manager: BaseSessionManager, number: int, pcm: bytes) -> None:
        was_waiting, next_number = self._audio_gate.is_waiting, manager.next_number
        verdict = self._audio_gate.judge(number, len(pcm), next_number, self._now_s())
        if verdict is AudioVerdict.TAKEN:
            if was_waiting and not self._audio_gate.is_waiting:
                self._resume_after_refusal(manager, (number - next_number) * len(pcm) // BYTES_PER_MS)
            manager.take_audio(number, pcm)
        elif verdict is AudioVerdict.REFUSED:
            text = format_lazy(_("Audio may come {times} times as fast as it is spoken."), times=AUDIO_SPEED)
            self._answer_too_much(self._too_much_audio, "limit.audio_rate", text, audio=next_number)

    def _resume_after_refusal(self, manager: BaseSessionManager, missing_ms: int) -> None:
        """A page that went back as it was told has done nothing wrong; one that did not has lost what was refused."""
        if missing_ms > 0:
            manager.miss_audio(missing_ms)
        else:
            self._too_much_audio = Strikes()

    async def _take_text_frame(self, frame: str) -> None:
        if not self._message_allowance.take(1, self._now_s()):
            text = format_lazy(_("At most {count} messages a second are taken."), count=MESSAGES_PER_S)
            self._answer_too_much(self._too_much, "limit.message_rate", text)
            return
        message = wire.parse_text_frame(frame)
        if isinstance(message, wire.OF_THE_USER) and not await self._registry.may_stay(self._page):
            return
        if self._manager is not None:
            self._manager.hear_of_page()
        if isinstance(message, Start):
            await self._start(message)
        elif isinstance(message, Ping):
            self._page.tell(wire.pong(message.t))
            if message.away_ms and self._manager is not None:
                self._manager.page_was_away(message.away_ms)
        elif self._manager is None:
            raise Malformed("protocol.start_first", "The first message is start.")
        else:
            await self._delegate(self._manager, message)

    async def _start(self, start: Start) -> None:
        if self._manager is not None or isinstance(self._user, AnonymousUser):
            raise Malformed("protocol.started", "There was a start already.")
        if self._start_timer is not None:
            self._start_timer.cancel()
        self._page_id = start.page_id
        async with self._inbox.reading_ahead():
            self._manager = await self._registry.open(self._user, self.mode, start, self._page)
        if self._manager.is_returning_page:
            self._audio_gate.page_came_back()
        if start.recordings:
            await self._registry.attach(self._user, self._manager, start.recordings, self._page)

    async def _delegate(self, manager: BaseSessionManager, message: PageMessage) -> None:
        match message:
            case TypedText(id, text) if len(text) > TYPED_LIMIT_CHARACTERS:
                reason = format_lazy(
                    _("A message has at most {most} characters."), most=in_digits_lazily(TYPED_LIMIT_CHARACTERS)
                )
                self._page.tell_error("limit.text", reason, id=id)
            case TypedText(id, text, recordings, replaces):
                if not recordings or await self._may_ask_about(manager, message):
                    manager.take_text(id, text, tuple(map(str, recordings)), replaces)
            case Attach(recording) if isinstance(self._user, User):
                await self._registry.attach(self._user, manager, (recording,), self._page)
            case Mic(on=False):
                manager.mute()
            case Sound(on):
                manager.set_sound(on)
            case Stop():
                manager.stop_reply()
            case Heard(down, ms):
                manager.note_heard(down, ms)
            case Retry():
                manager.reconnect_session()
            case Released(down):
                self._page.note_released(down)
            case HangUp():
                manager.hang_up()
            case Older(before):
                self._older.ask(manager.opening.conversation, self._page_id, before)
            case Reset() if isinstance(self._user, User):
                self._go_on_with(await self._registry.reset(self._user, manager, self._page))

    async def _may_ask_about(self, manager: BaseSessionManager, message: TypedText) -> bool:
        """A question that was taken before is not looked up again: a page that comes back sends it once more."""
        if manager.knows_typed(message.id) or not isinstance(self._user, User):
            return True
        return await self._registry.attach(self._user, manager, message.recordings, self._page, message.id)

    def _go_on_with(self, manager: BaseSessionManager) -> None:
        """Another session has taken the place of the one that the page had."""
        self._older.forget()
        self._manager = manager

    # -- answers -----------------------------------------------------------------------------------------------------

    def _answer_malformed(self, malformed: Malformed) -> None:
        self._malformed += 1
        fatal = self._malformed >= MALFORMED_ALLOWED
        self._page.tell_error(malformed.code, malformed.text, fatal=fatal)
        if fatal:
            self._page.close(MALFORMED)

    def _answer_oversized(self, code: str, text: Words) -> None:
        self._oversized.note(self._now_s())
        self._page.tell_error(code, text, fatal=self._oversized.is_enough)
        if self._oversized.is_enough:
            self._page.close(TOO_LARGE)

    def _answer_too_much(self, strikes: Strikes, code: str, text: Words, audio: int | None = None) -> None:
        answered = strikes.note(self._now_s())
        if strikes.is_enough:
            self._refuse(TOO_MUCH, code, text)
        elif answered:
            self._page.tell_error(code, text, audio=audio)

    def _refuse_flood(self) -> None:
        self._refuse(TOO_MUCH, "limit.message_rate", _("Too much was sent before the session was open."))

    def _refuse(self, close_code: int, code: str, text: Words) -> None:
        self._page.tell_error(code, text, fatal=True)
        self._page.close(close_code)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


class TextConsumer(LiveConsumer):
    """`/ws/text/`"""

    mode = Mode.TEXT


class CallConsumer(LiveConsumer):
    """`/ws/call/`"""

    mode = Mode.CALL
