"""How often something may be tried, and how long whoever tries too often waits: the rules. Their rows: `throttle_rows`.

Some tries are free, then each is followed by a wait twice as long as the one before. A try is forgotten after a while,
so that the mistakes of a day do not add up, and no wait is longer than that: it would be forgotten by then.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from energy.marking import Words

SHOWN_IN_SECONDS = 90
"""Longer waits are told in minutes."""


class Scope(StrEnum):
    """Whose tries are counted together. In the order in which they are counted: an address cannot fill the table."""

    ADDRESS = "address"
    ACCOUNT = "account"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tries are free; after how many seconds one of them is forgotten; how long the first wait is.

    After the last that is free the first wait begins. None is longer than `regain_s`.
    """

    free: int
    regain_s: int
    first_wait_s: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """What is limited. `name` stands in rows and logs, `tries` is what people read: "Too many searches."."""

    name: str
    tries: Words
    limits: Mapping[Scope, Limit]


LOG_IN = Rule(
    "log-in",
    _("Too many tries."),
    {Scope.ADDRESS: Limit(20, 300), Scope.ACCOUNT: Limit(5, 900), Scope.DEVICE: Limit(5, 900)},
)
"""Wrong passwords. In ten minutes that is 14 on one account, from however many addresses, and about 30 from one
address, which may be a whole office; in a day about 110 on an account."""

SIGN_UP = Rule("sign-up", _("Too many new accounts."), {Scope.ADDRESS: Limit(20, 180, 10)})
"""Accounts made: twenty at once, for a class in one room makes them together, then twenty an hour."""

PASSWORD_RESET = Rule(
    "password reset", _("Too many tries."), {Scope.ADDRESS: Limit(5, 720, 60), Scope.ACCOUNT: Limit(3, 1200, 60)}
)
"""Mails asked for, which somebody else may get. The account is what was typed, without regard to case, whether there is
one or not."""

OWN_PASSWORD = Rule("own password", _("Too many tries."), {Scope.ACCOUNT: Limit(5, 900)})
"""Wrong ones where somebody who is logged in is asked for it again: a page that was left open is no place to guess."""

SEARCH = Rule("search", _("Too many searches."), {Scope.ACCOUNT: Limit(60, 2)})
EXPORT = Rule("export", _("Too many exports."), {Scope.ACCOUNT: Limit(60, 5)})
MCP_CALLS = Rule("MCP call", _("Too many calls."), {Scope.ACCOUNT: Limit(120, 2)})
MCP_QUESTIONS = Rule("MCP question", _("Too many questions."), {Scope.ACCOUNT: Limit(30, 20)})
"""About recordings, also those that fail: a program may ask in a loop, and each has a model hear all of them again."""

HAND_OVER = Rule("hand-over", _("Too many links."), {Scope.ACCOUNT: Limit(20, 10)})
TOKENS = Rule("token", _("Too many requests for tokens."), {Scope.ACCOUNT: Limit(20, 10)})
"""Also those that fail: each asks the provider."""

VOICES = Rule("voice", _("Too many voices to be recorded."), {Scope.ACCOUNT: Limit(30, 120)})
"""Samples that have to be made, also those that fail: thirty an hour, each a short live session of the project."""

UPLOADS = Rule("upload", _("Too many uploads."), {Scope.ACCOUNT: Limit(600, 6)})
"""Files that are announced, also those that turn out to be no recordings: each has a process look into it."""

DELETION = Rule("deletion", _("Too many deletions."), {Scope.ACCOUNT: Limit(60, 5)})


@dataclass(frozen=True, slots=True)
class Count:
    """Tries that are not forgotten, as of `counted_at`, and until when there may be no other."""

    tries: int
    counted_at: datetime.datetime
    closed_until: datetime.datetime | None = None


class TooManyTries(Exception):
    """Refused: there may be another try in `wait_s` seconds. As a string, a sentence for people."""

    def __init__(self, rule: Rule, scope: Scope, wait_s: int) -> None:
        super().__init__(rule, scope, wait_s)
        self.rule, self.scope, self.wait_s = rule, scope, wait_s

    def __str__(self) -> str:
        then = gettext("You can try again in %(wait)s.") % {"wait": in_words(self.wait_s)}
        return f"{self.rule.tries} {then}"


def wait_s(count: Count, now: datetime.datetime) -> int:
    """Whole seconds until the next try, rounded up; 0 if it may be now."""
    if count.closed_until is None or count.closed_until <= now:
        return 0
    return math.ceil((count.closed_until - now).total_seconds())


def after_try(count: Count, limit: Limit, now: datetime.datetime) -> Count:
    """What is counted once a try was made, right or wrong: it counts before anybody knows which."""
    left = forgetting(count, limit, now)
    tries = left.tries + 1
    if tries < limit.free:
        return Count(tries, left.counted_at)
    doublings = min(tries - limit.free, limit.regain_s.bit_length())
    wait = min(limit.first_wait_s << doublings, limit.regain_s)
    return Count(tries, left.counted_at, now + datetime.timedelta(seconds=wait))


def given_back(count: Count, closed_until: datetime.datetime | None) -> Count:
    """What is counted once a try was right, by which it was closed until `closed_until`; tries of others stay."""
    is_mine = count.closed_until == closed_until
    return Count(max(0, count.tries - 1), count.counted_at, None if is_mine else count.closed_until)


def forgetting(count: Count, limit: Limit, now: datetime.datetime) -> Count:
    """What is left of a count when time has passed."""
    forgotten = max(0, (now - count.counted_at) // datetime.timedelta(seconds=limit.regain_s))
    if forgotten >= count.tries:
        return Count(0, now, count.closed_until)
    passed = datetime.timedelta(seconds=forgotten * limit.regain_s)
    return Count(count.tries - forgotten, count.counted_at + passed, count.closed_until)


def over_at(count: Count, limit: Limit) -> datetime.datetime:
    """From when on nothing of a count matters."""
    forgotten_at = count.counted_at + datetime.timedelta(seconds=count.tries * limit.regain_s)
    return max(forgotten_at, count.closed_until or forgotten_at)


def in_words(seconds: int) -> str:
    """`1 second`, `40 seconds`, `3 minutes`: rounded up, so that whoever waits so long is not told to wait again."""
    if seconds <= SHOWN_IN_SECONDS:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    minutes = math.ceil(seconds / 60)
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
