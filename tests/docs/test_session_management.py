"""Each statement about the management of sessions names a test that there is."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = (ROOT / "docs" / "session-management.md").read_text(encoding="utf-8").splitlines()
STATEMENTS = [line.strip("| ").split(" | ") for line in LINES if line.startswith("| ") and "---" not in line]
PROVEN = {cells[0]: cells[-1] for cells in STATEMENTS if cells[0] != "statement"}


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_is_a_line_for_each_of_them() -> None:
    assert len(PROVEN) >= 31


@pytest.mark.parametrize("statement", PROVEN)
def test_a_statement_is_proven_by_a_test(statement: str) -> None:
    proof = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", PROVEN[statement])
    assert proof is not None
    assert proof[2] in functions_of(proof[1])
