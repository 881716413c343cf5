"""The operator's view of energy: what was found out can be read and forgotten, what is said can be edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from energy import ledger, services
from energy.announcements import announce_from_thread
from energy.models import EnergyChange, EnergyState, LiveSlot, ModelQuota, Notice, Persona

ROWS_PER_PAGE = 50

NO_LINK_HAS = "__range"
"""Django takes any number of values for it, and the database refuses all but two."""


class ReadOnly:
    """Rows are written by the services alone. An address with a filter that is none leads back to the whole list."""

    list_per_page = ROWS_PER_PAGE

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed and not lookup.endswith(NO_LINK_HAS)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Raises `IncorrectLookupParameters` for a year outside the calendar as well, which Django does not."""
        try:
            return super().get_changelist_instance(request)  # type: ignore[misc]
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.action(description="Reset the energy of the selected", permissions=["delete"])
def reset_energy(model_admin: admin.ModelAdmin, request: HttpRequest, states: QuerySet[EnergyState]) -> None:
    """Live sessions hear of it at once; models that are spent stay so in the ledger."""
    changes = services.reset_energy(states)
    all(announce_from_thread(user_id, change) for user_id, change in changes)  # one that fails has taken a second
    model_admin.message_user(request, f"{len(changes)} levels were reset.")


@admin.register(EnergyState)
class EnergyStateAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["user", "mode", "level", "changed_at"]
    list_filter = ["mode", "level"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    actions = [reset_energy]


@admin.register(EnergyChange)
class EnergyChangeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "user", "mode", "previous", "level", "model", "reason", "resets_at", "detail"]
    list_filter = ["mode", "reason", "model", "at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "conversation_id"]
    date_hierarchy = "at"


@admin.action(description="Forget that the selected are spent", permissions=["delete"])
def forget_quota(model_admin: admin.ModelAdmin, request: HttpRequest, quotas: QuerySet[ModelQuota]) -> None:
    """The next session tries them again."""
    model_admin.message_user(request, f"{ledger.forget(quotas)} models are tried again.")


@admin.register(ModelQuota)
class ModelQuotaAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["model", "is_spent", "kind", "spent_since", "resets_at", "restored_at", "refusals", "text"]
    list_filter = ["kind", "project"]
    search_fields = ["model", "text"]
    actions = [forget_quota]

    @admin.display(boolean=True)
    def is_spent(self, quota: ModelQuota) -> bool:
        return quota.state.is_spent


@admin.register(LiveSlot)
class LiveSlotAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["asked_at", "user", "mode", "is_talking", "talks_for", "owner", "seen_at"]
    list_filter = ["mode", "owner"]
    list_select_related = ["user"]
    search_fields = ["user__username", "holder"]

    @admin.display(boolean=True)
    def is_talking(self, slot: LiveSlot) -> bool:
        return slot.granted_at is not None

    @admin.display(description="for")
    def talks_for(self, slot: LiveSlot) -> str:
        return "" if slot.granted_at is None else str(timezone.now() - slot.granted_at).partition(".")[0]


class NoticeInline(admin.TabularInline):
    model = Notice
    fields = ["mode", "level", "occasion", "text"]
    extra = 0


@admin.register(Persona)
class PersonaAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "is_default", "notice_count"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name", "notices__text"]
    inlines = [NoticeInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Persona]:
        return super().get_queryset(request).annotate(notice_count=Count("notices", distinct=True))

    @admin.display(description="notices", ordering="notice_count")
    def notice_count(self, persona: Persona) -> int:
        return persona.notice_count  # type: ignore[attr-defined]
