"""How late a provider takes in what it is sent, as far as its first echo of a sentence tells."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.echo import LIMIT_MS, EchoDelay
from sessions_app.live.providers.upstream import HandleUpdate, UserWords
from tests.fakes.energy import NEWEST
from tests.live.stage import Stage
from tests.live.test_not_heard import record
from tests.scenarios.speech import spoken


def after_speech(echoed_after_ms: int, delay: EchoDelay | None = None) -> EchoDelay:
    delay = delay or EchoDelay()
    delay.speech_began()
    delay.speech_ended(1_000)
    delay.echoed(1_000 + echoed_after_ms)
    return delay


def test_the_longest_time_from_the_end_of_speech_to_its_first_echo_counts() -> None:
    delay = after_speech(400)
    assert after_speech(100, delay).longest_ms == 400


def test_thinking_does_not_count_without_bound() -> None:
    assert after_speech(30_000).longest_ms == LIMIT_MS


def test_only_the_first_echo_counts() -> None:
    delay = after_speech(200)
    delay.echoed(1_900)
    assert delay.longest_ms == 200


def test_what_is_echoed_before_it_ends_has_been_taken_in_without_delay() -> None:
    delay = EchoDelay()
    delay.speech_began()
    delay.echoed(900)
    delay.speech_ended(1_000)
    delay.echoed(1_500)
    assert delay.longest_ms == 0


def test_what_comes_after_speech_that_a_cut_or_a_typed_message_followed_is_no_echo_of_it() -> None:
    delay = EchoDelay()
    delay.speech_began()
    delay.speech_ended(1_000)
    delay.forget()
    delay.echoed(1_500)
    assert delay.longest_ms == 0


async def covered_at_a_handle(echo_after_s: float) -> int:
    """How much of an open microphone a handle covers, in ms before it came, once a sentence was echoed so late."""
    stage = await Stage(Mode.CALL, models=[NEWEST]).open_quietly()
    await record(stage, spoken("Where is the station?"), quiet_s=0.72)
    await record(stage, b"", quiet_s=echo_after_s)
    await stage.hear(UserWords("Where is the station?"))
    await stage.reply("Over there.")
    await stage.hear(HandleUpdate("h-1"))
    await record(stage, b"", quiet_s=4)
    await stage.hear(HandleUpdate("h-2"))
    await stage.settle()
    return (stage.next_frame - stage.store.handles[-1].acknowledged_number) * 40


@pytest.mark.parametrize(("echo_after_s", "least_ms", "most_ms"), [(0.0, 40, 120), (0.36, 320, 440), (6.0, 480, 600)])
async def test_a_handle_is_not_believed_to_know_more_than_the_latest_echo_allows(
    echo_after_s: float, least_ms: int, most_ms: int
) -> None:
    """A provider that answers pings at once and listens late loses nothing at a swap once it was heard to be late."""
    assert least_ms <= await covered_at_a_handle(echo_after_s) <= most_ms
