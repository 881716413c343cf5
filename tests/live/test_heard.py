"""Of a reply that is interrupted, what was played is kept apart from what was not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessions_app.live.providers.upstream import GenerationComplete, Interrupted, ReplyAudio, ReplyWords, TurnComplete
from sessions_app.live.transcript import NOT_TRANSCRIBED, Turn, TurnStatus
from tests.live.stage import Stage, sound

End = Callable[[Stage], None]
ENDS: list[End] = [
    lambda stage: stage.manager.hang_up(),
    lambda stage: stage.manager.leave("reset", conversation_over=True),
]

STORY = "Once upon a time there was a king who had a daughter and a dragon. "


async def telling(text: str = STORY, ms: int = 10_000) -> Stage:
    """A story that is being told: ten seconds of sound, which all have come."""
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(0.1)
    await stage.begin_reply(text, ms)
    return stage


def story(stage: Stage) -> Turn:
    return stage.page.transcript[1]


def down(stage: Stage) -> int:
    """The number of the frame with the story's sound."""
    return stage.page.played[-1][0]


def heard(stage: Stage) -> str:
    return story(stage).as_heard.text


async def test_an_interrupted_reply_keeps_what_was_played() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 3_000)
    await stage.hear(Interrupted(), TurnComplete())
    assert heard(stage) == "Once upon a time"
    assert story(stage).text == STORY
    assert stage.store.turns[story(stage).number].heard == len("Once upon a time")


async def test_the_pages_last_word_comes_a_moment_after_the_interruption() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 1_000)
    stage.manager.stop_reply()
    await stage.wait(0.3)
    stage.manager.note_heard(down(stage), 3_000)
    await stage.settle()
    assert heard(stage) == "Once upon a time"
    await stage.wait(5)
    stage.manager.note_heard(down(stage), 9_000)
    assert heard(stage) == "Once upon a time"


async def test_a_reply_that_was_played_to_its_end_is_not_marked() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 9_990)
    await stage.hear(Interrupted(), TurnComplete())
    assert story(stage).heard is None


async def test_where_no_page_has_said_what_it_played_nothing_is_marked() -> None:
    stage = await telling()
    await stage.hear(Interrupted(), TurnComplete())
    assert story(stage).heard is None


async def test_a_reply_that_ends_is_not_marked_however_far_it_was_played() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 3_000)
    await stage.hear(TurnComplete())
    stage.manager.note_heard(down(stage), 4_000)
    assert story(stage).heard is None


async def test_what_is_only_read_is_not_marked() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 3_000)
    stage.manager.set_sound(False)
    await stage.hear(Interrupted(), TurnComplete())
    assert story(stage).heard is None


async def test_numbers_that_were_never_played_say_nothing() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage) + 1, 3_000)
    stage.manager.note_heard(2**32 - 1, 0)
    await stage.hear(Interrupted(), TurnComplete())
    assert story(stage).heard is None


async def test_a_reply_that_is_given_again_after_a_cut_is_heard_from_its_beginning() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 9_000)
    stage.connection.drop()
    await stage.wait(1)
    assert story(stage).heard is None
    await stage.begin_reply(STORY, 10_000)
    stage.manager.note_heard(down(stage), 3_000)
    await stage.hear(Interrupted(), TurnComplete())
    assert heard(stage) == "Once upon a time"


async def test_a_session_without_memory_is_told_what_was_heard() -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 3_000)
    await stage.hear(Interrupted(), TurnComplete())
    await stage.exchange("typed-2", "And now?", "Now we go on.")
    stage.connection.drop()
    await stage.wait(2)
    told = str(stage.upstream.attempts[-1].setup)
    assert "Once upon a time" in told
    assert "Once upon a time there" not in told


async def test_our_own_words_for_a_reply_without_any_are_not_taken_for_its_words() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(0.1)
    await stage.hear(ReplyAudio(sound(10_000)))
    stage.manager.note_heard(down(stage), 3_000)
    await stage.hear(Interrupted(), TurnComplete())
    assert story(stage).text == NOT_TRANSCRIBED
    assert story(stage).heard is None


async def test_words_that_come_late_for_an_interrupted_reply_are_marked_as_far_as_they_were_heard() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(0.1)
    await stage.hear(ReplyAudio(sound(10_000)))
    stage.manager.note_heard(down(stage), 3_000)
    stage.manager.stop_reply()
    await stage.hear(TurnComplete(), ReplyWords(STORY))
    assert heard(stage) == "Once upon a time"


@pytest.mark.parametrize("end", ENDS, ids=["hung up", "cleared"])
async def test_of_a_reply_with_which_the_conversation_ends_what_was_played_is_kept(end: End) -> None:
    stage = await telling()
    stage.manager.note_heard(down(stage), 3_000)
    end(stage)
    await stage.wait(2)
    stored = stage.store.turns[1]
    assert (stored.as_heard.text, stored.status, stored.code) == ("Once upon a time", TurnStatus.INTERRUPTED, "")


@pytest.mark.parametrize("end", ENDS, ids=["hung up", "cleared"])
async def test_of_a_reply_that_is_all_there_what_was_played_is_kept(end: End) -> None:
    stage = await telling()
    await stage.hear(GenerationComplete())
    stage.manager.note_heard(down(stage), 3_000)
    end(stage)
    await stage.wait(2)
    stored = stage.store.turns[1]
    assert (stored.as_heard.text, stored.status) == ("Once upon a time", TurnStatus.INTERRUPTED)
