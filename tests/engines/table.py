"""The table of the day in `docs/browsers.md`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

BETWEEN = re.compile(r"(?<=<!-- engines -->\n).*?(?=<!-- /engines -->)", re.DOTALL)


@dataclass(frozen=True)
class Result:
    """`fault`: what went wrong in a check, empty if nothing did."""

    engine: str
    check: str
    fault: str


def table_of(results: Sequence[Result], day: date) -> str:
    """A row for each check, a column for each engine."""
    engines, checks = ([*dict.fromkeys(values)] for values in zip(*((r.engine, r.check) for r in results), strict=True))
    fault_of = {(result.engine, result.check): result.fault for result in results}
    rows = [
        f"Of {day.isoformat()}:\n",
        f"| what | {' | '.join(engines)} |",
        f"| --- |{' --- |' * len(engines)}",
        *(
            f"| {check} | {' | '.join(_cell(fault_of.get((engine, check))) for engine in engines)} |"
            for check in checks
        ),
    ]
    return "\n".join(rows) + "\n"


def put_into(page: str, table: str) -> str:
    """The page with this table in place of the one before."""
    return BETWEEN.sub(lambda _: table, page)


def _cell(fault: str | None) -> str:
    if fault is None:
        return "not tried"
    return "**no**: " + re.sub(r"\s+", " ", fault).replace("|", "\\|")[:160] if fault else "yes"
