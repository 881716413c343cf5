"""A bill of materials of what production runs, as CycloneDX 1.6: pinned packages, and what browsers get of others.

    python -m tools.supply_chain.sbom >holdline.cdx.json

The same checkout gives the same file: it bears no time and no number of its own. A package that is for some systems
only has the condition as a property. Hashes of a package of Python are of all files that may be installed for it.
"""

from __future__ import annotations

import base64
import json
import sys
import tomllib
from typing import Any
from urllib.parse import quote

from tools.paths import BASE
from tools.pins import Pin, pinned_hashes
from tools.supply_chain.licences import LicenceRules, licence_of, licence_rules
from tools.supply_chain.vendored import VendoredPackage, vendored_packages

PRODUCTION_LIST = "requirements.txt"
NO_SPDX_NAME = ("BSD",)


def bill_of_materials() -> dict[str, Any]:
    project = tomllib.loads((BASE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rules = licence_rules()
    pinned = [_installed(pin, hashes, rules) for pin, hashes in pinned_hashes(BASE / PRODUCTION_LIST)]
    served = [_served(package) for package in vendored_packages() if package.served]
    application = {
        "type": "application",
        "bom-ref": project["name"],
        "name": project["name"],
        "version": project["version"],
        "licenses": _licences(project["license"]),
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": application},
        "components": pinned + served,
    }


def _installed(pin: Pin, hashes: list[str], rules: LicenceRules) -> dict[str, Any]:
    files = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{pin.name}/{pin.version}/#files",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in hashes],
    }
    component = _component(pin.name, pin.version, f"pkg:pypi/{pin.name}@{pin.version}")
    component |= {"licenses": _licences(licence_of(pin.name, rules)), "externalReferences": [files]}
    if pin.marker:
        component["properties"] = [{"name": "holdline:marker", "value": pin.marker}]
    return component


def _served(package: VendoredPackage) -> dict[str, Any]:
    digest = base64.b64decode(package.integrity.removeprefix("sha512-")).hex()
    component = _component(package.name, package.version, f"pkg:npm/{quote(package.name)}@{package.version}")
    published = {
        "type": "distribution",
        "url": f"https://www.npmjs.com/package/{package.name}/v/{package.version}",
        "hashes": [{"alg": "SHA-512", "content": digest}],
    }
    return component | {"licenses": _licences(package.licence), "externalReferences": [published]}


def _component(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _licences(expression: str) -> list[dict[str, Any]]:
    """An SPDX expression as one; what holds a name that SPDX does not have, as a name."""
    words = expression.replace(" OR ", " ").replace(" AND ", " ").split()
    if set(words) & set(NO_SPDX_NAME):
        return [{"license": {"name": expression}}]
    return [{"license": {"id": expression}}] if len(words) == 1 else [{"expression": expression}]


def main() -> int:
    json.dump(bill_of_materials(), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
