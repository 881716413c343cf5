"""The command line: what it prints, how it ends, and running another program inside it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from google.genai import errors

from emulator.cli import _run_command
from emulator.server import Addresses
from tests.emulator.client import ask, hear, live, say, speech
from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, Program, free_port, wait_until

EMULATOR = [sys.executable, "-m", "emulator"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*EMULATOR, *arguments], capture_output=True, text=True, timeout=HANGS_AFTER_S, check=False)


def test_help_explains_itself() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for word in ("--control-port", "--script", "--no-recogniser", "--pace", "run", "READY"):
        assert word in shown.stdout


def test_it_announces_itself_in_six_lines_and_stops_cleanly(tmp_path: Path) -> None:
    port, control = free_port(), free_port()
    log = tmp_path / "out"
    state = tmp_path / "state"
    program = Program(
        [*EMULATOR, "--port", str(port), "--control-port", str(control), "--state-dir", str(state)], os.environ, log
    )
    program.wait_until(lambda: "READY" in program.output(), HANGS_AFTER_S, "READY")
    program.send(signal.SIGINT)
    assert program.wait() == 0
    assert program.output().splitlines()[:6] == [
        f"GOOGLE_GEMINI_BASE_URL=https://127.0.0.1:{port}",
        f"SSL_CERT_FILE={state / 'cert.pem'}",
        "GEMINI_API_KEY=emulator",
        f"GOOGLE_VERTEX_BASE_URL=https://127.0.0.1:{port}",
        f"CONTROL_URL=http://127.0.0.1:{control}",
        "READY",
    ]
    assert (state / "key.pem").stat().st_mode & 0o777 == 0o600


def test_run_gives_the_command_its_environment_and_returns_its_code(tmp_path: Path) -> None:
    code = (
        "import os, sys, urllib.request\n"
        "from google import genai\n"
        "client = genai.Client(http_options={'api_version': 'v1beta'})\n"
        "print(client.models.generate_content(model='gemini-3.8-flash', contents='Say it works').text)\n"
        "urllib.request.urlopen(os.environ['EMULATOR_CONTROL_URL'] + '/api/connections')\n"
        "sys.exit(7)\n"
    )
    done = run("run", "--state-dir", str(tmp_path), "--", sys.executable, "-c", code)
    assert (done.stdout, done.returncode) == ("it works\n", 7)


def test_run_passes_signals_on(tmp_path: Path) -> None:
    waiting = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('up', flush=True)\n"
        "signal.pause()\n"
    )
    program = Program(
        [*EMULATOR, "run", "--state-dir", str(tmp_path), "--", sys.executable, "-c", waiting],
        os.environ,
        tmp_path / "out",
    )
    wait_until(lambda: "up" in program.output(), HANGS_AFTER_S, "the command")
    program.send(signal.SIGTERM)
    assert program.wait() == 5


async def test_a_signal_that_comes_before_the_command_is_passed_on_as_well(tmp_path: Path) -> None:
    told: asyncio.Queue[signal.Signals] = asyncio.Queue()
    told.put_nowait(signal.SIGTERM)
    addresses = Addresses("https://127.0.0.1:1", tmp_path / "cert.pem", "http://127.0.0.1:2")
    code = await _run_command([sys.executable, "-c", "import signal; signal.pause()"], addresses, told)
    assert code == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    "arguments", [["run"], ["--port", "99999"], ["--pace", "0"], ["--script", "no-such-file.json"]]
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert "usage:" in refused.stderr


def test_a_wrong_script_names_the_entry(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"fault": "cut", "at_s": 1}, {"fault": "cut"}]))
    refused = run("--script", str(script))
    assert refused.returncode == 2
    assert "entry 2: say when" in refused.stderr


def test_a_port_in_use_is_told_in_one_line(emulator: Emulator, tmp_path: Path) -> None:
    port = emulator.environment["GOOGLE_GEMINI_BASE_URL"].rpartition(":")[2]
    refused = run("--port", port, "--state-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def scripted(directory: Path, *faults: dict[str, object]) -> Emulator:
    """An emulator that plays these faults."""
    script = directory / "faults.json"
    script.write_text(json.dumps(faults))
    return Emulator(directory, ("--script", str(script), "--pace", "30", "--no-voice", "--no-recogniser"))


async def test_a_script_strikes_by_phase_and_by_turns(tmp_path: Path) -> None:
    emulator = scripted(
        tmp_path, {"fault": "withhold_handles"}, {"fault": "close", "text": "unavailable", "after_turns": 2}
    )
    try:
        async with live(emulator) as session:
            await ask(session, "Say one")
            await session.send_realtime_input(text="Say two")
            await hear(session)
            with pytest.raises(errors.APIError, match="unavailable"):
                await hear(session)
        assert not emulator.entries("handle_issued")
    finally:
        assert emulator.stop() == 0


async def test_a_script_strikes_by_the_clock(tmp_path: Path) -> None:
    emulator = scripted(tmp_path, {"fault": "cut", "at_s": 0.5})
    try:
        # The clock runs from the first connection on, also while that is still being set up.
        with pytest.raises(errors.APIError, match="1006"):
            async with live(emulator) as session:
                await hear(session)
    finally:
        assert emulator.stop() == 0


async def test_without_voice_and_recogniser_it_answers_in_tones(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, ("--pace", "30", "--no-voice", "--no-recogniser"))
    try:
        async with live(emulator) as session:
            heard = await ask(session, "Say one two three")
        assert heard.text == "one two three"
        assert 0.9 < len(heard.audio) / 48_000 < 1.3
        assert any(heard.audio)
    finally:
        assert emulator.stop() == 0


async def test_without_recogniser_speech_may_be_transcribed_as_its_length(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, ("--pace", "30", "--no-voice", "--no-recogniser", "--measured-words"))
    try:
        async with live(emulator) as session:
            await say(session, await speech("Hello world") + bytes(64_000))
            heard = await hear(session)
        (measured,) = emulator.entries("speech_in")
        assert heard.input_text == f"I spoke for {measured['ms'] / 1000:.1f} seconds."
        assert "could not make out the words" in heard.text
    finally:
        assert emulator.stop() == 0


async def test_a_stop_closes_what_is_open(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, ("--no-voice", "--no-recogniser"))
    async with live(emulator) as session:
        stopping = asyncio.create_task(asyncio.to_thread(emulator.stop))
        with pytest.raises(errors.APIError, match="going away"):
            await hear(session)
        assert await stopping == 0
