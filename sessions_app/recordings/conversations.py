"""Recordings of conversations, as live sessions and their pages are told of them: attached, and how far each is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from energy.ledger import project_of_the_key
from sessions_app.models import Attachment, GeminiFile, Recording, RecordingWork
from sessions_app.recordings import service
from sessions_app.recordings.google_files import shown_copy
from sessions_app.recordings.google_rules import State
from sessions_app.recordings.google_shown import Copy, Place
from sessions_app.services import NotYours
from sessions_app.stored_words import in_words_lazily

if TYPE_CHECKING:
    from energy.marking import Words

NOT_TAKEN = _("This server takes no recordings.")
UNKNOWN = _("You have no such recording. It was deleted, perhaps.")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotAttached:
    """Why a recording is not part of a conversation. `code`: of an `error` of the browser protocol."""

    recording: uuid.UUID
    code: str
    text: Words


def attach_all(user: User, conversation_id: uuid.UUID, recordings: Iterable[uuid.UUID]) -> list[NotAttached]:
    """Make recordings part of a conversation; gives those that are not. Again is as good as once."""
    refused: list[NotAttached] = []
    for id in recordings:
        if not settings.RECORDINGS:
            refused.append(NotAttached(id, "recordings.off", NOT_TAKEN))
            continue
        try:
            service.attach(user, id, conversation_id)
        except (service.NoSuchRecording, NotYours):
            refused.append(NotAttached(id, "recordings.unknown", UNKNOWN))
        except service.TooManyAttached as error:
            refused.append(NotAttached(id, "recordings.too_many", error.sentence))
    return refused


def facts_of(conversation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Facts]]:
    """What is attached to conversations, in the order in which it was: `recordings` of the browser protocol."""
    found: dict[uuid.UUID, list[Facts]] = {id: [] for id in conversation_ids}
    attachments = (
        Attachment.objects.filter(conversation__in=found)
        .select_related("recording", "recording__work")
        .defer("recording__peaks", "recording__work__segments")
        .order_by("at", "pk")
    )
    listed = list(attachments)
    copies = _copies({each.recording.sha256 for each in listed})
    for each in listed:
        recording = each.recording
        found[each.conversation_id].append(
            {
                "id": str(recording.pk),
                "name": recording.name,
                "duration_ms": recording.duration_ms,
                "tokens": recording.tokens,
                "size_bytes": recording.size_bytes,
                "note": in_words_lazily(recording.note),
                "work": _work(recording),
                "provider": _provider(recording, copies.get(recording.sha256)),
            }
        )
    return found


def is_under_way(facts: Facts) -> bool:
    """Whether more is going to be known of a recording before long."""
    is_worked_at = facts["work"]["state"] in (RecordingWork.State.WAITING, RecordingWork.State.WORKING)
    return is_worked_at or facts["provider"]["state"] in (State.UPLOADING, State.PROCESSING)


def _copies(hashes: set[str]) -> dict[str, GeminiFile]:
    if not hashes:
        return {}
    files = GeminiFile.objects.filter(project=project_of_the_key(), sha256__in=hashes)
    return {file.sha256: file for file in files}


def _work(recording: Recording) -> Facts:
    work: RecordingWork | None = getattr(recording, "work", None)
    if work is None:
        state, told = RecordingWork.State.WAITING, ("", "", "", "")
    else:
        state, told = (
            RecordingWork.State(work.state),
            (in_words_lazily(work.error), work.title, work.summary, work.language),
        )
    facts = dict(zip(("error", "title", "summary", "language"), told, strict=True))
    return {"state": state.value, "done_ms": 0 if work is None else work.done_ms, **facts}


def _provider(recording: Recording, row: GeminiFile | None) -> Facts:
    copy = shown_copy(recording, row)
    expires_at = copy.expires_at if row is not None and row.state == State.ACTIVE else None
    return {
        "state": _state(copy, row),
        "sent_bytes": 0 if row is None or copy.place in _NOTHING else row.sent_bytes,
        "expires_at": None if expires_at is None else expires_at.isoformat(timespec="seconds"),
        "reason": in_words_lazily(copy.reason),
    }


def _state(copy: Copy, row: GeminiFile | None) -> str:
    return row.state if row is not None and copy.place not in _NOTHING else _NOTHING[copy.place]


_NOTHING = {Place.ALONG: "inline", Place.NOWHERE: "none"}
"""Where there is no copy at the provider, by how a question will bring it there."""
