"""Where things are in a checkout."""

from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
VENV = BASE / ".venv"
PYTHON = str(VENV / "bin" / "python")

PRODUCTION_LISTS = ("requirements.txt", "emulator/requirements.txt")
"""The pinned lists of those who run Holdline."""
OPTIONAL_LISTS = ("requirements-otel.txt", "requirements-mcp.txt")
"""What they may install besides."""
ALL_LISTS = (*PRODUCTION_LISTS, *OPTIONAL_LISTS, "requirements-dev.txt")
"""And of those who work on it."""

TRIED_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The versions that every pinned package must have a wheel for."""
