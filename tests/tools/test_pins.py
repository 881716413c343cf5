"""The pinned lists hold what any installer needs to take them to the letter."""

import sys
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_borders import PROGRAMS, below, imports
from tools.paths import ALL_LISTS, BASE, PRODUCTION_LISTS
from tools.pins import Pin, pinned_hashes, pinned_names, pins

LIST = """\
google-auth[requests]==2.63.0 \\
    --hash=sha256:00
psycopg[binary, pool]==3.3.9 \\
    --hash=sha256:01
tzdata==2026.6 ; sys_platform == 'an-island' \\
    --hash=sha256:02
Plain==1.0
"""


def test_a_list_is_read_with_its_extras_and_markers(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(LIST)
    assert list(pins(tmp_path / "list.txt")) == [
        Pin("google-auth", "2.63.0", frozenset({"requests"})),
        Pin("psycopg", "3.3.9", frozenset({"binary", "pool"})),
        Pin("tzdata", "2026.6", marker="sys_platform == 'an-island'"),
        Pin("plain", "1.0"),
    ]
    assert pinned_names([tmp_path / "list.txt"]) == {"google-auth", "psycopg", "plain"}


def test_each_pin_has_the_hashes_below_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(
        "one==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\ntwo==2\nthree==3 \\\n    --hash=sha256:02\n"
    )
    hashes = {pin.name: hashes for pin, hashes in pinned_hashes(tmp_path / "list.txt")}
    assert hashes == {"one": ["00", "01"], "two": [], "three": ["02"]}


def extras_asked_for(extras: dict[str, frozenset[str]]) -> dict[str, set[str]]:
    """Which extras the installed packages of the lists ask for, of which other packages, with the extras they have."""
    asked: dict[str, set[str]] = defaultdict(set)
    for name, own in extras.items():
        try:
            requirements = map(Requirement, metadata.requires(name) or ())
        except metadata.PackageNotFoundError:
            continue  # for another system
        for requirement in requirements:
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *own)
            )
            if wanted and requirement.extras:
                asked[canonicalize_name(requirement.name)] |= requirement.extras
    return asked


@pytest.mark.parametrize("lists", [ALL_LISTS[:1], ALL_LISTS[1:2], ALL_LISTS], ids=["production", "emulator", "all"])
def test_every_extra_that_a_package_asks_for_stands_in_its_pin(lists: tuple[str, ...]) -> None:
    """`google-auth==2.62.2` where `google-auth[requests]` is asked for: pip looks for the newest one, and refuses."""
    known: dict[str, frozenset[str]] = {}
    for name in lists:
        for pin in pins(BASE / name):
            known[pin.name] = known.get(pin.name, frozenset()) | pin.extras
    missing = {name: wanted - known.get(name, frozenset()) for name, wanted in extras_asked_for(known).items()}
    assert known
    assert {name: extras for name, extras in missing.items() if extras} == {}


@pytest.mark.parametrize("name", ALL_LISTS)
def test_every_pin_of_a_list_has_a_hash(name: str) -> None:
    text = (BASE / name).read_text(encoding="utf-8")
    packages = text.split("--hash=sha256:")
    assert len(list(pins(BASE / name))) == sum(1 for line in text.splitlines() if line and not line.startswith(" "))
    assert len(packages) > len(list(pins(BASE / name)))


ROOM_OF = {
    "requirements.in": ("config", "sessions_app", "energy", "summarization"),
    "emulator/requirements.in": ("emulator",),
    "requirements-otel.in": ("config.tracing",),
    "requirements-mcp.in": ("config.mcp.server", "config.mcp.hosting", "config.mcp.stdio", "config.mcp.shapes"),
}
OPTIONAL = {room for name in ("requirements-otel.in", "requirements-mcp.in") for room in ROOM_OF[name]}
"""Loaded only where what it needs is wanted."""
PART_OF_ANOTHER = {"asgiref": "django"}
"""Packages that are documented as part of the one that brings them."""


@pytest.mark.parametrize("name", ROOM_OF)
def test_every_package_that_is_imported_is_asked_for_by_name(name: str) -> None:
    """One that merely comes with another goes when that one does without it."""
    lines = (BASE / name).read_text(encoding="utf-8").splitlines()
    asked = {canonicalize_name(Requirement(line.strip()).name) for line in lines if not line.startswith(("#", "-c"))}
    room = below(*ROOM_OF[name]) - (OPTIONAL - {*ROOM_OF[name]})
    modules = {imported.split(".")[0] for module in room for imported in imports(module)}
    strangers = modules - {*sys.stdlib_module_names, *PROGRAMS, ""}
    packages = metadata.packages_distributions()
    assert strangers
    for module in strangers:
        brought_by = {
            canonicalize_name(PART_OF_ANOTHER.get(package, package)) for package in packages.get(module, [module])
        }
        assert brought_by & asked, module


def test_what_stands_in_several_lists_that_are_installed_together_is_pinned_alike_there() -> None:
    versions: dict[str, set[frozenset[str]]] = defaultdict(set)
    for name in PRODUCTION_LISTS:
        of_this: dict[str, set[str]] = defaultdict(set)
        for pin in pins(BASE / name):
            of_this[pin.name].add(pin.version)
        for package, found in of_this.items():
            versions[package].add(frozenset(found))
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}
