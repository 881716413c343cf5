"""The operator's view of histories and rolling summaries: to be read, and to be written anew."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from summarization.models import CallHistory, RollingSummary


class ReadOnly:
    """Rows are written by the services alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CallHistory)
class CallHistoryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["conversation_id", "title", "user", "mode", "state", "reason", "model", "attempts", "written_at"]
    list_filter = ["state", "conversation__mode", "model", "written_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["conversation__id", "conversation__user__username", "title", "summary"]
    date_hierarchy = "written_at"
    exclude = ["search_text"]

    @admin.display(ordering="conversation__user__username")
    def user(self, history: CallHistory) -> str:
        return history.conversation.user.get_username()

    @admin.display(ordering="conversation__mode")
    def mode(self, history: CallHistory) -> str:
        return history.conversation.mode


@admin.register(RollingSummary)
class RollingSummaryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["conversation_id", "user", "until_turn", "wanted_until_turn", "attempts", "written_at"]
    list_filter = ["conversation__mode", "written_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["conversation__id", "conversation__user__username"]
    date_hierarchy = "written_at"

    @admin.display(ordering="conversation__user__username")
    def user(self, summary: RollingSummary) -> str:
        return summary.conversation.user.get_username()
