"""The command line: serve until told to stop, or serve for as long as one command runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulator.faults import Fault, FaultError
from emulator.files import MOST_FILE_BYTES, MOST_PROJECT_BYTES
from emulator.recogniser import WORDS_WITHIN_S
from emulator.script import play, read_script
from emulator.server import Addresses, Server
from emulator.state import Emulator, Options

API_KEY = "emulator"
_DESCRIPTION = """\
A stand-in for the Gemini API on loopback: Live sessions over TLS, generateContent, models, tokens and files.
It answers from what it was told, speaks with an offline voice, and fails on demand."""
_EPILOG = """\
When it is ready it prints the environment that points google-genai at it, the address of its control page, and READY.

examples:
  python -m emulator --port 9443 --control-port 9444
  python -m emulator --script faults.json
  python -m emulator run -- python my_app.py

The control page (CONTROL_URL) has buttons for the faults; emulator/README.md describes the control API and scripts."""


def build_parser() -> argparse.ArgumentParser:
    """The parser of everything before the `--` of `run`."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        usage="python -m emulator [options]\n       python -m emulator run [options] -- COMMAND ...",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action", nargs="?", choices=["run"], help="run COMMAND with the emulator's environment, then stop"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address of the API (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port of the API; 0 takes a free one (default)")
    parser.add_argument(
        "--control-port", type=_port, default=0, help="port of the control page; 0 takes a free one (default)"
    )
    parser.add_argument(
        "--state-dir", type=Path, help="where the TLS certificate is kept (default: the user's cache folder)"
    )
    parser.add_argument("--script", type=Path, help="a JSON list of faults to play")
    parser.add_argument("--seed", type=int, default=0, help="picks among the stories it tells (default: %(default)s)")
    parser.add_argument(
        "--voice",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="speak; without, tones stand for words",
    )
    parser.add_argument(
        "--recogniser", action=argparse.BooleanOptionalAction, default=True, help="transcribe speech it hears"
    )
    parser.add_argument(
        "--measured-words",
        action="store_true",
        help="where no words are made out, transcribe speech as how long it was",
    )
    parser.add_argument(
        "--words-within-s",
        type=_positive,
        default=WORDS_WITHIN_S,
        help="seconds within which words of speech are made out, or not at all (default: %(default)s)",
    )
    parser.add_argument(
        "--pace", type=_positive, default=1.0, help="how fast playback is taken to go (default: %(default)s)"
    )
    parser.add_argument(
        "--send-speed",
        type=_positive,
        default=6.0,
        help="how many times faster than playback sound is sent (default: %(default)s)",
    )
    parser.add_argument(
        "--first-piece-s",
        type=_positive,
        default=0.02,
        help="seconds until an answer over REST begins (default: %(default)s)",
    )
    parser.add_argument(
        "--files-dir", type=Path, help="where uploaded files are kept for the next start (default: they end with it)"
    )
    parser.add_argument(
        "--max-file-bytes", type=_size, default=MOST_FILE_BYTES, help="size of the largest file (default: %(default)s)"
    )
    parser.add_argument(
        "--storage-bytes",
        type=_size,
        default=MOST_PROJECT_BYTES,
        help="room for the files of a project, which is whoever has the same key (default: %(default)s)",
    )
    parser.add_argument(
        "--processing-s", type=_length, default=0.0, help="seconds until a file is ACTIVE (default: %(default)s)"
    )
    parser.add_argument(
        "--setup-index",
        type=int,
        choices=(-1, 0, 1),
        default=0,
        help="what the set-up counts as in transparent resumption (default: %(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    own, command = _split(list(sys.argv[1:] if arguments is None else arguments))
    parser = build_parser()
    parsed = parser.parse_args(own)
    if (parsed.action == "run") != bool(command):
        parser.error("run needs a command: python -m emulator run -- COMMAND ...")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    options = Options(**{name: value for name, value in vars(parsed).items() if name != "action"})
    try:
        faults = read_script(options.script) if options.script else []
    except (FaultError, OSError) as error:
        parser.error(str(error))
    try:
        return asyncio.run(_serve(options, faults, command))
    except OSError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 1


async def _serve(options: Options, faults: list[Fault], command: list[str]) -> int:
    emulator = Emulator(options)
    server = Server(emulator, options.state_dir or _default_state_dir())
    told: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.put_nowait, number)
    try:
        addresses = await server.start()
        player = asyncio.create_task(play(emulator, faults))
        try:
            if command:
                return await _run_command(command, addresses, told)
            await emulator.recogniser.warm_up()
            _announce(addresses)
            await told.get()
            return 0
        finally:
            player.cancel()
    finally:
        await server.stop()


def environment(addresses: Addresses) -> dict[str, str]:
    """The variables that point google-genai at a running emulator."""
    return {
        "GOOGLE_GEMINI_BASE_URL": addresses.api_url,
        "SSL_CERT_FILE": str(addresses.certificate),
        "GEMINI_API_KEY": API_KEY,
        "GOOGLE_VERTEX_BASE_URL": addresses.api_url,
    }


def _announce(addresses: Addresses) -> None:
    lines = [f"{name}={value}" for name, value in environment(addresses).items()]
    print("\n".join([*lines, f"CONTROL_URL={addresses.control_url}", "READY"]), flush=True)


async def _run_command(command: list[str], addresses: Addresses, told: asyncio.Queue[signal.Signals]) -> int:
    """Run the command, pass on to it what we are told, also if that was before it ran, and return its exit code."""
    variables = os.environ | environment(addresses) | {"EMULATOR_CONTROL_URL": addresses.control_url}
    # Another key in the environment would win over ours.
    variables.pop("GOOGLE_API_KEY", None)
    process = await asyncio.create_subprocess_exec(*command, env=variables)
    passing = asyncio.create_task(_pass_on(process, told))
    try:
        code = await process.wait()
    finally:
        passing.cancel()
    return code if code >= 0 else 128 - code


async def _pass_on(process: asyncio.subprocess.Process, told: asyncio.Queue[signal.Signals]) -> None:
    while True:
        number = await told.get()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _default_state_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "gemini-emulator"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="gemini-emulator-"))
    return folder


def _port(value: str) -> int:
    port = int(value)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port


def _positive(value: str) -> float:
    number = float(value)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _size(value: str) -> int:
    number = int(value)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _length(value: str) -> float:
    number = float(value)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be below 0")
    return number
