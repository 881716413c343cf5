"""What is kept of a conversation beside its turns. Rows are written by `services` and `rolling` alone.

A request for a summary is a row first: whoever claims it does the work, and a claim ends by itself (see `claims`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions_app.claimable import Claimable
from sessions_app.models import Conversation


class SummaryState(models.TextChoices):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class CallHistory(Claimable):
    """The entry of a conversation in the history, once it is over or left; its summary follows when it is ready."""

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="history")
    title = models.CharField(max_length=200, blank=True)
    is_title_given = models.BooleanField(default=False, help_text="By the user: a summary does not replace it.")
    summary = models.TextField(blank=True)
    open_points = models.JSONField(default=list)
    facts = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=SummaryState, default=SummaryState.PENDING)
    reason = models.CharField(max_length=200, blank=True, help_text="Why there is no summary, in plain words.")
    model = models.CharField(max_length=100, blank=True, help_text="Wrote the summary; none for a short transcript.")
    until_turn = models.IntegerField(default=-1, help_text="The last turn that the entry knows of.")
    attempts = models.PositiveSmallIntegerField(default=0)
    search_text = models.TextField(blank=True)
    written_at = models.DateTimeField(default=timezone.now)
    requested_at = models.DateTimeField(default=timezone.now)
    summarised_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text="The next attempt; empty for none.")

    class Meta:
        ordering = ["-written_at"]
        verbose_name_plural = "call histories"
        indexes = [
            models.Index(fields=["state", "due_at"], name="history_due"),
            models.Index(fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="history_claimed"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SummaryState.values), name="history_state_known"),
            models.CheckConstraint(condition=~Q(state="ready") | ~Q(summary=""), name="history_ready_has_summary"),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="history_failed_has_reason"),
        ]

    def __str__(self) -> str:
        return self.title or f"Conversation {self.conversation_id}"


class SearchEntry(models.Model):
    """The words of an entry of the history as `folding` makes them, by which it is found. Written by `search_entries`.

    Its migration gives PostgreSQL an index of `pieces` and SQLite a table of FTS5, which triggers keep as this table
    is. A migration that makes Django copy this table on SQLite has to make the triggers anew.
    """

    history = models.OneToOneField(
        CallHistory,
        models.CASCADE,
        primary_key=True,
        related_name="search_entry",
        db_constraint=False,  # the database deletes it with the history, which the version before does not
    )
    title = models.TextField(help_text="Folded, as the others.")
    summary = models.TextField(help_text="With the facts.")
    said = models.TextField(help_text="A line for each turn.")
    pieces = models.TextField(help_text="Of the words, with whose they are: what an index finds it by.")
    of_title = models.CharField(max_length=200, help_text="The title of the entry when it was folded.")
    of_turn = models.IntegerField(help_text="Its last turn then.")
    of_summary_at = models.DateTimeField(null=True, help_text="When its summary had been written.")

    class Meta:
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return f"Words of {self.history_id}"


class RollingSummary(Claimable):
    """What a conversation was about up to a turn, kept while it goes on. Numbers run through continued ones."""

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="rolling_summary")
    text = models.TextField(blank=True, help_text="In the third person, with the facts to keep.")
    until_turn = models.IntegerField(default=-1, help_text="The last turn it covers; -1 when there is none.")
    wanted_until_turn = models.IntegerField(default=-1, help_text="The last turn that the next one is to cover.")
    attempts = models.PositiveSmallIntegerField(default=0)
    written_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField(null=True, blank=True, help_text="Empty when nothing is wanted.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="The next attempt; empty for none.")

    class Meta:
        verbose_name_plural = "rolling summaries"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="rolling_summary_due"),
            models.Index(
                fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="rolling_summary_claimed"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_turn=-1, text="") | Q(until_turn__gte=0) & ~Q(text=""),
                name="rolling_summary_covers_with_text",
            ),
        ]

    def __str__(self) -> str:
        return f"Until turn {self.until_turn} of {self.conversation_id}"
