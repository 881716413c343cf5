"""What a request to a model took in and put out, as columns of a table."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class UsageRow(models.Model):
    """Tokens, and what they cost.

    The counts are those of `energy.usage`. Modalities other than text and audio are in the sums alone; results of tools
    and what was cached are parts of what was taken in, of whatever modality.
    """

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
        abstract = True


def counts_that_agree(table: str) -> list[models.BaseConstraint]:
    """That no part is larger than its sum; `table` begins the names, which are one of a kind in a database."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{side}_tokens__gte": F(f"{side}_text_tokens") + F(f"{side}_audio_tokens")}),
            name=f"{table}_{side}_is_the_sum",
        )
        for side in ("input", "output")
    ]
