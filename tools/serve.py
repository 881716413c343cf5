"""`./run`: set everything up, start the web server and, without a key, the emulator, and watch over them."""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn

from tools.children import Child
from tools.demo import demo_password
from tools.environment import Environment, data_directory, laptop_environment
from tools.install import ensure_installed
from tools.paths import BASE, PRODUCTION_LISTS, PYTHON
from tools.ports import choose_port
from tools.telling import Refusal, StopRequested, say

EMULATOR_START_LIMIT_S = 60
WEB_START_LIMIT_S = 60
WEB_STOP_LIMIT_S = 15
EMULATOR_STOP_LIMIT_S = 5
KILLED = 137

WAYS_TO_THE_PROVIDER = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GEMINI_TOKEN_SERVICE_URL", "GOOGLE_CLOUD_PROJECT")
"""Without any of these there is the emulator."""


def serve(options: argparse.Namespace) -> int:
    """Set everything up, run the web server and, without a key, the emulator, until told to stop."""
    children: list[Child] = []
    stopping = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            for child in children:
                child.kill()
            os._exit(KILLED)
        stopping = True
        raise StopRequested

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        ensure_installed(PRODUCTION_LISTS)
        start_everything(options, children)
        supervise(children)
    except StopRequested:
        say("\nStopping ... (once more ends it at once)")
        return 0
    finally:
        stopping = True
        for child in reversed(children):
            child.stop()


def start_everything(options: argparse.Namespace, children: list[Child]) -> None:
    """Start the children, each behind the other, and tell where they are once all of them answer."""
    environment = laptop_environment()
    port = choose_port(options.port, environment)
    with_emulator = not any(map(environment.get, WAYS_TO_THE_PROVIDER))
    if with_emulator:
        say("Starting the emulator ...")
        children.append(start_emulator(environment))
    say("Bringing the database up to date ...")
    prepare(environment)
    control_page = ""
    if with_emulator:
        said = await_emulator(children[0])
        control_page = said.pop("CONTROL_URL")
        environment |= said
    say("Starting the web server ...")
    children.append(start_web(environment, port))
    address = f"http://127.0.0.1:{port}/"
    children[-1].wait_until(lambda: answers(f"{address}healthz"), WEB_START_LIMIT_S)
    announce(address, environment, control_page)
    if not options.no_browser and can_show_a_browser():
        webbrowser.open(address)


def supervise(children: Sequence[Child]) -> NoReturn:
    """Show the errors that the children log; raises `Refusal` when one of them dies. Ends by a signal."""
    while True:
        for child in children:
            for line in child.new_errors():
                say(f"{child.name}: {line}")
            if not child.running:
                raise child.refusal(f"The {child.name} process stopped by itself")
        time.sleep(0.3)


def start_emulator(environment: Environment) -> Child:
    state = data_directory(environment) / "emulator"
    command = [PYTHON, "-m", "emulator", "--port", "0", "--control-port", "0", "--state-dir", str(state)]
    return Child("emulator", command, environment, EMULATOR_STOP_LIMIT_S)


def await_emulator(emulator: Child) -> Environment:
    """What the emulator prints for its users once it is ready: NAME=value lines."""
    emulator.wait_until(lambda: "READY" in emulator.lines(), EMULATOR_START_LIMIT_S)
    pairs = [line.partition("=") for line in emulator.lines()]
    return {name: value for name, equals, value in pairs if equals and name.isupper()}


def prepare(environment: Environment) -> None:
    """Bring database, demo account and static files up to date."""
    commands = [["migrate", "--verbosity", "0"], ["ensure_demo_account"], ["close_stale_sessions"]]
    collected = data_directory(environment) / "static" / "collected-from"
    sources = fingerprint_of_static_files()
    if not collected.exists() or collected.read_text() != sources:
        commands.append(["collectstatic", "--clear", "--no-input", "--verbosity", "0"])
    call_commands(commands, environment | {"DEMO_PASSWORD": demo_password(environment)})
    collected.write_text(sources)


def call_commands(commands: Sequence[Sequence[str]], environment: Environment) -> None:
    """Run management commands in one process, which is quicker than one each; Refusal if one fails."""
    code = (
        "import json, sys, django; django.setup(); from django.core.management import call_command\n"
        "for command in json.loads(sys.argv[1]): call_command(*command)"
    )
    done = subprocess.run(
        [PYTHON, "-c", code, json.dumps(commands)],
        cwd=BASE,
        env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        log = data_directory(environment) / "log" / "setup.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout + done.stderr)
        crashed = "Traceback" in done.stderr
        raise Refusal(f"{done.stderr.strip().splitlines()[-1]}\n(all of it: {log})" if crashed else done.stderr.strip())


def fingerprint_of_static_files() -> str:
    """Changes whenever a static file of ours or the version of a package does."""
    digest = hashlib.sha256((BASE / "requirements.txt").read_bytes())
    for path in sorted((BASE / "static").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(BASE)} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def start_web(environment: Environment, port: int) -> Child:
    command = [PYTHON, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
    return Child("web", command, environment, WEB_STOP_LIMIT_S)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        pass  # a refusal (a host name that is not allowed, say) is an answer as well
    except OSError:
        return False
    return True


def announce(address: str, environment: Environment, control_page: str) -> None:
    say()
    say("Holdline is running.")
    say()
    say(f"  Address: {address}")
    say(f"  Demo log-in: demo / {demo_password(environment)}")
    say(f"  Mode: {mode(environment, control_page)}")
    if control_page:
        say(f"  Emulator control page: {control_page}")
    say(f"  Logs: {data_directory(environment) / 'log'}")
    say()
    say("Ctrl-C stops it.")


def mode(environment: Mapping[str, str], control_page: str) -> str:
    """Which of the possible set-ups is on, in words."""
    elsewhere = environment.get("GOOGLE_GEMINI_BASE_URL")
    gemini = f"Gemini API at {elsewhere}" if elsewhere else "real Gemini API"
    redis = environment.get("REDIS_URL")
    postgres = environment.get("DATABASE_URL", "").startswith("postgres")
    return ", ".join(
        (
            "emulator" if control_page else gemini,
            "PostgreSQL" if postgres else "SQLite",
            "Redis" if redis else "in-memory layer",
            "background work by Celery workers" if redis else "background work in process",
        )
    )


def can_show_a_browser() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
