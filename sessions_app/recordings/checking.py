"""What becomes of a file that is whole: it is looked into, hashed and kept, or refused with a sentence.

A thread of the web process that took the last part does it, one file after the other, and a process of its own decodes.
There is no message that could be lost: the row says `CHECKING`, and a cleanup takes up what nobody works at any more.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import uuid
from functools import partial
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.background import BackgroundThread
from sessions_app.models import Recording, RecordingUpload
from sessions_app.recordings import service, uploads
from sessions_app.recordings.probing import NotTaken, Probed, probe
from sessions_app.recordings.refusals import GONE

logger = logging.getLogger(__name__)

WAITING_AT_MOST = 100
"""Files whose turn has not come; of what is more, a cleanup takes care."""

State = RecordingUpload.State
thread = BackgroundThread("recordings", WAITING_AT_MOST)


def enqueue(upload: RecordingUpload) -> None:
    """Have a file checked as soon as those before it are. Returns at once."""
    thread.put(partial(check, upload.pk))


def check(upload_id: uuid.UUID) -> None:
    """Make a recording of a whole upload, or refuse it. Does nothing while another process is at it, or for one that
    was cancelled. Takes as long as decoding does, `probing.LIMIT_S` at most."""
    upload = RecordingUpload.objects.select_related("user").filter(pk=upload_id, state=State.CHECKING).first()
    if upload is None:
        return
    try:
        with uploads.locked(upload):
            _check(upload)
    except (uploads.Busy, uploads.NoSuchUpload):
        return
    except (uploads.Lost, FileNotFoundError):
        _refuse(upload, GONE)


def _check(upload: RecordingUpload) -> None:
    """What was received stays until the row says what has become of it: who fails before that leaves it to be checked
    again, and another process finds it locked, not gone."""
    aside = upload.path.with_suffix(".sound")
    aside.unlink(missing_ok=True)
    try:
        probed = probe(upload.path, aside)
        if not probed.is_alone:
            _name_also(upload.path, aside)
        _keep(upload, probed, aside)
    except NotTaken as refusal:
        _refuse(upload, str(refusal))
    except uploads.NoSuchUpload:
        upload.path.unlink(missing_ok=True)
        raise
    finally:
        aside.unlink(missing_ok=True)
    upload.path.unlink(missing_ok=True)


def _name_also(path: Path, other: Path) -> None:
    """Give a file a second name, which a storage may take away; where a disk has no such thing, copy it."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)


def _keep(upload: RecordingUpload, probed: Probed, path: Path) -> None:
    """Put the file into the storage and say so, unless the user has the same sound already."""
    sha256, size_bytes = hash_of(path), path.stat().st_size
    known = Recording.objects.filter(user=upload.user, sha256=sha256).first()
    if known is not None:
        _finish_as(upload, known)
        return
    recording = Recording(
        user=upload.user,
        name=upload.name,
        sha256=sha256,
        size_bytes=size_bytes,
        media_type=probed.media_type,
        duration_ms=probed.duration_ms,
        is_cut=probed.is_cut,
        note=probed.note,
        peaks=probed.peaks,
        is_kept=upload.is_kept,
    )
    stored = _store(recording, path)
    recording.file.name = stored
    try:
        _finish_with(upload, recording)
    except IntegrityError:  # another process has kept the same sound meanwhile
        service.storage().delete(stored)
        _finish_as(upload, Recording.objects.get(user=upload.user, sha256=sha256))
    except BaseException:
        service.storage().delete(stored)
        raise


@transaction.atomic
def _finish_with(upload: RecordingUpload, recording: Recording) -> None:
    """Store a new recording. Raises `NoSuchUpload` where its account was deleted meanwhile, as `_is_done` does."""
    if not User.objects.select_for_update(no_key=True).filter(pk=upload.user_id).exists():
        raise uploads.NoSuchUpload
    recording.save(force_insert=True)
    _is_done(upload, recording)


@transaction.atomic
def _finish_as(upload: RecordingUpload, known: Recording) -> None:
    """Lead to a recording that is there. Raises `Recording.DoesNotExist` where it was deleted just now: the file still
    lies there, and a cleanup checks it again."""
    recording = Recording.objects.select_for_update().get(pk=known.pk)
    if upload.is_kept and not recording.is_kept:
        recording.is_kept = True
        recording.save(update_fields=["is_kept"])
    _is_done(upload, recording)


def _is_done(upload: RecordingUpload, recording: Recording) -> None:
    """Raises `NoSuchUpload` where the upload was cancelled meanwhile."""
    done = RecordingUpload.objects.filter(pk=upload.pk, state=State.CHECKING).update(
        state=State.DONE, recording=recording, touched_at=timezone.now()
    )
    if not done:
        raise uploads.NoSuchUpload


def _refuse(upload: RecordingUpload, sentence: str) -> None:
    RecordingUpload.objects.filter(pk=upload.pk, state=State.CHECKING).update(
        state=State.REFUSED, refusal=sentence, touched_at=timezone.now()
    )
    logger.info("upload %s is refused: %s", upload.pk, sentence)


def hash_of(path: Path) -> str:
    """SHA-256 in hex, of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(recording: Recording, path: Path) -> str:
    """The name that the storage gives it. A storage of files on the same disk takes the file as it lies there."""
    with _Moved(path) as file:
        return str(service.storage().save(recording.file.field.generate_filename(recording, ""), file))


class _Moved(File):
    """A file that a storage may move instead of copying it, as those that forms upload."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=str(path))
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)
