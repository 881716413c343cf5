"""What a live session starts from: the rows of its line, its conversation and its user, in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction

from sessions_app import kept_sound, lines, services
from sessions_app.gateway.wire import NO_CALL
from sessions_app.lines import Hold, Owner
from sessions_app.live.conversation_memory import ConversationMemory
from sessions_app.live.page import Assistant, Opening
from sessions_app.live.parcel import Parcel
from sessions_app.live.transcript import TurnCode
from sessions_app.models import Conversation
from sessions_app.recordings import service
from sessions_app.recordings.conversations import attach_all
from sessions_app.services import SessionRequest
from sessions_app.user_settings.assistants import assistant_of
from sessions_app.user_settings.service import kept_without_persona
from sessions_app.user_settings.terms import NEVER


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """`hold`: by which number its line is held. `parcel`: what was kept for its page. `revision`: which of the user's
    settings the `assistant` is made of. `begins_anew`: the call that it was to go on from cannot be used."""

    opening: Opening
    hold: Hold
    parcel: Parcel
    assistant: Assistant
    revision: int
    begins_anew: bool = False


@transaction.atomic
def open_session(request: SessionRequest, model: str, owner: Owner, memory: ConversationMemory) -> OpenedSession:
    """Take the line of a user and open a live session over it. Raises `services.NotYours`."""
    user, mode, page_id = request.user, request.mode, request.page_id
    chosen = kept_without_persona(user.pk)
    if chosen.settings.new_call == NEVER and request.goes_on_from is not None:
        request = replace(request, goes_on_from=NO_CALL)
    hold = lines.take(user, mode, page_id, owner)
    opening = services.open_session(request, model, owner.name)
    lines.note_session(hold, uuid.UUID(opening.session))
    attach_all(
        user, uuid.UUID(opening.conversation), _recordings(request, opening)
    )  # whoever opens tells which are not
    kept = kept_sound.take(user.pk, mode, page_id)
    parcel = Parcel(owes_flush=opening.owes_flush) if kept is None or request.fresh else kept
    recap = memory.recap(uuid.UUID(opening.conversation))
    # What was answered after the handle is known by its words, and the page may not have been told that it is.
    next_number = max(opening.next_number, parcel.next_up)
    made_with = opening.handle_made_with or _made_with_before_digests()
    opening = replace(opening, recap=recap, next_number=next_number, handle_made_with=made_with)
    assistant = assistant_of(chosen.settings, settings.ASSISTANT_INSTRUCTION, mode)
    begins_anew = not opening.same_page and [turn.code for turn in opening.turns] == [TurnCode.BEGINS_ANEW]
    return OpenedSession(opening, hold, parcel, assistant, chosen.revision, begins_anew)


def _recordings(request: SessionRequest, opening: Opening) -> list[uuid.UUID]:
    """What is to be attached from the beginning, behind that of the conversation that this one goes on from."""
    if opening.same_page or (request.continues is None and request.goes_on_from is None):
        return list(request.recordings)
    conversation = Conversation.objects.get(pk=opening.conversation)
    earlier = conversation.continues_id or conversation.goes_on_from_id
    known = [] if earlier is None else service.attached_to(earlier)
    return [*(each.pk for each in known), *request.recordings]


def _made_with_before_digests() -> str:
    """Of the handles that the version without users' settings keeps: everybody's sessions were the operator's then."""
    return Assistant(settings.ASSISTANT_INSTRUCTION, settings.ASSISTANT_VOICE).made_with
