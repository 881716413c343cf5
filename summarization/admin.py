"""The operator's view of histories and rolling summaries, and what it adds to that of conversations and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from sessions_app.admin import ConversationAdmin, LiveSessionAdmin, ReadOnly
from sessions_app.csv_export import export_as_csv
from sessions_app.gateway.worker_channel import end_everywhere
from sessions_app.models import Conversation, LiveSession, RecordingWork
from sessions_app.services import finish_session
from summarization import recordings, rolling, services
from summarization.attempts import CLAIMS_LOST_BEFORE_FAILED
from summarization.models import CallHistory, RollingSummary


class ClaimFilter(admin.SimpleListFilter):
    """Who is at a row, by the clock of the database, which is that of claims."""

    title = "claim"
    parameter_name = "claim"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            ("running", "Somebody is at it"),
            ("run-out", "Somebody was lost at it just now"),
            ("given-up", "Given up: too many were lost at it"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        match self.value():
            case "running":
                return queryset.filter(claimed_until__gt=Now())
            case "run-out":
                return queryset.filter(claimed_until__lte=Now())
            case "given-up":
                return queryset.filter(claims_lost__gte=CLAIMS_LOST_BEFORE_FAILED)
        return queryset


class NamedValues(admin.AllValuesFieldListFilter):
    """The values of a column; that of rows which have none is a word, too, and not a link without any."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


class OfConversation(ReadOnly, admin.ModelAdmin):
    """Says whose conversation a row belongs to, and who is at it."""

    list_select_related = ["conversation__user"]

    @admin.display(ordering="conversation__user__username")
    def user(self, row: CallHistory | RollingSummary) -> str:
        return row.conversation.user.get_username()

    @admin.display(ordering="conversation__mode")
    def mode(self, row: CallHistory | RollingSummary) -> str:
        return row.conversation.mode


@admin.action(description="Write the selected summaries again", permissions=["delete"])
def summarise_again(model_admin: admin.ModelAdmin, request: HttpRequest, histories: QuerySet[CallHistory]) -> None:
    """They stay as they are until the new ones are ready."""
    _ask_for_summaries(model_admin, request, histories)


@admin.register(CallHistory)
class CallHistoryAdmin(OfConversation):
    list_display = [
        *("conversation_id", "title", "user", "mode", "state", "reason", "model", "attempts"),
        *("written_at", "summarised_at", "claimed_by", "claimed_until", "claims_lost"),
    ]
    list_filter = ["state", ClaimFilter, "conversation__mode", ("model", NamedValues), "written_at"]
    search_fields = ["conversation__id", "conversation__user__username", "title", "summary"]
    date_hierarchy = "written_at"
    exclude = ["search_text"]
    actions = [summarise_again, export_as_csv]


@admin.action(description="Let the selected summaries be tried again that were given up", permissions=["delete"])
def allow_again(model_admin: admin.ModelAdmin, request: HttpRequest, summaries: QuerySet[RollingSummary]) -> None:
    """The next turn that is said asks for them."""
    model_admin.message_user(request, f"{rolling.allow_again(summaries)} summaries may be tried again.")


@admin.register(RollingSummary)
class RollingSummaryAdmin(OfConversation):
    list_display = [
        *("conversation_id", "user", "mode", "until_turn", "wanted_until_turn", "attempts"),
        *("requested_at", "written_at", "claimed_by", "claimed_until", "claims_lost"),
    ]
    list_filter = [ClaimFilter, "conversation__mode", "written_at"]
    search_fields = ["conversation__id", "conversation__user__username"]
    date_hierarchy = "written_at"
    actions = [allow_again, export_as_csv]


@admin.action(description="Write down the selected recordings again", permissions=["delete"])
def write_down_again(model_admin: admin.ModelAdmin, request: HttpRequest, works: QuerySet[RecordingWork]) -> None:
    """From the beginning; what there was of them is gone at once."""
    count = recordings.request(list(works.values_list("recording_id", flat=True)))
    model_admin.message_user(request, f"{count} recordings will be written down again.")


@admin.register(RecordingWork)
class RecordingWorkAdmin(ReadOnly, admin.ModelAdmin):
    """What is made out of recordings, and who is at it."""

    list_display = [
        *("recording_id", "title", "user", "state", "error", "language", "done_ms", "attempts"),
        *("requested_at", "finished_at", "claimed_by", "claimed_until", "claims_lost"),
    ]
    list_select_related = ["recording__user"]
    list_filter = ["state", ClaimFilter, ("language", NamedValues), "requested_at"]
    search_fields = ["recording__id", "recording__sha256", "recording__user__username", "title"]
    exclude = ["segments"]
    actions = [write_down_again, export_as_csv]

    @admin.display(ordering="recording__user__username")
    def user(self, work: RecordingWork) -> str:
        return work.recording.user.get_username()


@admin.action(description="Write the summaries of the selected conversations again", permissions=["delete"])
def summarise_conversations_again(
    model_admin: admin.ModelAdmin, request: HttpRequest, conversations: QuerySet[Conversation]
) -> None:
    """Those that are over; the summary of the others is written when they are."""
    ended = Conversation.Status.ENDED
    histories = CallHistory.objects.filter(conversation__in=conversations, conversation__status=ended)
    _ask_for_summaries(model_admin, request, histories)


def _ask_for_summaries(model_admin: admin.ModelAdmin, request: HttpRequest, histories: QuerySet[CallHistory]) -> None:
    ids = list(histories.values_list("conversation_id", flat=True))
    for conversation_id in ids:
        services.request_summary(conversation_id)
    model_admin.message_user(request, f"{len(ids)} summaries were asked for.")


@admin.action(description="End the selected sessions and their conversations", permissions=["delete"])
def end_sessions(model_admin: admin.ModelAdmin, request: HttpRequest, sessions: QuerySet[LiveSession]) -> None:
    """Their handles are deleted, and the conversations go into the history."""
    open_ones = list(sessions.filter(ended_at=None))
    for session in open_ones:
        finish_session(str(session.conversation_id), str(session.pk), "operator", conversation_over=True)
        services.write_call_history(session.conversation_id)
    all(end_everywhere(str(session.pk)) for session in open_ones)  # one that fails has taken a second
    model_admin.message_user(request, f"{len(open_ones)} sessions were ended.")


# What sessions_app lets an operator read is acted upon here, where conversations are remembered.
admin.site.unregister([Conversation, LiveSession])


@admin.register(Conversation)
class RememberedConversationAdmin(ConversationAdmin):
    actions = [summarise_conversations_again, export_as_csv]


@admin.register(LiveSession)
class RememberedLiveSessionAdmin(LiveSessionAdmin):
    actions = [end_sessions, export_as_csv]
