"""Known vulnerabilities of what is pinned, from the OSV database, as far as it can be reached.

    python -m tools.supply_chain.audit

`uv audit` asks about what a lock file of its own kind holds. Ours are lists, so they are handed to it in the form of a
script with such a file. Every pin of every list is asked about, also those that are for other systems. The index is
asked besides whether a project was put into quarantine or given up; without it, that is left out.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.installers import pip_configuration, uv_environment
from tools.paths import ALL_LISTS, BASE, VENV
from tools.pins import pins

ACCEPTED = Path(__file__).parent / "accepted_vulnerabilities.toml"
PUBLIC_INDEX = "https://pypi.org/simple"
PATIENCE_S = 5
LONGEST_ACCEPTED = datetime.timedelta(days=92)

OF_THE_NETWORK = " for url ("
"""What every error of uv holds that has to do with asking for something."""


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that is passed over until a day, and why. Raises ValueError without a reason."""

    id: str
    until: datetime.date
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"{self.id} is accepted without a reason")


def accepted(file: Path = ACCEPTED) -> list[Accepted]:
    return [Accepted(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("accepted", [])]


def audit(lists: Sequence[Path], passed_over: Sequence[str], *options: str) -> tuple[bool, str]:
    """Whether nothing was found or could be asked for, and what is to be said of it. Options are uv's."""
    versions = sorted({(pin.name, pin.version) for file in lists for pin in pins(file)})
    environment = uv_environment(pip_configuration()) | {"UV_HTTP_TIMEOUT": str(PATIENCE_S), "UV_HTTP_RETRIES": "0"}
    index = environment.get("UV_DEFAULT_INDEX", PUBLIC_INDEX)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "pinned.py"
        script.write_text(_script(versions), encoding="utf-8")
        script.with_name("pinned.py.lock").write_text(_lock_file(versions, index), encoding="utf-8")
        command = [str(VENV / "bin" / "uv"), "audit", "--preview-features", "audit-command", "--no-config"]
        command += ["--script", str(script), "--frozen", *options]
        command += [word for id in passed_over for word in ("--ignore", id)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = " ".join(done.stderr.split())  # uv breaks lines where a terminal would
    if done.returncode and OF_THE_NETWORK in told:
        reason = told.removeprefix("error: ").partition(" cause: ")[0]
        return True, f"{len(versions)} packages were not looked up, the database was not reached ({reason})"
    if done.returncode:
        return False, (done.stdout + done.stderr).strip()
    return True, told


def _script(versions: Sequence[tuple[str, str]]) -> str:
    wanted = ", ".join(json.dumps(f"{name}=={version}") for name, version in versions)
    return f'# /// script\n# requires-python = ">=3.11"\n# dependencies = [{wanted}]\n# ///\n'


def _lock_file(versions: Sequence[tuple[str, str]], index: str) -> str:
    wanted = ", ".join(f'{{ name = "{name}", specifier = "=={version}" }}' for name, version in versions)
    packages = [
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{index}" }}\n'
        for name, version in versions
    ]
    head = f'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[manifest]\nrequirements = [{wanted}]\n'
    return "\n".join([head, *packages])


def main() -> int:
    today = datetime.datetime.now(tz=datetime.UTC).date()
    passed_over = [entry.id for entry in accepted() if today <= entry.until]
    nothing_found, words = audit([BASE / name for name in ALL_LISTS], passed_over)
    print(words)
    return 0 if nothing_found else 1


if __name__ == "__main__":
    sys.exit(main())
