"""The table of the day, as it goes into the page on browsers."""

from datetime import date
from pathlib import Path

from tests.engines.table import Result, put_into, table_of

RESULTS = [
    Result("Firefox ESR 140", "chat answers", ""),
    Result("Firefox ESR 140", "hang up", "not within 20 s: a | b\nand more"),
    Result("WebKitGTK 2.50", "chat answers", ""),
]


def test_the_table_says_what_went_wrong_and_what_was_not_tried() -> None:
    assert table_of(RESULTS, date(2026, 11, 27)).splitlines() == [
        "Of 2026-11-27:",
        "",
        "| what | Firefox ESR 140 | WebKitGTK 2.50 |",
        "| --- | --- | --- |",
        "| chat answers | yes | yes |",
        "| hang up | **no**: not within 20 s: a \\| b and more | not tried |",
    ]


def test_a_new_table_takes_the_place_of_the_one_before() -> None:
    page = "# Browsers\n\n<!-- engines -->\nold\n<!-- /engines -->\n\nmore\n"
    assert put_into(put_into(page, "new\n"), "newer\n") == page.replace("old", "newer")
    assert put_into((Path("docs") / "browsers.md").read_text(encoding="utf-8"), "x\n").count("\nx\n") == 1
