"""What is kept of levels, quota, places at the provider, and what is said about them.

Rows are written by `services`, `ledger` and `budget`; personas and notices also in the admin.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from energy.levels import LADDER_LIMIT, Mode, Reason
from energy.notices import Occasion, check_placeholders
from energy.quota import LimitKind, ModelState

MODES = [(mode.value, mode.value) for mode in Mode]
MODE_KNOWN = Q(mode__in=[mode.value for mode in Mode])


class EnergyState(models.Model):
    """The level that a user's mode was at last."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="energy_states")
    mode = models.CharField(max_length=4, choices=MODES)
    level = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["user", "mode"]
        constraints = [
            models.UniqueConstraint(fields=["user", "mode"], name="energy_state_one_a_mode"),
            models.CheckConstraint(condition=MODE_KNOWN, name="energy_state_mode_known"),
            models.CheckConstraint(condition=Q(level__lte=LADDER_LIMIT), name="energy_state_level_exists"),
        ]

    def __str__(self) -> str:
        return f"{self.mode} at {self.level}"


class EnergyChange(models.Model):
    """One step of a user's mode from a level to another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="energy_changes")
    mode = models.CharField(max_length=4, choices=MODES)
    previous = models.PositiveSmallIntegerField()
    level = models.PositiveSmallIntegerField()
    word = models.CharField(max_length=20)
    model = models.CharField(max_length=100, blank=True, help_text="The model of the new level; empty at level 0.")
    reason = models.CharField(max_length=20, choices=[(reason.value, reason.value) for reason in Reason])
    at = models.DateTimeField(default=timezone.now)
    resets_at = models.DateTimeField(null=True, blank=True, help_text="When more was expected back.")
    conversation_id = models.UUIDField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["user", "-at"], name="energy_change_of_user"),
            models.Index(fields=["-at"], name="energy_change_latest"),
        ]
        constraints = [
            models.CheckConstraint(condition=MODE_KNOWN, name="energy_change_mode_known"),
            models.CheckConstraint(condition=~Q(level=F("previous")), name="energy_change_changes"),
            models.CheckConstraint(
                condition=Q(reason__in=[reason.value for reason in Reason]), name="energy_change_reason_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} {self.previous} to {self.level}"


class ModelQuota(models.Model):
    """What the ledger knows of a model of a project: see `quota.ModelState`, whose fields these are."""

    project = models.CharField(max_length=16, help_text="Stands for the API key that was in use.")
    model = models.CharField(max_length=100)
    kind = models.CharField(max_length=11, choices=[(kind.value, kind.value) for kind in LimitKind], blank=True)
    spent_since = models.DateTimeField(null=True, blank=True)
    resets_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    refusals = models.PositiveIntegerField(default=0, help_text="In a row.")
    prober = models.UUIDField(null=True, blank=True, help_text="The live session that dials first.")
    probe_until = models.DateTimeField(null=True, blank=True)
    trusted_until = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="Since it was refused.")
    text = models.CharField(max_length=300, blank=True, help_text="What the provider said.")

    class Meta:
        ordering = ["project", "model"]
        verbose_name_plural = "model quotas"
        constraints = [
            models.UniqueConstraint(fields=["project", "model"], name="model_quota_one_a_model"),
            models.CheckConstraint(
                condition=Q(kind="", spent_since__isnull=True, resets_at__isnull=True)
                | (~Q(kind="") & Q(spent_since__isnull=False, resets_at__isnull=False)),
                name="model_quota_spent_has_times",
            ),
            models.CheckConstraint(
                condition=Q(prober__isnull=True, probe_until__isnull=True)
                | Q(prober__isnull=False, probe_until__isnull=False),
                name="model_quota_lease_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.model

    @property
    def state(self) -> ModelState:
        return ModelState(
            kind=LimitKind(self.kind) if self.kind else None,
            spent_since=self.spent_since,
            resets_at=self.resets_at,
            restored_at=self.restored_at,
            refusals=self.refusals,
            prober=self.prober,
            probe_until=self.probe_until,
            trusted_until=self.trusted_until,
            answered_at=self.answered_at,
            text=self.text,
        )


class LiveSlot(models.Model):
    """A live session's place at the provider, or its place in the queue while `granted_at` is empty."""

    holder = models.UUIDField(unique=True, help_text="The page life.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="live_slots")
    mode = models.CharField(max_length=4, choices=MODES)
    owner = models.CharField(max_length=100, help_text="The worker that speaks for it.")
    asked_at = models.DateTimeField(default=timezone.now)
    granted_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["seen_at"], name="live_slot_seen")]
        constraints = [models.CheckConstraint(condition=MODE_KNOWN, name="live_slot_mode_known")]

    def __str__(self) -> str:
        return f"{self.mode} {self.holder}"


class Persona(models.Model):
    """Whose words the notices are."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    is_default = models.BooleanField(default=False, help_text="Used where no other is asked for. One at most.")

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="persona_one_default")
        ]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """What a persona says when a mode has come to a level."""

    persona = models.ForeignKey(Persona, models.CASCADE, related_name="notices")
    mode = models.CharField(max_length=4, choices=MODES)
    level = models.PositiveSmallIntegerField(
        help_text="The level that was come to, on a ladder of three models for calls and of two for text chats; on "
        "others the one with the same word."
    )
    occasion = models.CharField(max_length=9, choices=[(occasion.value, occasion.value) for occasion in Occasion])
    text = models.CharField(
        max_length=300,
        validators=[check_placeholders],
        help_text="May hold {word}, {model} and {resets_at}: the level's word, its model, and until when "
        '("14:30 UTC", "further notice").',
    )

    class Meta:
        ordering = ["persona", "mode", "-level", "occasion"]
        constraints = [
            models.UniqueConstraint(fields=["persona", "mode", "level", "occasion"], name="notice_one_an_occasion"),
            models.CheckConstraint(condition=MODE_KNOWN, name="notice_mode_known"),
        ]

    def __str__(self) -> str:
        return f"{self.mode} {self.level} {self.occasion}"
