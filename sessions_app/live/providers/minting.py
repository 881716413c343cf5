"""What is asked of a provider for an ephemeral token, and how it fails: pure."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

API_VERSION = "v1alpha"
"""For making tokens and for the connections that they open; the SDK warns of every other."""

LONGEST_TEXT = 300
_TOKENS = re.compile(r"auth_tokens/[\w-]+")


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

    `retry_after_s`: after how many seconds it asks to be asked again; None when it does not. `text`: its words, for the
    operator; whoever raises this has taken secrets out of them, see `without_secrets`.
    """

    def __init__(self, code: int = 0, retry_after_s: int | None = None, text: str = "") -> None:
        super().__init__(code, retry_after_s, text)
        self.code, self.retry_after_s, self.text = code, retry_after_s, text

    @property
    def is_refusal(self) -> bool:
        """Whether asking again would not help."""
        return 400 <= self.code < 500 and self.code != 429

    @property
    def outcome(self) -> MintOutcome:
        if self.code == 429:
            return MintOutcome.LIMITED
        return MintOutcome.REFUSED if self.is_refusal else MintOutcome.UNAVAILABLE


class MintOutcome(StrEnum):
    """What comes of asking for a token."""

    MADE = "made"
    LIMITED = "limited"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


def without_secrets(text: str, *secrets: str) -> str:
    """A provider's words, not too many of them, without these secrets and without tokens."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return _TOKENS.sub("auth_tokens/***", text)[:LONGEST_TEXT]


class Minter(Protocol):
    """Somebody who has the key."""

    def mint(self, order: TokenOrder) -> str:
        """A token, `auth_tokens/...`: a secret. Blocks; asks the network. Raises `MintingFailed`."""
