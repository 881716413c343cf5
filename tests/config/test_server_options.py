"""A server that takes what it must not take is not started."""

from __future__ import annotations

from pathlib import Path

import pytest
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn

from config.server_options import ADVISED_MESSAGE_BYTES, LARGEST_MESSAGE_BYTES, problems_of_server
from sessions_app.gateway.wire import TYPED_FRAME_LIMIT_BYTES
from tests.config.commands import SECRET_KEY, STARTERS, clean_environment, run_python
from tests.services.web import SMALL_MESSAGES

ROOT = Path(__file__).resolve().parents[2]


async def application(scope: object, receive: object, send: object) -> None:
    """Never called."""


def ids_for(**options: object) -> list[str]:
    config = Config(application, **options)  # type: ignore[arg-type]  # the options are told by name
    return [problem.id for problem in problems_of_server(LifespanOn(config).receive)]


def test_the_options_of_the_readme_are_in_order() -> None:
    assert ids_for(ws_max_size=ADVISED_MESSAGE_BYTES, ws_per_message_deflate=False) == []
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
def test_large_and_compressed_messages_are_a_problem(options: dict[str, object]) -> None:
    assert ids_for(**options) == ["holdline.E501"]


async def test_a_server_that_does_not_tell_is_not_judged() -> None:
    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    assert problems_of_server(receive) == []


def test_uvicorn_does_not_start_with_its_own_defaults(tmp_path: Path) -> None:
    """With these a visitor who is not logged in kept the process deaf for seconds and filled its memory."""
    environment = clean_environment(HOLDLINE_DATA_DIR=str(tmp_path), SECRET_KEY=SECRET_KEY)
    done = run_python(*STARTERS["uvicorn"], environment=environment)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr + done.stdout
    assert "holdline.E501: " in done.stderr
    assert " ".join(SMALL_MESSAGES) in done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_the_documented_command_has_the_options(page: str) -> None:
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if "uvicorn " in line and "config.asgi:application" in line:
            assert " ".join(SMALL_MESSAGES) in line
