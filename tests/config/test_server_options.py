"""A server that was started to take what it must not take does not take it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn

from config.server_options import ADVISED_MESSAGE_BYTES, LARGEST_MESSAGE_BYTES, limit_messages
from sessions_app.gateway.wire import TYPED_FRAME_LIMIT_BYTES
from tests.services.web import SMALL_MESSAGES

ROOT = Path(__file__).resolve().parents[2]


async def application(scope: object, receive: object, send: object) -> None:
    """Never called."""


def limited(**options: object) -> tuple[int, bool]:
    """What uvicorn takes that was started with these: how large a message, and whether compressed ones."""
    config = Config(application, **options)  # type: ignore[arg-type]  # the options are told by name
    limit_messages(LifespanOn(config).receive)
    return config.ws_max_size, config.ws_per_message_deflate


def test_with_the_options_of_the_readme_nothing_is_to_be_done(caplog: pytest.LogCaptureFixture) -> None:
    assert limited(ws_max_size=ADVISED_MESSAGE_BYTES, ws_per_message_deflate=False) == (ADVISED_MESSAGE_BYTES, False)
    assert limited(ws_max_size=100_000, ws_per_message_deflate=False) == (100_000, False)
    assert caplog.text == ""
    assert TYPED_FRAME_LIMIT_BYTES < ADVISED_MESSAGE_BYTES < LARGEST_MESSAGE_BYTES


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ws_per_message_deflate": False},
        {"ws_max_size": ADVISED_MESSAGE_BYTES},
        {"ws_max_size": LARGEST_MESSAGE_BYTES + 1, "ws_per_message_deflate": False},
    ],
)
def test_large_and_compressed_messages_are_taken_by_no_server_and_its_operator_is_told(
    options: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    assert limited(**options) == (ADVISED_MESSAGE_BYTES, False)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "holdline.W501: " in caplog.text
    assert " ".join(SMALL_MESSAGES) in caplog.text


async def test_a_server_that_does_not_tell_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    limit_messages(receive)
    assert caplog.text == ""


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_the_documented_command_has_the_options(page: str) -> None:
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if "uvicorn " in line and "config.asgi:application" in line:
            assert " ".join(SMALL_MESSAGES) in line
