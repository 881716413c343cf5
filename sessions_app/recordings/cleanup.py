"""What is looked after of recordings: files whose check nobody works at, uploads that were given up, what is too old,
and files without a row. Each may run at any time, twice, and on two machines at once."""

from __future__ import annotations

import datetime
import logging
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sessions_app.models import Attachment, Conversation, Recording, RecordingUpload
from sessions_app.recordings import checking, service
from sessions_app.recordings.rows import FOLDER

logger = logging.getLogger(__name__)

LEFT_AFTER = datetime.timedelta(minutes=5)
"""A check takes less. One that still goes on holds its file, and is not begun twice."""

GIVEN_UP_AFTER = datetime.timedelta(days=1)
"""Uploads that nothing has come of for so long, finished ones too, and recordings that were meant for a conversation
and are in none."""

LEFT_AT_ONCE = 10
ROWS_AT_ONCE = 200

State = RecordingUpload.State


def check_left() -> int:
    """Check the files whose process ended before it was done with them; gives their number."""
    left = RecordingUpload.objects.filter(state=State.CHECKING, touched_at__lt=timezone.now() - LEFT_AFTER)
    ids = list(left.order_by("touched_at").values_list("pk", flat=True)[:LEFT_AT_ONCE])
    for id in ids:
        checking.check(id)
    return len(ids)


def prune() -> int:
    """Forget uploads that were given up, and recordings that never came to their conversation; gives their number."""
    before = timezone.now() - GIVEN_UP_AFTER
    # The version before deletes conversations, and leaves these.
    lost = Attachment.objects.filter(~Exists(Conversation.objects.filter(pk=OuterRef("conversation_id"))))
    lost.delete()
    old = RecordingUpload.objects.filter(touched_at__lt=before).values_list("pk", flat=True)[:ROWS_AT_ONCE]
    _, deleted = RecordingUpload.objects.filter(pk__in=list(old)).delete()
    unattached = Recording.objects.filter(is_kept=False, attachments=None, created_at__lt=before)
    count = service.delete_rows(unattached[:ROWS_AT_ONCE])
    sweep_files()
    return count + deleted.get(RecordingUpload._meta.label, 0)


def prune_older_than(days: int, users: QuerySet[Any, Any] | None = None, dry_run: bool = False) -> int:
    """Delete the recordings that no conversation has attached and that came so many days ago; gives their number.

    Those of a conversation go with it. `users`: of these alone, a query of their keys.
    """
    old = Recording.objects.filter(attachments=None, created_at__lt=timezone.now() - datetime.timedelta(days=days))
    if users is not None:
        old = old.filter(user__in=users)
    return old.count() if dry_run else service.delete_rows(old)


def sweep_files() -> int:
    """Delete files that no row knows and that are old enough to belong to nobody's work; gives their number."""
    return _sweep_uploads() + _sweep_storage()


def _sweep_uploads() -> int:
    count = 0
    before_s = (timezone.now() - GIVEN_UP_AFTER).timestamp()
    for path in Path(settings.RECORDING_UPLOADS_DIR).iterdir():
        if path.stat().st_mtime < before_s and not _is_upload(path.stem):
            path.unlink(missing_ok=True)
            count += 1
    return count


def _is_upload(name: str) -> bool:
    id = _uuid_of(name)
    return id is not None and RecordingUpload.objects.filter(pk=id).exists()


def _sweep_storage() -> int:
    """A storage that cannot list what it has, as some cannot, keeps it."""
    count = 0
    before = timezone.now() - GIVEN_UP_AFTER
    storage = service.storage()
    try:
        folders = storage.listdir(FOLDER)[0] if storage.exists(FOLDER) else []
        for folder in folders:
            for name in storage.listdir(f"{FOLDER}/{folder}")[1]:
                path, id = f"{FOLDER}/{folder}/{name}", _uuid_of(name)
                is_known = id is not None and Recording.objects.filter(pk=id).exists()
                if not is_known and storage.get_modified_time(path) < before:
                    storage.delete(path)
                    count += 1
    except NotImplementedError:
        logger.info("the storage cannot be swept: it lists nothing")
    return count


def _uuid_of(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
