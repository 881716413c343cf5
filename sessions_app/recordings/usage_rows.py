"""What models took that wrote recordings down, as a table. Written by `sessions_app.usage` alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sessions_app.recordings.rows import Recording
from sessions_app.usage_rows import UsageRow, counts_that_agree


class RecordingUsage(UsageRow):
    """One request about a recording that is part of no conversation."""

    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recording_usages", db_index=False)
    recording = models.ForeignKey(Recording, models.SET_NULL, null=True, related_name="usages")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "counted request about a recording"
        verbose_name_plural = "counted requests about recordings"
        indexes = [
            models.Index(fields=["user", "at"], name="recording_usage_of_user"),
            models.Index(fields=["at"], name="recording_usage_of_day"),
        ]
        constraints = counts_that_agree("recording_usage")

    def __str__(self) -> str:
        return f"Usage of {self.recording_id}"
