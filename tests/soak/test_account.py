"""Which connections took the place of which, and why: one that lived is not left."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.services.web import WebServer
from tests.soak.account import Account, reckon
from tests.soak.conversation import Conversation, Exchange
from tests.soak.page import SoakPage, Told
from tests.soak.provider import Entry, Hearing, Link, Provider


def account_of_two(*faults: Entry, by: str = "client", turns: tuple[str, ...] = (), second_at: float = 20.0) -> Account:
    """A conversation over two connections, the second of which was opened at `second_at`."""
    page = SoakPage(cast("WebServer", None), "")
    said = [Exchange("hello", bool, -1, 1.0, ended_at=2.0)]
    conversation = Conversation(0, 1, page, cast("Provider", None), 10, {}, exchanges=said)
    first = Link("c1", "s1", 0.0, False, 0, False, faults=list(faults), closed_at=second_at - 0.1, closed_by=by)
    first.turns = [{"kind": kind, "at": 5.0, "connection": "c1", "reason": ""} for kind in turns]
    second = Link("c2", "s1", second_at, True, 0, False)
    return reckon(conversation, [first, second], {"s1": Hearing([], [])})


@pytest.mark.parametrize(("lived_s", "found", "rests_on_speed"), [(0.3, 1, False), (0.8, 1, True), (1.2, 0, False)])
def test_two_toasts_of_an_outage_are_found_and_are_the_machines_where_the_line_may_have_lived_between_them(
    lived_s: float, found: int, rests_on_speed: bool
) -> None:
    page = SoakPage(cast("WebServer", None), "")
    toast: Entry = {"type": "toast", "code": "call.rebuilt"}
    for at, message in [
        (20.0, {"type": "state", "state": "live"}),
        (20.0, toast),
        (20.0 + lived_s, {"type": "state", "state": "reconnecting"}),
        (22.0, {"type": "state", "state": "live"}),
        (22.0, toast),
    ]:
        page.story.append(Told(at, message))
    said = [Exchange("hello", bool, -1, 1.0, ended_at=2.0)]
    conversation = Conversation(0, 1, page, cast("Provider", None), 10, {}, exchanges=said)
    findings = reckon(conversation, [Link("c1", "s1", 20.0, True, 0, False)], {"s1": Hearing([], [])}).findings
    assert [(finding.text, finding.rests_on_speed) for finding in findings] == [
        ("2 toasts call.rebuilt in one outage", rests_on_speed)
    ] * found


def fault(name: str, **facts: Any) -> Entry:
    return {"kind": "fault", "fault": name, "at": 10.0, **facts}


def test_a_connection_that_was_left_for_no_reason_is_found() -> None:
    account = account_of_two()
    assert account.needless_redials == 1
    assert [finding.text for finding in account.findings] == ["c2 took the place of c1 for no reason"]


@pytest.mark.parametrize(
    ("kind", "faults", "by", "turns"),
    [
        ("cut", ["cut"], "cut", ()),
        ("closed", ["close"], "server", ()),
        ("planned", ["go_away"], "client", ()),
        ("silent", ["black_hole"], "client", ()),
        ("sick", [], "client", ("empty_turn", "empty_turn")),
    ],
)
def test_a_connection_that_a_fault_took_away_is_not(
    kind: str, faults: list[str], by: str, turns: tuple[str, ...]
) -> None:
    account = account_of_two(*map(fault, faults), by=by, turns=turns)
    assert account.needless_redials == 0
    assert [swap.kind for swap in account.swaps] == [kind]


def test_a_handle_that_was_issued_into_a_black_hole_was_not_delivered() -> None:
    link = Link("c1", "s1", 0.0, False, 0, False, handles=[{"at": 1.0}, {"at": 5.0}])
    assert link.delivered_handles == link.handles
    link.faults.append({"fault": "black_hole", "at": 2.0})
    assert link.delivered_handles == [{"at": 1.0}]


def test_a_standstill_is_a_reason_to_leave_as_long_as_it_lasts_and_none_much_later() -> None:
    def needless(second_at: float) -> int:
        return account_of_two(fault("stall", for_s=3.0), second_at=second_at).needless_redials

    assert needless(14.0) == 0
    assert needless(18.0) == 1


@pytest.mark.parametrize("turns", [("empty_turn",), ("empty_turn", "reply", "empty_turn"), ("slow_thinking",)])
def test_a_provider_that_said_nothing_once_or_thought_for_long_is_no_reason_to_leave(turns: tuple[str, ...]) -> None:
    assert account_of_two(turns=turns).needless_redials == 1
