"""Programs of the tests that start as forks of a process with the libraries loaded: they must be like any other."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.prepared import LIBRARIES, OWN, run_prepared
from tests.services.processes import HANGS_AFTER_S, PreparedProgram

TELLS_ALL = """
import atexit, os, sys, threading
atexit.register(print, "cleaned up")
threading.Thread(target=print, args=("a thread of its own",)).start()
print(__name__, sys.argv[1:], os.getcwd(), sorted(os.environ))
print("an error", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""
ENDLESS = "import time; print('begun')\nwhile True: time.sleep(1)"


def start(directory: Path, code: str, *arguments: str) -> PreparedProgram:
    (directory / "probe_of_forks.py").write_text(code)
    return PreparedProgram("probe_of_forks", arguments, {"ONLY": "this"}, directory / "probe.log", directory)


def test_a_prepared_program_has_its_arguments_environment_directory_and_exit_code(tmp_path: Path) -> None:
    program = start(tmp_path, TELLS_ALL, "7", "more")
    assert program.wait() == 7
    said = program.output()
    assert f"__main__ ['7', 'more'] {tmp_path} ['ONLY']" in said
    assert "an error" in said
    assert "a thread of its own" in said
    assert said.rstrip().endswith("cleaned up")


def test_a_prepared_program_that_raises_says_where_and_fails(tmp_path: Path) -> None:
    program = start(tmp_path, "raise ValueError('of the program')")
    assert program.wait() == 1
    assert "ValueError: of the program" in program.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_prepared_program_is_ended_by_signals(tmp_path: Path, number: signal.Signals) -> None:
    program = start(tmp_path, ENDLESS)
    program.wait_until(lambda: "begun" in program.output(), HANGS_AFTER_S, "its first word")
    assert program.running
    program.send(number)
    assert program.wait() == -number
    assert not program.running


def test_what_a_prepared_program_says_is_told_apart_from_its_errors(tmp_path: Path) -> None:
    (tmp_path / "probe_of_forks.py").write_text(TELLS_ALL)
    done = run_prepared("probe_of_forks", ["7"], {"ONLY": "this"}, tmp_path)
    assert done.returncode == 7
    assert "['7']" in done.stdout
    assert done.stderr == "an error\n"


def test_what_is_loaded_before_reads_no_settings_and_starts_nothing() -> None:
    """A fork inherits no threads, and two processes must not share an event loop."""
    code = f"""
import importlib, sys, threading, warnings
for name in {[*LIBRARIES, *OWN]!r}:
    importlib.import_module(name)
from django.conf import settings
print(settings.configured, "twisted.internet.reactor" in sys.modules, threading.active_count())
"""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "1"]
