"""Recordings at the provider: how one gets into a request, and who looks after what was uploaded for that.

The only writer of `GeminiFile`. The provider forgets a file after 48 hours, or sooner; the original is here, so it is
uploaded again when somebody asks about it, and nobody has to know. Whoever uploads, looks or deletes has claimed the
row for a while, by the clock of the database; each write is conditional on the claim, and what a dead process had in
hand is free when its claim has run out.
"""

from __future__ import annotations

import datetime
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy

from energy.ledger import project_of_the_key
from sessions_app.live.providers.files import (
    FileGone,
    FilesError,
    FileState,
    GeminiFiles,
    RemoteFile,
    StorageFull,
)
from sessions_app.live.providers.sound_parts import SoundPart, UploadedSound
from sessions_app.live.storable import storable
from sessions_app.models import GeminiFile, Recording
from sessions_app.recordings import google_rules as rules
from sessions_app.recordings import service
from sessions_app.recordings.google_rules import Known, State, Step
from sessions_app.recordings.google_shown import Copy, copy_shown

logger = logging.getLogger(__name__)

CLAIM_VALID = datetime.timedelta(minutes=2)
"""Longer than any one step of HTTP; renewed while bytes go out, and between looks."""

RENEW_EVERY_S = 10.0
PATIENCE_S = 300.0
"""How long whoever asks waits for a file: to be uploaded, and to be processed."""

TRIES_AT_MOST = 5
"""Of whoever asks for a file, also where each gets on: one that was lost, and lost again, needs three."""

LOOK_EVERY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
AT_ONCE = 100
"""Rows that one run of a cleanup takes up; the next one takes the others."""

FORGOTTEN_AFTER = datetime.timedelta(days=1)
_FREE: dict[str, Any] = {"claim": None, "claimed_until": None}


NO_KEY = "no API key is set, and the Files API is of the Developer API alone"


class NotThere(Exception):
    """The provider cannot be given a recording. The text is a sentence for people.

    `may_work_later`: whether another try may go better. `retry_after_s`: when the provider asks to be asked again.
    """

    def __init__(self, reason: str, may_work_later: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.may_work_later, self.retry_after_s = reason, may_work_later, retry_after_s


class _ClaimLost(Exception):
    """Somebody else is at the row."""


class AudioFileService:
    """Blocks: for the database, for the provider. Several threads and processes may do the same at the same time."""

    def __init__(self, api: GeminiFiles, project: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api, self._project, self._sleep = api, project, sleep

    # -- for whoever asks a model ------------------------------------------------------------------------------------

    def part_for(self, recording: Recording, patience_s: float = PATIENCE_S, *, may_go_along: bool = True) -> SoundPart:
        """How a recording gets into a request: its bytes where they are few and may go along, else a file that the
        provider has.

        Uploads it, again if need be, and waits for that, also for an upload by somebody else. Raises `NotThere`, and
        OSError where the storage has lost the recording, or where it was deleted meanwhile.
        """
        if may_go_along and recording.size_bytes <= rules.INLINE_BYTES:
            return service.inline(recording)
        row = self._row_of(recording)
        until, looks, tries = time.monotonic() + patience_s, 0, 0
        while True:
            step = rules.next_step(_known(row), timezone.now())
            if step is Step.USE:
                self._refuse_deleted(recording)
                self._rows(row).update(used_at=timezone.now())
                return UploadedSound(row.uri, row.media_type)
            if step is Step.GIVE_UP:
                raise NotThere(row.reason or "the provider could not process this recording", may_work_later=False)
            if step is not Step.WAIT and tries == TRIES_AT_MOST:
                raise NotThere("the provider was given this recording, and it does not stay there")
            if step is not Step.WAIT and self._advance(row, recording):
                tries += 1
            else:
                if time.monotonic() > until:
                    raise NotThere("the provider is still being given this recording")
                self._sleep(LOOK_EVERY_S[min(looks, len(LOOK_EVERY_S) - 1)])
                looks += 1
            row.refresh_from_db()

    def lost(self, part: SoundPart) -> None:
        """The provider says that it does not have this file (403) or that it is of no use: the next `part_for` uploads
        it again. One that somebody else has renewed meanwhile stays as it is."""
        if isinstance(part, UploadedSound):
            files = GeminiFile.objects.filter(project=self._project, uri=part.uri, state=State.ACTIVE)
            files.update(state=State.DELETED, changed_at=timezone.now(), name="", uri="", expires_at=None)

    # -- for whoever looks after them --------------------------------------------------------------------------------

    def renew_due(self, dry_run: bool = False) -> int:
        """Upload anew what was asked about lately and has less than two hours left; gives the number."""
        now = timezone.now()
        held = GeminiFile.objects.filter(project=self._project, state=State.ACTIVE, expires_at__isnull=False)
        soon = held.filter(expires_at__lt=now + rules.RENEW_BEFORE).order_by("expires_at")
        due = [
            row
            for row in soon[:AT_ONCE]
            if row.expires_at is not None and rules.is_due_for_renewal(row.expires_at, row.used_at, now)
        ]
        return len(due) if dry_run else sum(map(self._renew, due))

    def delete_at_google(self, sha256: str) -> bool:
        """Have the copy of some content deleted, once no recording of anybody has that; whether none is left.

        One that cannot be deleted now is taken up by `purge`.
        """
        row = GeminiFile.objects.filter(project=self._project, sha256=sha256).exclude(state=State.DELETED).first()
        if row is None:
            return True
        return self._delete(_unwanted(GeminiFile.objects.filter(pk=row.pk)), row)

    def let_go(self, sha256: str) -> bool:
        """Have the copy of some content deleted before its time, whoever has that content; whether none is left.

        Not where somebody is uploading it just now, or the provider does not answer. Whoever asks about it next has it
        uploaded again.
        """
        row = GeminiFile.objects.filter(project=self._project, sha256=sha256).exclude(state=State.DELETED).first()
        return row is None or self._delete(self._rows(row), row)

    def purge(self, dry_run: bool = False) -> int:
        """Note which files have expired, delete at the provider what no recording has any more, and forget rows that
        say nothing; gives how many files are gone."""
        now = timezone.now()
        nobodys = GeminiFile.objects.filter(_is_free())
        expired = nobodys.filter(expires_at__lte=now).exclude(state=State.DELETED)
        kept = GeminiFile.objects.filter(project=self._project).exclude(state=State.DELETED)
        unwanted = _unwanted(kept.filter(_is_free()).exclude(pk__in=expired.values("pk"))).order_by("changed_at")
        if dry_run:
            return expired.count() + unwanted.count()
        count = expired.update(state=State.DELETED, changed_at=now, name="", uri="", expires_at=None)
        count += sum(self._delete(_unwanted(GeminiFile.objects.filter(pk=row.pk)), row) for row in unwanted[:AT_ONCE])
        says_nothing = Q(state=State.DELETED) | Q(expires_at=None)
        _unwanted(nobodys.filter(says_nothing, changed_at__lt=now - FORGOTTEN_AFTER)).delete()
        return count

    # -- inside ------------------------------------------------------------------------------------------------------

    def _row_of(self, recording: Recording) -> GeminiFile:
        row, _ = GeminiFile.objects.get_or_create(
            project=self._project,
            sha256=recording.sha256,
            defaults={"media_type": recording.media_type, "size_bytes": recording.size_bytes},
        )
        return row

    def _refuse_deleted(self, recording: Recording) -> None:
        """Whoever deleted it found its copy claimed, and could not have that deleted as well. Raises OSError."""
        if not Recording.objects.filter(pk=recording.pk).exists():
            self.delete_at_google(recording.sha256)
            raise FileNotFoundError(f"recording {recording.pk} was deleted on its way to the provider")

    def _rows(self, row: GeminiFile) -> QuerySet[GeminiFile]:
        return GeminiFile.objects.filter(pk=row.pk)

    def _advance(self, row: GeminiFile, recording: Recording) -> bool:
        """Upload a file, or look what has become of it; whether anything came of that. Raises `NotThere`."""
        held = _Held.take(self._rows(row))
        if held is None:
            return False
        try:
            fresh = held.rows.get()
            step = rules.next_step(replace(_known(fresh), is_claimed=False), timezone.now())
            if step is Step.UPLOAD:
                self._upload(held, fresh, recording)
            elif step is Step.LOOK:
                self._await_active(held, self._api.get(fresh.name), fresh)
            return True
        except FileGone:
            held.rows.update(state=State.DELETED, changed_at=timezone.now(), name="", uri="", expires_at=None)
            return True
        except FilesError as error:
            held.rows.update(reason=_told(error.reason))
            raise NotThere(error.reason, error.may_work_later, error.retry_after_s) from error
        except (_ClaimLost, GeminiFile.DoesNotExist):
            return False
        finally:
            held.rows.update(**_FREE)

    def _renew(self, row: GeminiFile) -> bool:
        """While it is uploaded anew, others use the file that is there."""
        recording = Recording.objects.filter(sha256=row.sha256).first()
        held = _Held.take(self._rows(row).filter(expires_at=row.expires_at)) if recording is not None else None
        if recording is None or held is None:
            return False
        try:
            self._upload(held, row, recording)
            return True
        except (FilesError, OSError, NotThere, _ClaimLost) as error:
            logger.warning("a file at the provider was not renewed: %s", error)
            return False
        finally:
            held.rows.update(**_FREE)

    def _upload(self, held: _Held, row: GeminiFile, recording: Recording) -> None:
        """Raises `FilesError`, `NotThere`, OSError, `_ClaimLost`."""
        self._make_room(row)
        before = row.name
        is_there = row.state == State.ACTIVE
        held.write(**({} if is_there else {"state": State.UPLOADING, "changed_at": timezone.now()}), sent_bytes=0)
        try:
            with service.open_sound(recording) as sound:
                file = self._api.upload(sound, recording.size_bytes, recording.media_type, held.sent)
        except StorageFull:
            self._make_room(row, is_full=True)
            raise
        if file.sha256 and file.sha256 != recording.sha256:
            self._drop(file.name)
            raise FilesError("what came to the provider is not what was sent")
        try:
            held.write(uploads=F("uploads") + 1)
            self._await_active(held, file, row)
        except _ClaimLost:
            self._drop(file.name)
            raise
        if before and before != file.name:
            self._drop(before)

    def _await_active(self, held: _Held, file: RemoteFile, row: GeminiFile) -> None:
        """Until the file may be used. Raises `NotThere` where it has failed, or is not ready in time."""
        is_there = row.state == State.ACTIVE
        until, looks = time.monotonic() + PATIENCE_S, 0
        if not is_there and row.state != State.PROCESSING:
            held.write(state=State.PROCESSING, changed_at=timezone.now(), reason="", **_facts(file))
        while file.state is FileState.PROCESSING:
            if time.monotonic() > until:
                raise NotThere("the provider has not processed this recording yet")
            self._sleep(LOOK_EVERY_S[min(looks, len(LOOK_EVERY_S) - 1)])
            looks += 1
            held.write()
            file = self._api.get(file.name)
        if file.state is FileState.FAILED:
            reason = f"the provider could not process this recording: {file.reason or 'it does not say why'}"
            gone = {"state": State.FAILED, "changed_at": timezone.now(), "name": "", "uri": "", "expires_at": None}
            held.write(reason=_told(reason), **({} if is_there else gone))
            self._drop(file.name)
            raise NotThere(reason, may_work_later=False)
        now = timezone.now()
        held.write(state=State.ACTIVE, changed_at=now, reason="", **_facts(file))
        held.rows.filter(Q(used_at=None)).update(used_at=now)

    def _make_room(self, row: GeminiFile, is_full: bool = False) -> None:
        """Before the project has more than it may, or when the provider says that it has: the oldest unused go."""
        others = GeminiFile.objects.filter(project=self._project, state__in=(State.ACTIVE, State.PROCESSING))
        held = {str(other.pk): other for other in others.exclude(pk=row.pk) if other.claim is None and other.name}
        listed = [(key, file.size_bytes, file.used_at or file.changed_at) for key, file in held.items()]
        stored = sum(size for _, size, _ in listed)
        limit = stored if is_full else rules.PROJECT_BYTES
        going = rules.who_goes(listed, row.size_bytes, limit)
        if going:
            logger.warning(
                "recordings take %.1f GB of 20 at the provider: %d that nobody asked about for longest go",
                stored / 1e9,
                len(going),
            )
        for key in going:
            self._delete(self._rows(held[key]), held[key])

    def _delete(self, rows: QuerySet[GeminiFile], row: GeminiFile) -> bool:
        """Delete a file at the provider, if it is still among `rows` and nobody is at it; whether it is gone."""
        held = _Held.take(rows)
        if held is None:
            return False
        try:
            if row.name:
                self._api.delete(row.name)
            now = timezone.now()
            held.rows.update(state=State.DELETED, changed_at=now, name="", uri="", expires_at=None, **_FREE)
            return True
        except FilesError as error:
            logger.warning("a file at the provider was not deleted, and will be tried again: %s", error)
            held.rows.update(**_FREE)
            return False

    def _drop(self, name: str) -> None:
        """Delete what no row names. What stays in spite of that ends after 48 hours."""
        try:
            self._api.delete(name)
        except FilesError as error:
            logger.warning("%s stays at the provider until it expires: %s", name, error)


class _Held:
    """A claimed row; every write is conditional on the claim, and renews it."""

    def __init__(self, pk: int, number: uuid.UUID) -> None:
        self._pk, self._number = pk, number
        self._renewed_s = time.monotonic()

    @staticmethod
    def take(rows: QuerySet[GeminiFile]) -> _Held | None:
        """Claim the one row of these, if it is there and free."""
        pk = rows.values_list("pk", flat=True).first()
        if pk is None:
            return None
        number = uuid.uuid4()
        with transaction.atomic():
            taken = rows.filter(_is_free()).update(claim=number, claimed_until=Now() + CLAIM_VALID)
        return _Held(pk, number) if taken else None

    @property
    def rows(self) -> QuerySet[GeminiFile]:
        return GeminiFile.objects.filter(pk=self._pk, claim=self._number)

    def write(self, **fields: Any) -> None:
        """Raises `_ClaimLost`."""
        if not self.rows.update(claimed_until=Now() + CLAIM_VALID, **fields):
            raise _ClaimLost
        self._renewed_s = time.monotonic()

    def sent(self, sent_bytes: int) -> None:
        """Raises `_ClaimLost`, which ends the upload."""
        if time.monotonic() - self._renewed_s >= RENEW_EVERY_S:
            self.write(sent_bytes=sent_bytes)


def copy_of(recording: Recording) -> GeminiFile | None:
    """What this server's project has of a recording at the provider, or had: `state`, `sent_bytes`, `expires_at`."""
    return GeminiFile.objects.filter(project=project_of_the_key(), sha256=recording.sha256).first()


def shown_copy(recording: Recording, row: GeminiFile | None) -> Copy:
    """The same as it is told to people; `row`: what `copy_of` has found."""
    now = timezone.now()
    if row is None:
        return copy_shown(recording.size_bytes, None, now)
    return copy_shown(recording.size_bytes, _known(row), now, row.sent_bytes, row.reason)


NOT_LET_GO = gettext_lazy(
    "The copy at Google could not be deleted just now: it is being uploaded, or Google does not answer. Try again."
)


def let_go_at_google(recording: Recording) -> bool:
    """Have a recording's copy at the provider deleted before its time; False where that cannot be just now."""
    if copy_of(recording) is None:
        return True
    try:
        return audio_files().let_go(recording.sha256)
    except NotThere:
        return False


def stored_bytes() -> int:
    """What the files of this server's project take up at the provider, as far as is known here."""
    held = GeminiFile.objects.filter(project=project_of_the_key(), state__in=(State.ACTIVE, State.PROCESSING))
    total: int = held.aggregate(total=Coalesce(Sum("size_bytes"), 0))["total"]
    return total


@cache
def audio_files() -> AudioFileService:
    """By the settings' key. Raises `NotThere` without one."""
    if not settings.GEMINI_API_KEY:
        raise NotThere(NO_KEY, may_work_later=False)
    return AudioFileService(GeminiFiles(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION), project_of_the_key())


def _known(row: GeminiFile) -> Known:
    is_claimed = row.claimed_until is not None and row.claimed_until > timezone.now()
    return Known(State(row.state), row.changed_at, row.expires_at, is_claimed)


def _is_free() -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=Now())


def _unwanted(rows: QuerySet[GeminiFile]) -> QuerySet[GeminiFile]:
    """Those whose content is that of no recording."""
    return rows.filter(~Exists(Recording.objects.filter(sha256=OuterRef("sha256"))))


def _facts(file: RemoteFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "uri": file.uri,
        "expires_at": file.expires_at,
        "uploaded_at": timezone.now(),
        "sent_bytes": F("size_bytes"),
    }


def _told(reason: str) -> str:
    return storable(reason)[:300]
