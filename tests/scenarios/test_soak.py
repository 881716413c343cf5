"""A short soak: a few calls, dozens of swaps on both legs, nothing lost, no reply doubled, nothing false claimed."""

from __future__ import annotations

from pathlib import Path

from tests.soak import report
from tests.soak.conversation import Conversation, Finding
from tests.soak.plan import SWAPS, TURNS, Kind
from tests.soak.soak import Options, Outcome, soak

SEED = 20
LONGEST_MINUTES = 2.0
"""By then there are as many swaps as a test asks for, on a machine that is busy with others, too."""


def findings(outcome: Outcome) -> list[tuple[Conversation, Finding]]:
    """What went wrong, however fast the machine is. `./run soak` judges the rest."""
    return [
        (account.conversation, finding)
        for account in outcome.accounts
        for finding in account.findings
        if not finding.rests_on_speed
    ]


def told(outcome: Outcome) -> str:
    """What went wrong, with the story of each conversation around it."""
    found = findings(outcome)
    stories = [[finding.text, *report.story(conversation, finding)] for conversation, finding in found]
    return "\n".join([f"seed {SEED}", *(line for story in stories for line in story)])


def test_on_agent_platform_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    kinds: dict[Kind, float] = {"go_away": 3, "cut": 2, "close": 1}
    outcome = soak(Options(3, LONGEST_MINUTES, SEED, swaps=6, kinds=kinds, setup_index=0), tmp_path)
    assert not findings(outcome), told(outcome)
    assert not outcome.server_faults
    swaps = [swap for account in outcome.accounts for swap in account.swaps]
    assert {"planned", "cut"} <= {swap.kind for swap in swaps}
    assert [(swap.kind, swap.lost, swap.repeated) for swap in swaps if swap.lost or swap.repeated] == []


def test_not_a_word_is_lost_in_a_short_soak(tmp_path: Path) -> None:
    outcome = soak(Options(4, LONGEST_MINUTES, SEED, swaps=10, kinds={**SWAPS, **TURNS}), tmp_path)
    assert not findings(outcome), told(outcome)
    assert not outcome.server_faults
    kinds = {swap.kind for account in outcome.accounts for swap in account.swaps}
    assert {"planned", "cut"} <= kinds
    assert all(account.replies for account in outcome.accounts)
