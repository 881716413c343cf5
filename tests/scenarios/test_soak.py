"""A short soak: a few calls, some dozens of swaps on both legs, and nothing lost, doubled or claimed that is not so."""

from __future__ import annotations

from pathlib import Path

from tests.soak import report
from tests.soak.soak import Options, Outcome, soak

SEED = 20
SECONDS = 12


def findings(outcome: Outcome) -> str:
    """What went wrong, with the story of each conversation around it."""
    found = [(account.conversation, finding) for account in outcome.accounts for finding in account.findings]
    stories = [[finding.text, *report.story(conversation, finding)] for conversation, finding in found]
    return "\n".join([f"seed {SEED}", *outcome.server_faults, *(line for story in stories for line in story)])


def test_not_a_word_is_lost_in_a_short_soak(tmp_path: Path) -> None:
    outcome = soak(Options(conversations=4, minutes=SECONDS / 60, seed=SEED), tmp_path)
    assert outcome.is_good, findings(outcome)
    kinds = {swap.kind for account in outcome.accounts for swap in account.swaps}
    assert {"planned", "cut"} <= kinds
    assert all(account.replies for account in outcome.accounts)
