"""What is asked of a provider for an ephemeral token, and how it fails: pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """A token to be made.

    `uses`: new sessions that it may begin; to resume one is no use. `new_session_expire_time`: none begins after that.
    `expire_time`: nor is any resumed, and what is open ends. `instruction`, `voice`, `temperature`, `thinking_level`:
    what its sessions are set up with, whatever its holder asks for. `locked`: names of these that its holder may not
    choose either where they are left out. The model is held fast, and that there are no tools.
    """

    model: str
    uses: int
    new_session_expire_time: datetime.datetime
    expire_time: datetime.datetime
    instruction: str = ""
    voice: str = ""
    temperature: float | None = None
    thinking_level: str = ""
    locked: frozenset[str] = frozenset()


class MintingFailed(Exception):
    """There is no token. `code`: the HTTP status of the provider's answer; 0 when there was none that made sense.

    `retry_after_s`: after how many seconds it asks to be asked again; None when it does not.
    """

    def __init__(self, code: int = 0, retry_after_s: int | None = None) -> None:
        super().__init__(code, retry_after_s)
        self.code, self.retry_after_s = code, retry_after_s

    @property
    def is_refusal(self) -> bool:
        """Whether asking again would not help."""
        return 400 <= self.code < 500 and self.code != 429


class Minter(Protocol):
    """Somebody who has the key."""

    def mint(self, order: TokenOrder) -> str:
        """A token, `auth_tokens/...`: a secret. Blocks; asks the network. Raises `MintingFailed`."""
