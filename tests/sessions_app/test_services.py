"""The only writers of conversations."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import replace

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from energy.levels import Mode
from sessions_app import cleanup, secrets, services
from sessions_app.chains import chain_of
from sessions_app.live.page import Opening
from sessions_app.live.transcript import Role, TurnStatus
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn
from sessions_app.services import NotYours, SessionRequest
from tests.stored import turns_of

pytestmark = pytest.mark.django_db

MODEL = "gemini-3.8-live"
SLOTS = {Mode.TEXT: "gdm:text-session-handle", Mode.CALL: "gdm:call-session-handle"}
AT_MS = 1_767_225_600_123


def ask_for(user: User, mode: Mode = Mode.TEXT, page_id: uuid.UUID | None = None) -> SessionRequest:
    return SessionRequest(user, mode, SLOTS[mode], page_id or uuid.uuid4())


def open_for(request: SessionRequest) -> Opening:
    return services.open_session(request, MODEL, "worker:1")


def spoken(number: int, text: str, role: Role = Role.USER, id: str = "") -> SpokenTurn:
    return SpokenTurn(number, role, text, TurnStatus.COMPLETE, AT_MS, id)


PAST = (spoken(0, "Hello", id="typed-1"), spoken(1, "Hello!", Role.MODEL))


def talk(request: SessionRequest, opening: Opening, handle: str | None = "h-1") -> None:
    """A turn each, and the handle after them."""
    services.save_turns(opening.conversation, request.page_id, PAST)
    if handle is not None:
        services.save_handle(request, opening.session, handle, MODEL, "made", acknowledged_number=7, covered_turn=1)


# -- access ------------------------------------------------------------------------------------------------------------


def test_the_owner_finds_a_conversation(alice: User) -> None:
    opening = open_for(ask_for(alice))
    assert str(services.get_conversation_for(alice, uuid.UUID(opening.conversation)).pk) == opening.conversation


def test_a_stranger_and_nobodys_id_get_the_same_answer(alice: User, bob: User) -> None:
    opening = open_for(ask_for(alice))
    for id in (uuid.UUID(opening.conversation), uuid.uuid4()):
        with pytest.raises(NotYours):
            services.get_conversation_for(bob, id)


def test_bob_cannot_continue_alices_conversation_and_leaves_no_rows(alice: User, bob: User) -> None:
    hers = open_for(ask_for(alice))
    with pytest.raises(NotYours):
        open_for(replace(ask_for(bob), continues=uuid.UUID(hers.conversation)))
    assert Conversation.objects.count() == 1


def test_bob_with_alices_page_id_gets_a_conversation_of_his_own(alice: User, bob: User) -> None:
    hers = ask_for(alice)
    talk(hers, open_for(hers))
    his = open_for(ask_for(bob, page_id=hers.page_id))
    assert (his.turns, his.handle, his.same_page) == ((), None, False)


# -- opening -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
def test_a_first_session_begins_empty(mode: Mode, alice: User) -> None:
    opening = open_for(ask_for(alice, mode))
    assert opening == Opening(opening.conversation, opening.session)
    session = LiveSession.objects.get()
    assert (str(session.pk), session.model, session.owner) == (opening.session, MODEL, "worker:1")


def test_a_session_that_nobody_ended_may_still_stand_for_the_provider(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    first = open_for(request)
    talk(request, first)
    assert open_for(request).handle_was_cut
    LiveSession.objects.filter(pk=first.session).update(ended_at=timezone.now(), end_reason=LiveSession.OWNER_LOST)
    assert open_for(request).handle_was_cut
    LiveSession.objects.filter(pk=first.session).update(end_reason="page-gone")
    assert not open_for(request).handle_was_cut


@pytest.mark.parametrize(
    ("last", "end_reason", "owes_flush"),
    [
        (spoken(2, "And?"), LiveSession.OWNER_LOST, True),
        (replace(spoken(2, "Then", Role.MODEL), status=TurnStatus.PARTIAL), LiveSession.OWNER_LOST, True),
        (spoken(2, "Then.", Role.MODEL), LiveSession.OWNER_LOST, False),
        (spoken(2, "Battery low.", Role.SYSTEM), LiveSession.OWNER_LOST, False),
        (spoken(2, "And?"), "page-gone", False),
    ],
    ids=["not answered", "broken off", "whole", "a notice", "closed in order"],
)
def test_sound_of_a_reply_that_its_process_did_not_live_to_end_is_not_to_be_heard_before_the_reply_is_given_again(
    alice: User, last: SpokenTurn, end_reason: str, owes_flush: bool
) -> None:
    request = ask_for(alice, Mode.CALL)
    first = open_for(request)
    talk(request, first)
    services.save_turns(first.conversation, request.page_id, (last,))
    LiveSession.objects.filter(pk=first.session).update(ended_at=timezone.now(), end_reason=end_reason)
    assert open_for(request).owes_flush == owes_flush


@pytest.mark.parametrize("mode", Mode)
def test_the_same_page_life_goes_on_where_it_was(mode: Mode, alice: User) -> None:
    request = ask_for(alice, mode)
    first = open_for(request)
    talk(request, first)
    services.finish_session(first.conversation, first.session, "page-gone", conversation_over=False)
    again = open_for(request)
    assert again.conversation == first.conversation
    assert again.session != first.session
    assert again.same_page
    assert again.turns == PAST
    assert (again.handle, again.handle_model, again.covered_turn, again.next_number) == ("h-1", MODEL, 1, 7)


@pytest.mark.parametrize(("covered_turn", "status"), [(1, TurnStatus.COMPLETE), (-1, TurnStatus.INTERRUPTED)])
def test_a_reply_that_was_still_played_at_the_death_of_its_process_is_whole_if_the_handle_covers_it(
    alice: User, covered_turn: int, status: TurnStatus
) -> None:
    request = ask_for(alice)
    first = open_for(request)
    question, reply = PAST
    services.save_turns(first.conversation, request.page_id, (question, replace(reply, status=TurnStatus.PARTIAL)))
    services.save_handle(request, first.session, "h-1", MODEL, "", acknowledged_number=7, covered_turn=covered_turn)
    again = open_for(request)
    assert [turn.status for turn in again.turns] == [TurnStatus.COMPLETE, status]
    assert [turn.status for turn in Turn.objects.order_by("number")] == [TurnStatus.COMPLETE, status]


def test_a_reload_of_the_text_page_finds_its_transcript_and_not_its_handle(alice: User) -> None:
    request = ask_for(alice)
    first = open_for(request)
    talk(request, first)
    again = open_for(ask_for(alice))
    assert again.conversation == first.conversation
    assert [turn.text for turn in again.turns] == ["Hello", "Hello!"]
    assert [turn.id for turn in again.turns] == ["", ""], "ids are unique in a page only"
    assert (again.handle, again.same_page) == (None, False)


ASKED = replace(spoken(2, "What is said?", id="typed-2"), recordings=("talk",))
CUT = replace(spoken(3, "She", Role.MODEL), status=TurnStatus.PARTIAL)


def lines_of(opening: Opening) -> list[tuple[int, str, tuple[str, ...]]]:
    return [(turn.number, turn.code, turn.recordings) for turn in opening.turns if turn.role is Role.SYSTEM]


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        ((ASKED,), [(3, "turn.no_answer", ("talk",))]),
        ((spoken(2, "And?", id="typed-2"),), [(3, "turn.no_answer", ())]),
        ((ASKED, spoken(3, "And?", id="typed-3")), [(4, "turn.no_answer", ("talk",)), (5, "turn.no_answer", ())]),
        ((ASKED, spoken(3, "And?", id="typed-3"), spoken(4, "So.", Role.MODEL)), [(5, "turn.no_answer", ("talk",))]),
        ((spoken(2, "A"), spoken(3, "B", id="typed-3")), [(4, "turn.no_answer", ())]),
        ((ASKED, replace(CUT, recordings=("talk",))), []),
        ((spoken(2, "And?", id="typed-2"), CUT), []),
        ((spoken(2, "Spoken."),), []),
    ],
    ids=["a question", "typed", "both", "another answered", "several", "a question cut off", "cut off", "spoken"],
)
def test_a_page_that_is_loaded_anew_says_what_of_before_has_no_answer_and_says_it_once(
    alice: User, left: tuple[SpokenTurn, ...], lines: list[tuple[int, str, tuple[str, ...]]]
) -> None:
    request = ask_for(alice)
    first = open_for(request)
    talk(request, first)
    services.save_turns(first.conversation, request.page_id, left)
    assert lines_of(open_for(request)) == [], "the page that typed it sends it again"
    assert lines_of(open_for(ask_for(alice))) == lines
    assert lines_of(open_for(ask_for(alice))) == lines


def test_a_chat_that_goes_on_from_one_in_which_a_program_is_being_answered_says_nothing_of_that(alice: User) -> None:
    request = ask_for(alice)
    first = open_for(request)
    services.save_turns(first.conversation, request.page_id, (ASKED,))
    asked = Conversation.objects.filter(pk=first.conversation)
    asked.update(status=Conversation.Status.ENDED, ended_at=timezone.now(), end_reason=Conversation.ASKED)
    continues = uuid.UUID(first.conversation)
    assert lines_of(open_for(replace(ask_for(alice), continues=continues))) == []
    asked.update(end_reason="hang-up")
    assert lines_of(open_for(replace(ask_for(alice), continues=continues))) == [(3, "turn.no_answer", ("talk",))]


def test_the_moment_that_a_notice_names_is_stored_with_it(alice: User) -> None:
    request = ask_for(alice)
    notice = replace(spoken(2, "Away until 08:00 UTC.", Role.SYSTEM), until_ms=1_795_000_000_123)
    services.save_turns(open_for(request).conversation, request.page_id, (*PAST, notice))
    assert open_for(request).turns[-1].until_ms == notice.until_ms


def test_a_new_call_begins_empty(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    first = open_for(request)
    talk(request, first)
    again = open_for(ask_for(alice, Mode.CALL))
    assert again.conversation != first.conversation
    assert (again.turns, again.handle) == ((), None)


@pytest.mark.parametrize("mode", Mode)
def test_a_fresh_start_uses_nothing_of_before(mode: Mode, alice: User) -> None:
    request = ask_for(alice, mode)
    first = open_for(request)
    talk(request, first)
    again = open_for(replace(request, fresh=True))
    assert again.conversation != first.conversation
    assert (again.turns, again.handle, again.same_page) == ((), None, False)


def test_the_modes_have_nothing_to_do_with_each_other(alice: User) -> None:
    page_id = uuid.uuid4()
    text, call = ask_for(alice, Mode.TEXT, page_id), ask_for(alice, Mode.CALL, page_id)
    talk(text, open_for(text))
    assert open_for(call).turns == ()
    assert open_for(call).handle is None


def test_a_conversation_that_was_ended_is_not_gone_on_with(alice: User) -> None:
    request = ask_for(alice)
    first = open_for(request)
    talk(request, first)
    services.finish_session(first.conversation, first.session, "reset", conversation_over=True)
    again = open_for(request)
    assert again.conversation != first.conversation
    assert (again.turns, again.handle) == ((), None)


def test_continuing_a_call_shows_what_was_said_in_it_and_in_those_before(alice: User) -> None:
    first = open_for(ask_for(alice, Mode.CALL))
    services.save_turns(first.conversation, uuid.uuid4(), (spoken(0, "One"),))
    second = open_for(replace(ask_for(alice, Mode.CALL), continues=uuid.UUID(first.conversation)))
    services.save_turns(second.conversation, uuid.uuid4(), (spoken(1, "Two"),))
    third = open_for(replace(ask_for(alice, Mode.CALL), continues=uuid.UUID(second.conversation)))
    assert [turn.text for turn in third.turns] == ["One", "Two"]
    assert Conversation.objects.count() == 3


def test_a_conversation_that_continues_none_is_its_own_chain_without_a_query(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    open_for(ask_for(alice))
    conversation = Conversation.objects.get()
    with django_assert_num_queries(0):
        assert chain_of(conversation) == [conversation.pk]


# -- turns -------------------------------------------------------------------------------------------------------------


def test_a_turn_is_stored_as_it_grows(alice: User) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    growing = SpokenTurn(0, Role.MODEL, "Hel", TurnStatus.PARTIAL, AT_MS)
    services.save_turns(opening.conversation, request.page_id, (growing,))
    whole = replace(growing, text="Hello", status=TurnStatus.COMPLETE)
    services.save_turns(opening.conversation, request.page_id, (whole,))
    assert turns_of(Conversation.objects.get(), request.page_id) == (whole,)


def test_what_the_death_of_a_process_broke_off_is_ended_when_its_page_comes_back(alice: User) -> None:
    """In the middle of a reply, while the user spoke into it."""
    request = ask_for(alice, Mode.CALL)
    first = open_for(request)
    growing = replace(spoken(2, "Once upon", Role.MODEL), status=TurnStatus.PARTIAL)
    voice = replace(spoken(3, "Wait, I"), status=TurnStatus.PARTIAL)
    services.save_turns(first.conversation, request.page_id, (*PAST, growing, voice))
    again = open_for(request)
    assert [turn.status for turn in again.turns] == ["complete", "complete", "interrupted", "complete"]
    assert open_for(request).turns == again.turns


def test_turns_come_back_as_they_were(alice: User) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    turns = (spoken(3, "Grüße 👋\n", id="typed-1"), spoken(9, "", Role.MODEL), spoken(10, "Low.", Role.SYSTEM))
    services.save_turns(opening.conversation, request.page_id, turns)
    assert open_for(request).turns == turns


@pytest.mark.parametrize("odd", ["a\x00b", "a\udc00b"])
def test_what_no_database_can_hold_is_left_out(alice: User, odd: str) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    services.save_turns(opening.conversation, request.page_id, (spoken(0, odd),))
    services.record_event(opening.conversation, opening.session, "connection_lost", {"text": odd, "code": 1})
    assert Turn.objects.get().text == "ab"
    assert SessionEvent.objects.get().data == {"text": "ab", "code": 1}


def test_saving_a_turn_is_activity(alice: User) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    Conversation.objects.update(last_activity_at=timezone.now() - datetime.timedelta(days=3))
    services.save_turns(opening.conversation, request.page_id, PAST)
    assert timezone.now() - Conversation.objects.get().last_activity_at < datetime.timedelta(minutes=1)


# -- handles -----------------------------------------------------------------------------------------------------------


def test_a_slot_holds_the_newest_handle_alone(alice: User) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    for number in range(3):
        services.save_handle(request, opening.session, f"h-{number}", MODEL, "", number, number)
    assert ResumptionHandle.objects.count() == 1
    again = open_for(request)
    assert (again.handle, again.next_number, again.covered_turn) == ("h-2", 2, 2)


def test_a_handle_is_never_in_the_clear(alice: User) -> None:
    request = ask_for(alice)
    talk(request, open_for(request), handle="a-very-secret-handle")
    row = ResumptionHandle.objects.get()
    assert b"secret" not in bytes(row.ciphertext)
    assert "secret" not in str(row)
    assert secrets.decrypt(row.ciphertext) == "a-very-secret-handle"


def test_a_handle_is_readable_after_its_key_was_rotated_and_not_after_it_was_replaced(
    alice: User, settings: Settings
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.HANDLE_FERNET_KEYS = [old]
    request = ask_for(alice)
    talk(request, open_for(request))
    settings.HANDLE_FERNET_KEYS = [new, old]
    assert open_for(request).handle == "h-1"
    settings.HANDLE_FERNET_KEYS = [new]
    again = open_for(request)
    assert (again.handle, again.turns, again.same_page) == (None, PAST, True)


def test_an_expired_handle_is_not_used(alice: User) -> None:
    request = ask_for(alice)
    talk(request, open_for(request))
    ResumptionHandle.objects.update(
        issued_at=timezone.now() - datetime.timedelta(hours=3),
        expires_at=timezone.now() - datetime.timedelta(seconds=1),
    )
    again = open_for(request)
    assert (again.handle, again.turns) == (None, PAST)


def test_a_handle_is_valid_from_the_end_of_the_last_connection(alice: User, settings: Settings) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    talk(request, opening)
    ResumptionHandle.objects.update(expires_at=timezone.now() + datetime.timedelta(seconds=1))
    ResumptionHandle.objects.update(issued_at=timezone.now() - datetime.timedelta(hours=2))
    services.finish_session(opening.conversation, opening.session, "page-gone", conversation_over=False)
    left = ResumptionHandle.objects.get().expires_at - timezone.now()
    assert abs(left - datetime.timedelta(hours=settings.HANDLE_VALID_HOURS)) < datetime.timedelta(minutes=1)


def test_a_forgotten_handle_is_gone_from_its_slot_alone(alice: User) -> None:
    page_id = uuid.uuid4()
    text, call = ask_for(alice, Mode.TEXT, page_id), ask_for(alice, Mode.CALL, page_id)
    talk(text, open_for(text))
    talk(call, open_for(call))
    services.forget_handle(text)
    assert [row.slot for row in ResumptionHandle.objects.all()] == [SLOTS[Mode.CALL]]


@pytest.mark.parametrize(
    ("expired_ago_s", "older_than_s", "expected"), [(60, 0, 1), (-60, 0, 0), (60, 3_600, 0), (7_200, 3_600, 1)]
)
def test_expired_handles_are_purged(expired_ago_s: int, older_than_s: int, expected: int, alice: User) -> None:
    request = ask_for(alice)
    talk(request, open_for(request))
    now = timezone.now()
    ResumptionHandle.objects.update(
        issued_at=now - datetime.timedelta(days=1), expires_at=now - datetime.timedelta(seconds=expired_ago_s)
    )
    older_than = datetime.timedelta(seconds=older_than_s)
    assert services.purge_expired_handles(older_than, dry_run=True) == expected
    assert ResumptionHandle.objects.count() == 1
    assert services.purge_expired_handles(older_than) == expected
    assert ResumptionHandle.objects.count() == 1 - expected
    assert LiveSession.objects.count() == 1


# -- ends --------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_session_is_not_the_end_of_its_conversation(alice: User) -> None:
    request = ask_for(alice)
    opening = open_for(request)
    talk(request, opening)
    services.finish_session(opening.conversation, opening.session, "draining", conversation_over=False)
    session = LiveSession.objects.get()
    assert session.ended_at is not None
    assert session.end_reason == "draining"
    assert Conversation.objects.get().status == "active"
    assert ResumptionHandle.objects.count() == 1


def test_the_end_of_a_conversation_takes_its_handles_along(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    opening = open_for(request)
    talk(request, opening)
    services.finish_session(opening.conversation, opening.session, "hung-up", conversation_over=True)
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.end_reason) == ("ended", "hung-up")
    assert conversation.ended_at is not None
    assert ResumptionHandle.objects.count() == 0


def test_an_end_that_comes_twice_keeps_the_first_reason(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    opening = open_for(request)
    services.finish_session(opening.conversation, opening.session, "hung-up", conversation_over=True)
    services.finish_session(opening.conversation, opening.session, "draining", conversation_over=True)
    assert LiveSession.objects.get().end_reason == Conversation.objects.get().end_reason == "hung-up"


def test_events_make_a_timeline(alice: User) -> None:
    opening = open_for(ask_for(alice))
    for kind in ("connected", "go_away", "connected"):
        services.record_event(opening.conversation, opening.session, kind, {"action": "new"})
    assert list(SessionEvent.objects.values_list("kind", flat=True)) == ["connected", "go_away", "connected"]


def test_a_page_that_comes_back_after_its_call_was_given_up_goes_on_with_it(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    opening = open_for(request)
    talk(request, opening)
    services.finish_session(opening.conversation, opening.session, "page-gone", conversation_over=False)
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=3)):
        assert cleanup.end_call(uuid.UUID(opening.conversation))
        back = open_for(request)
    assert (back.conversation, back.handle, back.same_page) == (opening.conversation, None, True)
    assert [turn.text for turn in back.turns] == ["Hello", "Hello!"]
    assert Conversation.objects.get().status == Conversation.Status.ACTIVE


def test_a_call_that_was_hung_up_is_not_taken_up_again_by_its_page(alice: User) -> None:
    request = ask_for(alice, Mode.CALL)
    opening = open_for(request)
    talk(request, opening)
    services.finish_session(opening.conversation, opening.session, "hung-up", conversation_over=True)
    assert open_for(request).conversation != opening.conversation
