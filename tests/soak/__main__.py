"""`./run soak`: hold many conversations through hundreds of swaps, and prove that not a word is lost.

Prints what the swaps cost; exits with 1 if anything was lost, cut, doubled or claimed that was not so.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from pathlib import Path

from tests.services.settings import use_settings_of_tests
from tests.soak import report
from tests.soak.plan import ALL, CLIMATE, CLIMATE_OF_LINES, TROUBLE_FOR
from tests.soak.soak import Options, Outcome, soak, soak_of_each
from tests.soak.stamps import CONVERSATIONS_LIMIT

DIRECTORY = Path("var") / "soak"
FINDINGS_TOLD = 6


def main() -> int:
    options, of_each = _options()
    use_settings_of_tests()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    print(f"seed {options.seed}: {options.conversations} conversations on {options.server}", flush=True)
    if of_each:
        outcome = soak_of_each(options, of_each, DIRECTORY.absolute(), _tell_round)
        print(report.tables(outcome.accounts))
        lacking = [kind for kind in TROUBLE_FOR if outcome.swaps[kind] < of_each]
        if lacking:
            print(f"\nless than {of_each} swaps after {options.minutes:g} minutes: {', '.join(lacking)}")
        return 0 if outcome.is_good and not lacking else 1
    outcome = soak(options, DIRECTORY.absolute())
    print(report.tables(outcome.accounts))
    _tell_findings(outcome, DIRECTORY)
    return 0 if outcome.is_good else 1


def _tell_round(directory: Path, outcome: Outcome) -> None:
    print(f"\n{directory.name}\n{report.swap_table(outcome.accounts)}", flush=True)
    _tell_findings(outcome, directory)


def _options() -> tuple[Options, int]:
    """With how many swaps of each kind there are to be, 0 for as many as there come."""
    parser = argparse.ArgumentParser(
        prog="./run soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conversations", type=_count, default=10, help="held at the same time (default: 10)")
    parser.add_argument("--minutes", type=float, default=2, help="how long trouble lasts (default: 2)")
    parser.add_argument("--swaps", type=int, default=0, help="end earlier, after so many")
    parser.add_argument(
        "--swaps-of-each", type=int, default=0, help="go on until there were so many of each kind, or --minutes passed"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="to have the same trouble again")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne", help="default: daphne")
    parser.add_argument("--setup-index", type=int, choices=(-1, 0, 1), help="on Agent Platform, which counts like that")
    parser.add_argument("--odd-index", choices=("lags", "jumps", "missing", "of-before"), help="there, all the time")
    parser.add_argument("--only", choices=sorted(ALL), action="append", help="this kind of trouble and no other")
    given = parser.parse_args()
    climate = CLIMATE_OF_LINES if given.swaps_of_each else CLIMATE
    options = Options(
        given.conversations,
        given.minutes,
        given.seed,
        given.swaps,
        given.server,
        {kind: ALL[kind] for kind in given.only or ALL},
        given.setup_index,
        (*climate, ("odd_index", {"how": given.odd_index, "by": 50})) if given.odd_index else climate,
    )
    return options, given.swaps_of_each


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= CONVERSATIONS_LIMIT:
        raise argparse.ArgumentTypeError(f"between 1 and {CONVERSATIONS_LIMIT}")
    return int(text)


def _tell_findings(outcome: Outcome, directory: Path) -> None:
    for line in outcome.server_faults:
        print(f"the server's log: {line}")
    found = [(account, finding) for account in outcome.accounts for finding in account.findings]
    for index, (account, finding) in enumerate(found):
        print(f"\nconversation {finding.conversation}: {finding.text}")
        if index < FINDINGS_TOLD:
            print("\n".join(f"    {line}" for line in report.story(account.conversation, finding)))
    report.write_stories(outcome.accounts, directory)
    print(f"\nThe whole stories, and the programs' logs: {directory}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
