"""Files on their way here: announced, received part by part onto the disk, cancelled. What is whole goes to `checking`.

A part is in its place before its row says so, and the row decides: whoever comes back asks it how far the file got.
The file of an upload is locked while somebody writes to it or checks it, so that it is one request or one process at a
time, also of several on one folder.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from sessions_app.models import RecordingUpload
from sessions_app.recordings import limits, service
from sessions_app.recordings.rows import NAME_CHARACTERS
from sessions_app.recordings.words import file_name

PIECE_BYTES = 256 * 1024
"""What is in memory of a part at a time."""

State = RecordingUpload.State


class NoSuchUpload(Exception):
    """There is none of this id, or it is somebody else's."""


class Busy(Exception):
    """Another request is writing to this upload right now."""


class Lost(Exception):
    """What had been received is gone: a disk was replaced, or processes do not share their folder."""


class Incomplete(Exception):
    """A request ended before all of the part that it announced was there."""


class WrongPlace(Exception):
    """A part does not begin where the file ends until now."""


class Source(Protocol):
    """What the bytes of a part are read from."""

    def read(self, size: int, /) -> bytes: ...


def begin(user: User, name: str, size_bytes: int, is_kept: bool, modified_ms: int | None = None) -> RecordingUpload:
    """Announce a file. Raises `limits.OverLimit`.

    Args:
        user: whose it is.
        name: as its user knows it.
        size_bytes: of all of it.
        is_kept: whether the recording stays without a conversation.
        modified_ms: since the epoch, when it was last changed; None where nobody says.
    """
    with transaction.atomic():
        # One announcement of a user after the other, or two together would be over a limit that each keeps.
        User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        limits.check(size_bytes, service.holdings_of(user), service.limits_of_the_server())
        upload = RecordingUpload.objects.create(
            user=user,
            name=file_name(name, NAME_CHARACTERS),
            size_bytes=size_bytes,
            is_kept=is_kept,
            modified_ms=modified_ms,
        )
        settings.RECORDING_UPLOADS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        upload.path.touch(mode=0o600)
    return upload


def get_upload_for(user: User, id: uuid.UUID) -> RecordingUpload:
    """Raises `NoSuchUpload`, for a stranger as well."""
    try:
        return RecordingUpload.objects.select_related("recording").get(pk=id, user=user)
    except RecordingUpload.DoesNotExist:
        raise NoSuchUpload from None


def receive(user: User, id: uuid.UUID, part: range, source: Source) -> RecordingUpload:
    """Add a part to a file; the upload as it is then, with the last one `CHECKING`.

    Raises `NoSuchUpload`, `Busy`, `Lost`, `WrongPlace`, `Incomplete`, and OSError where the disk is full.
    """
    upload = get_upload_for(user, id)
    if upload.state != State.RECEIVING:
        raise WrongPlace
    with locked(upload) as file:
        upload = get_upload_for(user, id)
        if upload.state != State.RECEIVING or part.start != upload.received_bytes:
            raise WrongPlace
        if file.seek(0, 2) < part.start:
            raise Lost
        file.seek(part.start)
        _copy(source, file, len(part))
        upload.received_bytes, upload.touched_at = part.stop, timezone.now()
        if part.stop == upload.size_bytes:
            upload.state = State.CHECKING
        advanced = RecordingUpload.objects.filter(pk=id, state=State.RECEIVING, received_bytes=part.start).update(
            received_bytes=upload.received_bytes, touched_at=upload.touched_at, state=upload.state
        )
    if not advanced:
        raise NoSuchUpload  # cancelled meanwhile
    return upload


def cancel(user: User, id: uuid.UUID) -> None:
    """Give a file up, with what has come of it. Raises `NoSuchUpload`."""
    get_upload_for(user, id).delete()


def uploads_of(user: User) -> list[RecordingUpload]:
    """Those that go on, oldest first: a page that is opened anew shows them."""
    return list(RecordingUpload.objects.filter(user=user, state__in=RecordingUpload.OPEN).order_by("created_at"))


@contextmanager
def locked(upload: RecordingUpload) -> Iterator[IO[bytes]]:
    """The file of an upload, for whoever holds it alone. Raises `Busy`, `Lost`."""
    try:
        file = upload.path.open("r+b")
    except FileNotFoundError:
        raise Lost from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        yield file


def _copy(source: Source, file: IO[bytes], length: int) -> None:
    left = length
    while left:
        piece = source.read(min(PIECE_BYTES, left))
        if not piece:
            raise Incomplete
        file.write(piece)
        left -= len(piece)
    file.flush()
