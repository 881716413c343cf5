"""A file of this machine, taken in as if its user had uploaded it: by the same limits, checks and quota."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from django.contrib.auth.models import User

from config.mcp.calls import Refused, Tell
from sessions_app import throttle_rows
from sessions_app.models import Recording, RecordingUpload
from sessions_app.recordings import checking, limits, uploads
from sessions_app.recordings.parts import LARGEST_PART_BYTES
from sessions_app.throttle import UPLOADS, Scope

State = RecordingUpload.State


def path_in(words: str) -> Path | None:
    """The path that is meant, absolute or from the home (`~/`) or as a `file:` address; None for anything else."""
    if words.startswith("file://"):
        words = unquote(urlsplit(words).path)
    path = Path(words).expanduser() if words.startswith("~/") else Path(words)
    return path if path.is_absolute() else None


def take_in(user: User, path: Path, tell: Tell) -> Recording:
    """Upload a file and have it checked. Raises `Refused`, `TooManyTries`, and what `tell` raises."""
    with _opened(path) as file:
        facts = os.fstat(file.fileno())
        throttle_rows.take(UPLOADS, {Scope.ACCOUNT: str(user.pk)}, user)
        upload = _announced(user, path.name, facts)
        try:
            _receive(user, upload, file, tell)
        except BaseException:
            RecordingUpload.objects.filter(pk=upload.pk, state=State.RECEIVING).delete()
            raise
    tell("Looking into the file")
    checking.check(upload.pk)
    return _checked(upload)


def _opened(path: Path) -> IO[bytes]:
    """A file that can be read. Raises `Refused`."""
    try:
        # A pipe that nobody writes to would be waited for.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except FileNotFoundError:
        raise Refused(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise Refused(f"{path} is no file.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Refused("No file has such a name.") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Refused(f"{path} is no file.")
    return file


def _announced(user: User, name: str, facts: os.stat_result) -> RecordingUpload:
    try:
        return uploads.begin(user, name, facts.st_size, is_kept=False, modified_ms=max(0, facts.st_mtime_ns // 10**6))
    except limits.OverLimit as refusal:
        raise Refused(str(refusal)) from None
    except OSError:
        raise Refused("The server has no room for this file at the moment.") from None


def _receive(user: User, upload: RecordingUpload, file: IO[bytes], tell: Tell) -> None:
    for start in range(0, upload.size_bytes, LARGEST_PART_BYTES):
        tell(f"Uploading the file, {100 * start // upload.size_bytes} %")
        part = range(start, min(start + LARGEST_PART_BYTES, upload.size_bytes))
        try:
            uploads.receive(user, upload.pk, part, file)
        except uploads.Incomplete:
            raise Refused("The file became shorter while it was read.") from None
        except (uploads.NoSuchUpload, uploads.WrongPlace, uploads.Busy, uploads.Lost):
            raise Refused("The upload was cancelled elsewhere.") from None
        except OSError:
            raise Refused("The server has no room for this file at the moment.") from None


def _checked(upload: RecordingUpload) -> Recording:
    """Raises `Refused`."""
    row = RecordingUpload.objects.select_related("recording").filter(pk=upload.pk).first()
    if row is None:
        raise Refused("The upload was cancelled elsewhere.")
    if row.recording is not None:
        return row.recording
    raise Refused(row.refusal or "The file is being looked into elsewhere. Ask again in a minute, by its name.")
