"""How many WebSockets this process holds at all, decided before anybody asks who they are."""

import logging
import time
from collections.abc import Callable
from typing import Any

from config.sockets import refuse
from sessions_app.client_address import address_of_scope
from sessions_app.gateway.socket_bounds import DoorBounds

logger = logging.getLogger(__name__)

LOGGED_EVERY_S = 60.0


class CrowdGate:
    """Lets sockets through to `application` as long as there is room, and refuses the others with 403.

    A page sees that as a server that cannot be reached, and comes back with backoff.

    Args:
        application: lets in whoever there is room for.
        bounds: how many that are.
        on_refused: called for each socket that is refused.
    """

    def __init__(self, application: Any, bounds: DoorBounds, on_refused: Callable[[], None]) -> None:
        self._application = application
        self._bounds = bounds
        self._on_refused = on_refused
        self._logged_at_s = float("-inf")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        address = address_of_scope(scope)
        if not self._bounds.enter(address):
            self._on_refused()
            self._log()
            return await refuse(scope, receive, send)
        try:
            return await self._application(scope, receive, send)
        finally:
            self._bounds.leave(address)

    def _log(self) -> None:
        """A flood of sockets must not become one of lines."""
        now_s = time.monotonic()
        if now_s - self._logged_at_s >= LOGGED_EVERY_S:
            self._logged_at_s = now_s
            logger.warning(
                "sockets are refused: too many are open, in all or from one address; behind a proxy TRUST_PROXY=1 "
                "tells the addresses of visitors apart"
            )
