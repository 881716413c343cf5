"""The browser that the tests drive."""

import os
import shutil
import subprocess

from tools.paths import PYTHON
from tools.telling import Refusal, say

PACKAGES = ("chromium-headless-shell", "chromium")
"""Of Debian. The first is the same engine without windows, which takes a fifth less time; older releases lack it."""

NAMES = (*PACKAGES, "chromium-browser", "google-chrome", "google-chrome-stable")


def ensure_chromium() -> str:
    """The path of a Chromium, installed if there is none; empty for the one that Playwright keeps itself.

    To be called when the tools have been installed. Raises `Refusal` when there is none and none can be had.
    """
    if found := find_chromium():
        return found
    say("Installing Chromium for the browser tests ...")
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        for package in PACKAGES:
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=False)
            if found := find_chromium():
                return found
    if subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"], check=False).returncode == 0:
        return ""
    raise Refusal(
        "The browser tests need Chromium: install the package `chromium` (or Google Chrome) "
        "or set CHROMIUM to the path of one."
    )


def find_chromium() -> str | None:
    """The path of the Chromium that `CHROMIUM` names, or of one that is installed."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    found = filter(None, (shutil.which(name) for name in names if name))
    return next(found, None)
