"""The page on what others made names everything that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from tools.pins import pins

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "third-party.md").read_text(encoding="utf-8")

LISTS = ("requirements.txt", "emulator/requirements.txt", "requirements-dev.txt")
ASKS_FOR_MORE = re.compile(r"GPL|MPL|Mozilla|EPL|CDDL|EUPL|SSPL|Proprietary", re.IGNORECASE)
"""In the name of a licence that wants more than to be passed on with the work."""


def vendored_folders() -> Iterator[str]:
    """Folders below one called `vendor`, as paths from the root; what is installed or produced is not in the tree."""
    for top in ROOT.iterdir():
        if top.is_dir() and not top.name.startswith(".") and top.name != "var":
            yield from (
                str(folder.relative_to(ROOT))
                for vendor in top.rglob("vendor")
                for folder in vendor.iterdir()
                if folder.is_dir()
            )


def licence_of(package: metadata.Distribution) -> str:
    """What a package says of its licence, in whichever of the fields it says it."""
    fields = {name: package.metadata.get_all(name) or [] for name in ("License-Expression", "License", "Classifier")}
    said = [text.splitlines()[0] for name in ("License-Expression", "License") for text in fields[name] if text]
    return ", ".join(said + [line for line in fields["Classifier"] if line.startswith("License")])


def installed_packages() -> Iterator[metadata.Distribution]:
    """Those of the pinned lists that this machine has; some are for other systems."""
    for name in LISTS:
        for pin in pins(ROOT / name):
            try:
                yield metadata.distribution(pin.name)
            except metadata.PackageNotFoundError:
                continue


def test_every_folder_of_somebody_elses_files_is_named_and_has_its_licence() -> None:
    folders = sorted(vendored_folders())
    assert folders
    assert [folder for folder in folders if f"`{folder}`" not in PAGE] == []
    assert [folder for folder in folders if not (ROOT / folder / "LICENSE").is_file()] == []
    assert sorted(re.findall(r"`([^`\s]*/vendor/[^`\s]*)`", PAGE)) == folders, "the page names a folder that is gone"


def test_every_package_whose_licence_asks_for_more_or_is_not_told_is_named() -> None:
    licences = {package.metadata["Name"]: licence_of(package) for package in installed_packages()}
    special = {name for name, licence in licences.items() if not licence or ASKS_FOR_MORE.search(licence)}
    assert {"psycopg", "certifi", "espeakng-loader"} <= special
    assert [f"{name}: {licences[name]}" for name in sorted(special) if not re.search(rf"\b{name}\b", PAGE)] == []
