"""What is kept of conversations, and of who tries something too often.

Rows are written by `services` alone, and by `throttle_rows`.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from energy.levels import Mode
from sessions_app.live.transcript import Role, TurnStatus
from sessions_app.recordings.google_rows import GeminiFile as GeminiFile
from sessions_app.recordings.rows import Attachment as Attachment
from sessions_app.recordings.rows import Recording as Recording
from sessions_app.recordings.rows import RecordingUpload as RecordingUpload
from sessions_app.recordings.usage_rows import RecordingUsage as RecordingUsage
from sessions_app.recordings.work_rows import RecordingWork as RecordingWork
from sessions_app.throttle import Count, Scope
from sessions_app.usage_rows import UsageRow, counts_that_agree
from sessions_app.user_settings.rows import UserSettings as UserSettings  # its rows belong to this app
from sessions_app.voice_samples.rows import VoiceSample as VoiceSample


def _choices(values: type[Mode] | type[Role] | type[TurnStatus]) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class Conversation(models.Model):
    """What a user and the model say to each other, from the first word until it is hung up, cleared or left."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        ENDED = "ended"

    PAGE_LEFT = "page-left"
    """The reason of an end that nobody asked for: the page had been away for too long."""

    ASKED = "asked"
    """The reason of one in which programs ask: it is over for pages from its beginning. See `asked_conversations`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    mode = models.CharField(max_length=4, choices=_choices(Mode))
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    continues = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="continued_by")
    goes_on_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="went_on_in",
        db_constraint=False,  # the version before deletes conversations without looking here
        help_text="The earlier call whose summary this one began with.",
    )
    started_at = models.DateTimeField(default=timezone.now)
    last_activity_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True)
    pinned_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its user has it at the top of the list of chats."
    )

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["user", "-started_at"], name="conversation_of_user"),
            models.Index(fields=["user", "-last_activity_at"], name="conversation_recent"),
            models.Index(fields=["user", "mode", "status"], name="conversation_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=[mode.value for mode in Mode]), name="conversation_mode_known"),
            models.CheckConstraint(
                condition=Q(status="active", ended_at__isnull=True) | Q(status="ended", ended_at__isnull=False),
                name="conversation_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_mode_display()} of {self.started_at:%Y-%m-%d %H:%M}"


class LiveSession(models.Model):
    """One logical session with the provider, for one page life; it may outlive several connections."""

    OWNER_LOST = "owner-lost"
    """The reason for the end of one whose worker did not live to end it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="live_sessions")
    page_id = models.UUIDField()
    model = models.CharField(max_length=100)
    owner = models.CharField(max_length=100, help_text="The worker that held it last.")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["page_id", "-started_at"], name="live_session_of_page"),
            models.Index(fields=["ended_at"], name="live_session_open"),
        ]

    def __str__(self) -> str:
        return f"Live session {self.id}"

    @property
    def was_cut(self) -> bool:
        """Whether its worker has not closed its connection, so that this may still stand for the provider."""
        return self.ended_at is None or self.end_reason == self.OWNER_LOST


class Worker(models.Model):
    """A web process that holds live sessions, or may: one row from its start until it leaves. See `lines`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, help_text="Its machine, and the number of its process there.")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(
        db_default=Now(), help_text="Its heartbeat, once a second, by the clock of the database."
    )
    missed_at = models.DateTimeField(null=True, blank=True, help_text="When a cleanup first missed its heartbeat.")
    leaving_at = models.DateTimeField(null=True, blank=True, help_text="Since when it takes no new sessions.")

    class Meta:
        ordering = ["name", "started_at"]
        indexes = [models.Index(fields=["seen_at"], name="worker_seen")]

    def __str__(self) -> str:
        return self.name


class Line(models.Model):
    """Who holds the live session of a user in a mode: at most one worker, by the number it was given. See `lines`.

    Only who has the present number may be connected to the provider, and write what is said.
    """

    # The constraint below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="lines", db_index=False)
    mode = models.CharField(max_length=4, choices=_choices(Mode))
    fence = models.PositiveBigIntegerField(default=0, help_text="Goes up whenever somebody takes the line.")
    worker = models.ForeignKey(Worker, models.SET_NULL, null=True, blank=True, related_name="lines")
    live_session = models.OneToOneField(LiveSession, models.SET_NULL, null=True, blank=True, related_name="line")
    page_id = models.UUIDField(null=True, blank=True, help_text="The page life that it was taken for.")
    wanted_by = models.UUIDField(null=True, blank=True, help_text="The page life that waits for it elsewhere.")
    hands_on = models.BooleanField(default=False, help_text="It is wanted to go on there with the same conversation.")
    ticket = models.UUIDField(null=True, blank=True, help_text="Of the link that takes it to another device, once.")

    class Meta:
        ordering = ["user", "mode"]
        constraints = [
            models.UniqueConstraint(fields=["user", "mode"], name="line_one_a_mode"),
            models.CheckConstraint(condition=Q(mode__in=[mode.value for mode in Mode]), name="line_mode_known"),
            models.CheckConstraint(
                condition=Q(wanted_by__isnull=False) | Q(hands_on=False), name="line_hands_on_to_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.pk}, number {self.fence}"


class KeptSound(models.Model):
    """Sound of a page life whose live session is closed here: what it has not heard, and what no handle covers of its
    user's. Encrypted; it goes when the page takes it, or is not asked for in time. See `kept_sound`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="kept_sounds", db_index=False)
    mode = models.CharField(max_length=4, choices=_choices(Mode))
    page_id = models.UUIDField()
    ciphertext = models.BinaryField()
    size_bytes = models.PositiveIntegerField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["until"]
        indexes = [models.Index(fields=["until"], name="kept_sound_until")]
        constraints = [
            models.UniqueConstraint(fields=["user", "mode", "page_id"], name="kept_sound_one_a_page"),
            models.CheckConstraint(condition=Q(mode__in=[mode.value for mode in Mode]), name="kept_sound_mode_known"),
        ]

    def __str__(self) -> str:
        return f"Sound of a page, {self.size_bytes} bytes"


class ResumptionHandle(models.Model):
    """What lets a new connection go on with a live session: one for each slot of a page life. Encrypted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="resumption_handles")
    live_session = models.ForeignKey(LiveSession, models.CASCADE, related_name="handles")
    slot = models.CharField(max_length=40, help_text="gdm:text-session-handle or gdm:call-session-handle")
    page_id = models.UUIDField()
    model = models.CharField(max_length=100, help_text="The model that issued it; no other honours it.")
    project = models.CharField(
        max_length=16, blank=True, db_default="", help_text="Stands for the project on Agent Platform; else empty."
    )
    made_with = models.CharField(
        max_length=64, blank=True, db_default="", help_text="What its session was made with, as a digest."
    )
    ciphertext = models.BinaryField()
    acknowledged_number = models.PositiveBigIntegerField(help_text="The first audio frame that it does not cover.")
    covered_turn = models.IntegerField(help_text="The last turn that it covers; -1 when there is none.")
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="When the provider stops honouring it.")

    class Meta:
        ordering = ["-issued_at"]
        indexes = [models.Index(fields=["expires_at"], name="handle_expiry")]
        constraints = [
            models.UniqueConstraint(fields=["user", "page_id", "slot"], name="handle_one_a_slot"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("issued_at")), name="handle_expires_later"),
        ]

    def __str__(self) -> str:
        return f"Handle of {self.live_session_id}"


class Turn(models.Model):
    """What one side said until the other took over, or a line of our own."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField()
    role = models.CharField(max_length=6, choices=_choices(Role))
    text = models.TextField(blank=True)
    status = models.CharField(max_length=11, choices=_choices(TurnStatus))
    page_id = models.UUIDField(null=True, blank=True, help_text="The page life in which it was said.")
    client_id = models.CharField(max_length=64, blank=True, help_text="The page's id of a typed message.")
    code = models.CharField(max_length=40, blank=True, help_text="What a line of our own is about.")
    heard = models.PositiveIntegerField(
        null=True, blank=True, help_text="Characters of a reply that were played, if it was interrupted before its end."
    )
    recordings = models.JSONField(
        null=True, blank=True, help_text="Ids of the recordings that it asks about, or answers about."
    )
    until = models.DateTimeField(null=True, blank=True, help_text="The moment that a line of our own names.")
    replaces = models.PositiveIntegerField(
        null=True, blank=True, help_text="The number of the question in whose place it was asked."
    )
    withdrawn = models.BooleanField(
        default=False, db_default=False, help_text="Another question was asked in the place of this one, or of its own."
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "number"], name="turn_number_unique"),
            models.UniqueConstraint(
                fields=["conversation", "page_id", "client_id"],
                condition=~Q(client_id=""),
                name="turn_delivered_once",
            ),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="turn_role_known"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in TurnStatus]), name="turn_status_known"
            ),
            models.CheckConstraint(
                condition=Q(heard__isnull=True) | Q(role=Role.MODEL.value), name="turn_heard_of_model"
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | Q(role=Role.USER.value, replaces__lt=F("number")),
                name="turn_replaces_an_earlier_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.number}"


class SessionEvent(models.Model):
    """Something that happened to a conversation's connections: connected, go_away, connection_lost, usage, ...

    `data` is that of the kind. Of `connected`: `action`; `outage_ms`, how long was dialled in vain; and where the same
    process had a line before, `gap_ms`, how long there was none, and `cause`, why: see `reasons.GapCause`.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="events")
    live_session = models.ForeignKey(LiveSession, models.CASCADE, null=True, related_name="events")
    kind = models.CharField(max_length=32)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["conversation", "at"], name="event_of_conversation"),
            models.Index(fields=["kind", "at"], name="event_of_kind"),
        ]

    def __str__(self) -> str:
        return self.kind


class BrowserSession(models.Model):
    """A browser in which somebody is logged in: what its session does not tell. It goes with the session.

    Where the browser was is not kept: its name and when it was seen are enough to know it by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="browser_sessions", db_index=False)
    session = models.OneToOneField(Session, models.CASCADE, related_name="browser_session")
    browser = models.CharField(max_length=80, help_text="In the words of people: Firefox on Linux.")
    logged_in_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="To within five minutes.")

    class Meta:
        ordering = ["-seen_at"]
        indexes = [models.Index(fields=["user", "-seen_at"], name="browser_session_of_user")]

    def __str__(self) -> str:
        return self.browser


class TurnUsage(UsageRow):
    """What one reply of the model took in and put out, in tokens, and what that cost.

    A later report of the same connection may show that its counts are to be read otherwise, and restates them.
    """

    # The indexes below begin with these two keys, which need none of their own.
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="usages", db_index=False)
    live_session = models.ForeignKey(LiveSession, models.SET_NULL, null=True, related_name="usages", db_index=False)
    connection = models.PositiveIntegerField(help_text="Which connection of the live session it came by.")
    turn = models.PositiveIntegerField(help_text="The number of the model's turn.")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "counted turn"
        verbose_name_plural = "counted turns"
        indexes = [
            models.Index(fields=["conversation", "at"], name="usage_of_conversation"),
            models.Index(fields=["at"], name="usage_of_day"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["live_session", "connection", "turn"], name="usage_once_a_turn"),
            *counts_that_agree("usage"),
        ]

    def __str__(self) -> str:
        return f"Usage of turn {self.turn}"


class Throttle(models.Model):
    """How often somebody has tried something, and until when they may not: see `throttle`.

    Names that were typed are not stored, only digests of them.
    """

    kind = models.CharField(max_length=20, help_text="What was tried.")
    scope = models.CharField(max_length=7, choices=[(scope.value, scope.value) for scope in Scope])
    digest = models.CharField(max_length=64, help_text="Stands for the address, the account or the device.")
    address = models.CharField(max_length=45, blank=True, help_text="An address, or an IPv6 network.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="throttles",
        help_text="Whose account it is. Names without an account are counted, too.",
    )
    tries = models.PositiveIntegerField(default=0, help_text="Those that are not forgotten, as of the next time.")
    counted_at = models.DateTimeField()
    closed_until = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField("tries in all", default=0)
    first_at = models.DateTimeField("first try")
    last_at = models.DateTimeField("last try")
    over_at = models.DateTimeField(help_text="When all is forgotten, and the row goes.")

    class Meta:
        ordering = ["-last_at"]
        indexes = [models.Index(fields=["over_at"], name="throttle_over")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "scope", "digest"], name="throttle_one_a_subject"),
            models.CheckConstraint(
                condition=Q(scope__in=[scope.value for scope in Scope]), name="throttle_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.scope}"

    @property
    def count(self) -> Count:
        return Count(self.tries, self.counted_at, self.closed_until)


class AccessKey(models.Model):
    """By what a program of a user's own asks in their name: the digest of a random key. See `accounts.access_keys`."""

    class Use(models.TextChoices):
        TOKENS = "tokens", "Get tokens to talk with Gemini"
        MCP = "mcp", "Read and ask, by MCP"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The constraint below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_keys", db_index=False)
    name = models.CharField(max_length=60, help_text="What its user calls it.")
    use = models.CharField(max_length=6, choices=Use, default=Use.TOKENS, db_default="tokens")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=10, help_text="Its beginning, which lets nobody in.")
    password_trace = models.CharField(max_length=64, help_text="Changes with the password, and ends the key.")
    made_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To within five minutes.")

    class Meta:
        ordering = ["-made_at"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="access_key_one_a_name")]

    def __str__(self) -> str:
        return self.name


class ToolCall(models.Model):
    """What a program has asked for in a user's name, by MCP: who, by which key, what, and what came of it. Nothing of
    what was asked or answered. See `tool_calls`."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        REFUSED = "refused"
        """With a sentence: it was asked for wrongly, too often, or cannot be."""
        FAILED = "failed"
        LEFT = "left"
        """Its program went, or took it back."""
        TOO_LONG = "too long"
        RIGHT_ENDED = "right ended"
        """Meanwhile the key was revoked, or the account closed."""

    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tool_calls", db_index=False)
    access_key = models.ForeignKey(
        AccessKey,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="tool_calls",
        db_constraint=False,  # the version before revokes keys without looking here
        help_text="By which it was asked for; none for one that was revoked, or a program that was started without.",
    )
    key_name = models.CharField(max_length=60, blank=True, help_text="What the key was called, also when it is gone.")
    transport = models.CharField(max_length=5, help_text="http or stdio.")
    tool = models.CharField(max_length=40)
    outcome = models.CharField(max_length=11, choices=Outcome, default=Outcome.RUNNING)
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField(null=True, blank=True, help_text="None while it runs, or was cut off.")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "call by MCP"
        verbose_name_plural = "calls by MCP"
        indexes = [
            models.Index(fields=["user", "-at"], name="tool_call_of_user"),
            models.Index(fields=["at"], name="tool_call_at"),
        ]

    def __str__(self) -> str:
        return self.tool


class EphemeralToken(models.Model):
    """A token of the provider that was made for a client of a user's own. The token itself is not kept.

    Until it has a name it was asked for only. See `auth_tokens.service`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ephemeral_tokens", db_index=False)
    access_key = models.ForeignKey(
        AccessKey,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="tokens",
        help_text="By which it was asked for; none for one that was revoked, or a browser.",
    )
    name = models.CharField(max_length=40, blank=True, help_text="Its beginning, which lets nobody in.")
    model = models.CharField(max_length=100)
    asked = models.JSONField(help_text="What it was asked for with, so that it can be renewed.")
    locked = models.JSONField(help_text="What its holder cannot choose besides the model and tools.")
    uses = models.PositiveIntegerField(help_text="New sessions that it may begin; the provider counts them.")
    made_at = models.DateTimeField(default=timezone.now)
    new_session_expire_time = models.DateTimeField(help_text="It begins no session after that.")
    expire_time = models.DateTimeField(help_text="What it has begun ends then.")
    forgotten_at = models.DateTimeField(null=True, blank=True, help_text="Since when nothing renews it.")

    class Meta:
        ordering = ["-made_at"]
        indexes = [
            models.Index(fields=["user", "-made_at"], name="token_of_user"),
            models.Index(fields=["expire_time"], name="token_expiry"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(uses__gte=1), name="token_has_uses"),
            models.CheckConstraint(
                condition=Q(new_session_expire_time__gt=F("made_at"))
                & Q(expire_time__gte=F("new_session_expire_time")),
                name="token_begins_before_it_expires",
            ),
        ]

    def __str__(self) -> str:
        return self.name or "A token that was not made"
