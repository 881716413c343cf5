"""What users have chosen, as a table. Written by `service` alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from sessions_app.user_settings import terms


def _chosen(name: str, allowed: Q) -> models.CheckConstraint:
    """Where somebody has chosen this setting, it is one that there is."""
    return models.CheckConstraint(condition=allowed, name=f"user_settings_{name}")


def _one_of(name: str, options: tuple[str, ...]) -> models.CheckConstraint:
    return _chosen(name, Q(**{f"{name}__in": ["", *options]}))


def _within(name: str, bounds: tuple[float, float]) -> models.CheckConstraint:
    least, most = bounds
    number = Q(**{name: 0}) | Q(**{f"{name}__gte": least, f"{name}__lte": most})
    return _chosen(name, Q(**{f"{name}__isnull": True}) | number)


class UserSettings(models.Model):
    """What a user has chosen, see `terms`: where a field is empty the operator's default counts.

    Made when something is saved first.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="settings")
    voice = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True)
    instruction = models.TextField(blank=True, help_text="How the model is to talk, in the user's words.")
    answer_length = models.CharField(max_length=8, blank=True)
    persona = models.CharField(max_length=40, blank=True)
    start_sensitivity = models.CharField(max_length=8, blank=True)
    end_sensitivity = models.CharField(max_length=8, blank=True)
    silence_ms = models.PositiveIntegerField(null=True, blank=True)
    interruptions = models.BooleanField(null=True, blank=True)
    push_to_talk = models.BooleanField(null=True, blank=True)
    compression = models.BooleanField(null=True, blank=True)
    trigger_tokens = models.PositiveIntegerField(null=True, blank=True)
    compression_ratio = models.FloatField(null=True, blank=True)
    resumption = models.BooleanField(null=True, blank=True)
    new_call = models.CharField(max_length=8, blank=True, default="", db_default="")
    aloud = models.BooleanField(null=True, blank=True)
    captions = models.BooleanField(null=True, blank=True)
    theme = models.CharField(max_length=8, blank=True)
    page_language = models.CharField(max_length=8, blank=True, default="", db_default="")
    history_days = models.PositiveIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="Goes up whenever something is saved.")
    previous = models.JSONField(
        null=True, blank=True, help_text="What was chosen before, for as long as it can be had back."
    )
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["user"]
        verbose_name_plural = "user settings"
        constraints = [
            _one_of("answer_length", terms.ANSWER_LENGTHS),
            _one_of("start_sensitivity", terms.SENSITIVITIES),
            _one_of("end_sensitivity", terms.SENSITIVITIES),
            _one_of("new_call", terms.NEW_CALLS),
            _one_of("theme", terms.THEMES),
            _one_of("page_language", (terms.OF_THE_DEVICE, *terms.PAGE_LANGUAGES)),
            _within("silence_ms", terms.SILENCE_MS),
            _within("trigger_tokens", terms.TRIGGER_TOKENS),
            _within("compression_ratio", terms.COMPRESSION_RATIO),
            _within("history_days", terms.HISTORY_DAYS),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("instruction"), terms.INSTRUCTION_MAX_CHARACTERS),
                name="user_settings_instruction",
            ),
        ]

    def __str__(self) -> str:
        return f"Settings of user {self.pk}"
