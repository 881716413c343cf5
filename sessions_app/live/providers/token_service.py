"""Tokens from another process, which has the key: the side that asks. `docs/operations.md` has the protocol."""

from __future__ import annotations

import datetime
import http.client
import json
import logging
import ssl
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sessions_app.live.providers.minting import MintingFailed, TokenOrder, without_secrets

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
"""For each step of asking: to connect, to send, to wait for the answer. A process that stops waits for it, too."""

ANSWER_LIMIT_BYTES = 16 * 1024
TOKEN_PREFIX = "auth_tokens/"  # noqa: S105 - no token

_MADE = 201
_LONGEST_WAIT_S = 3_600


class ServiceMinter:
    """See `minting.Minter`. Asks a token service; it follows nobody who sends it on, for it has a secret to show.

    Args:
        url: of the service.
        secret: by which it lets us in.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = urlsplit(url)
        self._secret = secret

    def mint(self, order: TokenOrder) -> str:
        try:
            status, headers, raw = self._post(body_of(order, datetime.datetime.now(datetime.UTC)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            logger.warning("the token service cannot be asked: %s", type(error).__name__)
            raise MintingFailed from None
        answer = _object_in(raw)
        if status != _MADE:
            logger.warning("the token service makes no token: %s", status)
            raise self._failure(status, headers, answer)
        token = answer.get("token")
        if not isinstance(token, str) or not token.startswith(TOKEN_PREFIX):
            logger.warning("the token service answered without a token")
            raise MintingFailed
        return token

    def _post(self, body: dict[str, object]) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = _connection_to(self._url)
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
        try:
            connection.request("POST", self._url.path or "/", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read(ANSWER_LIMIT_BYTES)
        finally:
            connection.close()

    def _failure(self, status: int, headers: http.client.HTTPMessage, answer: dict[str, Any]) -> MintingFailed:
        """What the provider said to the service counts as said to us; else what the service says."""
        error = answer.get("error")
        said = error if isinstance(error, dict) else {}
        of_provider = said.get("provider_status")
        text = without_secrets(str(said.get("text") or ""), self._secret)
        if isinstance(of_provider, int) and 400 <= of_provider <= 599:
            status = of_provider
        elif status < 400:
            status = 0  # sent on, or an answer that is none
        wait = headers.get("Retry-After", "")
        wait_s = min(int(wait), _LONGEST_WAIT_S) if wait.isascii() and wait.isdecimal() else None
        return MintingFailed(status, wait_s, text and f"the token service says: {text}")


def body_of(order: TokenOrder, now: datetime.datetime) -> dict[str, object]:
    """What the service is asked: durations, for its clock may be another one."""
    return {
        "model": order.model,
        "opens_for_s": int((order.new_session_expire_time - now).total_seconds() + 0.5),
        "counts_for_s": int((order.expire_time - now).total_seconds() + 0.5),
    }


def _connection_to(url: SplitResult) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, url.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, url.port, timeout=TIMEOUT_S)


def _object_in(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
