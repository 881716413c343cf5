"""What the provider has of recordings, as a table. Written by `google_files` alone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from sessions_app.recordings.google_rules import State


class GeminiFile(models.Model):
    """A copy of some content at the provider: one for each project, whoever of its users has that content."""

    project = models.CharField(max_length=16, help_text="Stands for the API key: energy.ledger.project_of_the_key.")
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=20)
    size_bytes = models.PositiveBigIntegerField()
    sent_bytes = models.PositiveBigIntegerField(default=0, help_text="Of the upload that goes on, or was the last.")
    name = models.CharField(max_length=80, blank=True, help_text="At the provider: files/...")
    uri = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in State], default=State.UPLOADING.value)
    reason = models.CharField(max_length=300, blank=True, help_text="Why the last upload came to nothing.")
    changed_at = models.DateTimeField(default=timezone.now, help_text="Since when it is in its state.")
    uploaded_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When the provider forgets it.")
    used_at = models.DateTimeField(null=True, blank=True, help_text="When a model was last asked about it.")
    uploads = models.PositiveIntegerField(default=0, help_text="How often it was uploaded: more than once, renewed.")
    claim = models.UUIDField(null=True, editable=False, help_text="Of whoever uploads or deletes it.")
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-changed_at", "pk"]
        indexes = [models.Index(fields=["state", "expires_at"], name="gemini_file_due")]
        constraints = [models.UniqueConstraint(fields=["project", "sha256"], name="gemini_file_once_a_project")]

    def __str__(self) -> str:
        return self.name or f"{self.media_type}, {self.size_bytes} bytes"
