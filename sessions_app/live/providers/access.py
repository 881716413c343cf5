"""How a connection is let in by Gemini: by the key or a project's credentials, or by a token of its own."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import replace
from typing import Any

import certifi
from google import genai
from google.genai import types

from sessions_app.live.machine.failures import Failure, Phase, is_token_refusal
from sessions_app.live.providers.accounts import Account, client_for
from sessions_app.live.providers.minting import API_VERSION, MintingFailed
from sessions_app.live.providers.token_keeper import TokenKeeper
from sessions_app.live.providers.upstream import UpstreamFailed

REDIAL_WITHIN_MS = 60_000
"""Of a connection that was lost, or is to be left at the next safe point."""


class Access:
    """Gives the clients that dial, and is told what becomes of their connections. Used on one event loop.

    As it is here, nothing has to be got ready for a dial.
    """

    async def client_for(self, model: str, timeout_ms: float) -> genai.Client:
        """For one dial; `dialled` follows. Raises `UpstreamFailed`, and then it does not."""
        raise NotImplementedError

    def dialled(self, model: str) -> None:
        """A dial is over, whatever came of it."""

    def expect(self, model: str, within_ms: int = REDIAL_WITHIN_MS) -> None:
        """A dial is likely to come."""

    def opened(self, model: str) -> None:
        """A connection stands; `closed` follows once."""

    def closed(self, model: str) -> None:
        """A connection that stood is left."""

    def failed(self, model: str, failure: Failure) -> Failure:
        """A dial has failed, or a connection been lost; the failure as it is to be judged."""
        return failure


class ByAccount(Access):
    """All connections by the same key or for the same project, over one client."""

    def __init__(self, account: Account, api_version: str, socket_options: dict[str, Any]) -> None:
        options = types.HttpOptions(api_version=api_version, async_client_args=socket_options)
        self.client = client_for(account, options)

    async def client_for(self, model: str, timeout_ms: float) -> genai.Client:
        return self.client


class ByToken(Access):
    """Each connection by a token that is made for it, over a client of its own.

    The SDK has the key of a client fixed. What takes time about a client is its certificates (0.1 s); they are read
    once, and a client takes a millisecond with them (google-genai 3.6, measured).
    """

    def __init__(self, tokens: TokenKeeper, socket_options: dict[str, Any]) -> None:
        self._tokens = tokens
        tls = ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or certifi.where(), capath=os.environ.get("SSL_CERT_DIR")
        )
        self._options = types.HttpOptions(
            api_version=API_VERSION,
            client_args={"verify": tls},
            async_client_args=socket_options | {"verify": tls, "ssl": tls},
        )

    async def client_for(self, model: str, timeout_ms: float) -> genai.Client:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                token = await self._tokens.take(model)
        except MintingFailed as error:
            raise UpstreamFailed(_failure_of(error)) from None
        except TimeoutError:
            raise UpstreamFailed(Failure(0, "no token: timed out", Phase.MINTING)) from None
        return client_for(token, self._options)

    def expect(self, model: str, within_ms: int = REDIAL_WITHIN_MS) -> None:
        self._tokens.expect(model, within_ms)

    def dialled(self, model: str) -> None:
        self._tokens.dialled(model)

    def opened(self, model: str) -> None:
        self._tokens.opened(model)

    def closed(self, model: str) -> None:
        self._tokens.closed(model)

    def failed(self, model: str, failure: Failure) -> Failure:
        told = replace(failure, by_token=True)
        if is_token_refusal(told):
            self._tokens.refused(model)
        return told


def _failure_of(error: MintingFailed) -> Failure:
    wait_ms = None if error.retry_after_s is None else error.retry_after_s * 1000
    return Failure(error.code, f"no token: {error.text or 'none was made'}", Phase.MINTING, wait_ms)
