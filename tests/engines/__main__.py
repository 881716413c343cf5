"""`./run engines`: Holdline in Firefox ESR and WebKitGTK, in front of the emulator.

Each renders the pages, chats, holds a call with its microphone and its sound, and comes back from a network that was
away, without an error in the console. What is missing is installed (as root on Debian or Ubuntu), or named. With
`--write` the table of the day goes into `docs/browsers.md`. Exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.outages import Wire
from tests.engines.checks import CHECKS, Stage
from tests.engines.engine import Engine
from tests.engines.programs import KINDS, Kind, ensure_installed
from tests.engines.sound import silent_loudspeakers
from tests.engines.table import Result, put_into, table_of
from tests.services.emulator import Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer
from tools.telling import Refusal

PAGE = Path("docs") / "browsers.md"


def main() -> int:
    options = _options()
    use_settings_of_tests()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name) / "emulator")
        web = WebServer(Path(name) / "web", emulator.environment)
        try:
            for kind in KINDS:
                if options.only in ("", kind.name):
                    ensure_installed(kind)
                    with silent_loudspeakers(Path(name) / f"{kind.name}-sound") as loudspeakers:
                        os.environ["PULSE_SERVER"] = loudspeakers
                        results += _try(kind, Path(name) / kind.name, emulator, web)
        finally:
            web.stop()
            emulator.stop()
    table = table_of(results, datetime.now(UTC).date())
    print(table)
    if options.write:
        PAGE.write_text(put_into(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")
    return 1 if any(result.fault for result in results) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run engines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=[kind.name for kind in KINDS], default="", help="this engine alone")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    return parser.parse_args()


def _try(kind: Kind, directory: Path, emulator: Emulator, web: WebServer) -> Iterator[Result]:
    engine = kind.start(directory)
    wire = Wire(web.port)
    try:
        yield from _check(engine, Stage(engine, emulator, web, wire))
    finally:
        wire.is_held = False
        engine.close()
        wire.close()


def _check(engine: Engine, stage: Stage) -> Iterator[Result]:
    name = f"{engine.name} {engine.version}"
    said: list[str] = []
    for what, check in CHECKS:
        print(f"{name}: {what} ...", flush=True)
        try:
            check(stage)
            yield Result(name, what, "")
        except (AssertionError, OSError) as error:
            yield Result(name, what, str(error) or type(error).__name__)
        finally:
            stage.wire.is_held = False
            said += [words for words in engine.complaints() if not _is_of_the_outage(words)]
    yield Result(name, "no error in the console", "; ".join(dict.fromkeys(said)))


def _is_of_the_outage(words: str) -> bool:
    """What a browser itself says of a socket that it cannot open while there is no network."""
    return "ws://" in words


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refusal as refusal:
        sys.exit(str(refusal))
