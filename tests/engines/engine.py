"""What a check needs of a browser, whichever protocol it is driven by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from tests.services.processes import ANSWERS_WITHIN_S

POLL_S = 0.1


class Engine(Protocol):
    """A browser with one page. `press` and `type` are what a user does: they count as gestures."""

    name: str
    version: str

    def open(self, url: str) -> None:
        """Load a page; returns when it is loaded."""

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON has it."""

    def press(self, selector: str) -> None:
        """Press the middle of an element."""

    def type(self, selector: str, text: str) -> None:
        """Write into a field, and press Enter."""

    def complaints(self) -> list[str]:
        """Errors that the pages said in the console since this was asked last; what cannot be read is not there."""

    def close(self) -> None:
        """End the browser."""


class NotReached(AssertionError):
    """Something did not come about in time."""


def wait_until(engine: Engine, expression: str, seconds: float = ANSWERS_WITHIN_S) -> None:
    """Let the page go on until an expression is true. Raises `NotReached`."""
    wait_for(lambda: bool(engine.ask(expression)), expression, seconds)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = ANSWERS_WITHIN_S) -> None:
    """Ask again and again. Raises `NotReached`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotReached(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_S)
