"""What models took that wrote recordings down, as a table. Written by `sessions_app.usage` alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from sessions_app.recordings.rows import Recording


class RecordingUsage(models.Model):
    """One request about a recording that is part of no conversation. Counts as those of `TurnUsage`."""

    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recording_usages", db_index=False)
    recording = models.ForeignKey(Recording, models.SET_NULL, null=True, related_name="usages")
    model = models.CharField(max_length=100)
    report = models.JSONField(help_text="As the provider gave it.")
    input_tokens = models.PositiveIntegerField("tokens in")
    input_text_tokens = models.PositiveIntegerField("text in")
    input_audio_tokens = models.PositiveIntegerField("audio in")
    input_tool_use_tokens = models.PositiveIntegerField("of tools in", default=0)
    input_cached_tokens = models.PositiveIntegerField("cached in", default=0)
    output_tokens = models.PositiveIntegerField("tokens out")
    output_text_tokens = models.PositiveIntegerField("text out")
    output_audio_tokens = models.PositiveIntegerField("audio out")
    cost_micro_usd = models.PositiveBigIntegerField(help_text="By the prices of that day, in millionths of a dollar.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "usage of a recording"
        verbose_name_plural = "usage of recordings"
        indexes = [
            models.Index(fields=["user", "at"], name="recording_usage_of_user"),
            models.Index(fields=["at"], name="recording_usage_of_day"),
        ]

    def __str__(self) -> str:
        return f"Usage of {self.recording_id}"
