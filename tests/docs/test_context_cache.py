"""The page about context caches has the table that the rules give."""

import re
from pathlib import Path

from sessions_app.live.providers.cache_reckoning import table
from tests.bench.context_cache import PACES, PUBLISHED

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "decisions" / "context-cache.md"


def test_the_table_is_that_of_the_rules() -> None:
    shown = re.search(r"<!-- table: [^>]+ -->\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[1] == table(PUBLISHED, PACES), "print it anew: python -m tests.bench.context_cache --table"
