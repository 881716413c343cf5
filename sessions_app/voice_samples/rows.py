"""What was recorded of voices, as a table. Written by `service` alone."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from sessions_app.live.voice_sample import LARGEST_WAV_BYTES


class VoiceSample(models.Model):
    """A sentence in a voice of a model, for everybody: it was made without anybody's data."""

    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=40)
    sound = models.BinaryField(help_text="A WAV file.")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["voice", "model"]
        constraints = [
            models.UniqueConstraint(fields=["model", "voice"], name="voice_sample_one_a_voice"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("sound"), LARGEST_WAV_BYTES), name="voice_sample_is_short"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voice} of {self.model}"

    @property
    def version(self) -> str:
        """Another for each row that there ever was of a voice."""
        return f"{self.pk:x}-{int(self.made_at.timestamp() * 1000):x}"
