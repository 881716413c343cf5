"""What turns took and cost, as rows and sums, and when a user has had their share."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from energy.fair_use import FairUseLimit, Used
from energy.levels import Mode
from energy.usage import Report, TurnTokens, turns_of
from sessions_app import services, usage
from sessions_app.models import Conversation, LiveSession, RecordingUsage, TurnUsage
from sessions_app.usage import UsageTotal
from tests.repeatable import cases

pytestmark = pytest.mark.django_db

MODEL = "gemini-3.8-live"
PRICES = '{"gemini-3.8": {"text_in": 1, "audio_in": 3, "text_out": 4, "audio_out": 12}}'
NOON = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
REPORT = {
    "prompt_tokens": 110,
    "response_tokens": 40,
    "thoughts_tokens": 5,
    "total_tokens": 150,
    "prompt_tokens_by_modality": {"TEXT": 100, "AUDIO": 10},
    "response_tokens_by_modality": {"AUDIO": 40},
}
ADDED_UP = [
    {"prompt_tokens": 100, "response_tokens": 10},
    {"prompt_tokens": 250, "response_tokens": 25},
    {"prompt_tokens": 460, "response_tokens": 45},
]
"""Of three turns on a connection that adds up: 100, 150 and 210 tokens in."""


@pytest.fixture(autouse=True)
def prices(settings: Settings) -> None:
    settings.TOKEN_PRICES = PRICES


def a_session(
    user: User,
    mode: Mode = Mode.CALL,
    started_at: datetime.datetime = NOON,
    ended_at: datetime.datetime | None = None,
) -> LiveSession:
    conversation = Conversation.objects.create(user=user, mode=mode, started_at=started_at)
    return LiveSession.objects.create(
        conversation=conversation,
        page_id=uuid.uuid4(),
        model=MODEL,
        owner="host:1",
        started_at=started_at,
        ended_at=ended_at,
    )


def save(session: LiveSession, turn: int, report: dict[str, Any], connection: int = 1, model: str = MODEL) -> None:
    usage.save_usage(str(session.conversation_id), str(session.pk), connection, turn, model, report)


def spend(session: LiveSession, at: datetime.datetime, turn: int = 1, **report: int) -> None:
    """A turn that was reported at that time, by a connection of its own."""
    save(session, turn, report or REPORT, connection=turn)
    TurnUsage.objects.filter(live_session=session, turn=turn).update(at=at)


def inputs(session: LiveSession) -> list[int]:
    return list(session.usages.order_by("connection", "turn").values_list("input_tokens", flat=True))


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_report_becomes_a_row_with_its_cost(alice: User) -> None:
    session = a_session(alice)
    save(session, 3, REPORT)
    (row,) = TurnUsage.objects.all()
    assert (row.conversation, row.live_session, row.connection, row.turn) == (session.conversation, session, 1, 3)
    assert (row.model, row.report) == (MODEL, REPORT)
    assert (row.input_tokens, row.input_text_tokens, row.input_audio_tokens) == (110, 100, 10)
    assert (row.output_tokens, row.output_text_tokens, row.output_audio_tokens) == (45, 5, 40)
    assert row.cost_micro_usd == 100 * 1 + 10 * 3 + 5 * 4 + 40 * 12
    assert str(row) == "Usage of turn 3"


def test_tokens_of_tools_and_cached_ones_stand_in_a_row_and_in_the_totals(alice: User) -> None:
    report = {"prompt_tokens": 100, "tool_use_tokens": 30, "cached_tokens": 60}
    session = a_session(alice)
    for turn in (1, 2):
        save(session, turn, report, connection=turn)
    row = TurnUsage.objects.filter(turn=1).get()
    assert (row.input_tokens, row.input_tool_use_tokens, row.input_cached_tokens) == (130, 30, 60)
    assert row.cost_micro_usd == 130
    total = usage.total(TurnUsage.objects.all())
    assert (total.tokens, total.input_tool_use_tokens, total.input_cached_tokens) == (260, 60, 120)


def test_what_is_neither_text_nor_audio_is_in_the_sum(alice: User) -> None:
    save(a_session(alice), 1, {"prompt_tokens": 300, "prompt_tokens_by_modality": {"IMAGE": 258, "TEXT": 42}})
    row = TurnUsage.objects.get()
    assert (row.input_tokens, row.input_text_tokens, row.input_audio_tokens) == (300, 42, 0)


def test_a_job_that_is_run_twice_changes_nothing(alice: User) -> None:
    session = a_session(alice)
    save(session, 1, REPORT)
    before = TurnUsage.objects.values().get()
    save(session, 1, REPORT)
    assert TurnUsage.objects.values().get() == before


def test_of_a_turn_reported_again_the_latest_counts_on_the_day_of_the_first(alice: User) -> None:
    session = a_session(alice)
    spend(session, NOON, prompt_tokens=10)
    save(session, 1, {"prompt_tokens": 12})
    row = TurnUsage.objects.get()
    assert (row.input_tokens, row.cost_micro_usd, row.at) == (12, 12, NOON)


def test_earlier_turns_are_restated_when_the_connection_turns_out_to_add_up(alice: User) -> None:
    session = a_session(alice)
    save(session, 1, ADDED_UP[0])
    save(session, 3, ADDED_UP[1])
    assert inputs(session) == [100, 250]
    save(session, 5, ADDED_UP[2])
    assert inputs(session) == [100, 150, 210]
    assert [row.cost_micro_usd for row in session.usages.order_by("turn")] == [220, 330, 450]


def test_reports_add_up_over_one_connection_alone(alice: User) -> None:
    session = a_session(alice)
    for turn, report in enumerate(ADDED_UP):
        save(session, turn, report, connection=turn)
    assert inputs(session) == [100, 250, 460]
    other = a_session(alice)
    save(other, 9, {"prompt_tokens": 1000, "response_tokens": 100})
    assert inputs(other) == [1000]


def test_a_turn_costs_what_its_own_model_does(alice: User) -> None:
    session = a_session(alice)
    save(session, 1, REPORT, model="gemini-unpriced")
    save(session, 2, REPORT, connection=2)
    assert [row.cost_micro_usd for row in session.usages.order_by("turn")] == [0, 630]


def test_a_turn_takes_few_queries_however_many_came_before(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    session = a_session(alice)
    for turn in range(20):
        save(session, turn, REPORT)
    with django_assert_max_num_queries(4):  # two of them are the savepoint
        save(session, 20, REPORT)


@pytest.mark.parametrize(
    "wrong", [{"turn": 1}, {"input_text_tokens": 2}, {"output_audio_tokens": 2}, {"cost_micro_usd": -1}, {"turn": -1}]
)
def test_rows_that_make_no_sense_are_refused(alice: User, wrong: dict[str, int]) -> None:
    session = a_session(alice)
    save(session, 1, REPORT)
    counts = dict.fromkeys((name for name in vars(TurnUsage()) if name.endswith("_tokens")), 1)
    zero = dict.fromkeys((name for name in counts if "text" in name or "audio" in name), 0)
    fields = {"turn": 2, "cost_micro_usd": 0, **counts, **zero, **wrong}
    with pytest.raises(IntegrityError), transaction.atomic():
        TurnUsage.objects.create(
            conversation=session.conversation, live_session=session, connection=1, report={}, **fields
        )


@pytest.mark.parametrize("wrong", [{"input_text_tokens": 2}, {"output_audio_tokens": 2}, {"output_tokens": -1}])
def test_so_are_those_of_recordings(alice: User, wrong: dict[str, int]) -> None:
    counts = dict.fromkeys((name for name in vars(RecordingUsage()) if name.endswith("_tokens")), 1)
    zero = dict.fromkeys((name for name in counts if "text" in name or "audio" in name), 0)
    RecordingUsage.objects.create(user=alice, report={}, cost_micro_usd=0, **counts | zero)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordingUsage.objects.create(user=alice, report={}, cost_micro_usd=0, **counts | zero | wrong)


def test_what_was_spent_outlives_its_live_session_but_not_its_conversation(alice: User) -> None:
    session = a_session(alice)
    save(session, 1, REPORT)
    session.delete()
    assert TurnUsage.objects.get().live_session is None
    alice.delete()
    assert not TurnUsage.objects.exists()


# -- totals ------------------------------------------------------------------------------------------------------------

counts = st.integers(0, 5_000)
reports = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": counts,
        "response_tokens": counts,
        "thoughts_tokens": counts,
        "prompt_tokens_by_modality": st.dictionaries(st.sampled_from(["TEXT", "AUDIO", "IMAGE"]), counts),
        "response_tokens_by_modality": st.dictionaries(st.sampled_from(["TEXT", "AUDIO"]), counts),
    },
)
growing = st.lists(counts, min_size=1, max_size=5).map(
    lambda steps: [
        {"prompt_tokens": sum(sorted(steps)[: count + 1]), "response_tokens": count} for count in range(len(steps))
    ]
)
connections = st.lists(st.one_of(st.lists(reports, min_size=1, max_size=5), growing), min_size=1, max_size=3)


def counted(reports: Iterable[dict[str, Any]]) -> TurnTokens:
    """The tokens of one connection, whose reports came in order and once."""
    return sum(turns_of([Report.of(report) for report in reports]), TurnTokens())


@settings(max_examples=cases(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(connections=connections, seed=st.integers(0, 2**16))
def test_totals_are_the_sum_of_the_turns_in_whatever_order_and_however_often_they_are_reported(
    alice: User, connections: list[list[dict[str, Any]]], seed: int
) -> None:
    session = a_session(alice)
    jobs = [
        (number, turn, report) for number, told in enumerate(connections) for turn, report in enumerate(told, start=1)
    ]
    shuffled = random.Random(seed)
    jobs = shuffled.sample(jobs, len(jobs)) + shuffled.choices(jobs, k=3)
    for number, turn, report in jobs:
        save(session, turn, report, connection=number)
    tokens = sum((counted(told) for told in connections), TurnTokens())
    total = usage.totals_of_conversations([session.conversation_id])[session.conversation_id]
    assert total.turns == max(len(told) for told in connections)
    assert (total.input_tokens, total.output_tokens) == (sum(tokens.input.values()), sum(tokens.output.values()))
    assert total.input_text_tokens == tokens.input.get("TEXT", 0)
    assert total.output_audio_tokens == tokens.output.get("AUDIO", 0)
    assert total.cost_micro_usd == sum(row.cost_micro_usd for row in session.usages.all())
    assert total == usage.total(session.usages.all())


def test_a_turn_that_another_model_has_spoken_is_one_turn_and_costs_what_both_cost(alice: User) -> None:
    session = a_session(alice)
    save(session, 3, REPORT, connection=1)
    save(session, 3, REPORT, connection=2, model="gemini-3.8-flash-lite-tts")
    save(session, 5, REPORT, connection=1)
    other = a_session(alice)
    save(other, 3, REPORT)
    total = usage.totals_of_conversations([session.conversation_id])[session.conversation_id]
    assert (total.turns, total.input_tokens, total.output_tokens) == (2, 3 * 110, 3 * 45)
    assert usage.total(usage.usages_of_user(alice.pk)).turns == 3


def test_totals_of_conversations_leave_out_those_without_a_report(alice: User) -> None:
    first, second, silent = (a_session(alice) for _ in range(3))
    save(first, 1, REPORT)
    save(first, 2, REPORT)
    save(second, 1, REPORT)
    ids = [session.conversation_id for session in (first, second, silent)]
    totals = usage.totals_of_conversations(ids)
    assert set(totals) == set(ids[:2])
    assert totals[ids[0]] == totals[ids[1]] + totals[ids[1]]
    assert totals[ids[0]].tokens == 310
    assert usage.total(silent.usages.all()) == UsageTotal()


def test_days_are_those_of_the_server_and_can_be_of_one_user(alice: User, bob: User, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    late = NOON.replace(hour=14, minute=59)
    spend(a_session(alice), late, prompt_tokens=1)
    spend(a_session(alice), late + HOUR, prompt_tokens=2)
    spend(a_session(bob), late + HOUR, prompt_tokens=4)
    friday, saturday = datetime.date(2026, 11, 20), datetime.date(2026, 11, 21)
    everybody = usage.totals_per_day(TurnUsage.objects.all())
    assert [(day, total.input_tokens) for day, total in everybody] == [(saturday, 6), (friday, 1)]
    of_alice = usage.totals_per_day(usage.usages_of_user(alice.pk))
    assert [(day, total.input_tokens) for day, total in of_alice] == [(saturday, 2), (friday, 1)]


def test_users_are_listed_by_what_they_cost(alice: User, bob: User, sam: User) -> None:
    spend(a_session(alice), NOON, prompt_tokens=1)
    spend(a_session(bob), NOON, prompt_tokens=5)
    save(a_session(sam), 1, {"prompt_tokens": 9}, model="gemini-unpriced")
    totals = usage.totals_per_user(TurnUsage.objects.all())
    assert [(name, total.input_tokens) for name, total in totals] == [("bob", 5), ("alice", 1), ("sam", 9)]


@pytest.mark.parametrize(
    ("micro_usd", "words"),
    [(0, "$0.0000"), (1, "under $0.0001"), (100, "$0.0001"), (12_345, "$0.0123"), (1_234_000_000, "$1,234.0000")],
)
def test_costs_are_told_in_dollars(micro_usd: int, words: str) -> None:
    assert usage.in_dollars(micro_usd) == words


# -- fair use ----------------------------------------------------------------------------------------------------------


def used(user: User, now: datetime.datetime, mode: Mode = Mode.CALL, session: LiveSession | None = None) -> Used:
    return usage.used_today(user.pk, mode, now, session.pk if session else None)


def test_a_user_has_used_what_they_talked_and_spent_today(alice: User, bob: User) -> None:
    a_session(alice, ended_at=NOON + HOUR / 2)
    going_on = a_session(alice, started_at=NOON + HOUR)
    a_session(alice, Mode.TEXT)
    a_session(bob)
    spend(going_on, NOON + HOUR)
    now = NOON + 2 * HOUR
    assert used(alice, now) == Used(call_seconds_today=1.5 * 3600, sessions_open=2, tokens_today=155)
    assert used(alice, now, session=going_on).sessions_open == 1
    assert used(alice, now, Mode.TEXT).call_seconds_today == 0


def test_only_the_part_of_a_call_after_midnight_is_of_today(alice: User) -> None:
    midnight = NOON + 12 * HOUR
    a_session(alice, started_at=midnight - 3 * HOUR, ended_at=midnight - HOUR)
    over_midnight = a_session(alice, started_at=midnight - HOUR, ended_at=midnight + HOUR)
    spend(over_midnight, midnight - datetime.timedelta(microseconds=1), turn=1, prompt_tokens=1)
    spend(over_midnight, midnight, turn=2, prompt_tokens=2)
    assert used(alice, midnight + 2 * HOUR) == Used(call_seconds_today=3600, tokens_today=2)


def test_nothing_is_used_before_it_happens(alice: User) -> None:
    """Clocks of two workers may differ."""
    a_session(alice, started_at=NOON + HOUR)
    a_session(alice, started_at=NOON - HOUR, ended_at=NOON + HOUR)
    assert used(alice, NOON).call_seconds_today == 3600


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime.date(2026, 3, 29), 23), (datetime.date(2026, 10, 25), 25)], ids=["spring", "autumn"]
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(
    alice: User, settings: Settings, day: datetime.date, hours: int
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    offset = 1 if hours == 23 else 2
    begins = datetime.datetime.combine(day, datetime.time(), datetime.UTC) - offset * HOUR
    ends = begins + hours * HOUR
    session = a_session(alice, started_at=begins - 5 * HOUR)
    tick = datetime.timedelta(microseconds=1)
    for turn, at in enumerate((begins - tick, begins, ends - tick, ends)):
        spend(session, at, turn, prompt_tokens=10**turn)
    assert used(alice, ends - tick) == Used(hours * 3600 - 1e-6, sessions_open=1, tokens_today=110)
    assert used(alice, ends) == Used(0, sessions_open=1, tokens_today=1000)
    totals = usage.totals_per_day(TurnUsage.objects.all())
    assert [total.input_tokens for _, total in totals] == [1000, 110, 1]
    assert totals[1][0] == day


def test_without_limits_nobody_is_refused_and_nothing_is_asked(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert usage.fair_use_refusal(alice.pk, Mode.CALL, NOON) is None


def test_each_limit_refuses_and_says_when_it_ends(alice: User, bob: User, settings: Settings) -> None:
    session = a_session(alice)
    spend(session, NOON)
    now, midnight = NOON + HOUR, NOON + 12 * HOUR
    settings.FAIR_USE_SESSIONS = 1
    refusal = usage.fair_use_refusal(alice.pk, Mode.TEXT, now)
    assert refusal is not None
    assert (refusal.limit, refusal.ends_at) == (FairUseLimit.SESSIONS, None)
    assert usage.fair_use_refusal(alice.pk, Mode.CALL, now, session.pk) is None
    settings.FAIR_USE_TOKENS_PER_DAY = 155
    refusal = usage.fair_use_refusal(alice.pk, Mode.TEXT, now, session.pk)
    assert refusal is not None
    assert (refusal.limit, refusal.allowed, refusal.ends_at) == (FairUseLimit.TOKENS, 155, midnight)
    settings.FAIR_USE_CALL_MINUTES_PER_DAY = 60
    refusal = usage.fair_use_refusal(alice.pk, Mode.CALL, now, session.pk)
    assert refusal is not None
    assert (refusal.limit, refusal.ends_at) == (FairUseLimit.CALL_MINUTES, midnight)
    assert usage.fair_use_refusal(alice.pk, Mode.CALL, midnight, session.pk) is None
    assert usage.fair_use_refusal(bob.pk, Mode.CALL, now) is None


def test_limits_are_looked_up_in_four_queries(
    alice: User, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.FAIR_USE_SESSIONS = 100
    for hour in range(5):
        spend(a_session(alice, started_at=NOON - hour * HOUR), NOON)
    with django_assert_num_queries(4):
        assert usage.fair_use_refusal(alice.pk, Mode.CALL, NOON) is None


def test_a_session_that_was_finished_is_not_open_any_more(alice: User) -> None:
    session = a_session(alice)
    services.finish_session(str(session.conversation_id), str(session.pk), "hung-up", conversation_over=True)
    assert used(alice, NOON + HOUR).sessions_open == 0
