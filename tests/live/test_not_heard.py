"""What the provider does not hear, though it lives, is said again once, and told if that is not heard either."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import Interrupted, TurnComplete, UserWords, VoiceBegan
from tests.fakes.upstream import AudioEnded
from tests.live.noises import Noise, bangs, keyboard, recorded, white
from tests.live.stage import FRAME_MS, Stage
from tests.scenarios.speech import silence, spoken

DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)
FRAME_BYTES = FRAME_MS * 32
SECOND = (bytes(FRAME_BYTES),) * 25
NOT_HEARD = ("system", "This was not heard. Say it again, or type it.", "complete")


async def a_call() -> Stage:
    """A call that has had an exchange, and holds a handle that covers it."""
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.spoken_exchange("Hello.", "Hello!", handle="h-1")
    return stage


async def record(stage: Stage, pcm: bytes, quiet_s: float = 1.0) -> list[bytes]:
    """The microphone takes in a sound and the quiet after it; gives the frames of the sound."""
    whole = pcm + bytes(-len(pcm) % FRAME_BYTES)
    frames = [whole[start : start + FRAME_BYTES] for start in range(0, len(whole), FRAME_BYTES)]
    for frame in [*frames, *[bytes(FRAME_BYTES)] * round(quiet_s * 25)]:
        stage.manager.take_audio(stage.next_frame, frame)
        stage.next_frame += 1
        await stage.wait(FRAME_MS / 1000 - 0.001)
    return frames


def times_heard(stage: Stage, frames: list[bytes]) -> int:
    """How often the present connection has been sent a sound, whole and in one piece."""
    audio = stage.connection.audio
    return sum(audio[start : start + len(frames)] == frames for start in range(len(audio)))


def new_lines(stage: Stage) -> list[tuple[str, str, str]]:
    return stage.page.lines[2:]


async def test_a_short_answer_that_was_not_heard_is_said_again_and_answered() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await record(stage, silence(8))
    assert times_heard(stage, yes) == 2
    await stage.hear(UserWords("Yes."))
    await stage.reply("Good.")
    await record(stage, silence(30))
    assert times_heard(stage, yes) == 2
    assert new_lines(stage) == [("user", "Yes.", "complete"), ("model", "Good.", "complete")]
    assert len(stage.upstream.attempts) == 1
    assert stage.page.toasts == []


async def test_what_is_not_heard_the_second_time_is_told_once() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await record(stage, silence(60))
    assert times_heard(stage, yes) == 2
    assert new_lines(stage) == [NOT_HEARD]
    assert [turn.code for turn in stage.page.transcript if turn.code] == ["turn.not_heard"]
    assert len(stage.upstream.attempts) == 1


async def test_of_what_was_not_heard_only_the_quiet_after_it_is_sent_to_the_next_connection() -> None:
    """Its handle does not know of that, and somebody may have begun to speak in it."""
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    said_until = stage.next_frame
    await record(stage, silence(20))
    assert new_lines(stage) == [NOT_HEARD]
    assert stage.page.acks[-1][0] <= said_until
    stage.connection.drop()
    await stage.wait(2)
    assert times_heard(stage, yes) == 0
    assert len(stage.connection.audio) >= stage.next_frame - said_until


async def test_a_second_of_silence_lets_the_provider_notice_the_end_of_what_is_said_again() -> None:
    stage = await a_call()
    await record(stage, spoken("Yes."))
    stage.manager.mute()
    await stage.wait(9)
    assert tuple(stage.connection.sent[-26:]) == (*SECOND, AudioEnded())


async def test_what_was_heard_is_not_said_again_however_long_the_answer_takes() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await stage.hear(UserWords("Yes."))
    await record(stage, silence(25))
    assert times_heard(stage, yes) == 1


async def test_what_got_an_end_without_a_word_before_our_own_ear_was_done_is_not_said_again() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."), quiet_s=0.4)
    await stage.hear(UserWords("Yes."), TurnComplete())
    await record(stage, silence(30))
    assert times_heard(stage, yes) == 1
    assert new_lines(stage) == [("user", "Yes.", "complete")]


async def test_what_interrupts_a_reply_and_is_not_transcribed_is_said_again() -> None:
    stage = await a_call()
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once upon", ms=3_000)
    stop = spoken("Stop it.")
    await record(stage, stop[: 5 * FRAME_BYTES], quiet_s=0)
    await stage.hear(VoiceBegan(), Interrupted())
    frames = await record(stage, stop[5 * FRAME_BYTES :])
    await record(stage, silence(9))
    assert times_heard(stage, frames) == 2


async def test_what_is_said_into_a_reply_at_once_is_said_again_though_a_message_is_still_owed_its_answer() -> None:
    stage = await a_call()
    stage.connection.unread_ms = 2_000
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.settle()
    await stage.begin_reply("Once upon", ms=3_000)
    stop = spoken("Stop it.")
    await record(stage, stop[: 5 * FRAME_BYTES], quiet_s=0)
    await stage.hear(VoiceBegan(), Interrupted(), TurnComplete())
    frames = await record(stage, stop[5 * FRAME_BYTES :])
    await record(stage, silence(9))
    assert times_heard(stage, frames) == 2
    await stage.hear(UserWords("Stop it."))
    await stage.reply("I stop.")
    assert [ids for _, ids in stage.page.acks if ids] == [("typed-1",)]


async def test_a_session_that_remembers_nothing_is_given_what_was_said_though_a_handle_covered_it_long_ago() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await stage.hear(UserWords("Yes."))
    await record(stage, silence(6))
    await stage.offer("h-2")
    stage.upstream.script(DEAD_HANDLE)
    stage.connection.drop()
    await stage.wait(2)
    assert stage.connection.setup.handle is None
    assert times_heard(stage, yes) == 1
    await stage.hear(UserWords("Yes."))
    await stage.reply("Good.")
    assert new_lines(stage) == [("user", "Yes.", "complete"), ("model", "Good.", "complete")]


async def test_what_is_said_again_is_acknowledged_with_the_original_and_only_once() -> None:
    stage = await a_call()
    await record(stage, spoken("Yes."))
    await record(stage, silence(8))
    await stage.offer("h-2")
    acknowledged = stage.page.acks[-1][0]
    assert acknowledged == stage.next_frame
    assert [number for number, _ in stage.page.acks] == sorted({number for number, _ in stage.page.acks})


@pytest.mark.parametrize("is_covered", [False, True], ids=["not covered", "covered"])
async def test_after_a_swap_it_is_sent_once_more_and_no_oftener(is_covered: bool) -> None:
    """The frames themselves where the handle does not cover them, else when nobody has heard them for a while."""
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await record(stage, silence(8))
    if is_covered:
        await stage.offer("h-2")
    stage.connection.drop()
    await stage.wait(2)
    assert len(stage.upstream.connections) == 2
    assert times_heard(stage, yes) == (0 if is_covered else 1)
    await record(stage, silence(9))
    assert times_heard(stage, yes) == (1 if is_covered else 2)
    await stage.hear(UserWords("Yes."))
    await stage.reply("Good.")
    await record(stage, silence(30))
    assert times_heard(stage, yes) == (1 if is_covered else 2)
    assert stage.page.losses == []


@pytest.mark.parametrize("has_begun", [False, True], ids=["transcribed", "half answered"])
async def test_what_was_heard_the_second_time_is_said_to_the_next_connection_too_if_that_one_goes(
    has_begun: bool,
) -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await record(stage, silence(8))
    await stage.offer("h-2")
    await stage.hear(UserWords("Yes."))
    if has_begun:
        await stage.begin_reply("Goo")
    stage.connection.drop()
    await stage.wait(2)
    assert times_heard(stage, yes) == 0
    await record(stage, silence(9))
    assert times_heard(stage, yes) == 1
    await stage.hear(UserWords("Yes."))
    await stage.reply("Good.")
    await record(stage, silence(30))
    assert times_heard(stage, yes) == 1
    assert new_lines(stage) == [("user", "Yes.", "complete"), ("model", "Good.", "complete")]


async def test_what_the_next_connection_misses_is_said_to_it_again_though_the_last_one_was_answering() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."))
    await stage.hear(UserWords("Yes."))
    await stage.begin_reply("Goo")
    stage.connection.drop()
    await stage.wait(2)
    assert times_heard(stage, yes) == 1
    await record(stage, silence(9))
    assert times_heard(stage, yes) == 2
    await record(stage, silence(60))
    assert times_heard(stage, yes) == 2
    assert [turn.code for turn in stage.page.transcript if turn.code] == ["turn.cut", "turn.not_heard"]
    assert [number for number, _ in stage.page.all_of("turn_complete")][1:] == [stage.page.transcript[2].number]
    assert len(stage.upstream.attempts) == 2


async def test_what_is_transcribed_only_after_it_was_said_again_and_never_answered_has_an_end_that_is_told() -> None:
    """It was being thought about all the time; saying it again broke that off, and the second time was missed."""
    stage = await a_call()
    await record(stage, spoken("Yes."))
    await record(stage, silence(8))
    await stage.hear(Interrupted(), TurnComplete())
    await stage.hear(UserWords("Yes."))
    await record(stage, silence(70))
    assert new_lines(stage)[0] == ("user", "Yes.", "complete")
    assert [turn.code for turn in stage.page.transcript if turn.code] == ["turn.no_answer"]
    assert stage.page.all_of("turn_complete")[-1][0] == stage.page.transcript[2].number
    assert len(stage.upstream.attempts) == 1


async def test_nothing_is_said_again_into_the_middle_of_a_sentence() -> None:
    stage = await a_call()
    yes = await record(stage, spoken("Yes."), quiet_s=4)
    sentence = await record(stage, spoken("Please tell me more about the weather of today and of tomorrow.") * 2)
    assert times_heard(stage, yes) == 1
    assert times_heard(stage, sentence) == 1


@pytest.mark.parametrize("noise", [bangs, keyboard, white], ids=lambda noise: noise.__name__)
async def test_a_noise_is_neither_said_again_nor_told_as_not_heard(noise: Noise) -> None:
    stage = await a_call()
    frames = await record(stage, recorded(noise, 7))
    await record(stage, silence(20))
    assert times_heard(stage, frames) == 1
    assert new_lines(stage) == []
    assert len(stage.upstream.attempts) == 1


async def test_what_was_said_last_before_the_page_was_cut_off_is_not_counted_against_the_provider() -> None:
    """It hears no quiet after it, and so does not know that the user is done."""
    stage = await a_call()
    yes = await record(stage, spoken("Yes."), quiet_s=0.8)
    await stage.wait(28)
    assert times_heard(stage, yes) == 1
    stage.manager.attach(stage.page, away_ms=28_000)
    await record(stage, silence(2))
    await stage.hear(UserWords("Yes."))
    await stage.reply("Good.")
    assert new_lines(stage) == [("user", "Yes.", "complete"), ("model", "Good.", "complete")]
    assert len(stage.upstream.attempts) == 1
