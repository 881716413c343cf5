"""What a token may be asked for, and what it is then made with: pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sessions_app.live.providers.minting import TokenOrder
from sessions_app.live.storable import storable

LOCKABLE = ("instruction", "voice", "temperature")
"""What a token can hold fast besides the model, under the names that requests, settings and answers use."""

KNOWN = ("model", "uses", "new_session_expire_in_s", "expire_in_s", "config", "lock")

USES_MAX = 100
NEW_SESSION_EXPIRES_IN_S = 60
EXPIRES_IN_S = 1_800
LEAST_S = 10
"""Shorter nobody could do anything with it."""

INSTRUCTION_MAX_CHARACTERS = 8_000
VOICE_MAX_CHARACTERS = 40
TEMPERATURE_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows.

    `models`: that tokens are made for, the one that is taken without a wish first. `locked`: names of `LOCKABLE` that
    nobody may choose; `instruction` and `voice`: what these are then. `longest_s`: how long a token may count.
    `a_day`: tokens that a user may have in 24 hours; 0 for any number.
    """

    models: tuple[str, ...]
    locked: frozenset[str]
    instruction: str
    voice: str
    longest_s: int
    a_day: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A token as it was asked for, within the rules."""

    model: str
    uses: int
    new_session_expire_in_s: int
    expire_in_s: int
    config: Mapping[str, Any]
    lock: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """What `read_wish` makes the same wish of."""
        return {name: getattr(self, name) for name in KNOWN} | {"config": dict(self.config), "lock": list(self.lock)}


class WishRefused(Exception):
    """A wish that cannot be granted. `code`: a word for programs; as a string, a sentence for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def is_forbidden(self) -> bool:
        """Whether it makes sense, and the operator does not allow it."""
        return self.code in ("foreign_model", "locked_field", "no_model")


def read_wish(body: object, rules: Rules) -> Wish:
    """Read what was asked for, as JSON has it. Raises `WishRefused`."""
    asked = _object(body, "The request", KNOWN)
    if not rules.models:
        text = "No model of this server takes tokens: only Live models of the Gemini Developer API do."
        raise WishRefused("no_model", text)
    model = asked.get("model", next(iter(rules.models), ""))
    if model not in rules.models:
        raise WishRefused("foreign_model", f"Tokens are made for {_listed(rules.models)} alone.")
    expire_in_s = _whole(asked, "expire_in_s", min(EXPIRES_IN_S, rules.longest_s), LEAST_S, rules.longest_s)
    begins_in_s = min(NEW_SESSION_EXPIRES_IN_S, expire_in_s)
    config = _config(asked.get("config", {}))
    lock = asked.get("lock", [])
    if not isinstance(lock, list) or not all(name in LOCKABLE for name in lock):
        raise WishRefused("bad_value", f"lock is a list of any of {_listed(LOCKABLE)}.")
    for name in LOCKABLE:
        if name in rules.locked and name in config:
            raise WishRefused("locked_field", f"The operator of this server holds {name} fast: leave it out.")
    return Wish(
        model=model,
        uses=_whole(asked, "uses", 1, 1, USES_MAX),
        new_session_expire_in_s=_whole(asked, "new_session_expire_in_s", begins_in_s, LEAST_S, expire_in_s),
        expire_in_s=expire_in_s,
        config=config,
        lock=tuple(name for name in LOCKABLE if name in lock),
    )


def order_of(wish: Wish, rules: Rules, thinking_level: str, now: datetime.datetime) -> TokenOrder:
    """What the provider is asked for. `thinking_level`: what the model must be told, if anything."""
    fixed = {"instruction": rules.instruction, "voice": rules.voice}
    held = dict(wish.config) | {name: fixed[name] for name in rules.locked & fixed.keys()}
    return TokenOrder(
        model=wish.model,
        uses=wish.uses,
        new_session_expire_time=now + datetime.timedelta(seconds=wish.new_session_expire_in_s),
        expire_time=now + datetime.timedelta(seconds=wish.expire_in_s),
        instruction=held.get("instruction", ""),
        voice=held.get("voice", ""),
        temperature=held.get("temperature"),
        thinking_level=thinking_level,
        locked=locked_by(wish, rules),
    )


def locked_by(wish: Wish, rules: Rules) -> frozenset[str]:
    """What of `LOCKABLE` whoever holds the token cannot choose: what was given, what was locked, and the operator's."""
    return rules.locked | set(wish.lock) | wish.config.keys()


def _config(value: object) -> dict[str, Any]:
    config = _object(value, "config", LOCKABLE)
    for name, most in (("instruction", INSTRUCTION_MAX_CHARACTERS), ("voice", VOICE_MAX_CHARACTERS)):
        text = config.get(name, "-")
        if not isinstance(text, str) or not text.strip() or len(text) > most or storable(text) != text:
            raise WishRefused("bad_value", f"config.{name} is a text of 1 to {most:,} characters.")
    degrees = config.get("temperature", 0)
    if isinstance(degrees, bool) or not isinstance(degrees, int | float) or not 0 <= degrees <= TEMPERATURE_MAX:
        raise WishRefused("bad_value", f"config.temperature is a number from 0 to {TEMPERATURE_MAX:g}.")
    return config


def _object(value: object, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WishRefused("bad_value", f"{what} is a JSON object.")
    unknown = next((name for name in value if name not in known), None)
    if unknown is not None:
        raise WishRefused("unknown_field", f"{what} has no field {storable(unknown)[:40]!r}; it has {_listed(known)}.")
    return value


def _whole(asked: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    number = asked.get(name, default)
    if type(number) is not int or not least <= number <= most:
        raise WishRefused("bad_value", f"{name} is a whole number from {least:,} to {most:,}.")
    return number


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
