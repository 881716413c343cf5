"""The licence of everything that is pinned or lies in the tree, and whether it is one that we take.

    python -m tools.supply_chain.licences

prints the table of `docs/third-party.md`. `licences.toml` has the names that are allowed, the exceptions with their
reasons, and the licences of packages that name none themselves.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.paths import ALL_LISTS, BASE
from tools.pins import pins
from tools.supply_chain.vendored import vendored_packages

RULES = Path(__file__).parent / "licences.toml"
VENDORED = "in the tree"
"""Where packages are that no list installs."""


@dataclass(frozen=True)
class LicenceRules:
    """What is allowed: SPDX names, words for them, licences known by hand, and where else what may be and why."""

    allowed: frozenset[str]
    words: Mapping[str, str]
    by_hand: Mapping[str, str]
    exceptions: frozenset[tuple[str, str, str]]
    """Package, licence, list."""


@dataclass(frozen=True, order=True)
class Licensed:
    """A package, the list it is on (or `VENDORED`), and its licence in SPDX's terms; empty if nobody knows."""

    list: str
    licence: str
    name: str


def licence_rules(file: Path = RULES) -> LicenceRules:
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    exceptions = [(name, entry["licence"], entry["list"]) for entry in told["exception"] for name in entry["packages"]]
    return LicenceRules(frozenset(told["allowed"]), told["words"], told["by_hand"], frozenset(exceptions))


def everything(rules: LicenceRules) -> list[Licensed]:
    """Every package of every list, whether it is for this system or not, and what lies in the tree."""
    installed = {(name, pin.name) for name in ALL_LISTS for pin in pins(BASE / name)}
    return sorted(
        [Licensed(name, licence_of(package, rules), package) for name, package in installed]
        + [Licensed(VENDORED, package.licence, package.name) for package in vendored_packages()]
    )


def licence_of(package: str, rules: LicenceRules) -> str:
    """What a package says of itself, else what is known by hand, else nothing."""
    try:
        told: Any = metadata.distribution(package).metadata
    except metadata.PackageNotFoundError:
        return rules.by_hand.get(package, "")
    return licence_told(told, rules) or rules.by_hand.get(package, "")


def licence_told(told: Any, rules: LicenceRules) -> str:
    """The licence in a package's metadata: an SPDX expression, else a known word for one, else its classifiers."""
    if expression := told.get("License-Expression"):
        return str(expression)
    known = {**{name: name for name in rules.allowed}, **rules.words}
    text = (told.get("License") or "").partition("\n")[0].strip()
    if set(re.split(r" OR | AND ", text)) <= known.keys():
        return known.get(text, text)
    classifiers = [
        line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License")
    ]
    return " OR ".join(sorted({known[line] for line in classifiers if line in known}))


def is_allowed(package: Licensed, rules: LicenceRules) -> bool:
    """Whether all that an expression asks to keep to, in one of its alternatives, is allowed; or it is an exception.

    Brackets do not occur in what we install; an expression with one is not understood, and refused.
    """
    alternatives = [alternative.split(" AND ") for alternative in package.licence.split(" OR ")]
    if any(rules.allowed.issuperset(alternative) for alternative in alternatives):
        return True
    return (package.name, package.licence, package.list) in rules.exceptions


def table(packages: Iterable[Licensed]) -> str:
    """Markdown: for each list, its licences and which packages have them."""
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    for package in packages:
        named[package.list, package.licence].append(package.name)
    rows = [
        f"| {where} | {licence or 'not told'} | {', '.join(names)} |"
        for (where, licence), names in sorted(named.items(), key=lambda row: (order_of(row[0][0]), row[0][1]))
    ]
    return "\n".join(["| list | licence | packages |", "| --- | --- | --- |", *rows]) + "\n"


def order_of(where: str) -> int:
    return [VENDORED, *ALL_LISTS].index(where)


def main() -> int:
    rules = licence_rules()
    packages = everything(rules)
    print(table(packages), end="")
    refused = [package for package in packages if not is_allowed(package, rules)]
    for package in refused:
        print(f"{package.name} ({package.list}): {package.licence or 'no licence'} is not allowed", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
