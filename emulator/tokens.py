"""Ephemeral tokens: made over REST, used once (or so often) to open a constrained Live connection."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from emulator.wire import Json, camel_keys

_DEFAULT_LIFETIME = dt.timedelta(minutes=30)
_DEFAULT_START_WITHIN = dt.timedelta(seconds=60)
_MAX_LIFETIME = dt.timedelta(hours=20)


class TokenError(ValueError):
    """A token that cannot be made or used; its text says why."""


@dataclass
class Token:
    """One ephemeral token. `uses` 0 means without limit; resuming a session is not a use."""

    name: str
    expires: dt.datetime
    start_before: dt.datetime
    uses: int
    setup: Json | None
    field_mask: tuple[str, ...] | None
    used: int = 0

    def constrain(self, setup: Json) -> Json:
        """The set-up that counts: the token's own, or the client's with the token's locked fields laid over it."""
        if self.setup is None:
            return setup
        if self.field_mask is None:
            return dict(self.setup)
        merged = camel_keys(setup)
        for path in self.field_mask:
            _copy_field(self.setup, merged, path.split("."))
        return merged


class TokenStore:
    """All tokens made so far."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def create(self, body: Json, now: dt.datetime | None = None) -> Token:
        """Make a token from the body of `POST auth_tokens`; raises `TokenError`."""
        now = now or dt.datetime.now(dt.UTC)
        body = camel_keys(body)
        expires = _time(body.get("expireTime"), now + _DEFAULT_LIFETIME)
        start_before = _time(body.get("newSessionExpireTime"), now + _DEFAULT_START_WITHIN)
        if not now < expires <= now + _MAX_LIFETIME or not now < start_before <= now + _MAX_LIFETIME:
            raise TokenError("expire_time and new_session_expire_time must lie within the next 20 hours.")
        mask = body.get("fieldMask")
        token = Token(
            name=f"auth_tokens/{secrets.token_hex(32)}",
            expires=expires,
            start_before=start_before,
            uses=int(body.get("uses", 1)),
            setup=body.get("bidiGenerateContentSetup"),
            field_mask=tuple(path for path in mask.split(",") if path) if isinstance(mask, str) else None,
        )
        self._tokens[token.name] = token
        return token

    def find(self, name: str, now: dt.datetime | None = None) -> Token:
        """Return a token that has not expired; raises `TokenError`."""
        token = self._tokens.get(name)
        if token is None or token.expires <= (now or dt.datetime.now(dt.UTC)):
            raise TokenError("unknown or expired token")
        return token

    def use(self, token: Token, now: dt.datetime | None = None) -> None:
        """Count a new session against the token; raises `TokenError`."""
        if token.start_before <= (now or dt.datetime.now(dt.UTC)) or (token.uses and token.used >= token.uses):
            raise TokenError("the token is used up")
        token.used += 1


def _time(value: Any, default: dt.datetime) -> dt.datetime:
    if value is None:
        return default
    try:
        parsed = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise TokenError(f"Invalid time: {value}") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


def _copy_field(source: Json, target: Json, path: list[str]) -> None:
    *folders, name = path
    for folder in folders:
        source = source.get(folder) or {}
        target = target.setdefault(folder, {})
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)
