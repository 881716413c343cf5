"""What a row has that asks for work: who is at it, and until when. `summarization.claims` has the rules."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Claimable(models.Model):
    """A row that asks for work, and who is at it.

    The columns have defaults in the database, so that a former version can still make rows during an upgrade.
    """

    CLAIMED_FOR: ClassVar[str] = "conversation_id"
    """The field with the key of what the work is about: of each there is one row."""

    claim = models.UUIDField(null=True, editable=False, help_text="Whoever has it may write; empty when nobody has.")
    claimed_by = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="The process that is at it, host:pid."
    )
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="Renewed for as long as somebody is at it.")
    claims_lost = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Workers in a row that were lost while they were at it."
    )

    class Meta:
        abstract = True
