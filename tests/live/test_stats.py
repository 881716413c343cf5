"""What a live session is like at this moment."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.live.backlog import AUDIO_LIMIT_BYTES, AudioFrame, Backlog
from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import GoAway
from tests.fakes.energy import NEWEST
from tests.fakes.upstream import CUT, REFUSED, Answer
from tests.live.stage import Stage, a_call

NO_RESUMPTION = Failure(1007, "Unknown name \"sessionResumption\" at 'setup': Cannot find field.", Phase.SETUP)
NO_COMPRESSION = Failure(1007, "Unknown name \"contextWindowCompression\" at 'setup': Cannot find field.", Phase.SETUP)


async def a_call_with_a_secret(*answers: Answer) -> Stage:
    return await a_call(*answers, handle="secret-handle")


async def test_the_names_of_the_statistics_are_those_that_they_always_had() -> None:
    stats = (await a_call_with_a_secret()).manager.get_session_stats()
    assert stats.active
    assert stats.has_valid_resumption_data
    assert stats.compression_enabled
    assert stats.resumption_enabled
    assert stats.state is State.LIVE
    assert (stats.model, stats.level, stats.top_level) == (NEWEST, 3, 3)
    assert stats.duration_ms >= 0
    assert stats.start_time <= (stats.last_message_at or 0)


async def test_neither_the_handle_nor_a_word_that_was_said_is_among_them() -> None:
    said = json.dumps((await a_call_with_a_secret()).manager.get_session_stats().as_data())
    assert "secret-handle" not in said
    assert "plum" not in said


async def test_the_end_that_is_announced_comes_nearer_and_is_forgotten_with_its_connection() -> None:
    stage = await a_call_with_a_secret()
    await stage.begin_reply("I was", ms=200)
    await stage.hear(GoAway(50_000))
    await stage.wait(10)
    assert stage.manager.get_session_stats().go_away_in_ms == pytest.approx(40_000, abs=100)
    await stage.wait(60)
    assert stage.manager.state is State.LIVE
    assert stage.manager.get_session_stats().go_away_in_ms is None


async def test_a_refresh_that_waits_for_its_moment_is_due() -> None:
    stage = await a_call_with_a_secret()
    await stage.begin_reply("I was", ms=200)
    stage.manager.refresh_session()
    assert stage.manager.get_session_stats().refresh_is_due
    stage.connection.drop(CUT)
    await stage.wait(5)
    assert not stage.manager.get_session_stats().refresh_is_due


async def test_what_the_provider_refuses_is_not_in_use() -> None:
    stage = Stage(Mode.TEXT)
    stage.upstream.script(Answer(failure=NO_RESUMPTION), Answer(failure=NO_COMPRESSION))
    await stage.open()
    await stage.wait(5)
    stats = stage.manager.get_session_stats()
    assert stats.active
    assert not stats.resumption_enabled
    assert not stats.compression_enabled


async def test_in_turns_nothing_is_resumed_and_no_context_is_cut_by_the_provider() -> None:
    stats = (await Stage(Mode.CALL, ["gemini-3.8-flash"]).open()).manager.get_session_stats()
    assert (stats.level_word, stats.resumption_enabled, stats.compression_enabled) == ("in turns", False, False)


async def test_without_a_connection_the_way_to_the_provider_is_not_known() -> None:
    stage = await a_call_with_a_secret(Answer(), *[Answer(failure=REFUSED)] * 3)
    stage.connection.drop(CUT)
    await stage.wait(0.1)
    stats = stage.manager.get_session_stats()
    assert not stats.active
    assert stats.state is State.RECONNECTING
    assert stats.retry_in_ms is not None
    assert (stats.round_trip_ms, stats.loop_lag_ms) == (None, None)


async def test_each_frame_counts_once_as_sent_and_each_time_that_it_is_sent_again() -> None:
    stage = await a_call_with_a_secret()
    await stage.speak(3)
    stage.connection.drop(CUT)
    await stage.wait(3)
    stats = stage.manager.get_session_stats()
    sent = sum(len(connection.audio) for connection in stage.upstream.connections)
    assert (stats.frames_sent, stats.frames_resent, stats.frames_waiting) == (8, 3, 0)
    assert sent == stats.frames_sent + stats.frames_resent
    assert stats.frames_acknowledged == 5


STEP = st.sampled_from(["take", "skip", "send", "resume", "afresh", "cover", "answer", "drop"])
STEPS = st.lists(st.tuples(STEP, st.integers(1, 9)), max_size=40)


@given(STEPS)
def test_whatever_happens_the_frames_that_count_as_sent_are_those_that_were(steps: list[tuple[str, int]]) -> None:
    backlog = Backlog(7)
    sent: set[int] = set()
    for now_ms, (step, count) in enumerate(steps):
        match step:
            case "take" | "skip":
                first = backlog.next_number + (3 if step == "skip" else 0)
                for number in range(first, first + count):
                    backlog.add_audio(number, bytes(AUDIO_LIMIT_BYTES // 20))
            case "send":
                for _ in range(count):
                    item = backlog.next_unsent()
                    if isinstance(item, AudioFrame):
                        backlog.mark_sent(item, now_ms, 0)
                        sent.add(item.number)
            case "resume" | "afresh":
                backlog.rewind(resumed=step == "resume")
            case "cover":
                backlog.cover_audio(backlog.mark_at())
            case "answer":
                backlog.answered(backlog.mark_at(), frozenset())
            case "drop":
                backlog.drop_audio()
        assert backlog.frames_sent == len(sent)
        assert backlog.frames_waiting >= 0
        assert 0 <= backlog.frames_acknowledged <= backlog.next_number - 7
