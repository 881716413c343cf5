"""Somebody who makes tokens without a provider."""

from __future__ import annotations

from collections.abc import Callable

from sessions_app.live.providers.minting import MintingFailed, TokenOrder


class FakeMinter:
    """See `minting.Minter`. `orders`: what it was asked for, in order; `fail_with`: what it raises instead, if set;
    `meanwhile`: is called while it is asked."""

    def __init__(self) -> None:
        self.orders: list[TokenOrder] = []
        self.fail_with: MintingFailed | None = None
        self.meanwhile: Callable[[], object] = bool

    def mint(self, order: TokenOrder) -> str:
        self.meanwhile()
        if self.fail_with is not None:
            raise self.fail_with
        self.orders.append(order)
        return f"auth_tokens/{len(self.orders):064x}"
