"""What a model has made out of a recording, as a table. Written by `summarization.recordings` alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions_app.claimable import Claimable
from sessions_app.recordings.rows import Recording


class RecordingWork(Claimable):
    """Transcript, title, summary and language of a recording, and how far they are."""

    CLAIMED_FOR: ClassVar[str] = "recording_id"

    class State(models.TextChoices):
        WAITING = "waiting"
        WORKING = "working"
        DONE = "done"
        FAILED = "failed"

    WANTED = (State.WAITING, State.WORKING, State.FAILED)

    recording = models.OneToOneField(Recording, models.CASCADE, related_name="work")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    language = models.CharField(max_length=20, blank=True, help_text="A BCP 47 tag, such as en or pt-BR.")
    title = models.CharField(max_length=200, blank=True)
    summary = models.TextField(blank=True)
    segments = models.JSONField(default=list, help_text="Of each what was said: start_ms, end_ms, speaker, text.")
    done_ms = models.PositiveIntegerField(default=0, help_text="Up to where it was heard.")
    error = models.CharField(max_length=200, blank=True, help_text="Why there is nothing, in plain words.")
    model = models.CharField(max_length=100, blank=True, help_text="Wrote title and summary.")
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text="The next attempt; empty for none.")

    class Meta:
        ordering = ["-requested_at"]
        verbose_name_plural = "works on recordings"
        indexes = [
            models.Index(fields=["state", "due_at"], name="recording_work_due"),
            models.Index(
                fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="recording_work_claimed"
            ),
        ]
        constraints = [models.CheckConstraint(condition=~Q(state="failed") | ~Q(error=""), name="recording_work_why")]

    def __str__(self) -> str:
        return self.title or f"Work on {self.recording_id}"
