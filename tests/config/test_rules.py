"""The rules that collection enforces on tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.commands import ROOT, clean_environment


def collect(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_it.py").write_text("import pytest\n" + source)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  django_db\n  browser\n  stored\n  laptop\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:django", "-p", "tests.rules"]
    return subprocess.run(
        [*command, *("--rootdir", str(tmp_path), "-m", "stored", str(tmp_path))],
        env=clean_environment(PYTHONPATH=str(ROOT)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("marker", ["django_db", "django_db()", "django_db(reset_sequences=True)"])
def test_an_async_test_whose_rows_would_stay_is_refused(tmp_path: Path, marker: str) -> None:
    done = collect(tmp_path, f"@pytest.mark.{marker}\nasync def test_leak():\n    pass\n")
    assert done.returncode != 0
    assert "test_leak" in done.stderr + done.stdout
    assert "transaction=True" in done.stderr + done.stdout


def test_an_async_test_that_uses_a_fixture_in_a_transaction_is_refused(tmp_path: Path) -> None:
    done = collect(tmp_path, "@pytest.fixture\ndef db(): pass\nasync def test_leak(db):\n    pass\n")
    assert "transaction=True" in done.stderr + done.stdout


def test_tests_that_do_not_care_which_database_it_is_run_once(tmp_path: Path) -> None:
    done = collect(tmp_path, "@pytest.mark.laptop\n@pytest.mark.django_db\ndef test_rows():\n    pass\n")
    assert "test_rows" not in done.stdout


@pytest.mark.parametrize("definition", ["async def", "def"])
def test_tests_of_the_database_are_marked_as_stored(tmp_path: Path, definition: str) -> None:
    done = collect(
        tmp_path,
        f"@pytest.mark.django_db(transaction=True)\n{definition} test_rows():\n    pass\ndef test_other(): pass\n",
    )
    assert "test_rows" in done.stdout
    assert "test_other" not in done.stdout


def test_a_test_of_the_database_is_refused_where_the_run_on_postgresql_does_not_look(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "live"
    folder.mkdir(parents=True)
    (folder / "test_rows.py").write_text("def test_rows(db):\n    pass\n")
    done = collect(tmp_path, "@pytest.fixture\ndef db(): pass\n")
    assert done.returncode != 0
    assert "test_rows.py::test_rows" in done.stderr + done.stdout
