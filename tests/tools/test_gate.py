"""What the gate makes of its steps."""

from pathlib import Path

from tools.gate import count


def test_tests_are_counted_over_all_reports(tmp_path: Path) -> None:
    for name, numbers in (
        ("a", 'tests="5" failures="1" errors="1" skipped="1"'),
        ("b", 'tests="3" failures="0" errors="0" skipped="0"'),
    ):
        (tmp_path / f"{name}.xml").write_text(f"<testsuites><testsuite {numbers}/></testsuites>")
    assert count(tmp_path) == (5, 2, 1)
