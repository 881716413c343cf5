"""The operator's view of conversations: everything can be read, nothing that was said can be changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn


class ReadOnly:
    """Rows are written by the services alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TurnInline(ReadOnly, admin.TabularInline):
    model = Turn
    fields = ["number", "role", "text", "status", "at"]
    can_delete = False
    extra = 0


class EventInline(ReadOnly, admin.TabularInline):
    model = SessionEvent
    fields = ["at", "kind", "data"]
    can_delete = False
    extra = 0


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "user", "mode", "status", "turn_count", "started_at", "last_activity_at", "end_reason"]
    list_filter = ["mode", "status", "started_at"]
    list_select_related = ["user"]
    search_fields = ["id", "user__username", "turns__text"]
    date_hierarchy = "started_at"
    inlines = [TurnInline, EventInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).annotate(turn_count=Count("turns", distinct=True))

    @admin.display(description="turns", ordering="turn_count")
    def turn_count(self, conversation: Conversation) -> int:
        return conversation.turn_count  # type: ignore[attr-defined]


@admin.register(LiveSession)
class LiveSessionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "user", "mode", "model", "owner", "started_at", "ended_at", "end_reason"]
    list_filter = ["model", "conversation__mode", "started_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["id", "conversation__id", "conversation__user__username"]
    date_hierarchy = "started_at"

    @admin.display(ordering="conversation__user__username")
    def user(self, session: LiveSession) -> str:
        return session.conversation.user.get_username()

    @admin.display(ordering="conversation__mode")
    def mode(self, session: LiveSession) -> str:
        return session.conversation.mode


@admin.action(description="Forget the selected handles", permissions=["delete"])
def forget_handles(model_admin: admin.ModelAdmin, request: HttpRequest, handles: QuerySet[ResumptionHandle]) -> None:
    """The sessions go on; what cannot be resumed any more is rebuilt from its transcript."""
    count, _ = handles.delete()
    model_admin.message_user(request, f"{count} handles were forgotten.")


@admin.register(ResumptionHandle)
class ResumptionHandleAdmin(ReadOnly, admin.ModelAdmin):
    """The handle itself is never shown, not even encrypted."""

    list_display = ["live_session", "user", "slot", "model", "issued_at", "expires_at"]
    list_filter = ["slot", "model", "expires_at"]
    list_select_related = ["user", "live_session"]
    search_fields = ["user__username", "live_session__id"]
    date_hierarchy = "issued_at"
    exclude = ["ciphertext"]
    actions = [forget_handles]
