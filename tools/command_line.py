"""The commands of `./run`, their options, and how they end."""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.browsers import ensure_chromium
from tools.environment import laptop_environment
from tools.gate import test
from tools.install import ensure_installed
from tools.lock import lock
from tools.paths import ALL_LISTS, BASE, PRODUCTION_LISTS, PYTHON
from tools.serve import serve
from tools.telling import Refusal, told
from tools.worker import worker

Command = Callable[[argparse.Namespace], int]


def bench(options: argparse.Namespace) -> int:
    """Measure the cost of a call beside a bare relay."""
    ensure_installed(ALL_LISTS)
    return subprocess.run([PYTHON, "-m", "tests.bench", *options.arguments], cwd=BASE, check=False).returncode


def soak(options: argparse.Namespace) -> int:
    """Hold many conversations through hundreds of swaps, and prove that not a word is lost."""
    ensure_installed(ALL_LISTS)
    return subprocess.run([PYTHON, "-m", "tests.soak", *options.arguments], cwd=BASE, check=False).returncode


def screenshots(options: argparse.Namespace) -> int:
    """Take a picture of every page and state, in every size and light."""
    return with_a_browser("tests.screenshots", options)


def picture(options: argparse.Namespace) -> int:
    """Film a call whose plug is pulled and that goes on, for the README."""
    return with_a_browser("tests.picture", options)


def engines(options: argparse.Namespace) -> int:
    """Try it in Firefox ESR and WebKitGTK."""
    ensure_installed(ALL_LISTS)
    return subprocess.run([PYTHON, "-m", "tests.engines", *options.arguments], cwd=BASE, check=False).returncode


def with_a_browser(module: str, options: argparse.Namespace) -> int:
    """Run a module that drives the Chromium of the tests."""
    ensure_installed(ALL_LISTS)
    environment = {**os.environ, "CHROMIUM": ensure_chromium()}
    return subprocess.run([PYTHON, "-m", module, *options.arguments], cwd=BASE, env=environment, check=False).returncode


def manage(options: argparse.Namespace) -> int:
    """Run a command of manage.py in the environment of a laptop."""
    ensure_installed(PRODUCTION_LISTS)
    command = [PYTHON, "manage.py", *options.arguments]
    return subprocess.run(command, cwd=BASE, env=laptop_environment(), check=False).returncode


def backup(options: argparse.Namespace) -> int:
    """Write all that is kept into a file, or put such a file in its place. `./run manage backup --help` and
    `./run manage restore --help` have the options."""
    with contextlib.redirect_stdout(sys.stderr):  # a backup may go to standard output
        ensure_installed(PRODUCTION_LISTS)
    options.arguments = [options.name, *(from_directory(options.directory, word) for word in options.arguments)]
    return manage(options)


def doctor(options: argparse.Namespace) -> int:
    """Look at everything that a server needs. `./run manage doctor --help` has the options."""
    options.arguments = ["doctor", *options.arguments]
    return manage(options)


def from_directory(directory: Path, word: str) -> str:
    """An argument that names a file, as whoever typed it there means it; options stay as they are."""
    return word if word.startswith("-") else str(directory / word)


def supply_chain(options: argparse.Namespace) -> int:
    """Say what is known of what others made."""
    with contextlib.redirect_stdout(sys.stderr):  # what the command writes may go into a file
        ensure_installed(ALL_LISTS)
    module = f"tools.supply_chain.{options.module}"
    return subprocess.run([PYTHON, "-m", module], cwd=BASE, check=False).returncode


HANDED_ON: dict[str, tuple[Command, str, str]] = {
    "worker": (worker, "background work for a set-up with REDIS_URL (Celery)", "Celery"),
    "bench": (bench, "CPU and memory of a call beside a bare relay", "the benchmark"),
    "soak": (soak, "many conversations, hundreds of swaps, and a count of every word", "the soak"),
    "screenshots": (screenshots, "a picture of every page and state, in every size and light", "the camera"),
    "picture": (picture, "the moving picture of the README, filmed anew", "the camera"),
    "engines": (engines, "pages, chat and call in Firefox ESR and WebKitGTK", "the engines"),
    "backup": (backup, "write all that is kept into a file, while everybody goes on", "manage.py backup"),
    "restore": (backup, "put such a file in the place of the database", "manage.py restore"),
    "doctor": (doctor, "what is well with this server, what is not, and what to do", "manage.py doctor"),
    "manage": (manage, "a command of manage.py, for instance createsuperuser", "manage.py"),
}
"""The commands whose arguments are somebody else's: what they do, in a few words, and whose."""


SUPPLY_CHAIN = {
    "audit": "known vulnerabilities of what is pinned, from the OSV database",
    "licences": "the licence of everything that is pinned or lies in the tree",
    "sbom": "a bill of materials of what production runs (CycloneDX 1.6)",
    "vendored": "whether the files of others in the tree are what the npm registry publishes",
}
"""The commands about what others made, each a module of `tools.supply_chain`."""


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Holdline on a machine with nothing but Python. Without a command: serve.",
        epilog="Settings come from the environment or from a file .env; .env.example lists them.",
    )
    commands = parser.add_subparsers(metavar="COMMAND")

    web = commands.add_parser("serve", help="install, set up and start; Ctrl-C stops", description=serve.__doc__)
    for some in (parser, web):
        # Not set unless given, so that the subcommand does not overwrite what stood before it.
        some.add_argument("--no-browser", action="store_true", default=argparse.SUPPRESS, help="open no browser")
        some.add_argument(
            "--port",
            type=port_number,
            default=argparse.SUPPRESS,
            help="port to use (default: $PORT, else the first free one from 8000 on)",
        )
    parser.set_defaults(command=serve)

    tests = commands.add_parser(
        "test", help="check and test everything; fails if anything was skipped", description=test.__doc__
    )
    kinds = tests.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="pure and driver tests, lint, and types, within a minute")
    kinds.add_argument(
        "--under-load", action="store_true", help="the whole gate beside busy processes, then on one core"
    )
    tests.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="handed to pytest as it is")
    tests.set_defaults(command=test)

    for name, (command, summary, receiver) in HANDED_ON.items():
        sub = commands.add_parser(name, help=summary, description=command.__doc__)
        sub.add_argument("arguments", nargs="*", metavar="ARGUMENT", help=f"handed to {receiver} as it is")
        sub.set_defaults(command=command, name=name)

    for name, summary in SUPPLY_CHAIN.items():
        sub = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        sub.set_defaults(command=supply_chain, module=name)

    pin = commands.add_parser("lock", help="pin the dependencies anew", description=lock.__doc__)
    pin.set_defaults(command=lock)
    return parser


def port_number(text: str) -> int:
    """An option's value, 1 to 65535. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a port")
    return int(text)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options; what follows a command whose arguments are somebody else's is handed on, dashes and all."""
    options = argparse.Namespace(no_browser=False, port=None, quick=False, under_load=False)
    handed_on: Sequence[str] = ()
    own = (["-h"], ["--help"], ["--quick"], ["--under-load"]) if words[:1] == ["test"] else (["-h"], ["--help"])
    if words[:1] and words[0] in (*HANDED_ON, "test") and words[1:2] not in own:
        words, handed_on = words[:1], words[1:]
    command_line().parse_args(words, namespace=options)
    if handed_on:
        options.arguments = handed_on
    return options


def main(words: Sequence[str]) -> int:
    """Carry a command out; its exit code. What a person has to put right is told in a sentence."""
    directory = Path.cwd()
    os.chdir(BASE)
    options = parse(words)
    options.directory = directory
    command: Command = options.command
    try:
        return command(options)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        print(told(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
