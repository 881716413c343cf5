"""Turns heard speech into words, as well as PocketSphinx can, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import struct
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from emulator.spoken_numbers import with_figures

_MAX_WAITING = 16
_MAX_UTTERANCE_BYTES = 12 * 16_000 * 2
_LOAD_TIMEOUT_S = 60.0
_WORK_TIMEOUT_S = 15.0
WORDS_WITHIN_S = 7.0
"""Whoever speaks waits no longer than this for an answer. The service begins its own about a second after the speech;
clients leave a connection that stays quiet for long."""
_FAILURES = (OSError, TimeoutError, asyncio.IncompleteReadError)
"""What may go wrong with a worker process."""

_logger = logging.getLogger("emulator")


@dataclass(frozen=True, slots=True)
class _Worker:
    process: Process
    requests: asyncio.StreamWriter
    answers: asyncio.StreamReader


class Recogniser:
    """One shared worker process, started when it is first needed.

    `recognise` answers None when no words were made out within `words_within_s`, when too many utterances wait, or when
    the wheel is missing.
    """

    def __init__(self, *, enabled: bool = True, words_within_s: float = WORDS_WITHIN_S) -> None:
        self._words_within_s = words_within_s
        self._enabled = enabled and importlib.util.find_spec("pocketsphinx") is not None
        if enabled and not self._enabled:
            _logger.warning("PocketSphinx is not available: speech is heard but not transcribed")
        self._lock = asyncio.Lock()
        self._worker: _Worker | None = None
        self._waiting = 0

    async def warm_up(self) -> None:
        """Load the model, so that the first utterance does not wait for it. A failure is logged."""
        if self._enabled and self._worker is None and not self._lock.locked():
            async with self._lock:
                try:
                    await self._started()
                except _FAILURES as error:
                    _tell(error)

    async def recognise(self, pcm: bytes) -> str | None:
        """Return the words in 16 kHz PCM16 speech, or None when they take too long."""
        if not self._enabled or self._waiting >= _MAX_WAITING:
            return None
        self._waiting += 1
        try:
            async with asyncio.timeout(self._words_within_s):
                await self._lock.acquire()
                # Whoever goes away while the work is done must not leave its answer unread in the pipe.
                return await asyncio.shield(self._words_in(pcm[:_MAX_UTTERANCE_BYTES]))
        except TimeoutError:
            _logger.warning("no words in %.0f s: this machine is too busy to make them out", self._words_within_s)
            return None
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the worker process."""
        self._enabled = False
        await self._stop()

    async def _words_in(self, pcm: bytes) -> str | None:
        """The work itself, by the holder of the lock, which it gives back."""
        try:
            return await self._ask(pcm) or None
        except _FAILURES as error:
            _tell(error)
            await self._stop()
            return None
        finally:
            self._lock.release()

    async def _ask(self, pcm: bytes) -> str:
        worker = await self._started()
        async with asyncio.timeout(max(_WORK_TIMEOUT_S, self._words_within_s)):
            worker.requests.write(struct.pack(">I", len(pcm)) + pcm)
            await worker.requests.drain()
            line = await worker.answers.readuntil(b"\n")
        return with_figures(line.decode().strip())

    async def _started(self) -> _Worker:
        if self._worker is None:
            self._worker = await _start_worker()
        return self._worker

    async def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
            await worker.process.wait()


def _tell(error: Exception) -> None:
    _logger.warning("the recogniser failed: %s", str(error) or type(error).__name__)


async def _start_worker() -> _Worker:
    script = Path(__file__).with_name("recogniser_worker.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), stdin=PIPE, stdout=PIPE)
    if process.stdin is None or process.stdout is None:
        raise OSError("the recogniser has no pipes")
    try:
        async with asyncio.timeout(_LOAD_TIMEOUT_S):
            await process.stdout.readuntil(b"\n")
    except BaseException:
        process.kill()
        raise
    return _Worker(process, process.stdin, process.stdout)
