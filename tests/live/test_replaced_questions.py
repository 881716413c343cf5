"""A question that is asked in the place of the last one, and what becomes of that one and of its answer."""

from __future__ import annotations

from sessions_app.live.providers.upstream import ReplyAudio
from sessions_app.live.replacing import QUOTED_CHARACTERS, note_on, with_note
from sessions_app.live.transcript import Role, Turn, TurnCode, TurnStatus
from tests.live.stage import CONSUMED_S, Stage, a_turn, sound

OLD, NEW = "When is high tide in Hamburg?", "When is high tide in Husum?"


async def answered() -> Stage:
    """A chat with one question and its whole answer."""
    stage = await Stage().open_quietly()
    await stage.exchange("typed-1", OLD, "At nine.", handle="h-1")
    return stage


def replaced(stage: Stage) -> int:
    return next(turn.number for turn in stage.page.transcript if turn.text == OLD)


def withdrawn(stage: Stage) -> list[str]:
    return [turn.text for turn in stage.page.transcript if turn.withdrawn]


def test_a_rewritten_question_says_what_does_not_count_any_more_and_names_it() -> None:
    note = note_on(NEW, OLD)
    assert OLD in note
    assert "withdrawn" in note
    assert with_note(NEW, note).endswith(f"\n\n{NEW}")


def test_of_a_long_question_the_beginning_is_enough_to_know_it_by() -> None:
    note = note_on(NEW, "x" * 10_000)
    assert f"{'x' * QUOTED_CHARACTERS}…" in note
    assert len(note) < 500


def test_the_same_question_once_more_asks_for_another_answer() -> None:
    assert "another" in note_on(OLD, OLD)
    assert OLD not in note_on(OLD, OLD)


async def test_the_earlier_question_and_its_answer_are_withdrawn_and_the_new_one_says_what_it_replaces() -> None:
    stage = await answered()
    number = replaced(stage)
    stage.manager.take_text("typed-2", NEW, replaces=number)
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == [OLD, "At nine."]
    assert stage.page.transcript[-1].replaces == number
    assert [turn.text for turn in stage.store.turns.values() if turn.withdrawn] == [OLD, "At nine."]
    assert stage.connection.texts[-1] == with_note(NEW, note_on(NEW, OLD))


async def test_it_is_safe_when_it_is_answered_as_every_message_is() -> None:
    stage = await answered()
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    await stage.wait(CONSUMED_S)
    await stage.reply("At ten.")
    assert stage.page.acks[-1][1] == ("typed-2",)
    assert [turn.text for turn in stage.page.transcript if not turn.withdrawn] == [NEW, "At ten."]


async def test_one_that_was_taken_in_is_neither_delivered_nor_replaces_twice() -> None:
    """A page that comes back sends it again, for it has no acknowledgement yet."""
    stage = await answered()
    number = replaced(stage)
    for _ in range(2):
        stage.manager.take_text("typed-2", NEW, replaces=number)
        await stage.wait(CONSUMED_S)
    assert len(stage.connection.texts) == 2
    assert len(stage.page.transcript) == 3


async def test_what_replaced_another_can_be_replaced() -> None:
    stage = await answered()
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    await stage.wait(CONSUMED_S)
    await stage.reply("At ten.")
    second = stage.page.transcript[-2]
    stage.manager.take_text("typed-3", NEW, replaces=second.number)
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == [OLD, "At nine.", NEW, "At ten."]
    assert stage.connection.texts[-1] == with_note(NEW, note_on(NEW, NEW))


async def test_a_reply_that_is_being_given_is_stopped_and_withdrawn_with_its_question() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", OLD)
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("At nine", 5_000)
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == [OLD, "At nine"]
    assert stage.page.transcript[1].status is TurnStatus.INTERRUPTED


async def test_one_that_waits_for_its_answer_stays_and_the_other_is_one_more_question() -> None:
    """Its answer may come at any moment, and would stand below the new one."""
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", OLD)
    await stage.wait(CONSUMED_S)
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == []
    assert stage.connection.texts == [OLD, NEW]


async def test_only_the_last_question_can_be_replaced() -> None:
    stage = await answered()
    number = replaced(stage)
    await stage.exchange("typed-2", "And low tide?", "At three.")
    for id, named in (("typed-3", number), ("typed-4", 4_711)):
        stage.manager.take_text(id, NEW, replaces=named)
        await stage.wait(CONSUMED_S)
        assert withdrawn(stage) == []
        assert stage.page.transcript[-1].replaces is None
        await stage.reply("At ten.")


async def test_a_question_of_the_conversation_that_this_one_continues_stays() -> None:
    """Its rows are another conversation's."""
    past = (a_turn(0, OLD), a_turn(1, "At nine.", Role.MODEL))
    stage = await Stage(turns=past, begins_at=2).open_quietly()
    stage.manager.take_text("typed-2", NEW, replaces=0)
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == []
    assert stage.connection.texts == [NEW]


async def test_a_page_that_was_loaded_again_can_replace_what_the_one_before_it_asked() -> None:
    stage = await Stage(turns=(a_turn(0, OLD), a_turn(1, "At nine.", Role.MODEL))).open_quietly()
    stage.manager.take_text("typed-2", NEW, replaces=0)
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == [OLD, "At nine."]


async def test_the_word_that_there_was_no_answer_goes_with_its_question_and_a_line_about_the_level_stays() -> None:
    past = (
        a_turn(0, OLD),
        Turn(1, Role.SYSTEM, "Down.", TurnStatus.COMPLETE, 0, code=TurnCode.ENERGY_LOWER),
        Turn(2, Role.SYSTEM, "No answer.", TurnStatus.COMPLETE, 0, code=TurnCode.NO_ANSWER),
    )
    stage = await Stage(turns=past).open_quietly()
    stage.manager.take_text("typed-2", NEW, replaces=0)
    await stage.wait(CONSUMED_S)
    assert withdrawn(stage) == [OLD, "No answer."]


async def test_a_session_without_memory_is_not_told_what_was_withdrawn() -> None:
    stage = await answered()
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    await stage.wait(CONSUMED_S)
    await stage.reply("At ten.")
    await stage.settle()
    assert [turn.text for turn in stage.manager._exchanges.context().turns] == [NEW, "At ten."]


async def test_after_a_worker_died_the_question_is_told_with_what_it_replaces() -> None:
    """The page sends it again, the row tells the rest."""
    past = (
        Turn(0, Role.USER, OLD, TurnStatus.COMPLETE, 0, "typed-1", withdrawn=True),
        Turn(1, Role.MODEL, "At nine", TurnStatus.INTERRUPTED, 0, withdrawn=True),
        Turn(2, Role.USER, NEW, TurnStatus.COMPLETE, 0, "typed-2", replaces=0),
    )
    stage = await Stage(turns=past, same_page=True).open_quietly()
    for id, text, named in (("typed-1", OLD, None), ("typed-2", NEW, 0)):
        stage.manager.take_text(id, text, replaces=named)
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == [with_note(NEW, note_on(NEW, OLD))]
    assert [ids for _, ids in stage.page.acks if ids] == [("typed-1",)]


async def test_a_reply_that_is_stopped_for_it_says_nothing_more() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", OLD)
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("At nine", 5_000)
    stage.manager.take_text("typed-2", NEW, replaces=replaced(stage))
    played = len(stage.page.played)
    await stage.hear(ReplyAudio(sound(200)))
    assert len(stage.page.played) == played
