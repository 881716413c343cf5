"""Recordings, what is being uploaded of them, and which conversations they are attached to, as tables.

Recordings and attachments are written by `service` alone, uploads by `uploads` and `checking`.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from sessions_app.recordings.peaks import MOST_SLOTS

NAME_CHARACTERS = 200
TOKENS_PER_SECOND = 32
"""What a second of sound is for the provider (https://ai.google.dev/gemini-api/docs/audio)."""

FOLDER = "recordings"
"""In the storage: a folder of each user, in it a file of each recording."""


def path_of(recording: Recording, file_name: str) -> str:
    """Where the sound lies in the storage: nothing of what the user called it."""
    return f"{FOLDER}/{recording.user_id}/{recording.pk}"


class Recording(models.Model):
    """An audio file of a user, kept once however often it is uploaded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recordings")
    name = models.CharField(max_length=NAME_CHARACTERS, help_text="As the user called the file.")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=20, help_text="As the Gemini API takes it.")
    duration_ms = models.PositiveIntegerField(help_text="Of what could be decoded.")
    is_cut = models.BooleanField(default=False, help_text="Its end is missing, by what the file says of itself.")
    note = models.CharField(max_length=200, blank=True, help_text="A sentence for the user about that.")
    peaks = models.BinaryField(help_text="The loudest of each of up to 1,000 equal slots, 0 to 255.")
    file = models.FileField(upload_to=path_of)
    is_kept = models.BooleanField(default=False, help_text="Stays when no conversation has it attached.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="recording_of_user"),
            models.Index(fields=["sha256"], name="recording_of_content"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "sha256"], name="recording_once_a_user"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("peaks"), MOST_SLOTS), name="recording_peaks_are_few"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.media_type} of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def tokens(self) -> int:
        """What the sound will be for a model, estimated."""
        return -(-self.duration_ms * TOKENS_PER_SECOND // 1000)


class Attachment(models.Model):
    """A recording is part of a conversation."""

    conversation = models.ForeignKey(
        "sessions_app.Conversation",
        models.CASCADE,
        related_name="attachments",
        db_constraint=False,  # the version before deletes conversations without looking here
    )
    recording = models.ForeignKey(Recording, models.CASCADE, related_name="attachments")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["conversation", "recording"], name="attachment_once")]

    def __str__(self) -> str:
        return f"attached {self.at:%Y-%m-%d %H:%M}"


class RecordingUpload(models.Model):
    """A file on its way here. Its bytes lie in a folder of all web processes, under its id."""

    class State(models.TextChoices):
        RECEIVING = "receiving"
        CHECKING = "checking"
        DONE = "done"
        REFUSED = "refused"

    OPEN = (State.RECEIVING, State.CHECKING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recording_uploads")
    name = models.CharField(max_length=NAME_CHARACTERS)
    size_bytes = models.PositiveBigIntegerField(help_text="As it was announced.")
    received_bytes = models.PositiveBigIntegerField(default=0)
    modified_ms = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Since the epoch, when the file was last changed where it came from."
    )
    is_kept = models.BooleanField(default=False, help_text="What the recording will be.")
    state = models.CharField(max_length=9, choices=State, default=State.RECEIVING)
    refusal = models.CharField(max_length=300, blank=True, help_text="A sentence for the user.")
    recording = models.ForeignKey(Recording, models.CASCADE, null=True, blank=True, related_name="uploads")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "touched_at"], name="recording_upload_due")]

    def __str__(self) -> str:
        return f"{self.received_bytes} of {self.size_bytes} bytes"

    @property
    def path(self) -> Path:
        return Path(settings.RECORDING_UPLOADS_DIR) / f"{self.pk}.part"
