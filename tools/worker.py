"""`./run worker`: the background work of a set-up with REDIS_URL."""

import argparse
import os

from tools.environment import laptop_environment
from tools.install import ensure_installed
from tools.paths import PRODUCTION_LISTS, PYTHON
from tools.telling import Refusal


def worker(options: argparse.Namespace) -> int:
    """Do the background work of a set-up with REDIS_URL: a Celery worker, and the beat that keeps its schedule.

    The database is the one that the web server has set up. Arguments are handed to Celery, for instance
    `--concurrency 8` or `--queues holdline-short`. It ends on SIGTERM and Ctrl-C once its work is done.
    """
    environment = laptop_environment()
    if not environment.get("REDIS_URL"):
        raise Refusal("Without REDIS_URL there is nothing for a worker to do: the web process does the work itself.")
    ensure_installed(PRODUCTION_LISTS)
    command = [
        *(PYTHON, "-m", "celery", "--app", "config", "worker", "--beat"),
        *("--concurrency", "2", "--without-gossip", "--without-mingle", *options.arguments),
    ]
    os.execve(PYTHON, command, environment)  # noqa: S606 - no shell is wanted
