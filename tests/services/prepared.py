"""Python programs that start from a process in which the libraries are loaded already.

Half of what a test server costs is importing the same packages once more. A process of `multiprocessing`'s fork server
imports them once for each process that runs tests, and every program is a fork of it that then runs its module as
`python -m` would. Of the project itself only that is loaded before which reads nothing of the environment: the core and
the emulator. That the programs start from nothing as well is what `tests/first_start`, `tests/config` and
`tests/scenarios/test_production.py` are for.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = [
    *("django.contrib.admin.utils", "django.contrib.admin.views.main", "django.contrib.sessions.backends.db"),
    *("django.core.handlers.asgi", "django.core.management.commands.check", "django.core.management.commands.migrate"),
    *("django.core.management.commands.shell", "django.db.backends.postgresql.base", "django.db.backends.sqlite3.base"),
    *("django.db.migrations.autodetector", "django.db.models", "django.forms", "django.template.backends.django"),
    *("django.test.client", "aiohttp.web", "argon2", "asgiref.sync", "autobahn.twisted.websocket", "celery.app.base"),
    *("celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork", "celery.fixups.django"),
    *("celery.worker.consumer", "channels.db", "channels.layers", "channels.routing", "channels.sessions"),
    *("channels_redis.core", "csp.middleware", "google.genai", "google.genai.live", "kombu.transport.redis", "numpy"),
    *("pocketsphinx", "prometheus_client", "redis.asyncio", "segno", "twisted.internet.asyncioreactor"),
    *("twisted.web.http", "uvicorn.main", "websockets.asyncio.server", "whitenoise.middleware", "yaml"),
]
"""None of them reads the settings of Django, starts a thread or makes an event loop (`test_prepared_programs.py`)."""

OWN = [
    *("emulator.cli", "sessions_app.live.manager", "sessions_app.live.providers.gemini", "summarization.gemini"),
]
"""Neither do these, with all that they import."""

FROZEN = "tests.services.frozen"
"""The last of what is loaded: no fork needs to look through all of it for garbage."""

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([*LIBRARIES, *OWN, FROZEN])


class PreparedProcess:
    """`python -m module arguments` as a fork; with the part of `subprocess.Popen` that `Program` uses."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        errors: Path | None = None,
    ) -> None:
        """Its output goes to the end of `log`, and its errors do, too, if there is no other file for them."""
        self._process = processes.Process(
            target=_run, args=(module, list(arguments), dict(environment), directory, log, errors or log), daemon=True
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


def run_prepared(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], directory: Path
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments` as a fork, to its end; with what it has written."""
    with tempfile.TemporaryDirectory() as name:
        output, errors = Path(name) / "output", Path(name) / "errors"
        code = PreparedProcess(module, arguments, environment, directory, output, errors).wait()
        return subprocess.CompletedProcess([module, *arguments], code, output.read_text(), errors.read_text())


def _run(
    module: str, arguments: list[str], environment: dict[str, str], directory: Path, log: Path, errors: Path
) -> None:
    """What the fork does: become the program."""
    for number, file in ((1, log), (2, errors)):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
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
