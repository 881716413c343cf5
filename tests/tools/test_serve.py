"""What `./run` tells when everything is up."""

import pytest

from tools.serve import mode


@pytest.mark.parametrize(
    ("environment", "control_page", "expected"),
    [
        ({}, "http://x", "emulator, SQLite, in-memory layer, background work in process"),
        (
            {"DATABASE_URL": "postgresql://h/n", "REDIS_URL": "redis://h"},
            "",
            "real Gemini API, PostgreSQL, Redis, background work by Celery workers",
        ),
    ],
)
def test_the_mode_is_told_in_words(environment: dict[str, str], control_page: str, expected: str) -> None:
    assert mode(environment, control_page) == expected
