"""Ephemeral tokens: made over REST, used once (or so often) to open a constrained Live connection."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.texts import CATALOGUE, RefusedError
from emulator.wire import Json, camel_keys, camel_name

_DEFAULT_LIFETIME = dt.timedelta(minutes=30)
_DEFAULT_START_WITHIN = dt.timedelta(seconds=60)
_MAX_LIFETIME = dt.timedelta(hours=20)
_FIELDS = frozenset({"expireTime", "newSessionExpireTime", "uses", "bidiGenerateContentSetup", "fieldMask"})


class TokenError(ValueError):
    """A token that cannot be made; its text says why."""


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
        """The set-up that counts: the token's own, or the client's with the token's locked fields laid over it.

        A token that locks everything leaves the client its handle where it lets sessions be resumed.
        """
        if self.setup is None:
            return setup
        asked = camel_keys(setup)
        if self.field_mask is None:
            handle = (asked.get("sessionResumption") or {}).get("handle")
            resumption = (
                {"sessionResumption": {"handle": handle}} if handle and "sessionResumption" in self.setup else {}
            )
            return self.setup | resumption
        for path in self.field_mask:
            _copy_field(self.setup, asked, path.split("."))
        return asked

    def overruled(self, setup: Json) -> list[str]:
        """The paths of what a client asks for and does not get; it is not told."""
        asked = camel_keys(setup)
        counts = self.constrain(setup)
        paths = self.field_mask if self.field_mask is not None else tuple(asked)
        wishes = ((path, _field(asked, path)) for path in paths)
        return [path for path, wish in wishes if wish is not None and wish != _field(counts, path)]


class TokenStore:
    """All tokens made so far."""

    def __init__(self, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def create(self, body: Json, now: dt.datetime | None = None) -> Token:
        """Make a token from the body of `POST auth_tokens`; raises `TokenError`."""
        now = now or self._clock()
        body = camel_keys(body)
        if unknown := sorted(body.keys() - _FIELDS):
            raise TokenError(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
        expires = _time(body.get("expireTime"), now + _DEFAULT_LIFETIME)
        start_before = _time(body.get("newSessionExpireTime"), now + _DEFAULT_START_WITHIN)
        if not now < expires <= now + _MAX_LIFETIME or not now < start_before <= now + _MAX_LIFETIME:
            raise TokenError("expire_time and new_session_expire_time must lie within the next 20 hours.")
        setup, mask = body.get("bidiGenerateContentSetup"), _mask(body.get("fieldMask"))
        for field in _leaves(setup or {}) if mask is not None else ():
            if not any(f"{field}.".startswith(f"{path}.") for path in mask or ()):
                raise TokenError(f"field_mask must name every field of the set-up; {field} is not in it.")
        uses = body.get("uses", 1)
        if type(uses) is not int or uses < 0:
            raise TokenError("uses must be 0 or more.")
        token = Token(
            name=f"auth_tokens/{secrets.token_hex(32)}",
            expires=expires,
            start_before=start_before,
            uses=uses,
            setup=setup,
            field_mask=mask,
        )
        self._tokens[token.name] = token
        return token

    def find(self, name: str, now: dt.datetime | None = None) -> Token:
        """Return a token that has not expired; raises `RefusedError`."""
        token = self._tokens.get(name)
        if token is None:
            raise RefusedError(CATALOGUE["key not valid"])
        if token.expires <= (now or self._clock()):
            raise RefusedError(CATALOGUE["token expired"])
        return token

    def use(self, token: Token, now: dt.datetime | None = None) -> None:
        """Count a new session against the token; raises `RefusedError`."""
        if token.uses and token.used >= token.uses:
            raise RefusedError(CATALOGUE["token used up"])
        if token.start_before <= (now or self._clock()):
            raise RefusedError(CATALOGUE["token starts no session"])
        token.used += 1

    def clear(self) -> None:
        """Forget all tokens."""
        self._tokens.clear()


def _time(value: Any, default: dt.datetime) -> dt.datetime:
    if value is None:
        return default
    try:
        parsed = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise TokenError(f"Invalid time: {value}") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


def _mask(value: Any) -> tuple[str, ...] | None:
    """The paths of a field mask, in either style of names: the SDK mixes them."""
    return tuple(camel_name(path) for path in str(value or "").split(",") if path) or None


def _leaves(setup: Json) -> list[str]:
    """Paths of a set-up as far down as field masks go: to its fields, and those of its objects."""
    return [
        f"{name}.{below}" if below else name
        for name, value in setup.items()
        for below in (value if isinstance(value, dict) and value else [""])
    ]


def _field(source: Json, path: str) -> Any:
    """What stands at a path; None when there is nothing."""
    value: Any = source
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _copy_field(source: Json, target: Json, path: list[str]) -> None:
    *folders, name = path
    for folder in folders:
        source = source.get(folder) or {}
        target = target.setdefault(folder, {})
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)
