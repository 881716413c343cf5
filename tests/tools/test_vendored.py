"""Files of others in the tree are what their makers published."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.services.processes import ANSWERS_WITHIN_S, free_port
from tools.supply_chain.vendored import (
    NotReached,
    VendoredFile,
    VendoredPackage,
    faults_of_package,
    faults_of_tree,
    vendored_packages,
)

SCRIPT = b"export const answer = 42;\n//# sourceMappingURL=answer.js.map\n"
OURS = b"export const answer = 42;\n"


def integrity_of(archive: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"


def packed(content: bytes) -> bytes:
    """A package with one script in it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("package/answer.mjs")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


ARCHIVE = packed(SCRIPT)
PACKAGE = VendoredPackage(
    name="@deep/thought",
    version="1.0.0",
    licence="MIT",
    integrity=integrity_of(ARCHIVE),
    folder="static/vendor/thought-1.0.0",
    served=True,
    files=(VendoredFile("answer.js", "package/answer.mjs", hashlib.sha256(OURS).hexdigest()),),
)


@dataclass
class Registry:
    """What a registry of npm gives out."""

    url: str = ""
    integrity: str = PACKAGE.integrity
    archive: bytes = ARCHIVE
    tells: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        if path.endswith(".tgz"):
            return self.archive
        told = {"dist": {"integrity": self.integrity, "tarball": f"{self.url}thought-1.0.0.tgz"}}
        return json.dumps(told).encode() if self.tells is None else self.tells


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setattr("tools.supply_chain.vendored.PATIENCE_S", ANSWERS_WITHIN_S)
    registry = Registry()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(registry.answer(self.path))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    registry.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield registry
    server.shutdown()
    server.server_close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with that package in it."""
    (tmp_path / PACKAGE.folder).mkdir(parents=True)
    (tmp_path / PACKAGE.folder / "answer.js").write_bytes(OURS)
    return tmp_path


def test_the_files_of_others_in_this_tree_are_those_that_are_listed() -> None:
    assert faults_of_tree(vendored_packages()) == []


def test_a_folder_says_which_version_it_holds() -> None:
    for package in vendored_packages():
        assert package.folder.endswith(f"-{package.version}")


def test_a_file_that_was_changed_added_or_lost_is_noticed(tree: Path) -> None:
    assert faults_of_tree([PACKAGE], tree) == []
    (tree / PACKAGE.folder / "more.js").write_bytes(b"")
    (tree / PACKAGE.folder / "answer.js").write_bytes(OURS + b" ")
    (tree / "tests" / "vendor" / "alien").mkdir(parents=True)
    (tree / "tests" / "vendor" / "alien" / "x.js").write_bytes(b"")
    assert faults_of_tree([PACKAGE], tree) == [
        f"{PACKAGE.folder}/more.js is not listed",
        "tests/vendor/alien/x.js is not listed",
        f"{PACKAGE.folder}/answer.js was changed",
    ]
    (tree / PACKAGE.folder / "answer.js").unlink()
    assert f"{PACKAGE.folder}/answer.js is not there" in faults_of_tree([PACKAGE], tree)


def test_what_is_published_may_name_a_source_map_and_is_the_same_otherwise(registry: Registry) -> None:
    assert faults_of_package(PACKAGE, registry.url) == []
    assert registry.asked == ["/@deep%2Fthought/1.0.0", "/thought-1.0.0.tgz"]


def test_a_listed_hash_that_the_registry_does_not_publish_is_a_fault(registry: Registry) -> None:
    registry.integrity = integrity_of(b"another")
    assert faults_of_package(PACKAGE, registry.url) == [f"@deep/thought 1.0.0 is published as {registry.integrity}"]


def test_a_package_that_comes_with_another_hash_is_a_fault(registry: Registry) -> None:
    registry.archive = packed(b"export const answer = 43;\n")
    assert "came with another hash" in faults_of_package(PACKAGE, registry.url)[0]


def test_a_file_that_is_not_the_one_in_the_package_is_a_fault(registry: Registry) -> None:
    changed = replace(PACKAGE.files[0], sha256=hashlib.sha256(b"x").hexdigest())
    gone = replace(PACKAGE.files[0], published_as="package/gone.mjs")
    assert len(faults_of_package(replace(PACKAGE, files=(changed, gone)), registry.url)) == 2


@pytest.mark.parametrize("tells", [b"<html>log in first</html>", b"[]", b"{}", b'{"dist": {"integrity": 1}}', b"\xff"])
def test_an_answer_that_makes_no_sense_is_none(registry: Registry, tells: bytes) -> None:
    registry.tells = tells
    with pytest.raises(NotReached):
        faults_of_package(PACKAGE, registry.url)


def test_a_registry_that_is_not_there_is_no_fault() -> None:
    with pytest.raises(NotReached):
        faults_of_package(PACKAGE, f"http://127.0.0.1:{free_port()}/")
