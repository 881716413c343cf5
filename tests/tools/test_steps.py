"""Steps run beside each other, tell how they went, and leave nothing behind."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.config.commands import ROOT, clean_environment
from tests.services.processes import HANGS_AFTER_S, PATIENCE_S, Program, has_ended, wait_until
from tools.steps import KILLED, Step, Steps

ENDLESS = """
import sys
from tools.steps import Step, Steps
from tools.telling import StopRequested

child = "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
ignore = "import signal, time; signal.signal(2, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
try:
    with Steps() as steps:
        code = child if sys.argv[1] == "child" else ignore
        steps.side_by_side([[Step("endless", [sys.executable, "-c", code], {}, aloud=True)]])
except StopRequested:
    sys.exit(130)
"""


def python(name: str, code: str) -> Step:
    return Step(name, [sys.executable, "-c", code], dict(os.environ))


def test_a_step_that_fails_keeps_no_other_from_running_and_shows_what_it_wrote(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, bad = python("good", "print('quiet')"), python("bad", "print('reason'); raise SystemExit(3)")
    with Steps() as steps:
        assert not steps.side_by_side([[bad, good], [good]])
        assert steps.side_by_side([[good]])
    told = capsys.readouterr().out
    assert told.count("good") == 3
    assert "reason" in told
    assert "quiet" not in told


def test_a_step_that_sums_up_says_how_much_it_could_check(capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('a detail'); print('not reached')"
    with Steps() as steps:
        assert steps.side_by_side([[Step("lookup", [sys.executable, "-c", code], dict(os.environ), sums_up=True)]])
    told = capsys.readouterr().out
    assert told.endswith("lookup: not reached\n")
    assert "detail" not in told


def endless(kind: str, directory: Path) -> Program:
    environment = clean_environment(PYTHONPATH=str(ROOT))
    return Program([sys.executable, "-u", "-c", ENDLESS, kind], environment, directory / "steps.log")


def test_a_gate_that_is_told_to_stop_takes_what_its_steps_have_started_with_it(tmp_path: Path) -> None:
    program = endless("child", tmp_path)
    program.wait_until(
        lambda: any(line.isdecimal() for line in program.output().splitlines()), HANGS_AFTER_S, "the child"
    )
    child = next(int(line) for line in program.output().splitlines() if line.isdecimal())
    program.send(signal.SIGTERM)
    assert program.wait() == 130
    wait_until(lambda: has_ended(child), PATIENCE_S, "the end of the child")


def test_a_second_signal_ends_steps_that_do_not_listen(tmp_path: Path) -> None:
    program = endless("deaf", tmp_path)
    program.wait_until(lambda: "deaf" in program.output(), HANGS_AFTER_S, "the step")
    program.send(signal.SIGINT)
    program.wait_until(lambda: "Stopping" in program.output(), HANGS_AFTER_S, "the stop")
    program.send(signal.SIGINT)
    assert program.wait() == KILLED


@pytest.mark.parametrize(("cores", "at_once"), [(1, 1), (2, 3)])
def test_as_many_lanes_run_at_once_as_the_cores_take(
    cores: int, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.steps.usable_cores", lambda: cores)
    # Each lane tells how many it has found running, itself included, and waits for the third to have begun if it can.
    code = f"""
import pathlib, time, sys
here = pathlib.Path({str(tmp_path)!r})
(here / f"running-{{sys.argv[1]}}").touch()
deadline = time.monotonic() + {PATIENCE_S}
while len(list(here.glob("running-*"))) < {at_once} and time.monotonic() < deadline:
    time.sleep(0.01)
(here / f"saw-{{sys.argv[1]}}").write_text(str(len(list(here.glob("running-*")))))
if {at_once} == 1:
    (here / f"running-{{sys.argv[1]}}").unlink()
"""
    lanes = [[Step(name, [sys.executable, "-c", code, name], {})] for name in ("a", "b", "c")]
    with Steps() as steps:
        assert steps.side_by_side(lanes)
    assert {file.read_text() for file in tmp_path.glob("saw-*")} == {str(at_once)}
