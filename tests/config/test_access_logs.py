"""What the servers' own logs have of a request. On the running servers: `tests/scenarios/test_logs.py`."""

import pytest

from config.access_logs import without_secrets


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/history/?q=marmalade", "/history/"),
        ("/history/?q=what?&x=/y?", "/history/"),
        ("/history/", "/history/"),
        ("/accounts/reset/Mg/cz1a2b-0123456789abcdef/", "/accounts/reset/..."),
        ("/accounts/reset/Mg/cz1a2b-0123456789abcdef/?next=/", "/accounts/reset/..."),
        ("/accounts/reset/sent/", "/accounts/reset/sent/"),
        ("127.0.0.1:4711", "127.0.0.1:4711"),
        ("GET", "GET"),
        ("", ""),
    ],
)
def test_an_address_is_told_without_what_was_searched_for_or_lets_somebody_in(address: str, told: str) -> None:
    assert without_secrets(address) == told
