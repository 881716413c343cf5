"""`./run lock`: pin the newest versions that the *.in files allow, and see that every Python can install them."""

import argparse
import subprocess
import tempfile
from pathlib import Path

from tools.environment import Environment
from tools.install import ensure_installed
from tools.installers import pip_configuration, uv_environment
from tools.paths import ALL_LISTS, BASE, OPTIONAL_LISTS, PRODUCTION_LISTS, PYTHON, TRIED_PYTHONS, VENV
from tools.telling import Refusal, say

PARTIAL_SOURCES = ("extra-index-url", "find-links")
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
OLDEST_MACOS = "15.0"
UV = str(VENV / "bin" / "uv")


def lock(options: argparse.Namespace) -> int:
    """Pin the newest versions that the *.in files allow, for all platforms, with hashes.

    Extras stay in the pins: `google-auth[requests]==2.0`. Installers that take a list of `google-auth==2.0` to the
    letter look for the newest `google-auth[requests]` besides, which is pinned nowhere and therefore refused.
    """
    # An index or folder beside the main one may hold only some files of a package, and then only those would be pinned.
    configuration = {name: value for name, value in pip_configuration().items() if name not in PARTIAL_SOURCES}
    environment = uv_environment(configuration) | {"MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS}
    ensure_installed(ALL_LISTS)  # uv is one of the tools
    for name in ALL_LISTS:
        _pin(name, environment)
        say(f"{name} is pinned.")
    for version in TRIED_PYTHONS:
        for platform in PLATFORMS:
            _try(version, platform, environment)
        say(f"Python {version} finds a wheel of everything.")
    return 0


def _pin(name: str, environment: Environment) -> None:
    source = str(Path(name).with_suffix(".in"))
    command = (
        *(UV, "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", TRIED_PYTHONS[0]),
        *("--generate-hashes", "--no-strip-extras", "--no-header", "--no-annotate"),
        *("--no-emit-index-url", "--no-emit-find-links", source, "--output-file", name),
    )
    if subprocess.run(command, cwd=BASE, env=environment, check=False).returncode:
        raise Refusal(f"{source} cannot be pinned.")


def _try(version: str, platform: str, environment: Environment) -> None:
    """Resolve the lists of those who run Holdline as an installation would, without installing."""
    lists = [word for name in (*PRODUCTION_LISTS, *OPTIONAL_LISTS) for word in ("--requirement", name)]
    with tempfile.TemporaryDirectory() as nowhere:
        command = (
            *(UV, "pip", "install", "--quiet", "--dry-run", "--require-hashes", "--only-binary", ":all:"),
            *(
                "--python",
                PYTHON,
                "--python-version",
                version,
                "--python-platform",
                platform,
                "--target",
                nowhere,
                *lists,
            ),
        )
        if subprocess.run(command, cwd=BASE, env=environment, check=False).returncode:
            raise Refusal(f"Python {version} on {platform} cannot install what is pinned, or not from wheels alone.")
