"""The page on what others made names everything that is there."""

from __future__ import annotations

import re
from pathlib import Path

from tools.supply_chain.licences import VENDORED, everything, licence_rules
from tools.supply_chain.vendored import vendored_folders

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "third-party.md").read_text(encoding="utf-8")

ASKS_FOR_MORE = re.compile(r"GPL|MPL|Mozilla|EPL|CDDL|EUPL|SSPL|Proprietary", re.IGNORECASE)
"""In the name of a licence that wants more than to be passed on with the work."""


def test_every_folder_of_somebody_elses_files_is_named_and_has_its_licence() -> None:
    folders = sorted(vendored_folders())
    assert folders
    assert [folder for folder in folders if f"`{folder}`" not in PAGE] == []
    assert [folder for folder in folders if not (ROOT / folder / "LICENSE").is_file()] == []
    assert sorted(re.findall(r"`([^`\s]*/vendor/[^`\s]*)`", PAGE)) == folders, "the page names a folder that is gone"


def test_every_package_whose_licence_asks_for_more_is_named_before_the_table() -> None:
    rules = licence_rules()
    installed = [package for package in everything(rules) if package.list != VENDORED]
    special = {package.name for package in installed if ASKS_FOR_MORE.search(package.licence)}
    assert {"psycopg", "certifi", "espeakng-loader"} <= special
    words = PAGE.partition("## Every licence")[0]
    assert [name for name in sorted(special) if not re.search(rf"\b{name}\b", words)] == []
