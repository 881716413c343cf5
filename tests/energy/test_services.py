"""The energy bar of a live session: in memory, in the ledger, in rows."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from energy import services
from energy.levels import Level, LevelChange, Mode, Reason, should_clear_resumption_handle
from energy.models import EnergyChange, EnergyState, ModelQuota
from energy.quota import Refusal
from energy.services import EnergyBarService
from energy.usage import TurnTokens
from tests.energy.conftest import NOON
from tests.fakes.energy import NEWEST, OLDER, OLDEST

pytestmark = pytest.mark.django_db(transaction=True)

QUOTA = Refusal("You exceeded your current quota, please check your plan and billing details.")
DAY = Refusal("Quota exceeded for requests per day")
MINUTE = Refusal("Quota exceeded for requests per minute")
CROWDED = Refusal("Too many concurrent sessions")
MIDNIGHT = datetime.datetime(2026, 11, 21, 8, 0, tzinfo=datetime.UTC)
LADDER = {Mode.CALL: [NEWEST, OLDER, OLDEST], Mode.TEXT: [NEWEST, OLDER]}

Begin = Callable[[str], EnergyBarService]


def begun(session: EnergyBarService, mode: Mode = Mode.CALL) -> EnergyBarService:
    """The session once it is set up on the level that it got."""
    session.load(mode)
    if model := session.get_current_model(mode):
        session.succeeded(model)
    return session


def rows(name: str = "alice") -> list[tuple[str, int, int, str]]:
    changes = EnergyChange.objects.filter(user__username=name).order_by("at", "-previous")
    return [(change.mode, change.previous, change.level, change.reason) for change in changes]


class Outage:
    """The database is away: every statement fails, as a broken connection makes it."""

    def __enter__(self) -> None:
        self._wrapper = connection.execute_wrapper(self._refuse)
        self._wrapper.__enter__()

    def __exit__(self, *args: object) -> None:
        self._wrapper.__exit__(None, None, None)

    def _refuse(self, *args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")


@pytest.fixture(autouse=True)
def live_models_alone(settings: Settings) -> None:
    """What a ladder that ends in turns adds to this is in `test_outage.py`."""
    settings.ENERGY_LADDERS = LADDER


# --- In memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
def test_without_the_ledger_a_session_steps_down_from_the_top_to_nothing(mode: Mode) -> None:
    energy = EnergyBarService()
    assert energy.get_level(mode) == energy.get_top_level(mode)
    seen = [energy.get_current_model(mode)]
    while not energy.handle_rate_limit_error(mode).is_exhausted:
        seen.append(energy.get_current_model(mode))
    assert seen == LADDER[mode]
    assert energy.get_current_model(mode) == ""
    assert energy.reset_energy_level(mode) == energy.get_top_level(mode) == energy.get_level(mode)


def test_in_memory_nothing_is_asked_of_the_database(
    open_session: Begin, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    energy = open_session("alice")
    with django_assert_num_queries(0):
        energy.handle_rate_limit_error(Mode.CALL)
        energy.reset_energy_level(Mode.CALL, Reason.SESSION_RESET)
        energy.get_resets_at(Mode.CALL)


# --- Models that end ------------------------------------------------------------------------------

ENDING = "gemini-3.1-flash-live-preview"
DAY_BEFORE = datetime.datetime(2026, 11, 16, 23, 59, tzinfo=datetime.UTC)


@pytest.fixture
def ending_model(settings: Settings, live_models_alone: None) -> None:
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST, ENDING, OLDEST], Mode.TEXT: [ENDING]}


@pytest.mark.usefixtures("ending_model")
def test_a_model_that_has_ended_is_never_dialled_and_costs_no_step(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    energy = begun(open_session("alice"))
    assert energy.get_top_level(Mode.CALL).number == 2
    change = energy.lower(Mode.CALL, DAY, NEWEST)
    assert (change.level.model, change.level.number, change.level.word) == (OLDEST, 1, "low")


@pytest.mark.parametrize("model", [ENDING, NEWEST])
@pytest.mark.usefixtures("ending_model")
def test_a_session_leaves_a_model_that_ends_meanwhile_before_it_is_dialled_again(
    model: str, open_session: Begin, clock: time_machine.Traveller
) -> None:
    clock.move_to(DAY_BEFORE)
    energy = begun(open_session("alice"))
    if model == ENDING:
        energy.next_model(Mode.CALL, NEWEST, "provider-fault")
    assert energy.avoid_spent(Mode.CALL) is None
    clock.shift(datetime.timedelta(minutes=2))
    change = energy.avoid_spent(Mode.CALL)
    assert (change is None) == (model == NEWEST)
    assert energy.get_current_model(Mode.CALL) == NEWEST
    assert energy.lower(Mode.CALL, DAY, NEWEST).level.model == OLDEST


@pytest.mark.usefixtures("ending_model")
def test_where_every_model_has_ended_the_last_is_tried_all_the_same(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    energy = begun(open_session("alice"), Mode.TEXT)
    assert energy.get_current_model(Mode.TEXT) == ENDING
    assert energy.avoid_spent(Mode.TEXT) is None


# --- Down -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
def test_each_refusal_goes_one_step_down_and_is_a_row(
    mode: Mode, open_session: Begin, clock: time_machine.Traveller
) -> None:
    energy = begun(open_session("alice"), mode)
    energy.conversation_id = uuid.uuid4()
    numbers = []
    for model in LADDER[mode]:
        clock.shift(1)
        change = energy.lower(mode, DAY, model)
        assert change.is_change
        assert change.resets_at == MIDNIGHT
        numbers.append((change.previous.number, change.level.number))
    top = len(LADDER[mode])
    assert numbers == [(number, number - 1) for number in range(top, 0, -1)]
    assert energy.get_level(mode).is_exhausted
    assert energy.get_resets_at(mode) == MIDNIGHT
    assert rows() == [(mode, before, after, "rate-limit-exceeded") for before, after in numbers]
    latest = EnergyChange.objects.latest("at")
    assert (latest.word, latest.model, latest.resets_at) == ("exhausted", "", MIDNIGHT)
    assert latest.conversation_id == energy.conversation_id
    assert latest.detail == DAY.text
    assert EnergyState.objects.get().level == 0


def test_the_other_mode_is_untouched_throughout(open_session: Begin, clock: time_machine.Traveller) -> None:
    energy = begun(begun(open_session("alice")), Mode.TEXT)
    before = energy.get_level(Mode.TEXT)
    energy.lower(Mode.CALL, DAY, NEWEST)
    energy.raise_if_possible(Mode.CALL)
    energy.restore(Mode.CALL, Reason.MANUAL)
    assert energy.get_level(Mode.TEXT) == before
    assert energy.get_resets_at(Mode.TEXT) is None
    assert not EnergyState.objects.filter(mode=Mode.TEXT).exists()


def test_a_change_of_level_is_one_of_model_so_the_handle_goes(open_session: Begin) -> None:
    change = begun(open_session("alice")).lower(Mode.CALL, DAY, NEWEST)
    assert should_clear_resumption_handle(change.previous, change.level)


def test_the_same_refusal_twice_is_one_step(open_session: Begin) -> None:
    energy = begun(open_session("alice"))
    energy.lower(Mode.CALL, DAY, NEWEST)
    again = energy.lower(Mode.CALL, DAY, NEWEST)
    assert not again.is_change
    assert energy.get_level(Mode.CALL).number == 2
    assert len(rows()) == 1


def test_models_that_others_found_spent_are_skipped(open_session: Begin, clock: time_machine.Traveller) -> None:
    begun(open_session("bob")).lower(Mode.CALL, DAY, NEWEST)
    assert begun(open_session("carol"), Mode.TEXT).lower(Mode.TEXT, DAY, OLDER).is_change
    alice = open_session("alice")
    assert alice.load(Mode.CALL) == Level(Mode.CALL, 1, "low", OLDEST)
    assert rows()[-1] == ("call", 3, 1, "session-reset")
    assert alice.get_resets_at(Mode.CALL) == MIDNIGHT


def test_one_session_too_many_changes_no_level_and_says_when_to_dial_again(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    energy = begun(open_session("alice"))
    change = energy.lower(Mode.CALL, CROWDED, NEWEST)
    assert not change.is_change
    assert change.resets_at == NOON + datetime.timedelta(seconds=20)
    assert energy.get_current_model(Mode.CALL) == NEWEST
    assert rows() == []
    assert open_session("bob").load(Mode.CALL) == energy.get_level(Mode.CALL)


def test_a_session_that_dials_again_leaves_a_model_that_others_found_spent_meanwhile(open_session: Begin) -> None:
    alice, bob = begun(open_session("alice")), begun(open_session("bob"))
    assert alice.avoid_spent(Mode.CALL) is None
    bob.lower(Mode.CALL, DAY, NEWEST)
    change = alice.avoid_spent(Mode.CALL)
    assert change is not None
    assert (change.previous.number, change.level.number) == (3, 2)
    assert alice.avoid_spent(Mode.CALL) is None


# --- Models that cannot be used -------------------------------------------------------------------


def test_an_unknown_model_is_left_without_counting_as_quota_and_the_operator_is_told(
    open_session: Begin, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    energy = begun(open_session("alice"))
    change = energy.next_model(Mode.CALL, NEWEST, "unknown-model")
    assert (change.level.number, change.reason) == (2, Reason.MANUAL)
    quota = ModelQuota.objects.get(model=NEWEST)
    assert (quota.kind, quota.resets_at) == ("missing", NOON + datetime.timedelta(hours=1))
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert NEWEST in record.getMessage()
    assert begun(open_session("bob")).get_level(Mode.CALL).number == 2


def test_a_model_that_failed_one_session_is_left_by_that_session_alone(open_session: Begin) -> None:
    alice = begun(open_session("alice"))
    alice.next_model(Mode.CALL, NEWEST, "provider-fault")
    assert alice.raise_if_possible(Mode.CALL) is None
    assert begun(open_session("bob")).get_level(Mode.CALL).number == 3
    assert alice.restore(Mode.CALL, Reason.SESSION_RESET).level.number == 3


# --- Up -------------------------------------------------------------------------------------------


def test_after_the_reset_the_level_rises_at_the_next_turns_end(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    energy = begun(open_session("alice"))
    energy.lower(Mode.CALL, DAY, NEWEST)
    energy.lower(Mode.CALL, MINUTE, OLDER)
    assert energy.raise_if_possible(Mode.CALL) is None
    clock.shift(66)
    change = energy.raise_if_possible(Mode.CALL)
    assert change is not None
    assert (change.level.number, change.reason, change.resets_at) == (2, Reason.QUOTA_RESET, MIDNIGHT)
    energy.succeeded(OLDER)
    assert energy.raise_if_possible(Mode.CALL) is None
    clock.move_to(MIDNIGHT)
    change = energy.raise_if_possible(Mode.CALL)
    assert change is not None
    assert (change.level.number, change.resets_at) == (3, None)
    energy.succeeded(NEWEST)
    assert [row[1:] for row in rows()[2:]] == [(1, 2, "quota-reset"), (2, 3, "quota-reset")]
    assert energy.raise_if_possible(Mode.CALL) is None


def test_one_session_probes_for_all_and_the_others_follow(open_session: Begin, clock: time_machine.Traveller) -> None:
    sessions = [begun(open_session(name)) for name in ("alice", "bob", "carol")]
    for session in sessions:
        session.lower(Mode.CALL, DAY, NEWEST)
    clock.move_to(MIDNIGHT)
    changes = [session.raise_if_possible(Mode.CALL) for session in sessions]
    assert [change is not None for change in changes] == [True, False, False]
    sessions[0].succeeded(NEWEST)
    assert [session.raise_if_possible(Mode.CALL) is not None for session in sessions[1:]] == [True, True]


def test_a_model_that_goes_on_answering_others_is_not_spent_for_the_day(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    """A project with room for one live session refuses the second as if its quota were spent."""
    talking, refused = begun(open_session("alice")), begun(open_session("bob"))
    refused.lower(Mode.CALL, QUOTA, NEWEST)
    clock.shift(66)
    assert talking.raise_if_possible(Mode.CALL) is None
    assert refused.raise_if_possible(Mode.CALL) is not None
    assert refused.lower(Mode.CALL, QUOTA, NEWEST).resets_at == NOON + datetime.timedelta(seconds=66 + 130)


def test_a_probe_that_is_refused_takes_the_prober_down_again_and_nobody_else_up(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    alice, bob = begun(open_session("alice")), begun(open_session("bob"))
    alice.lower(Mode.CALL, QUOTA, NEWEST)
    bob.lower(Mode.CALL, QUOTA, NEWEST)
    clock.shift(66)
    assert alice.raise_if_possible(Mode.CALL) is not None
    change = alice.lower(Mode.CALL, QUOTA, NEWEST)
    assert (change.level.number, change.resets_at) == (2, MIDNIGHT)
    clock.shift(3_600)
    assert bob.raise_if_possible(Mode.CALL) is None


def test_a_prober_may_dial_the_model_that_it_holds(open_session: Begin, clock: time_machine.Traveller) -> None:
    alice, bob = begun(open_session("alice")), begun(open_session("bob"))
    alice.lower(Mode.CALL, MINUTE, NEWEST)
    clock.shift(66)
    assert alice.raise_if_possible(Mode.CALL) is not None
    assert alice.avoid_spent(Mode.CALL) is None
    assert bob.avoid_spent(Mode.CALL) is not None


def test_a_new_session_starts_at_the_highest_level_whose_model_is_not_spent(
    open_session: Begin, clock: time_machine.Traveller
) -> None:
    begun(open_session("alice")).lower(Mode.CALL, DAY, NEWEST)
    same = open_session("alice")
    assert same.load(Mode.CALL) == Level(Mode.CALL, 2, "reduced", OLDER)
    assert same.get_resets_at(Mode.CALL) == MIDNIGHT
    assert len(rows()) == 1
    clock.move_to(MIDNIGHT)
    later = open_session("alice")
    assert later.load(Mode.CALL) == later.get_top_level(Mode.CALL)
    assert rows()[-1] == ("call", 2, 3, "session-reset")


def test_whoever_opens_beside_a_scout_waits_for_what_it_finds(open_session: Begin) -> None:
    scout, other = open_session("alice"), open_session("bob")
    assert scout.load(Mode.CALL, patient=True) is not None
    assert other.load(Mode.CALL, patient=True) is None
    assert other.load(Mode.CALL) == other.get_top_level(Mode.CALL)
    scout.succeeded(NEWEST)
    assert other.load(Mode.CALL, patient=True) == other.get_top_level(Mode.CALL)
    assert rows() == []


def test_ten_users_who_open_at_once_on_a_spent_model_cost_one_refusal(open_session: Begin) -> None:
    """Each of the sessions dials what it was given; the provider refuses the best model."""
    waiting = [open_session(f"user-{number}") for number in range(10)]
    refusals, patience = 0, 20
    while waiting and patience:
        patience -= 1
        dialling = [session for session in waiting if session.load(Mode.CALL, patient=True) is not None]
        waiting = [session for session in waiting if session not in dialling]
        for session in dialling:
            while (model := session.get_current_model(Mode.CALL)) == NEWEST:
                refusals += 1
                session.lower(Mode.CALL, DAY, model)
            session.succeeded(model)
    assert not waiting
    assert refusals == 1


# --- Rows -----------------------------------------------------------------------------------------


def test_a_conversation_goes_on_while_the_database_is_away(open_session: Begin) -> None:
    energy, fresh = begun(open_session("alice")), open_session("alice")
    with Outage():
        assert energy.lower(Mode.CALL, DAY, NEWEST).level.number == 2
        assert energy.next_model(Mode.CALL, OLDER, "unknown-model").level.number == 1
        assert energy.raise_if_possible(Mode.CALL) is None
        assert energy.avoid_spent(Mode.CALL) is None
        energy.succeeded(OLDEST)
        assert fresh.load(Mode.CALL) == fresh.get_top_level(Mode.CALL)
    assert rows() == []
    assert energy.raise_if_possible(Mode.CALL) is None, "the ledger knows nothing of the refusal"
    energy.succeeded(OLDEST)
    assert [row[1:] for row in rows()] == [(3, 2, "rate-limit-exceeded"), (2, 1, "manual")]
    assert EnergyState.objects.get().level == 1


def test_within_a_transaction_of_somebody_else_an_outage_is_not_hidden(open_session: Begin) -> None:
    """The database thread runs the jobs of a batch that failed one by one: this one is survived then."""
    energy = begun(open_session("alice"))
    with pytest.raises(OperationalError), transaction.atomic(), Outage():
        energy.lower(Mode.CALL, DAY, NEWEST)
    assert energy.lower(Mode.CALL, DAY, NEWEST).level.number == 2
    assert rows() == [("call", 3, 2, "rate-limit-exceeded")]


def test_a_job_that_is_run_again_because_its_batch_failed_gives_the_same_change_and_one_row(
    open_session: Begin,
) -> None:
    energy = begun(open_session("alice"))

    def run_in_a_batch_that_fails() -> None:
        with transaction.atomic():
            changes.append(energy.lower(Mode.CALL, DAY, NEWEST))
            raise ZeroDivisionError

    changes: list[LevelChange] = []
    with pytest.raises(ZeroDivisionError):
        run_in_a_batch_that_fails()
    assert rows() == []
    changes.append(energy.lower(Mode.CALL, DAY, NEWEST))
    assert changes[0] == changes[1]
    assert rows() == [("call", 3, 2, "rate-limit-exceeded")]
    assert ModelQuota.objects.get(model=NEWEST).state.is_spent


def test_an_opening_that_is_run_again_leaves_one_row(open_session: Begin, clock: time_machine.Traveller) -> None:
    begun(open_session("bob")).lower(Mode.CALL, DAY, NEWEST)
    energy = open_session("alice")

    def run_in_a_batch_that_fails() -> None:
        with transaction.atomic():
            energy.load(Mode.CALL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_a_batch_that_fails()
    assert energy.load(Mode.CALL) == Level(Mode.CALL, 2, "reduced", OLDER)
    assert rows() == [("call", 3, 2, "session-reset")]


def test_an_operators_reset_goes_to_the_top_and_is_a_row(open_session: Begin) -> None:
    begun(open_session("alice")).lower(Mode.CALL, DAY, NEWEST)
    ((user_id, change),) = services.reset_energy(EnergyState.objects.all())
    assert user_id == User.objects.get().pk
    assert (change.level.number, change.reason) == (3, Reason.MANUAL)
    assert rows()[-1] == ("call", 2, 3, "manual")
    assert services.reset_energy(EnergyState.objects.all()) == []


def test_a_stored_level_beyond_a_ladder_that_was_shortened_is_its_top(open_session: Begin) -> None:
    energy = open_session("alice")
    EnergyState.objects.create(user=User.objects.get(), mode=Mode.TEXT, level=3)
    assert energy.load(Mode.TEXT) == energy.get_top_level(Mode.TEXT)
    assert rows() == []


# --- By the settings ------------------------------------------------------------------------------


def test_tokens_cost_what_the_settings_say(settings: Settings) -> None:
    tokens = TurnTokens({"AUDIO": 1_000}, {})
    assert services.cost_micro_usd(NEWEST, tokens) == 0
    settings.TOKEN_PRICES = '{"gemini-3.8-live": {"audio_in": 3}}'
    assert services.cost_micro_usd(NEWEST, tokens) == 3_000
