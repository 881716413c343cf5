"""The operator's view of histories and rolling summaries: to be read, and to be written anew."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin import ReadOnly
from sessions_app.csv_export import export_as_csv
from summarization import services
from summarization.models import CallHistory, RollingSummary


class OfConversation(ReadOnly, admin.ModelAdmin):
    """Says whose conversation a row belongs to."""

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
    ids = list(histories.values_list("conversation_id", flat=True))
    for conversation_id in ids:
        services.request_summary(conversation_id)
    model_admin.message_user(request, f"{len(ids)} summaries were asked for.")


@admin.register(CallHistory)
class CallHistoryAdmin(OfConversation):
    list_display = [
        *("conversation_id", "title", "user", "mode", "state", "reason", "model", "attempts"),
        *("written_at", "summarised_at"),
    ]
    list_filter = ["state", "conversation__mode", "model", "written_at"]
    search_fields = ["conversation__id", "conversation__user__username", "title", "summary"]
    date_hierarchy = "written_at"
    exclude = ["search_text"]
    actions = [summarise_again, export_as_csv]


@admin.register(RollingSummary)
class RollingSummaryAdmin(OfConversation):
    list_display = [
        *("conversation_id", "user", "mode", "until_turn", "wanted_until_turn", "attempts"),
        *("requested_at", "written_at"),
    ]
    list_filter = ["conversation__mode", "written_at"]
    search_fields = ["conversation__id", "conversation__user__username"]
    date_hierarchy = "written_at"
    actions = [export_as_csv]
