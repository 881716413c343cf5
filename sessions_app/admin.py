"""The operator's view of conversations: everything can be read, nothing that was said can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from energy.admin import ReadOnly
from sessions_app import throttle_rows, usage
from sessions_app.accounts import deletion
from sessions_app.auth_tokens import service
from sessions_app.csv_export import csv_file, export_as_csv
from sessions_app.gaps import GAP, PLANNED_GAP, UNPLANNED_GAP
from sessions_app.lines import living_workers
from sessions_app.models import (
    AccessKey,
    Conversation,
    EphemeralToken,
    GeminiFile,
    LiveSession,
    Recording,
    RecordingUpload,
    RecordingUsage,
    ResumptionHandle,
    SessionEvent,
    Throttle,
    ToolCall,
    Turn,
    TurnUsage,
    VoiceSample,
    Worker,
)
from sessions_app.usage import UsageTotal, in_dollars

BY_EVENT = {
    *("events__kind", "events__at__gte", "events__at__lte"),
    *(f"events__data__{name}{lookup}" for name in ("reason", "model") for lookup in ("", "__isnull")),
}
"""What sessions can be chosen by of their events."""

TOTALS_SHOWN = 500
"""Days or users on a page; a file holds them all."""


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Django's, but that an account can be deleted while its user talks."""

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        deletion.remove(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for id in list(queryset.values_list("pk", flat=True)):
            deletion.remove(id)


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
    list_filter = ["mode", "status", "started_at", "live_sessions__model"]
    list_select_related = ["user"]
    search_fields = ["id", "user__username", "turns__text"]
    date_hierarchy = "started_at"
    inlines = [TurnInline, EventInline]
    actions = [export_as_csv]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        turns = Turn.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
        count = Subquery(turns.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
        return super().get_queryset(request).annotate(turn_count=Coalesce(count, 0))

    @admin.display(description="turns", ordering="turn_count")
    def turn_count(self, conversation: Conversation) -> int:
        return conversation.turn_count  # type: ignore[attr-defined]


@admin.register(LiveSession)
class LiveSessionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "user", "mode", "model", "owner", "started_at", "ended_at", "end_reason"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "model", "conversation__mode", "started_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["id", "conversation__id", "conversation__user__username"]
    date_hierarchy = "started_at"
    actions = [export_as_csv]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also by an event of theirs, for whoever may see events: those that something hit (`config.line_page`)."""
        if lookup in BY_EVENT:
            return self.admin_site.get_model_admin(SessionEvent).has_view_permission(request)
        return super().lookup_allowed(lookup, value, request)

    @admin.display(ordering="conversation__user__username")
    def user(self, session: LiveSession) -> str:
        return session.conversation.user.get_username()

    @admin.display(ordering="conversation__mode")
    def mode(self, session: LiveSession) -> str:
        return session.conversation.mode


class GapFilter(admin.SimpleListFilter):
    """How long a conversation had no line: events that end a gap."""

    title = "gap"
    parameter_name = "gap"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[SessionEvent]) -> list[tuple[str, str]]:
        return [("any", "Ends a gap"), ("planned", "Ends a planned one"), ("unplanned", "Ends an unplanned one")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SessionEvent]) -> QuerySet[SessionEvent]:
        chosen = {"any": GAP, "planned": PLANNED_GAP, "unplanned": UNPLANNED_GAP}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(SessionEvent)
class SessionEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "kind", "conversation_id", "user", "data"]
    ordering = ["-at", "-id"]
    list_filter = ["kind", GapFilter, "conversation__mode", "at"]
    list_select_related = ["conversation__user"]
    search_fields = ["kind", "conversation__id", "conversation__user__username"]
    date_hierarchy = "at"
    actions = [export_as_csv]

    @admin.display(ordering="conversation__user__username")
    def user(self, event: SessionEvent) -> str:
        return event.conversation.user.get_username()


class HeartbeatFilter(admin.SimpleListFilter):
    """Whether a worker lives, by the clock of the database."""

    title = "heartbeat"
    parameter_name = "heartbeat"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Worker]) -> list[tuple[str, str]]:
        return [("heard", "Heard just now"), ("missed", "Missed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Worker]) -> QuerySet[Worker]:
        living = living_workers().values("pk")
        match self.value():
            case "heard":
                return queryset.filter(pk__in=living)
            case "missed":
                return queryset.exclude(pk__in=living)
        return queryset


@admin.register(Worker)
class WorkerAdmin(ReadOnly, admin.ModelAdmin):
    """Web processes. A row goes with its worker, or when cleanups have missed its heartbeat: not by hand."""

    list_display = ["name", "started_at", "seen_at", "leaving_at", "missed_at"]
    list_filter = [HeartbeatFilter, ("leaving_at", admin.EmptyFieldListFilter), "started_at"]
    search_fields = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Worker | None = None) -> bool:
        return False


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
    actions = [forget_handles, export_as_csv]


@admin.action(description="Forget the selected, who may try again at once", permissions=["delete"])
def forget_throttles(model_admin: admin.ModelAdmin, request: HttpRequest, throttles: QuerySet[Throttle]) -> None:
    model_admin.message_user(request, f"{throttle_rows.forget(throttles)} counts were forgotten.")


@admin.register(Throttle)
class ThrottleAdmin(ReadOnly, admin.ModelAdmin):
    """Who tries something often, and who has to wait. A name without an account is a row without a user."""

    list_display = [
        "kind",
        "scope",
        "user",
        "address",
        "tries",
        "closed_until",
        "total",
        "first_at",
        "last_at",
        "over_at",
    ]
    list_filter = ["kind", "scope", ("closed_until", admin.EmptyFieldListFilter), "last_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "address"]
    exclude = ["digest"]
    actions = [forget_throttles]


@admin.register(VoiceSample)
class VoiceSampleAdmin(ReadOnly, admin.ModelAdmin):
    """Voices that users can listen to. One that is deleted is recorded anew when it is asked for."""

    list_display = ["voice", "model", "made_at"]
    list_filter = ["model"]
    search_fields = ["voice"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoiceSample]:
        return super().get_queryset(request).defer("sound")


@admin.register(Recording)
class RecordingAdmin(ReadOnly, admin.ModelAdmin):
    """What users have uploaded. One that is deleted goes from every conversation, and its file goes with it."""

    list_display = ["name", "user", "media_type", "size_bytes", "duration_ms", "attached", "is_kept", "created_at"]
    list_filter = ["media_type", "is_cut", "is_kept", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "name", "sha256"]
    exclude = ["peaks", "file"]
    actions = [export_as_csv]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        return super().get_queryset(request).defer("peaks").annotate(attached_count=Count("attachments"))

    @admin.display(description="conversations", ordering="attached_count")
    def attached(self, recording: Recording) -> int:
        count: int = getattr(recording, "attached_count", 0)
        return count


@admin.register(RecordingUpload)
class RecordingUploadAdmin(ReadOnly, admin.ModelAdmin):
    """Files on their way here, and for a day what became of them. One that is deleted is cancelled."""

    list_display = ["name", "user", "state", "received_bytes", "size_bytes", "refusal", "touched_at"]
    list_filter = ["state", "touched_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "name"]


@admin.register(GeminiFile)
class GeminiFileAdmin(ReadOnly, admin.ModelAdmin):
    """Copies of recordings at the provider. A row that is deleted leaves its file there until it expires."""

    list_display = [
        *("sha256", "state", "reason", "media_type", "size_bytes", "sent_bytes", "uploads"),
        *("uploaded_at", "expires_at", "used_at", "claimed_until", "project"),
    ]
    list_filter = ["state", "media_type", "uploaded_at", "project"]
    search_fields = ["sha256", "name"]
    actions = [export_as_csv]


@admin.register(AccessKey)
class AccessKeyAdmin(ReadOnly, admin.ModelAdmin):
    """Keys of users' programs. Whoever deletes one revokes it."""

    list_display = ["name", "user", "use", "hint", "made_at", "last_used_at"]
    list_filter = ["use", ("last_used_at", admin.EmptyFieldListFilter), "made_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "name", "hint"]
    exclude = ["digest", "password_trace"]
    actions = [export_as_csv]


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnly, admin.ModelAdmin):
    """What users' programs have asked for by MCP. Nothing of what they asked or were told is kept here."""

    list_display = ["at", "user", "access_key", "key_name", "transport", "tool", "outcome", "duration_ms"]
    list_filter = ["outcome", "tool", "transport", "at"]
    list_select_related = ["user", "access_key"]
    search_fields = ["user__username", "key_name"]
    date_hierarchy = "at"
    actions = [export_as_csv]


@admin.action(description="Forget the selected tokens", permissions=["delete"])
def forget_tokens(model_admin: admin.ModelAdmin, request: HttpRequest, tokens: QuerySet[EphemeralToken]) -> None:
    """They count until they expire: the provider takes none back."""
    model_admin.message_user(request, f"{service.forget(tokens)} tokens were forgotten, and count until they expire.")


@admin.register(EphemeralToken)
class EphemeralTokenAdmin(ReadOnly, admin.ModelAdmin):
    """Who had which token, and until when it counts. The tokens themselves are kept nowhere."""

    list_display = [
        "name",
        "user",
        "access_key",
        "model",
        "uses",
        "made_at",
        "new_session_expire_time",
        "expire_time",
        "forgotten_at",
    ]
    list_filter = ["model", ("forgotten_at", admin.EmptyFieldListFilter), "made_at"]
    list_select_related = ["user", "access_key"]
    search_fields = ["user__username", "name"]
    date_hierarchy = "made_at"
    actions = [forget_tokens, export_as_csv]


TOTAL_COLUMNS = (
    "turns",
    "tokens in",
    "text in",
    "audio in",
    "of tools in",
    "cached in",
    "tokens out",
    "text out",
    "audio out",
    "cost, USD",
)


def _total_cells(total: UsageTotal) -> tuple[object, ...]:
    return (
        total.turns,
        total.input_tokens,
        total.input_text_tokens,
        total.input_audio_tokens,
        total.input_tool_use_tokens,
        total.input_cached_tokens,
        total.output_tokens,
        total.output_text_tokens,
        total.output_audio_tokens,
        _usd(total.cost_micro_usd),
    )


def _usd(cost_micro_usd: int) -> str:
    """To the millionth, for a column."""
    return f"{cost_micro_usd / 1_000_000:.6f}"


@admin.register(RecordingUsage)
class RecordingUsageAdmin(ReadOnly, admin.ModelAdmin):
    """Tokens and cost of what was asked to write recordings down."""

    list_display = [
        *("at", "user", "model", "cost_usd", "input_tokens", "input_audio_tokens", "output_tokens", "recording_id"),
    ]
    list_filter = ["at", "model"]
    list_select_related = ["user"]
    search_fields = ["user__username", "recording__id"]
    search_help_text = "Name of a user, or id of a recording"
    date_hierarchy = "at"
    actions = [export_as_csv]

    @admin.display(description="cost, USD", ordering="cost_micro_usd")
    def cost_usd(self, row: RecordingUsage) -> str:
        return _usd(row.cost_micro_usd)


GROUPINGS: dict[str, Callable[[QuerySet[TurnUsage]], Sequence[tuple[Any, UsageTotal]]]] = {
    "day": usage.totals_per_day,
    "user": usage.totals_per_user,
}


@admin.register(TurnUsage)
class TurnUsageAdmin(ReadOnly, admin.ModelAdmin):
    """Tokens and cost of every turn; the same filters count for the totals and for those of each day and user."""

    list_display = [
        "at",
        "user",
        "mode",
        "model",
        "turn",
        "cost_usd",
        "input_tokens",
        "input_text_tokens",
        "input_audio_tokens",
        "input_tool_use_tokens",
        "input_cached_tokens",
        "output_tokens",
        "output_text_tokens",
        "output_audio_tokens",
        "conversation_id",
    ]
    list_filter = ["at", "conversation__mode", "model"]
    list_select_related = ["conversation__user"]
    search_fields = ["conversation__user__username", "conversation__id"]
    search_help_text = "Name of a user, or id of a conversation"
    date_hierarchy = "at"
    actions = [export_as_csv]

    @admin.display(ordering="conversation__user__username")
    def user(self, row: TurnUsage) -> str:
        return row.conversation.user.get_username()

    @admin.display(ordering="conversation__mode")
    def mode(self, row: TurnUsage) -> str:
        return row.conversation.mode

    @admin.display(description="cost, USD", ordering="cost_micro_usd")
    def cost_usd(self, row: TurnUsage) -> str:
        return _usd(row.cost_micro_usd)

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        pages = [
            path(f"per-{key}/", guarded(self.totals_page), {"key": key}, name=f"usage-per-{key}") for key in GROUPINGS
        ]
        files = [
            path(f"per-{key}.csv", guarded(self.totals_file), {"key": key}, name=f"usage-per-{key}-file")
            for key in GROUPINGS
        ]
        return [*pages, *files, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and the totals of all that its filters leave."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:  # neither an action nor a way back from filters that make no sense
            total = usage.total(context["cl"].queryset)
            context |= {"total": total, "total_cost": in_dollars(total.cost_micro_usd)}
        return response

    def totals_page(self, request: HttpRequest, key: str) -> HttpResponse:
        """What was used each day, or by each user, of what the filters of the list leave."""
        groups = self._groups(request, key)
        filters = request.GET.urlencode()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Usage per {key}",
            "head": [key, *TOTAL_COLUMNS],
            "lines": [(group, *_total_cells(total)) for group, total in groups[:TOTALS_SHOWN]],
            "left_out": len(groups[TOTALS_SHOWN:]),
            "query": f"?{filters}" if filters else "",
            "file": reverse(f"admin:usage-per-{key}-file"),
        }
        return TemplateResponse(request, "admin/sessions_app/turnusage/totals.html", context)

    def totals_file(self, request: HttpRequest, key: str) -> HttpResponse:
        """The same, whole, as a CSV file."""
        lines = ((group, *_total_cells(total)) for group, total in self._groups(request, key))
        return csv_file(f"usage per {key}", (key, *TOTAL_COLUMNS), lines)

    def _groups(self, request: HttpRequest, key: str) -> Sequence[tuple[Any, UsageTotal]]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return GROUPINGS[key](self.get_changelist_instance(request).queryset)
        except IncorrectLookupParameters:
            raise Http404 from None
