"""How long work shows that it goes on: one line that is rewritten on a terminal, a line now and then in a log."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

LOG_EVERY_S = 3.0
LOG_STILL_EVERY_S = 15.0
CLEAR_LINE = "\r\033[K"


class Progress:
    """Shows the latest of many texts without filling the screen or the log.

    In a log a changed text is written at most every 3 s and an unchanged one, with how long it has been so, every 15 s.
    """

    def __init__(self, output: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = sys.stdout if output is None else output
        self._clock = clock
        self._on_terminal = self._output.isatty()
        self._began = clock()
        self._written_at = float("-inf")
        self._written = ""

    def show(self, text: str) -> None:
        """To be called often: whenever there is news, and also when there is none."""
        if self._on_terminal:
            self._rewrite(text)
            return
        waited_s = self._clock() - self._written_at
        if text != self._written and waited_s >= LOG_EVERY_S:
            self._write_line(text, text)
        elif text == self._written and waited_s >= LOG_STILL_EVERY_S:
            self._write_line(f"{text} ({self._clock() - self._began:.0f} s)", text)

    def end(self) -> None:
        """Leave the line, so that others can write."""
        if self._on_terminal:
            print(CLEAR_LINE, end="", file=self._output, flush=True)

    def _rewrite(self, text: str) -> None:
        line = f"{text} ({self._clock() - self._began:.0f} s)"
        width = shutil.get_terminal_size().columns - 1
        print(f"{CLEAR_LINE}{line[:width]}", end="", file=self._output, flush=True)

    def _write_line(self, line: str, text: str) -> None:
        print(line, file=self._output, flush=True)
        self._written, self._written_at = text, self._clock()
