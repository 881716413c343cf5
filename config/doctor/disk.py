"""Room for what is written on this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from config.doctor.findings import Finding, failed, ok, warning

LITTLE_BYTES, NO_BYTES = 1024**3, 100 * 1024**2
GIB = 1024**3


def look() -> Iterator[Finding]:
    for directory in sorted({settings.DATA_DIR, *_of_sqlite(), *_of_recordings()}):
        try:
            with tempfile.TemporaryFile(dir=directory):
                pass
        except OSError as error:
            yield failed(f"{directory} cannot be written to: {error.strerror}", "It has to belong to Holdline's user.")
            continue
        yield judged(directory, shutil.disk_usage(directory).free)


def judged(directory: Path, free_bytes: int) -> Finding:
    text = f"{free_bytes / GIB:.1f} GiB free in {directory}"
    if free_bytes < NO_BYTES:
        return failed(text, "Make room: what is said can be stored no longer.")
    if free_bytes < LITTLE_BYTES:
        return warning(text, "Make room, before nothing can be stored.")
    return ok(text)


def _of_sqlite() -> set[Path]:
    database = settings.DATABASES["default"]
    return {Path(database["NAME"]).absolute().parent} if database["ENGINE"].endswith("sqlite3") else set()


def _of_recordings() -> set[Path]:
    """Where users' files go, if it is not in the data directory, which is looked at anyway."""
    places = (settings.MEDIA_ROOT, settings.RECORDING_UPLOADS_DIR)
    return {path for path in places if not path.is_relative_to(settings.DATA_DIR)}
