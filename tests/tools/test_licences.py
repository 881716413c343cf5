"""The licence of everything that is pinned or lies in the tree is known, and is one that we take."""

from __future__ import annotations

from email.message import Message
from importlib import metadata

import pytest

from tools.paths import ALL_LISTS, BASE
from tools.pins import pins
from tools.supply_chain.licences import (
    VENDORED,
    LicenceRules,
    Licensed,
    everything,
    is_allowed,
    licence_of,
    licence_rules,
    licence_told,
    table,
)

PAGE = BASE / "docs" / "third-party.md"


@pytest.fixture(scope="module")
def rules() -> LicenceRules:
    return licence_rules()


def told(**fields: str | list[str]) -> Message:
    """The metadata of a package."""
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


def test_every_licence_is_allowed_or_an_exception(rules: LicenceRules) -> None:
    assert [package for package in everything(rules) if not is_allowed(package, rules)] == []


def test_nothing_is_excepted_that_is_not_there(rules: LicenceRules) -> None:
    there = {(package.name, package.licence, package.list) for package in everything(rules)}
    assert rules.exceptions <= there


def test_what_is_known_by_hand_is_pinned_and_what_the_package_says_where_it_says_something(rules: LicenceRules) -> None:
    pinned = {pin.name: pin for name in ALL_LISTS for pin in pins(BASE / name)}
    assert rules.by_hand.keys() <= pinned.keys()
    for name, licence in rules.by_hand.items():
        try:
            said = licence_told(metadata.distribution(name).metadata, rules)
        except metadata.PackageNotFoundError:
            continue
        assert said in ("", licence), name


def test_the_page_has_the_table_that_the_command_prints(rules: LicenceRules) -> None:
    assert table(everything(rules)) in PAGE.read_text(encoding="utf-8"), "put in what ./run licences prints"


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (told(License_Expression="MIT OR Apache-2.0", License="else"), "MIT OR Apache-2.0"),
        (told(License="Apache License, Version 2.0"), "Apache-2.0"),
        (told(License="MIT OR Apache-2.0"), "MIT OR Apache-2.0"),
        (told(License="MIT License\n\nCopyright (c) ..."), "MIT"),
        (told(License="Copyright (c) 2014", Classifier=["License :: OSI Approved :: MIT License"]), "MIT"),
        (
            told(
                License="Dual License",
                Classifier=[
                    "License :: OSI Approved :: BSD License",
                    "License :: OSI Approved :: Apache Software License",
                ],
            ),
            "Apache-2.0 OR BSD",
        ),
        (told(License="Beerware", Classifier=["Framework :: Django"]), ""),
        (told(), ""),
    ],
)
def test_a_licence_is_read_wherever_a_package_tells_it(rules: LicenceRules, fields: Message, licence: str) -> None:
    assert licence_told(fields, rules) == licence


def test_a_package_that_is_not_there_has_the_licence_that_is_known_by_hand(rules: LicenceRules) -> None:
    assert licence_of("no-such-package", rules) == ""
    assert licence_of("espeakng-loader", rules) == "GPL-3.0-or-later"


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        *[("MIT", True), ("MIT AND PSF-2.0", True), ("GPL-3.0-only OR MIT", True), ("GPL-3.0-only AND MIT", False)],
        *[("AGPL-3.0-only", False), ("(MIT OR GPL-3.0-only)", False), ("", False)],
    ],
)
def test_one_alternative_has_to_be_allowed_as_a_whole(rules: LicenceRules, licence: str, allowed: bool) -> None:
    assert is_allowed(Licensed("requirements.txt", licence, "x"), rules) is allowed


def test_an_exception_holds_for_its_list_alone(rules: LicenceRules) -> None:
    for where, allowed in (("emulator/requirements.txt", True), ("requirements.txt", False), (VENDORED, False)):
        assert is_allowed(Licensed(where, "GPL-3.0-or-later", "espeakng-loader"), rules) is allowed
