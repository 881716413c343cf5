"""The call that a new one may go on from: which is offered, and what the new one is told of it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from energy.levels import Mode
from sessions_app import services
from sessions_app.live.context import EARLIER_CALL_LIMIT_TOKENS, EarlierCall
from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import Role
from sessions_app.models import Conversation
from sessions_app.services import SessionRequest
from summarization import earlier_call, history
from summarization.memory import SummarisedMemory
from summarization.models import CallHistory, SummaryState
from summarization.services import write_call_history
from tests.summarization.talk import MODEL, SLOT, Talk, past_call, spoken, turns

CODE_WORD = spoken(0, "My code word is PLUM-42.")
NOTED = spoken(1, "Noted.")


def an_ended_call(user: User, *said: str, ago: timedelta = timedelta(hours=3), mode: Mode = Mode.CALL) -> Conversation:
    """A conversation in the history, which ended so long ago."""
    talk = Talk(user, mode)
    talk.say(spoken(number, text) for number, text in enumerate(said or (CODE_WORD.text, NOTED.text)))
    talk.hang_up()
    write_call_history(talk.id)
    ended_at = timezone.now() - ago
    Conversation.objects.filter(pk=talk.id).update(
        started_at=ended_at - timedelta(minutes=5), last_activity_at=ended_at, ended_at=ended_at
    )
    return talk.row


def offered(user: User) -> uuid.UUID | None:
    call = earlier_call.offered_to(user)
    return None if call is None else call.id


def go_on(user: User, call: uuid.UUID, mode: Mode = Mode.CALL, *, fresh: bool = False) -> uuid.UUID:
    """Begin a conversation that is to go on from that; gives its id."""
    request = SessionRequest(user, mode, SLOT, uuid.uuid4(), fresh=fresh, goes_on_from=call)
    return uuid.UUID(services.open_session(request, MODEL, "host:1").conversation)


def told(conversation: uuid.UUID) -> EarlierCall | None:
    recap = SummarisedMemory().recap(conversation)
    assert recap == SummarisedMemory().condense(conversation)
    return None if recap is None else recap.earlier_call


def notes(conversation: uuid.UUID) -> str:
    call = told(conversation)
    assert call is not None
    return call.notes


# -- which one ---------------------------------------------------------------------------------------------------------


def test_the_newest_call_in_which_something_was_said_is_offered_with_its_title(alice: User) -> None:
    an_ended_call(alice, "The older one.", ago=timedelta(days=1))
    newest = an_ended_call(alice)
    Talk(alice).hang_up()
    call = earlier_call.offered_to(alice)
    assert call is not None
    assert (call.id, call.title, call.ended_at) == (newest.pk, CODE_WORD.text, newest.ended_at)


def test_a_call_that_was_left_is_offered_and_one_that_is_open_in_a_page_hides_those_before(alice: User) -> None:
    an_ended_call(alice)
    talk = Talk(alice)
    talk.say(turns(2))
    assert offered(alice) is None
    talk.leave()
    assert offered(alice) == talk.id


@pytest.mark.parametrize(
    ("ago", "is_offered"), [(timedelta(days=6, hours=23), True), (timedelta(days=7, hours=1), False)]
)
def test_a_call_is_offered_for_a_week(alice: User, ago: timedelta, is_offered: bool) -> None:
    an_ended_call(alice, ago=ago)
    assert (offered(alice) is not None) is is_offered


def test_neither_a_text_chat_nor_the_call_of_somebody_else_nor_a_deleted_one_is_offered(alice: User, bob: User) -> None:
    an_ended_call(alice, mode=Mode.TEXT)
    an_ended_call(bob)
    history.delete(alice, an_ended_call(alice).pk)
    assert offered(alice) is None


# -- which one was left ------------------------------------------------------------------------------------------------


def test_a_call_that_its_page_left_is_the_one_to_continue_until_a_day_has_passed(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(2))
    left = earlier_call.left_by(alice)
    assert left is not None
    assert (left.id, left.is_open) == (talk.id, True)
    talk.leave()
    left = earlier_call.left_by(alice)
    assert left is not None
    assert (left.id, left.is_open, left.left_at) == (talk.id, False, talk.row.last_activity_at)
    Conversation.objects.filter(pk=talk.id).update(last_activity_at=timezone.now() - timedelta(hours=25))
    assert earlier_call.left_by(alice) is None


def test_a_call_that_was_given_up_by_a_cleanup_was_left_too(alice: User) -> None:
    call = an_ended_call(alice, ago=timedelta(minutes=5))
    assert earlier_call.left_by(alice) is None
    Conversation.objects.filter(pk=call.pk).update(end_reason=Conversation.PAGE_LEFT)
    left = earlier_call.left_by(alice)
    assert left is not None
    assert (left.id, left.title) == (call.pk, CODE_WORD.text)


def test_a_call_without_a_word_was_not_left_unless_it_continues_one_that_has_some(alice: User) -> None:
    Talk(alice).leave()
    assert earlier_call.left_by(alice) is None
    earlier = an_ended_call(alice)
    talk = Talk(alice, continues=earlier.pk)
    talk.leave()
    left = earlier_call.left_by(alice)
    assert left is not None
    assert left.id == talk.id


def test_neither_a_chat_nor_the_call_of_somebody_else_nor_a_deleted_one_nor_one_that_was_followed_was_left(
    alice: User, bob: User
) -> None:
    for user, mode in ((alice, Mode.TEXT), (bob, Mode.CALL)):
        talk = Talk(user, mode)
        talk.say(turns(2))
        talk.leave()
    deleted = Talk(alice)
    deleted.say(turns(2))
    deleted.leave()
    history.delete(alice, deleted.id)
    assert earlier_call.left_by(alice) is None
    followed = Talk(alice)
    followed.say(turns(2))
    followed.leave()
    Talk(alice).hang_up()
    assert earlier_call.left_by(alice) is None


# -- what the new one begins with --------------------------------------------------------------------------------------


def test_a_call_that_goes_on_says_so_in_its_first_line_and_knows_the_summary(alice: User) -> None:
    earlier = an_ended_call(alice)
    later = Conversation.objects.get(pk=go_on(alice, earlier.pk))
    assert later.goes_on_from == earlier
    assert later.continues is None
    (line,) = later.turns.all()
    assert (line.role, line.code, line.text) == (Role.SYSTEM, "call.goes_on", services.GOES_ON_TEXT)
    call = told(later.pk)
    assert call is not None
    assert (call.conversation, call.title, call.ended_at) == (str(earlier.pk), CODE_WORD.text, earlier.ended_at)
    assert round(call.gap / timedelta(hours=1)) == 3
    assert "PLUM-42" in call.notes


def test_the_notes_hold_title_summary_facts_and_open_points(alice: User) -> None:
    earlier = an_ended_call(alice)
    CallHistory.objects.update(
        title="A trip", summary="They planned a trip.", facts=["It begins in Rome."], open_points=["Which hotel."]
    )
    assert notes(go_on(alice, earlier.pk)) == (
        "Its title: A trip\nThey planned a trip.\n- It begins in Rome.\nLeft open: Which hotel."
    )


def test_what_the_earlier_call_continued_itself_is_known_too(alice: User) -> None:
    first = an_ended_call(alice)
    second = Talk(alice, continues=first.pk)
    second.say([spoken(2, "And my dog is called Rex."), spoken(3, "Nice.")])
    second.hang_up()
    write_call_history(second.id)
    assert all(word in notes(go_on(alice, second.id)) for word in ("PLUM-42", "Rex"))


@pytest.mark.parametrize("state", [SummaryState.PENDING, SummaryState.FAILED, None])
def test_without_a_summary_the_last_turns_are_told_as_text(alice: User, state: SummaryState | None) -> None:
    said = turns(60, {58: CODE_WORD.text})
    talk = past_call(alice, said)
    write_call_history(talk.id)
    assert CallHistory.objects.get().state == SummaryState.PENDING
    if state is None:
        CallHistory.objects.all().delete()
    else:
        CallHistory.objects.update(state=state, reason="no key")
    assert "User: My code word is PLUM-42.\nModel: Turn 59" in notes(go_on(alice, talk.id))


@pytest.mark.parametrize("is_ready", [True, False])
def test_however_much_was_said_the_notes_stay_within_their_limit(alice: User, is_ready: bool) -> None:
    talk = past_call(alice, [spoken(number, f"{number} " + "很长的话。" * 2_000) for number in range(12)])
    write_call_history(talk.id)
    if is_ready:
        CallHistory.objects.update(
            title="题" * 200,
            state=SummaryState.READY,
            summary="话" * 9_000,
            facts=["事" * 900] * 9,
            open_points=["点" * 9_000],
        )
    kept = notes(go_on(alice, talk.id))
    assert EARLIER_CALL_LIMIT_TOKENS // 2 < estimate_tokens(kept) <= EARLIER_CALL_LIMIT_TOKENS


def test_a_call_that_continues_one_that_goes_on_knows_what_that_knew(alice: User) -> None:
    later = Talk(alice)
    Conversation.objects.filter(pk=later.id).update(goes_on_from=an_ended_call(alice))
    later.say(turns(2))
    later.hang_up()
    assert "PLUM-42" in notes(Talk(alice, continues=later.id).id)


def test_a_call_that_is_deleted_while_another_goes_on_from_it_tells_nothing_any_more(alice: User) -> None:
    earlier = an_ended_call(alice)
    later = go_on(alice, earlier.pk)
    history.delete(alice, earlier.pk)
    assert told(later) is None
    assert "PLUM" not in "".join(Conversation.objects.get(pk=later).turns.values_list("text", flat=True))


def test_a_call_that_the_version_before_deleted_tells_nothing_either(alice: User) -> None:
    later = go_on(alice, an_ended_call(alice).pk)
    Conversation.objects.filter(pk=later).update(goes_on_from=uuid.uuid4())
    assert told(later) is None
    assert history.read(alice, later).goes_on_from is None


# -- what cannot be gone on from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["unknown", "bob's", "text", "silent", "deleted"])
def test_a_call_that_cannot_be_used_costs_nothing_but_itself_and_that_is_said(
    alice: User, bob: User, what: str
) -> None:
    chosen = {
        "unknown": uuid.uuid4,
        "bob's": lambda: an_ended_call(bob).pk,
        "text": lambda: an_ended_call(alice, mode=Mode.TEXT).pk,
        "silent": lambda: an_ended_call(alice, "  ").pk,
        "deleted": lambda: an_ended_call(alice).pk,
    }[what]()
    if what == "deleted":
        history.delete(alice, chosen)
    later = Conversation.objects.get(pk=go_on(alice, chosen))
    assert later.goes_on_from is None
    assert [line.code for line in later.turns.all()] == ["call.begins_anew"]
    assert told(later.pk) is None


def test_a_text_chat_goes_on_from_no_call(alice: User) -> None:
    chat = Conversation.objects.get(pk=go_on(alice, an_ended_call(alice).pk, Mode.TEXT))
    assert chat.goes_on_from is None
    assert not chat.turns.exists()


def test_a_page_that_comes_back_keeps_its_own_call_whatever_it_asks_for(alice: User) -> None:
    earlier, talk = an_ended_call(alice), Talk(alice)
    again = SessionRequest(alice, Mode.CALL, SLOT, talk.request.page_id, goes_on_from=earlier.pk)
    assert services.open_session(again, MODEL, "host:1").conversation == str(talk.id)
    assert told(talk.id) is None


# -- the history -------------------------------------------------------------------------------------------------------


def test_the_history_of_both_calls_leads_to_the_other(alice: User) -> None:
    earlier = an_ended_call(alice)
    later = go_on(alice, earlier.pk)
    before, after = history.read(alice, earlier.pk), history.read(alice, later)
    assert after.goes_on_from is not None
    assert (after.goes_on_from.id, after.goes_on_from.title) == (earlier.pk, CODE_WORD.text)
    assert [call.id for call in before.went_on_in] == [later]
    assert (before.goes_on_from, before.earlier, before.later, after.earlier, after.later) == (None, None, (), None, ())
