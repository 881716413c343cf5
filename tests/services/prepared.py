"""Python programs that start from a process in which the libraries are loaded already.

Half of what a test server costs is importing the same packages once more. A process of `multiprocessing`'s fork server
imports them once for each process that runs tests, and every program is a fork of it that then runs its module as
`python -m` would. Of the project itself nothing is loaded before, for it reads its settings from the environment.
That the programs start from nothing as well is what `tests/first_start` and `tests/config` are for.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = [
    *("django.contrib.admin.utils", "django.contrib.sessions.backends.db", "django.core.handlers.asgi"),
    *("django.core.management.commands.check", "django.db.backends.postgresql.base", "django.db.backends.sqlite3.base"),
    *("django.db.models", "django.forms", "django.template.backends.django", "django.test.client"),
    *("aiohttp.web", "asgiref.sync", "autobahn.twisted.websocket", "celery", "channels.routing", "channels.layers"),
    *("channels_redis.core", "google.genai", "google.genai.live", "numpy", "pocketsphinx", "redis.asyncio"),
    *("twisted.internet.asyncioreactor", "twisted.web.http", "uvicorn.main", "websockets.asyncio.server"),
    *("whitenoise.middleware",),
]
"""None of them reads the settings of Django, starts a thread or makes an event loop (`test_prepared.py`)."""

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(LIBRARIES)


class PreparedProcess:
    """`python -m module arguments` as a fork; with the part of `subprocess.Popen` that `Program` uses."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> None:
        self._process = processes.Process(
            target=_run, args=(module, list(arguments), dict(environment), directory, log), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; subprocess.TimeoutExpired when it is still running after `timeout` seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _run(module: str, arguments: list[str], environment: dict[str, str], directory: Path, log: Path) -> None:
    """What the fork does: become the program."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream, as in every program
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(directory)
    sys.path[0:0] = [str(directory)]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:  # as an interpreter ends; processes of multiprocessing leave the last step out
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads and for pools of them
        atexit._run_exitfuncs()
