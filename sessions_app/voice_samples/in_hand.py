"""What this process is at: so much at once, and nothing twice at the same time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition


class Busy(Exception):
    """It did not come to its turn."""


class InHand:
    """For threads.

    Args:
        at_once: how many things are done at a time.
        wait_s: how long one of them waits for its turn.
    """

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._at_once = at_once
        self._wait_s = wait_s
        self._things: set[Hashable] = set()
        self._changed = Condition()

    @contextmanager
    def take(self, thing: Hashable) -> Iterator[None]:
        """Raises `Busy`. Whoever comes while another has the same thing in hand waits until that is done."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(thing), self._wait_s):
                raise Busy
            self._things.add(thing)
        try:
            yield
        finally:
            with self._changed:
                self._things.remove(thing)
                self._changed.notify_all()

    def _is_free(self, thing: Hashable) -> bool:
        return thing not in self._things and len(self._things) < self._at_once
