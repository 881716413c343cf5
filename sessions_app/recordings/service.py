"""Recordings as the rest of the application knows them. The only writer of `Recording` and `Attachment`.

For whoever gives them to a model: `attached_to` has what a conversation is about, `open_sound` its bytes, and
`Recording` what is needed to announce them (`media_type`, `size_bytes`, `duration_ms`, `tokens`). What belongs to a
recording elsewhere, such as a copy at the provider, hangs on its row with CASCADE, or hears `post_delete` of it: a
recording goes in many ways, and all of them send that.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import Storage, default_storage
from django.db import transaction
from django.db.models import Count, F, Max, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sessions_app.live.providers.sound_parts import InlineSound
from sessions_app.models import Attachment, Conversation, Recording, RecordingUpload
from sessions_app.recordings.keeping import Keeping, keeping
from sessions_app.recordings.limits import Holdings, Limits
from sessions_app.recordings.rows import NAME_CHARACTERS
from sessions_app.recordings.words import MB, shown_name
from sessions_app.services import get_conversation_for
from sessions_app.user_settings.service import history_days_of

ATTACHED_AT_MOST = 20
"""To one conversation. A model hears all of them again and again."""


class NoSuchRecording(Exception):
    """There is none of this id, or it is somebody else's."""


class TooManyAttached(Exception):
    """`sentence`: for the user."""

    sentence = format_lazy(
        _("{count} recordings are attached to this conversation, as many as fit."), count=ATTACHED_AT_MOST
    )

    def __str__(self) -> str:
        return str(self.sentence)


def limits_of_the_server() -> Limits:
    return Limits(
        is_on=settings.RECORDINGS,
        file_bytes=settings.RECORDING_MAX_MB * MB,
        user_bytes=settings.RECORDINGS_MB_PER_USER * MB,
        user_count=settings.RECORDINGS_PER_USER,
        uploads_at_once=settings.RECORDING_UPLOADS_AT_ONCE,
    )


def has_files_page(user: User) -> bool:
    """Whether the page of files is of any use to a user: they may upload, or have done so."""
    return settings.RECORDINGS or Recording.objects.filter(user=user).exists()


def holdings_of(user: User) -> Holdings:
    """What a user has here, with what is on its way."""
    kept = Recording.objects.filter(user=user).aggregate(count=Count("pk"), size=Sum("size_bytes"))
    coming = RecordingUpload.objects.filter(user=user, state__in=RecordingUpload.OPEN)
    open_uploads = coming.aggregate(count=Count("pk"), size=Sum("size_bytes"))
    return Holdings(kept["count"], open_uploads["count"], (kept["size"] or 0) + (open_uploads["size"] or 0))


def get_recording_for(user: User, id: uuid.UUID) -> Recording:
    """The user's recording of this id. Raises `NoSuchRecording`, for a stranger as well."""
    try:
        return Recording.objects.get(pk=id, user=user)
    except Recording.DoesNotExist:
        raise NoSuchRecording from None


def recordings_of(user: User) -> QuerySet[Recording]:
    """Newest first, with what was made out of them but for the transcripts."""
    return Recording.objects.filter(user=user).select_related("work").defer("peaks", "work__segments")


@dataclass(frozen=True, slots=True)
class Places:
    """The conversations that have a recording: the newest attachments of all. `last_word_at`: in any of them."""

    shown: tuple[Conversation, ...] = ()
    count: int = 0
    last_word_at: datetime.datetime | None = None

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.shown)


def places_of(recordings: Iterable[Recording], at_most: int) -> dict[uuid.UUID, Places]:
    """Where each of these recordings is attached, by its key; up to `at_most` conversations of each.

    Their entries of the history are read along, for the titles, without all that was said.
    """
    # Of the attachments whose conversation the version before has deleted, the join knows nothing.
    attachments = Attachment.objects.filter(
        recording__in=[recording.pk for recording in recordings], conversation__started_at__isnull=False
    )
    newest_first = Window(RowNumber(), partition_by=F("recording"), order_by=[F("at").desc(), F("pk").desc()])
    numbered = attachments.annotate(place=newest_first).filter(place__lte=at_most).order_by("place")
    shown: dict[uuid.UUID, list[Conversation]] = {}
    for attachment in numbered.select_related("conversation__history").defer("conversation__history__search_text"):
        shown.setdefault(attachment.recording_id, []).append(attachment.conversation)
    totals = (
        attachments.order_by()
        .values("recording")
        .annotate(count=Count("pk"), last_word_at=Max("conversation__last_activity_at"))
    )
    found = {
        total["recording"]: Places(tuple(shown.get(total["recording"], ())), total["count"], total["last_word_at"])
        for total in totals
    }
    return {recording.pk: found.get(recording.pk, Places()) for recording in recordings}


def conversation_ids_of(user: User) -> dict[uuid.UUID, list[uuid.UUID]]:
    """All conversations that have each recording of a user, in the order in which they got it; by its key."""
    # Of the attachments whose conversation the version before has deleted, the join knows nothing.
    attachments = Attachment.objects.filter(recording__user=user, conversation__started_at__isnull=False)
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for recording_id, conversation_id in attachments.values_list("recording", "conversation"):
        found.setdefault(recording_id, []).append(conversation_id)
    return found


def keeping_of(recording: Recording, places: Places) -> Keeping:
    """Until when a recording is here, by what its user and the operator want."""
    days = history_days_of(recording.user_id)
    return keeping(recording.created_at, recording.is_kept, places.last_word_at, days)


def attached_to(conversation_id: uuid.UUID) -> list[Recording]:
    """What is attached to a conversation, in the order in which it was."""
    return list(Recording.objects.filter(attachments__conversation=conversation_id).order_by("attachments__at"))


def attached_to_each(conversation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Recording]]:
    """What is attached to each of these conversations, in the order in which it was; by its key."""
    found: dict[uuid.UUID, list[Recording]] = {id: [] for id in conversation_ids}
    for attachment in (
        Attachment.objects.filter(conversation__in=found).select_related("recording").defer("recording__peaks")
    ):
        found[attachment.conversation_id].append(attachment.recording)
    return found


def has_sound(recording: Recording) -> bool:
    """Whether the storage still has it: after a restore it may not."""
    return storage().exists(str(recording.file.name))


def open_sound(recording: Recording) -> IO[bytes]:
    """The sound's bytes, to be read and closed by whoever asks. Raises OSError where the storage has lost them."""
    return recording.file.open("rb")


def inline(recording: Recording) -> InlineSound:
    """All of a recording, to go along with a request. Raises OSError as `open_sound`."""
    with open_sound(recording) as file:
        return InlineSound(file.read(), recording.media_type)


@transaction.atomic
def attach(user: User, recording_id: uuid.UUID, conversation_id: uuid.UUID) -> Attachment:
    """Make a recording part of a conversation, once. Raises `NoSuchRecording`, `NotYours`, `TooManyAttached`."""
    conversation = get_conversation_for(user, conversation_id)
    Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
    # Until the end of this no conversation that is deleted takes the recording along.
    recording = Recording.objects.select_for_update().filter(pk=recording_id, user=user).first()
    if recording is None:
        raise NoSuchRecording
    known = conversation.attachments.filter(recording=recording).first()
    if known is not None:
        return known
    if conversation.attachments.count() >= ATTACHED_AT_MOST:
        raise TooManyAttached
    return Attachment.objects.create(conversation=conversation, recording=recording)


@transaction.atomic
def detach(user: User, recording_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
    """Take a recording out of a conversation; it stays with its user until they delete it. One that is not in it is as
    good as out. Raises `NoSuchRecording`, `NotYours`."""
    conversation = get_conversation_for(user, conversation_id)
    recording = Recording.objects.select_for_update().filter(pk=recording_id, user=user).first()
    if recording is None:
        raise NoSuchRecording
    Recording.objects.filter(pk=recording.pk).update(is_kept=True)
    conversation.attachments.filter(recording=recording).delete()


def rename(user: User, id: uuid.UUID, name: str) -> None:
    """Call a recording something else. Raises `NoSuchRecording`."""
    recording = get_recording_for(user, id)
    recording.name = shown_name(name, NAME_CHARACTERS)
    recording.save(update_fields=["name"])


def delete(user: User, id: uuid.UUID) -> None:
    """Delete a recording, wherever it is attached. Raises `NoSuchRecording`."""
    with transaction.atomic():
        get_recording_for(user, id).delete()


def delete_loose(user: User) -> int:
    """Delete what no conversation of a user has attached, also what was to be kept; gives its number."""
    return delete_unattached(Recording.objects.filter(user=user))


@transaction.atomic
def delete_unattached(recordings: QuerySet[Recording]) -> int:
    """Of these, delete what no conversation has attached; gives their number. Files go when that is committed.

    Args:
        recordings: a query without joins, whose rows can be locked.
    """
    # A lock first: somebody may be attaching one of them.
    locked = list(recordings.select_for_update().order_by("pk").values_list("pk", flat=True))
    _, deleted = Recording.objects.filter(pk__in=locked, attachments=None).delete()
    return deleted.get(Recording._meta.label, 0)


def storage() -> Storage:
    """Where the sounds lie: any storage of Django's. Nothing here asks it for an address."""
    return default_storage


@receiver(post_delete, sender=Attachment)
def _let_go_with_the_conversation(sender: Any, instance: Attachment, **signal: Any) -> None:
    delete_unattached(Recording.objects.filter(pk=instance.recording_id, is_kept=False))


@receiver(post_delete, sender=Recording)
def _delete_file_when_committed(sender: Any, instance: Recording, **signal: Any) -> None:
    transaction.on_commit(partial(storage().delete, str(instance.file.name)), robust=True)


@receiver(post_delete, sender=RecordingUpload)
def _delete_part_when_committed(sender: Any, instance: RecordingUpload, **signal: Any) -> None:
    transaction.on_commit(partial(instance.path.unlink, missing_ok=True), robust=True)
