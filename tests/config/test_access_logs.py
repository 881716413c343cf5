"""What the servers' own logs have of a request. On the running servers: `tests/scenarios/test_logs.py`."""

import logging

import pytest

from config.access_logs import keep_queries_out, without_secrets


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


@pytest.mark.parametrize(("path", "is_told"), [("/metrics", False), ("/metrics?name[]=up", False), ("/history/", True)])
def test_scrapes_do_not_stand_in_the_log(caplog: pytest.LogCaptureFixture, path: str, is_told: bool) -> None:
    keep_queries_out()
    with caplog.at_level(logging.INFO, "uvicorn.access"):
        logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:4711", "GET", path, "1.1", 200)
    assert bool(caplog.records) == is_told
