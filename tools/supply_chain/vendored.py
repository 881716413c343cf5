"""Files of others in the tree: each is what its makers published, under the hash that the npm registry gives out.

    python -m tools.supply_chain.vendored

`vendored.toml` says for each package which version it is, the registry's hash of the whole package, and for each of our
files where it is in that and what its own hash is. So the tree can be held to the list without a network, and the list
to the registry with one. A line that names a source map, which is not delivered, is left out of our files.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import os
import re
import sys
import tarfile
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.paths import BASE

LIST = Path(__file__).parent / "vendored.toml"
PUBLIC_REGISTRY = "https://registry.npmjs.org/"
PATIENCE_S = 5
LARGEST_PACKAGE_BYTES = 20_000_000

_SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class VendoredFile:
    """One of our files: where it is in the package that was published, and the SHA-256 of it, in hex."""

    name: str
    published_as: str
    sha256: str


@dataclass(frozen=True)
class VendoredPackage:
    """A package of the npm registry, of which some files are in a folder of the tree.

    `integrity` is the registry's: `sha512-` and the digest of the whole package in base64. `served` says whether
    browsers of users get it, or tests alone.
    """

    name: str
    version: str
    licence: str
    integrity: str
    folder: str
    served: bool
    files: tuple[VendoredFile, ...]


class NotReached(Exception):
    """The registry gave no answer that could be compared with anything."""


def vendored_packages(file: Path = LIST) -> list[VendoredPackage]:
    listed = tomllib.loads(file.read_text(encoding="utf-8"))["package"]
    return [
        VendoredPackage(**{**package, "files": tuple(VendoredFile(**file) for file in package["files"])})
        for package in listed
    ]


def vendored_folders(base: Path = BASE) -> Iterator[str]:
    """Folders below one called `vendor`, as paths from the root; what is installed or produced is not in the tree."""
    for top in base.iterdir():
        if top.is_dir() and not top.name.startswith(".") and top.name != "var":
            yield from (
                str(folder.relative_to(base))
                for vendor in top.rglob("vendor")
                for folder in vendor.iterdir()
                if folder.is_dir()
            )


def faults_of_tree(packages: Sequence[VendoredPackage], base: Path = BASE) -> list[str]:
    """What lies in the vendored folders and is not listed, is listed and not there, or is not what is listed."""
    listed = {f"{package.folder}/{file.name}": file.sha256 for package in packages for file in package.files}
    there = {
        str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in vendored_folders(base)
        for path in (base / folder).rglob("*")
        if path.is_file()
    }
    return [
        *(f"{name} is not listed" for name in sorted(there.keys() - listed.keys())),
        *(f"{name} is not there" for name in sorted(listed.keys() - there.keys())),
        *(f"{name} was changed" for name in sorted(there.keys() & listed.keys()) if there[name] != listed[name]),
    ]


def faults_of_package(package: VendoredPackage, registry: str) -> list[str]:
    """What the registry publishes otherwise than it is listed. Raises `NotReached`."""
    path = f"{urllib.parse.quote(package.name, safe='@')}/{package.version}"
    try:
        told = json.loads(_fetch(urllib.parse.urljoin(registry, path)))
        integrity, address = str(told["dist"]["integrity"]), str(told["dist"]["tarball"])
        if integrity != package.integrity:
            return [f"{package.name} {package.version} is published as {integrity}"]
        archive = _fetch(address)
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError) as error:
        raise NotReached(f"{type(error).__name__}: {error}") from error
    if integrity != f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}":
        return [f"{package.name} {package.version} came with another hash than the one that is published"]
    published = _members(archive)
    return [
        f"{package.folder}/{file.name} is not {file.published_as} of {package.name} {package.version}"
        for file in package.files
        if hashlib.sha256(_SOURCE_MAP.sub(b"", published.get(file.published_as, b""))).hexdigest() != file.sha256
    ]


def _fetch(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address} is no address of a registry")
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as response:
        content: bytes = response.read(LARGEST_PACKAGE_BYTES)
    return content


def _members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        files = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
        return {name: file.read() for name, file in files if file is not None}


def main() -> int:
    packages = vendored_packages()
    faults = faults_of_tree(packages)
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or PUBLIC_REGISTRY
    with ThreadPoolExecutor(len(packages)) as threads:
        questions = [threads.submit(faults_of_package, package, f"{registry.rstrip('/')}/") for package in packages]
        not_reached = ""
        for question in questions:
            try:
                faults += question.result()
            except NotReached as error:
                not_reached = str(error)
    for fault in faults:
        print(fault)
    if faults:
        return 1
    compared = f"the registry was not reached ({not_reached})" if not_reached else "and are what the registry publishes"
    print(f"{len(packages)} packages are as listed, {compared}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
