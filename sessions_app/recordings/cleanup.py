"""What is looked after of recordings: files whose check nobody works at, uploads that were given up, what is too old,
and files without a row. Each may run at any time, twice, and on two machines at once."""

from __future__ import annotations

import datetime
import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sessions_app.models import Attachment, Conversation, Recording, RecordingUpload
from sessions_app.recordings import checking, service
from sessions_app.recordings.keeping import UNUSED_FOR
from sessions_app.recordings.rows import FOLDER

logger = logging.getLogger(__name__)

LEFT_AFTER = datetime.timedelta(minutes=5)
"""A check takes less. One that still goes on holds its file, and is not begun twice."""

GIVEN_UP_AFTER = datetime.timedelta(days=1)
"""Uploads that nothing has come of for so long, finished ones too."""

LEFT_AT_ONCE = 10
ROWS_AT_ONCE = 200

State = RecordingUpload.State


def check_left() -> int:
    """Check the files whose process ended before it was done with them; gives their number. One for which there is no
    room on the disk keeps nobody else's waiting."""
    left = RecordingUpload.objects.filter(state=State.CHECKING, touched_at__lt=timezone.now() - LEFT_AFTER)
    ids = list(left.order_by("touched_at").values_list("pk", flat=True)[:LEFT_AT_ONCE])
    for id in ids:
        try:
            checking.check(id)
        except OSError as error:
            logger.warning("upload %s was not checked, and will be tried again: %s", id, error)
    return len(ids)


def prune() -> int:
    """Forget uploads that were given up, and recordings that never came to their conversation; gives their number."""
    before = timezone.now() - GIVEN_UP_AFTER
    # The version before deletes conversations, and leaves these.
    lost = Attachment.objects.filter(~Exists(Conversation.objects.filter(pk=OuterRef("conversation_id"))))
    lost.delete()
    unused = Recording.objects.filter(is_kept=False, created_at__lt=timezone.now() - UNUSED_FOR)
    count = _forget_uploads(before) + _delete_unattached(unused)
    sweep_files()
    return count


def prune_older_than(days: int, users: QuerySet[Any, Any] | None = None, dry_run: bool = False) -> int:
    """Delete the recordings that no conversation has attached and that came so many days ago; gives their number.

    Those of a conversation go with it. `users`: of these alone, a query of their keys.
    """
    old = Recording.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(days=days))
    if users is not None:
        old = old.filter(user__in=users)
    return old.filter(attachments=None).count() if dry_run else _delete_unattached(old)


def _delete_unattached(old: QuerySet[Recording]) -> int:
    """In batches, those of these that no conversation has attached when it comes to it; gives their number."""
    count = 0
    while keys := list(old.filter(attachments=None).order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        count += service.delete_unattached(old.filter(pk__in=keys))
    return count


def _forget_uploads(before: datetime.datetime) -> int:
    """In batches, those that nothing has come of since; gives their number."""
    given_up, count = RecordingUpload.objects.filter(touched_at__lt=before), 0
    while keys := list(given_up.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        count += given_up.filter(pk__in=keys).delete()[0]
    return count


def sweep_files() -> int:
    """Delete files that no row knows and that are old enough to belong to nobody's work; gives their number."""
    return _sweep_uploads() + _sweep_storage()


def _sweep_uploads() -> int:
    before_s = (timezone.now() - GIVEN_UP_AFTER).timestamp()
    paths = Path(settings.RECORDING_UPLOADS_DIR).iterdir()
    old = [path for path in paths if _is_old_file(path, before_s)]
    known = {str(id) for id in RecordingUpload.objects.values_list("pk", flat=True)} if old else set()
    lost = [path for path in old if path.stem not in known]
    for path in lost:
        path.unlink(missing_ok=True)
    return len(lost)


def _sweep_storage() -> int:
    """A storage that cannot list what it has, as some cannot, keeps it."""
    storage = service.storage()
    try:
        folders = storage.listdir(FOLDER)[0] if storage.exists(FOLDER) else []
        return sum(_sweep_folder(storage, folder) for folder in folders)
    except NotImplementedError:
        logger.info("the storage cannot be swept: it lists nothing")
        return 0


def _sweep_folder(storage: Storage, user_id: str) -> int:
    before = timezone.now() - GIVEN_UP_AFTER
    paths = {f"{FOLDER}/{user_id}/{name}" for name in storage.listdir(f"{FOLDER}/{user_id}")[1]}
    if user_id.isdecimal():
        paths -= set(Recording.objects.filter(user=int(user_id)).values_list("file", flat=True))
    lost = [path for path in paths if _is_old_sound(storage, path, before)]
    for path in lost:
        storage.delete(path)
    return len(lost)


def _is_old_file(path: Path, before_s: float) -> bool:
    """What went since it was listed, by its owner or by another sweep, is left alone."""
    try:
        return path.stat().st_mtime < before_s
    except FileNotFoundError:
        return False


def _is_old_sound(storage: Storage, path: str, before: datetime.datetime) -> bool:
    try:
        return storage.get_modified_time(path) < before
    except FileNotFoundError:
        return False
