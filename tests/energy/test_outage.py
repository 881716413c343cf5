"""No Live connection to be had: what the ledger holds, where sessions go meanwhile, and who asks for the line."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
import time_machine
from pytest_django import Settings

from energy.levels import Mode, Reason
from energy.models import EnergyChange, ModelQuota
from energy.quota import OUTAGE_MEMORY, OUTAGE_WAIT, PROBATION, Refusal
from energy.services import EnergyBarService, notice_for
from tests.energy.conftest import NOON
from tests.energy.test_services import DAY, MIDNIGHT, QUOTA, begun
from tests.fakes.energy import NEWEST, OLDER

pytestmark = pytest.mark.django_db(transaction=True)

IN_TURNS = "gemini-3.8-flash"
IN_TURNS_TOO = "gemini-3.5-flash-lite"
DOWN = Refusal("503 The service is currently unavailable.")
Begin = Callable[[str], EnergyBarService]


@pytest.fixture(autouse=True)
def _ladders(settings: Settings) -> None:
    ladder = [NEWEST, OLDER, IN_TURNS, IN_TURNS_TOO]
    settings.ENERGY_LADDERS = {Mode.CALL: ladder, Mode.TEXT: ladder}


def left(session: EnergyBarService) -> EnergyBarService:
    """The session once it has given its line up."""
    session.leave_outage(Mode.CALL, NEWEST, DOWN.text)
    session.succeeded(IN_TURNS)
    return session


def test_a_session_without_a_line_goes_to_the_best_level_that_needs_none(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = begun(open_session("alice"))
    assert alice.has_refuge(Mode.CALL)
    change = alice.leave_outage(Mode.CALL, NEWEST, DOWN.text)
    assert (change.level.model, change.level.word, change.reason) == (IN_TURNS, "in turns", Reason.OUTAGE)
    assert change.resets_at is None, "nobody knows when an outage ends"
    assert EnergyChange.objects.get().detail == DOWN.text
    assert set(ModelQuota.objects.filter(kind="outage").values_list("model", flat=True)) == {NEWEST, OLDER}
    assert not alice.has_refuge(Mode.CALL)
    assert "in turns" in notice_for(change)


def test_the_second_of_those_in_turns_is_taken_where_the_first_is_spent(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice, bob = begun(open_session("alice")), begun(open_session("bob"))
    left(bob).lower(Mode.CALL, DAY, IN_TURNS)
    assert alice.leave_outage(Mode.CALL, NEWEST, DOWN.text).level.model == IN_TURNS_TOO


def test_where_no_level_needs_no_line_the_session_stays(
    open_session: Begin, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.ENERGY_LADDERS = {mode: [NEWEST, OLDER] for mode in Mode}
    alice = begun(open_session("alice"))
    assert not alice.has_refuge(Mode.CALL)
    change = alice.leave_outage(Mode.CALL, NEWEST, DOWN.text)
    assert not change.is_change
    assert not ModelQuota.objects.filter(kind="outage").exists()


def test_one_session_asks_for_the_line_and_all_follow_when_it_is_back(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    sessions = [begun(open_session(name)) for name in ("alice", "bob", "carol")]
    for session in sessions:
        left(session)
    assert [session.due_probe(Mode.CALL) for session in sessions] == [("", False)] * 3
    clock.shift(OUTAGE_WAIT)
    assert [session.due_probe(Mode.CALL)[0] for session in sessions] == [NEWEST, OLDER, ""]
    assert [session.raise_if_possible(Mode.CALL) for session in sessions] == [None] * 3, "not on somebody's sentence"
    sessions[0].succeeded(NEWEST)
    assert [session.due_probe(Mode.CALL) for session in sessions] == [("", True)] * 3
    changes = [session.raise_if_possible(Mode.CALL) for session in sessions]
    assert [change.level.model for change in changes if change] == [NEWEST] * 3


def test_a_probe_that_fails_is_made_again_after_a_while(open_session: Begin, clock: time_machine.Traveller) -> None:
    alice = left(begun(open_session("alice")))
    clock.shift(OUTAGE_WAIT)
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)
    alice.probe_failed(NEWEST, DOWN, is_quota=False)
    assert alice.due_probe(Mode.CALL) == (OLDER, False), "another may be back before it"
    alice.probe_failed(OLDER, DOWN, is_quota=False)
    assert alice.due_probe(Mode.CALL) == ("", False)
    clock.shift(OUTAGE_WAIT)
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)


def test_from_the_second_best_line_the_best_is_asked_for_in_the_background(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = left(begun(open_session("alice")))
    clock.shift(OUTAGE_WAIT)
    alice.due_probe(Mode.CALL)
    alice.probe_failed(NEWEST, DOWN, is_quota=False)
    alice.due_probe(Mode.CALL)
    alice.succeeded(OLDER)
    change = alice.raise_if_possible(Mode.CALL)
    assert change is not None
    assert change.level.model == OLDER
    clock.shift(OUTAGE_WAIT)
    assert alice.raise_if_possible(Mode.CALL) is None
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)
    alice.succeeded(NEWEST)
    change = alice.raise_if_possible(Mode.CALL)
    assert change is not None
    assert change.level.model == NEWEST


def test_a_probe_that_meets_spent_quota_is_not_made_again_before_the_reset(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = left(begun(open_session("alice")))
    clock.shift(OUTAGE_WAIT)
    alice.due_probe(Mode.CALL)
    alice.probe_failed(NEWEST, DAY, is_quota=True)
    assert ModelQuota.objects.get(model=NEWEST).resets_at == MIDNIGHT


def test_a_probe_that_is_refused_without_a_hint_does_not_give_the_model_up_for_the_day(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = begun(open_session("alice"))
    for model in (NEWEST, OLDER):
        alice.lower(Mode.CALL, QUOTA, model)
    clock.shift(66)
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)
    alice.probe_failed(NEWEST, QUOTA, is_quota=True)
    row = ModelQuota.objects.get(model=NEWEST)
    assert (row.kind, row.resets_at) == ("unknown", NOON + datetime.timedelta(seconds=66 + 130))


def test_quota_that_is_back_is_tried_by_a_probe_and_by_nobodys_sentence(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = begun(open_session("alice"))
    for model in (NEWEST, OLDER):
        change = alice.lower(Mode.CALL, DAY, model)
    assert (change.level.model, change.resets_at) == (IN_TURNS, MIDNIGHT)
    assert alice.due_probe(Mode.CALL) == ("", False)
    clock.move_to(MIDNIGHT)
    assert alice.raise_if_possible(Mode.CALL) is None
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)
    alice.succeeded(NEWEST)
    assert alice.raise_if_possible(Mode.CALL) is not None


def test_a_new_session_begins_in_turns_while_the_outage_is_known_and_dials_when_it_is_forgotten(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    left(begun(open_session("alice")))
    clock.shift(OUTAGE_WAIT + OUTAGE_MEMORY - datetime.timedelta(seconds=1))
    assert begun(open_session("bob")).get_current_model(Mode.CALL) == IN_TURNS
    clock.shift(2)
    assert begun(open_session("carol")).get_current_model(Mode.CALL) == NEWEST


def test_a_session_that_loses_its_line_in_a_known_outage_need_not_find_out_for_itself(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice, bob = begun(open_session("alice")), begun(open_session("bob"))
    left(alice)
    change = bob.avoid_spent(Mode.CALL)
    assert change is not None
    assert change.level.model == IN_TURNS


def test_spent_quota_is_not_taken_for_an_outage(open_session: Begin, clock: time_machine.Traveller) -> None:
    alice = begun(open_session("alice"))
    alice.lower(Mode.CALL, DAY, NEWEST)
    alice.leave_outage(Mode.CALL, OLDER, DOWN.text)
    row = ModelQuota.objects.get(model=NEWEST)
    assert (row.kind, row.resets_at, row.spent_since) == ("day", MIDNIGHT, NOON)


# --- Models in turns in the ledger ----------------------------------------------------------------


def test_a_spent_model_in_turns_is_back_with_its_first_answer_and_not_with_a_dial(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = left(begun(open_session("alice")))
    alice.lower(Mode.CALL, Refusal("per minute"), IN_TURNS)
    clock.shift(66)
    bob = begun(open_session("bob"))
    bob.leave_outage(Mode.CALL, NEWEST, DOWN.text)
    assert bob.get_current_model(Mode.CALL) == IN_TURNS
    bob.succeeded(IN_TURNS)
    assert ModelQuota.objects.get(model=IN_TURNS).restored_at is None
    bob.raise_if_possible(Mode.CALL)
    assert ModelQuota.objects.get(model=IN_TURNS).restored_at is not None


def test_nobody_waits_for_another_to_find_out_about_a_model_in_turns(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    left(begun(open_session("alice")))
    others = [open_session(f"other-{number}") for number in range(3)]
    levels = [other.load(Mode.CALL, patient=True) for other in others]
    assert [level.model for level in levels if level is not None] == [IN_TURNS] * 3
    assert [other.avoid_spent(Mode.CALL) for other in others] == [None] * 3


def test_a_session_that_has_nothing_left_in_an_outage_asks_for_the_line_and_all_follow(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice, bob = (left(begun(open_session(name))) for name in ("alice", "bob"))
    for session in (alice, bob):
        for model in (IN_TURNS, IN_TURNS_TOO):
            change = session.lower(Mode.CALL, DAY, model)
        assert change.level.is_exhausted
    clock.shift(OUTAGE_WAIT)
    assert alice.due_probe(Mode.CALL) == (NEWEST, False)
    alice.succeeded(NEWEST)
    assert bob.due_probe(Mode.CALL) == ("", True)
    assert bob.restore(Mode.CALL, Reason.MANUAL).level.model == NEWEST


def test_a_model_that_was_left_on_a_guess_is_asked_for_again_after_its_probation(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice = begun(open_session("alice"))
    for model in (NEWEST, OLDER):
        change = alice.next_model(Mode.CALL, model, "provider-fault")
    assert change.level.model == IN_TURNS
    assert alice.due_probe(Mode.CALL) == ("", False)
    clock.shift(PROBATION)
    assert alice.due_probe(Mode.CALL)[0] == NEWEST
    alice.succeeded(NEWEST)
    assert alice.raise_if_possible(Mode.CALL) is not None


def test_the_last_model_in_turns_is_not_left_on_a_guess(open_session: Begin, clock: time_machine.Traveller) -> None:
    alice = left(begun(open_session("alice")))
    assert alice.next_model(Mode.CALL, IN_TURNS, "provider-fault").level.model == IN_TURNS_TOO
    change = alice.next_model(Mode.CALL, IN_TURNS_TOO, "provider-fault")
    assert (change.level.model, change.is_change, change.resets_at) == (IN_TURNS_TOO, False, None)
    assert alice.next_model(Mode.CALL, IN_TURNS_TOO, "unknown-model").level.is_exhausted
