"""The bill of materials: valid, complete, and the same each time."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from tools.paths import BASE
from tools.pins import pins
from tools.supply_chain.sbom import bill_of_materials
from tools.supply_chain.vendored import vendored_packages

DIGESTS = {"SHA-256": "[0-9a-f]{64}", "SHA-512": "[0-9a-f]{128}"}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return bill_of_materials()


@pytest.fixture(scope="module")
def components(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["purl"]: component for component in bill["components"]}


def test_it_is_what_cyclonedx_asks_for(bill: dict[str, Any]) -> None:
    """The required fields, and the values that the schema restricts."""
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    for component in [bill["metadata"]["component"], *bill["components"]]:
        assert component["type"] in ("application", "library")
        assert component["name"]
        assert component["version"]
        [licence] = component["licenses"]
        assert set(licence) in ({"license"}, {"expression"})
        for reference in component.get("externalReferences", []):
            assert reference["type"] == "distribution"
            assert reference["hashes"]
            for digest in reference["hashes"]:
                assert re.fullmatch(DIGESTS[digest["alg"]], digest["content"])
    names = [component["bom-ref"] for component in [bill["metadata"]["component"], *bill["components"]]]
    assert len(set(names)) == len(names)


def test_everything_that_production_installs_and_serves_is_in_it(components: dict[str, dict[str, Any]]) -> None:
    installed = {f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins(BASE / "requirements.txt")}
    served = {f"pkg:npm/{quote(package.name)}@{package.version}" for package in vendored_packages() if package.served}
    assert components.keys() == installed | served


def test_the_hashes_are_those_that_are_pinned(components: dict[str, dict[str, Any]]) -> None:
    told = [
        digest["content"]
        for component in components.values()
        for reference in component["externalReferences"]
        for digest in reference["hashes"]
        if digest["alg"] == "SHA-256"
    ]
    assert sorted(told) == sorted(re.findall(r"sha256:(\w+)", (BASE / "requirements.txt").read_text()))


def test_what_is_for_some_systems_says_for_which(components: dict[str, dict[str, Any]]) -> None:
    [tzdata] = [component for component in components.values() if component["name"] == "tzdata"]
    assert tzdata["properties"] == [{"name": "holdline:marker", "value": "sys_platform == 'win32'"}]


def test_no_licence_is_left_open(components: dict[str, dict[str, Any]]) -> None:
    [dompurify] = [component for component in components.values() if component["name"] == "dompurify"]
    assert dompurify["licenses"] == [{"expression": "MPL-2.0 OR Apache-2.0"}]
    texts = [json.dumps(component["licenses"]) for component in components.values()]
    assert [text for text in texts if '""' in text] == []


def test_the_same_checkout_gives_the_same_bill(bill: dict[str, Any]) -> None:
    assert bill_of_materials() == bill
