"""By which words people know a browser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.accounts.browser_words import BROWSERS, SYSTEMS, UNKNOWN, browser_words

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_GECKO} Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_GECKO} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_GECKO} Chrome/140.0.0.0 Safari/537.36 OPR/121.0", "Opera on Linux"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {LIKE_GECKO} Chrome/140.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
            "Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 "
            "Mobile/15E148 Safari/604.1",
            "Chrome on iPad",
        ),
        (f"Mozilla/5.0 (Linux; Android 10; K) {LIKE_GECKO} Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {LIKE_GECKO} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile "
            "Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.14.1", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_called_as_its_users_call_it(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words


@given(st.text(max_size=300))
def test_nothing_of_what_somebody_claims_is_taken_over(user_agent: str) -> None:
    browser, _, system = browser_words(user_agent).partition(" on ")
    assert browser in {UNKNOWN, *(name for _, name in BROWSERS)}
    assert system in {"", *(name for _, name in SYSTEMS)}
