"""What the servers' own logs have of a request. On the running servers: `tests/scenarios/test_logs.py`."""

import pytest

from config.access_logs import without_query


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/history/?q=marmalade", "/history/"),
        ("/history/?q=what?&x=/y?", "/history/"),
        ("/history/", "/history/"),
        ("127.0.0.1:4711", "127.0.0.1:4711"),
        ("GET", "GET"),
        ("", ""),
    ],
)
def test_an_address_is_told_without_what_was_searched_for(address: str, told: str) -> None:
    assert without_query(address) == told
