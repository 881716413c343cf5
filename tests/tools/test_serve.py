"""What `./run` tells when everything is up, and how it ends."""

import signal
import sys
from pathlib import Path

import pytest

from tests.config.commands import ROOT, clean_environment
from tests.services.processes import HANGS_AFTER_S, PATIENCE_S, Program, has_ended, wait_until
from tools.serve import KILLED, mode


@pytest.mark.parametrize(
    ("environment", "control_page", "expected"),
    [
        ({}, "http://x", "emulator, SQLite, in-memory layer, background work in process"),
        (
            {"DATABASE_URL": "postgresql://h/n", "REDIS_URL": "redis://h"},
            "",
            "real Gemini API, PostgreSQL, Redis, background work by Celery workers",
        ),
    ],
)
def test_the_mode_is_told_in_words(environment: dict[str, str], control_page: str, expected: str) -> None:
    assert mode(environment, control_page) == expected


STUBBORN = """
import argparse, sys
from tools import serve
from tools.children import Child

def start(options, children):
    ignore = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    children.append(Child("stubborn", [sys.executable, "-c", ignore], {"HOLDLINE_DATA_DIR": sys.argv[1]}, 600))
    children[0].wait_until(lambda: "up" in children[0].lines(), 170)
    print("child", children[0]._process.pid, flush=True)

serve.ensure_installed, serve.start_everything = lambda lists: None, start
sys.exit(serve.serve(argparse.Namespace()))
"""
"""`./run` with a server that does not end when it is asked to."""


def test_a_second_ctrl_c_ends_at_once_whatever_a_server_is_waiting_for(tmp_path: Path) -> None:
    environment = clean_environment(PYTHONPATH=str(ROOT))
    program = Program([sys.executable, "-c", STUBBORN, str(tmp_path)], environment, tmp_path / "run.log")
    program.wait_until(lambda: "child" in program.output(), HANGS_AFTER_S, "the server")
    server = int(program.output().split()[1])
    program.send(signal.SIGINT)
    program.wait_until(lambda: "Stopping" in program.output(), HANGS_AFTER_S, "the stop")
    program.send(signal.SIGINT)
    assert program.wait() == KILLED
    wait_until(lambda: has_ended(server), PATIENCE_S, "the end of the server")
