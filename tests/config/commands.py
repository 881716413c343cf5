"""Running the project's programs with an environment that holds nothing but what the test says."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.services.processes import HANGS_AFTER_S

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPYCACHEPREFIX")
SECRET_KEY = "a-key-that-is-long-enough-for-production-0123456789-abcdefghijklmnopqrstuvw"

STARTERS = {
    "manage.py": ("manage.py", "check"),
    "daphne": ("-m", "daphne", "-p", "0", "config.asgi:application"),
    "uvicorn": ("-m", "uvicorn", "--port", "0", "config.asgi:application"),
    "celery": ("-m", "celery", "-A", "config", "report"),
}
"""The ways in which the project is started."""


def clean_environment(**variables: str) -> dict[str, str]:
    """What a shell needs, and these variables."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | variables


def run_python(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout and wait for it."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER_S,
        check=False,
    )
