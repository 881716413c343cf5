"""The only writers of conversations: plain synchronous functions, each one transaction."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from energy import ledger
from energy.levels import Mode, UnknownModel, profile_of
from energy.marking import gettext_noop as _
from energy.places import place_of
from sessions_app import secrets
from sessions_app.chains import chain_of, chain_of_id
from sessions_app.live.explanations import explanation_of
from sessions_app.live.page import Opening
from sessions_app.live.storable import storable
from sessions_app.live.transcript import Role, TurnCode, TurnStatus
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.live.unfinished import left_unanswered
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn
from sessions_app.stored_turns import load_past, spoken_turn


class NotYours(Exception):
    """The conversation does not exist, or belongs to somebody else; a stranger is not told which."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a page asks for: see `start` in the browser protocol. `slot` is the mode's storage key for handles.
    `goes_on_from`: the earlier call that a new one is to begin with. `recordings`: to be attached first.
    `opens`: the text chat to go on in."""

    user: User
    mode: Mode
    slot: str
    page_id: uuid.UUID
    continues: uuid.UUID | None = None
    fresh: bool = False
    goes_on_from: uuid.UUID | None = None
    recordings: tuple[uuid.UUID, ...] = ()
    opens: uuid.UUID | None = None


GOES_ON_TEXT = _("This call goes on from an earlier one.")
"""No word of that is in it: they go with that call, when it is deleted."""

BEGINS_ANEW_TEXT = _("The earlier call that this one was to go on from cannot be used, so it begins without it.")


def get_conversation_for(user: User, id: uuid.UUID) -> Conversation:
    """The one way to a conversation. Raises `NotYours`."""
    try:
        return Conversation.objects.get(pk=id, user=user)
    except Conversation.DoesNotExist:
        raise NotYours from None


def get_chat_for(user: User, id: uuid.UUID) -> Conversation:
    """A text chat that goes on in pages. Raises `NotYours`, also for a call and for what only programs go on in."""
    chat = get_conversation_for(user, id)
    if chat.mode != Mode.TEXT or chat.end_reason == Conversation.ASKED:
        raise NotYours
    return chat


@transaction.atomic
def open_session(request: SessionRequest, model: str, owner: str) -> Opening:
    """Open a live session for a page: in the conversation it had before, in the one to go on with, or in a new one.

    Raises `NotYours` when the conversation to continue, or to go on in, is not the user's.
    """
    previous = None if request.fresh else _previous_session(request)
    if previous is not None:
        conversation, same_page = previous.conversation, True
        _take_up_again(conversation)
    else:
        conversation, same_page = _conversation_for(request), False
    session = LiveSession.objects.create(conversation=conversation, page_id=request.page_id, model=model, owner=owner)
    handle = _handle_for(request) if same_page else None
    plain = secrets.decrypt(handle.ciphertext) if handle is not None else None
    past, earlier = load_past(conversation, request.page_id)
    turns = _end_broken_off(conversation, past)
    if not same_page:
        turns += _say_what_is_left_unanswered(conversation, request.page_id, turns)
    opening = Opening(
        str(conversation.pk),
        str(session.pk),
        turns,
        earlier,
        same_page=same_page,
        begins_at=_first_own_number(conversation),
        owes_flush=previous is not None and previous.was_cut and not _ends_with_whole_reply(turns),
    )
    if handle is None or plain is None:
        return opening
    return replace(
        opening,
        handle=plain,
        handle_model=handle.model,
        handle_made_with=handle.made_with,
        handle_was_cut=handle.live_session.was_cut,
        covered_turn=handle.covered_turn,
        next_number=handle.acknowledged_number,
    )


def _first_own_number(conversation: Conversation) -> int:
    """The number from which on turns are this conversation's own, and none of those that it continues."""
    if conversation.continues_id is None:
        return 0
    earlier = Turn.objects.filter(conversation__in=chain_of_id(conversation.continues_id))
    last = earlier.aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


def _ends_with_whole_reply(turns: tuple[SpokenTurn, ...]) -> bool:
    said = [turn for turn in turns if turn.role is not Role.SYSTEM]
    return bool(said) and said[-1].role is Role.MODEL and said[-1].status is TurnStatus.COMPLETE


def turns_since(chain: list[uuid.UUID], number: int) -> tuple[SpokenTurn, ...]:
    """The turns of a chain of conversations (see `chains`) with a higher number than this, oldest first."""
    turns = Turn.objects.filter(conversation__in=chain, number__gt=number)
    return tuple(spoken_turn(turn, None) for turn in turns.order_by("number"))


def own_turns_of(conversation: Conversation) -> tuple[SpokenTurn, ...]:
    """The turns of a conversation without those it continues, oldest first."""
    return tuple(spoken_turn(turn, None) for turn in conversation.turns.order_by("number"))


@transaction.atomic
def save_turns(conversation_id: str, page_id: uuid.UUID, turns: tuple[SpokenTurn, ...]) -> None:
    """Store turns as they stand now; a later call replaces an earlier one."""
    rows = [
        Turn(
            conversation_id=conversation_id,
            number=turn.number,
            role=turn.role,
            text=storable(turn.text),
            status=turn.status,
            page_id=page_id,
            client_id=turn.id,
            code=turn.code,
            heard=turn.heard,
            recordings=list(turn.recordings) or None,
            until=None if turn.until_ms is None else _moment(turn.until_ms),
            replaces=turn.replaces,
            withdrawn=turn.withdrawn,
            at=_moment(turn.at_ms),
        )
        for turn in turns
    ]
    Turn.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["conversation", "number"],
        update_fields=["text", "status", "code", "heard", "recordings", "withdrawn"],
    )
    Conversation.objects.filter(pk=conversation_id).update(last_activity_at=timezone.now())


def end_broken_off(turns: QuerySet[Turn]) -> None:
    """Of these turns, end those that their process did not live to end: replies are cut off, words stand as heard.

    A reply that the handle of its page covers was only still played: all of it had come, and it is whole.
    """
    covering = ResumptionHandle.objects.filter(
        live_session__conversation=OuterRef("conversation"),
        page_id=OuterRef("page_id"),
        covered_turn__gte=OuterRef("number"),
    )
    partial = turns.filter(status=TurnStatus.PARTIAL)
    partial.filter(~Exists(covering), role=Role.MODEL).update(status=TurnStatus.INTERRUPTED)
    partial.update(status=TurnStatus.COMPLETE)


def save_handle(
    request: SessionRequest,
    session_id: str,
    handle: str,
    model: str,
    made_with: str,
    acknowledged_number: int,
    covered_turn: int,
) -> None:
    """Keep the newest handle of the page life's slot. `made_with`: what its session was made with, as a digest."""
    now = timezone.now()
    row = ResumptionHandle(
        user=request.user,
        page_id=request.page_id,
        slot=request.slot,
        live_session_id=uuid.UUID(session_id),
        model=model,
        project=project_of_handles(model),
        made_with=made_with,
        ciphertext=secrets.encrypt(handle),
        acknowledged_number=acknowledged_number,
        covered_turn=covered_turn,
        issued_at=now,
        expires_at=now + _handle_validity(model),
    )
    slot = ("user", "page_id", "slot")
    replaced = (
        *("live_session", "model", "project", "made_with", "ciphertext"),
        *("acknowledged_number", "covered_turn", "issued_at", "expires_at"),
    )
    ResumptionHandle.objects.bulk_create([row], update_conflicts=True, unique_fields=slot, update_fields=replaced)


def forget_handle(request: SessionRequest) -> None:
    """Drop the handle of the page life's slot for good."""
    ResumptionHandle.objects.filter(user=request.user, page_id=request.page_id, slot=request.slot).delete()


def forget_handles_of(user: User, mode: Mode) -> int:
    """Drop the handles of a user's pages in this mode; gives how many there were."""
    count, _ = ResumptionHandle.objects.filter(user=user, live_session__conversation__mode=mode).delete()
    return count


def record_event(conversation_id: str, session_id: str, kind: str, data: dict[str, Any]) -> None:
    """Add a row to the timeline of a conversation."""
    SessionEvent.objects.create(
        conversation_id=conversation_id, live_session_id=session_id, kind=kind, data=_storable_data(data)
    )


@transaction.atomic
def finish_session(conversation_id: str, session_id: str, reason: str, conversation_over: bool) -> None:
    """The live session ended; its handle is good for a while longer, unless the conversation is over, too."""
    now = timezone.now()
    LiveSession.objects.filter(pk=session_id, ended_at=None).update(ended_at=now, end_reason=reason)
    handles = ResumptionHandle.objects.filter(live_session__conversation_id=conversation_id)
    if conversation_over:
        Conversation.objects.filter(pk=conversation_id, status=Conversation.Status.ACTIVE).update(
            status=Conversation.Status.ENDED, ended_at=now, end_reason=reason
        )
        handles.delete()
    else:
        for handle in handles.filter(live_session__pk=session_id):
            handle.expires_at = now + _handle_validity(handle.model)
            handle.save(update_fields=["expires_at"])


def purge_expired_handles(older_than: datetime.timedelta = datetime.timedelta(0), dry_run: bool = False) -> int:
    """Delete the handles whose validity ended longer ago than `older_than`; gives their number."""
    expired = ResumptionHandle.objects.filter(expires_at__lte=timezone.now() - older_than)
    if dry_run:
        return expired.count()
    _, deleted = expired.delete()
    return deleted.get(ResumptionHandle._meta.label, 0)


def _end_broken_off(conversation: Conversation, turns: tuple[SpokenTurn, ...]) -> tuple[SpokenTurn, ...]:
    """The turns of a conversation as they stand once those that were broken off are ended."""
    numbers = [turn.number for turn in turns if turn.status is TurnStatus.PARTIAL]
    if not numbers:
        return turns
    broken_off = Turn.objects.filter(conversation__in=chain_of(conversation), number__in=numbers)
    end_broken_off(broken_off)
    ended = dict(broken_off.values_list("number", "status"))
    return tuple(
        replace(turn, status=TurnStatus(ended[turn.number])) if turn.number in ended else turn for turn in turns
    )


def _say_what_is_left_unanswered(
    conversation: Conversation, page_id: uuid.UUID, turns: tuple[SpokenTurn, ...]
) -> tuple[SpokenTurn, ...]:
    """The page that typed it was left, or loaded anew, and sends it no more: lines that say so, stored.

    What a program asks in a conversation is answered there, whoever goes on with that meanwhile.
    """
    earlier = conversation.continues
    left = () if earlier is not None and earlier.end_reason == Conversation.ASKED else left_unanswered(turns)
    if not left:
        return ()
    rows = Turn.objects.filter(conversation__in=chain_of(conversation), number__in=[turn.number for turn in left])
    typed = set(rows.exclude(client_id="").values_list("number", flat=True))
    text, at_ms = explanation_of(TurnCode.NO_ANSWER), int(timezone.now().timestamp() * 1000)
    lines = tuple(
        SpokenTurn(number, Role.SYSTEM, text, TurnStatus.COMPLETE, at_ms, "", TurnCode.NO_ANSWER, None, turn.recordings)
        for number, turn in enumerate((turn for turn in left if turn.number in typed), turns[-1].number + 1)
    )
    save_turns(str(conversation.pk), page_id, lines)
    return lines


def _take_up_again(conversation: Conversation) -> None:
    """A page that was given up has come back after all, after hours perhaps: its conversation goes on."""
    Conversation.objects.filter(pk=conversation.pk, status=Conversation.Status.ENDED).update(
        status=Conversation.Status.ACTIVE, ended_at=None, end_reason=""
    )


def _previous_session(request: SessionRequest) -> LiveSession | None:
    """The last live session of this page life, unless its conversation was ended by somebody."""
    goes_on = Q(conversation__status=Conversation.Status.ACTIVE)
    was_left = Q(conversation__end_reason=Conversation.PAGE_LEFT)
    return (
        LiveSession.objects.select_related("conversation__continues")
        .filter(
            goes_on | was_left,
            page_id=request.page_id,
            conversation__user=request.user,
            conversation__mode=request.mode,
        )
        .order_by("-started_at")
        .first()
    )


def _conversation_for(request: SessionRequest) -> Conversation:
    if request.opens is not None and request.mode is Mode.TEXT:
        return _reopened(request, request.opens)
    if request.continues is not None:
        earlier = get_conversation_for(request.user, request.continues)
        _leave_other_chats(request)
        return Conversation.objects.create(user=request.user, mode=request.mode, continues=earlier)
    if request.mode is Mode.TEXT and not request.fresh:
        going_on = Conversation.objects.filter(
            user=request.user, mode=request.mode, status=Conversation.Status.ACTIVE
        ).first()
        if going_on is not None:
            return going_on
    earlier_call = _call_to_go_on_from(request)
    conversation = Conversation.objects.create(user=request.user, mode=request.mode, goes_on_from=earlier_call)
    if request.mode is Mode.CALL and request.goes_on_from is not None:
        _say_what_it_begins_with(conversation)
    return conversation


def _call_to_go_on_from(request: SessionRequest) -> Conversation | None:
    """The call that the new one may begin with: of the user, and one in which somebody said something.

    It is over, whatever its row says: there is one line of a user's calls, and whoever asks has it.
    """
    if request.mode is not Mode.CALL or request.goes_on_from is None:
        return None
    return spoken_calls_of(request.user).filter(pk=request.goes_on_from).first()


def spoken_calls_of(user: User) -> QuerySet[Conversation]:
    """The calls of a user in which somebody said something."""
    spoken = Turn.objects.filter(conversation=OuterRef("pk"), role__in=(Role.USER, Role.MODEL), text__regex=r"\S")
    return Conversation.objects.filter(Exists(spoken), user=user, mode=Mode.CALL)


def _say_what_it_begins_with(conversation: Conversation) -> None:
    goes_on = conversation.goes_on_from_id is not None
    Turn.objects.create(
        conversation=conversation,
        number=0,
        role=Role.SYSTEM,
        text=GOES_ON_TEXT if goes_on else BEGINS_ANEW_TEXT,
        status=TurnStatus.COMPLETE,
        code=TurnCode.GOES_ON if goes_on else TurnCode.BEGINS_ANEW,
        at=conversation.started_at,
    )


def _reopened(request: SessionRequest, id: uuid.UUID) -> Conversation:
    """The same chat, which goes on with its next turn."""
    chat = get_chat_for(request.user, id)
    if chat.status == Conversation.Status.ENDED:
        _leave_other_chats(request)
        _take_up_again(chat)
        chat.refresh_from_db()
    return chat


def _leave_other_chats(request: SessionRequest) -> None:
    """There is one open text chat at a time: the one that is continued takes the place of the one that went on."""
    if request.mode is Mode.TEXT:
        others = Conversation.objects.filter(user=request.user, mode=request.mode, status=Conversation.Status.ACTIVE)
        others.update(status=Conversation.Status.ENDED, ended_at=timezone.now(), end_reason="another-continued")


def _handle_for(request: SessionRequest) -> ResumptionHandle | None:
    """That of another project, which this process asks no more, is none."""
    handle = (
        ResumptionHandle.objects.select_related("live_session")
        .filter(user=request.user, page_id=request.page_id, slot=request.slot, expires_at__gt=timezone.now())
        .first()
    )
    is_ours = handle is not None and handle.project == project_of_handles(handle.model)
    return handle if is_ours else None


def project_of_handles(model: str) -> str:
    """Whose handles of a model are: the project where the provider tells projects apart by name, else empty, for a
    project of the Developer API may change its key."""
    return ledger.project_of(model) if place_of(model).is_agent_platform else ""


def _handle_validity(model: str) -> datetime.timedelta:
    """A model that no profile describes any more has issued its handles as all others do."""
    try:
        hours = profile_of(model).handle_hours
    except UnknownModel:
        hours = None
    return datetime.timedelta(hours=hours or settings.HANDLE_VALID_HOURS)


def _moment(unix_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(unix_ms / 1000, tz=datetime.UTC)


def _storable_data(data: dict[str, Any]) -> dict[str, Any]:
    return {key: storable(value) if isinstance(value, str) else value for key, value in data.items()}
