"""The consumer of `/ws/session/`: what the line is like, told while somebody looks, and what is wished for it.

Without such a socket none of this runs: there is no timer, and no session counts anything for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext_lazy as _

from energy.levels import Mode
from sessions_app.gateway import session_wire, wire
from sessions_app.gateway.authority import credentials_of
from sessions_app.gateway.limits import Bucket
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.session_wire import PingMessage
from sessions_app.gateway.wire import Malformed
from sessions_app.live.close_codes import MALFORMED, NOT_LOGGED_IN, OUR_FAULT, TOO_MUCH
from sessions_app.user_settings.page_language import language_of_socket

if TYPE_CHECKING:
    from energy.marking import Words

logger = logging.getLogger(__name__)

TOLD_EVERY_S = 1.0
SOONEST_AGAIN_S = 0.5
"""What has just been done is shown at once, but no page is told anything more often than twice a second."""

MALFORMED_ALLOWED = 3
MESSAGES_PER_S = 2
MESSAGES_BURST = 10


class SessionConsumer(AsyncConsumer):
    """One socket of a session page.

    Args:
        registry: where live sessions of this process are.
    """

    channel_layer_alias = ""  # none: what is asked of other workers goes over a channel of its own

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry
        self._malformed = 0
        self._soon = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._scope = scope
        self.base_send = send
        self._user: User | AnonymousUser = scope["user"]
        # Of a mode are only toasts that no session page is told.
        self._page = SocketPage(Mode.CALL, send, self._registry.unsent, language_of_socket(scope["query_string"]))
        self._allowance = Bucket(MESSAGES_PER_S, MESSAGES_BURST, self._now_s())
        try:
            with contextlib.suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())
        finally:
            self._leave()

    async def websocket_connect(self, event: Mapping[str, Any]) -> None:
        await self.send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if not isinstance(self._user, User):
            self._refuse(NOT_LOGGED_IN, "auth.login", _("Log in first."))
            return
        self._registry.welcome(self._page, credentials_of(self._user, self._scope))
        self._telling = asyncio.create_task(self._tell_again_and_again(self._user.pk), name="session-page")

    async def websocket_receive(self, event: Mapping[str, Any]) -> None:
        """A frame; whatever goes wrong with it is answered, and never raised."""
        if not isinstance(self._user, User) or self._page.is_closing:
            return
        if not self._allowance.take(1, self._now_s()):
            self._refuse(TOO_MUCH, "limit.message_rate", _("Too much was sent."))
            return
        try:
            message = session_wire.parse_session_frame(event.get("text") or "")
            if isinstance(message, PingMessage):
                self._page.tell(wire.pong(None))
            elif await self._registry.may_stay(self._page):
                granted = await self._registry.desk.grant(self._user, message.mode, message.wish)
                self._page.tell(session_wire.done(message, granted))
                self._soon.set()
        except Malformed as malformed:
            self._malformed += 1
            is_last = self._malformed >= MALFORMED_ALLOWED
            self._page.tell_error(malformed.code, malformed.text, fatal=is_last)
            if is_last:
                self._page.close(MALFORMED)
        except Exception:
            logger.exception("A wish for a session could not be handled")
            self._refuse(OUR_FAULT, "server.fault", _("Something went wrong on our side."))

    async def websocket_disconnect(self, event: Mapping[str, Any]) -> None:
        raise StopConsumer

    def _leave(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        self._page.drop()
        self._registry.dismiss(self._page)

    # -- telling -----------------------------------------------------------------------------------------------------

    async def _tell_again_and_again(self, user_id: int) -> None:
        while not self._page.is_closing:
            self._soon.clear()
            try:
                self._page.tell(session_wire.session(await self._registry.desk.look(user_id)))
            except Exception as error:  # the next look may find the database again
                logger.warning("what a line is like cannot be looked up: %s", type(error).__name__)
                self._page.tell_error("session.unavailable", _("What your line is like cannot be looked up right now."))
            await asyncio.sleep(SOONEST_AGAIN_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TOLD_EVERY_S - SOONEST_AGAIN_S):
                    await self._soon.wait()

    def _refuse(self, close_code: int, code: str, text: Words) -> None:
        self._page.tell(wire.error(code, text, fatal=True))
        self._page.close(close_code)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
