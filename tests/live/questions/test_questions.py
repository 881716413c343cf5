"""A typed message about recordings, beside a line that takes no files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from energy.levels import Mode
from sessions_app.live.context import Recap, RecordingNotes
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions.connection import QUESTIONS_LIMIT, TOO_MANY
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.sound_parts import UploadedSound
from sessions_app.live.providers.turns.account import Words
from sessions_app.live.providers.turns.generation import Chunk
from sessions_app.live.providers.turns.upstream import TurnsUpstream
from sessions_app.live.providers.upstream import HandleUpdate, ReplyAudio, ReplyWords, TurnComplete, UserWords
from sessions_app.live.questions import Listed
from sessions_app.live.transcript import Role, TurnCode
from tests.fakes.energy import OLDEST
from tests.fakes.generation import USAGE, FakeGeneration, words
from tests.fakes.shelf import TALK
from tests.live.questions.stage import BEST, SECOND, QuestionsStage
from tests.live.stage import a_turn, sound
from tests.live.turns.stage import VOICES

TORN = Failure(1006, "abnormal closure", Phase.LIVE)
UNAVAILABLE = Failure(1011, "UNAVAILABLE overloaded", Phase.LIVE)
GONE_THERE = Failure(403, "You do not have permission to access the File abc or it may not exist.", Phase.LIVE)
ANSWER_S = 5.0
NOTES = RecordingNotes("talk", "Recording 1, talk.mp3: about plums.", "done")


async def a_stage(mode: Mode = Mode.TEXT) -> QuestionsStage:
    stage = QuestionsStage(mode)
    await stage.open_quietly()
    return stage


async def test_a_question_is_answered_beside_the_line_in_the_same_transcript() -> None:
    stage = await a_stage()
    stage.answers(words("At 00:12 ", "somebody counts."))
    stage.ask("q", "What is said?")
    await stage.wait(ANSWER_S)
    assert stage.connection.texts == []
    assert stage.page.lines == [
        ("user", "What is said?", "complete"),
        ("model", "At 00:12 somebody counts.", "complete"),
    ]
    assert [turn.recordings for turn in stage.page.transcript] == [("talk",), ("talk",)]
    assert "ack" in [told.name for told in stage.page.told]
    assert stage.moves() == ["waiting", "asked", "over"]
    assert stage.page.played


async def test_the_request_has_the_file_the_conversation_and_asks_for_times() -> None:
    stage = await a_stage()
    await stage.exchange("t", "My name is Ann.", "Hello Ann.")
    stage.ask("q", "Who speaks?")
    await stage.wait(ANSWER_S)
    prompt = stage.asked[0].prompt
    assert prompt.sounds == (
        Words("Recording #1: talk.mp3, 01:30 long"),
        UploadedSound("https://files/talk-1", "audio/mpeg"),
    )
    assert [line.text for line in prompt.question.before] == ["My name is Ann.", "Hello Ann."]
    assert prompt.question.parts == (Words("Who speaks?"),)
    assert "MM:SS" in prompt.instruction
    assert "#2" not in prompt.instruction
    assert "You are kind." in prompt.instruction


async def test_the_line_is_told_what_was_asked_and_answered() -> None:
    stage = await a_stage()
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    assert [[turn.text for turn in turns] for turns in stage.connection.past_turns] == [["What is said?", "Plums."]]


async def test_a_handle_from_before_the_answer_is_brought_up_to_date_when_it_is_used() -> None:
    stage = await a_stage()
    await stage.exchange("t", "Hello.", "Hello.", handle="h-1")
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.setup.handle == "h-1"
    assert [turn.text for turns in stage.connection.past_turns for turn in turns] == ["What is said?", "Plums."]


async def test_a_handle_from_after_the_answer_needs_nothing() -> None:
    stage = await a_stage()
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    await stage.offer("h-2")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.setup.handle == "h-2"
    assert stage.connection.past_turns == []


async def test_a_handle_that_comes_while_the_answer_is_given_does_not_cover_it() -> None:
    stage = await a_stage()
    await stage.exchange("t", "Hello.", "Hello.")
    stage.answers(words("Plums. ", "Many of them.", every_s=0.5))
    stage.ask()
    await stage.wait(0.8)
    await stage.hear(HandleUpdate("h-1"))
    await stage.wait(ANSWER_S)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.setup.handle == "h-1"
    assert [turn.text for turns in stage.connection.past_turns for turn in turns] == [
        "What is said?",
        "Plums. Many of them.",
    ]


async def test_a_question_waits_while_the_line_answers() -> None:
    stage = await a_stage()
    stage.manager.take_text("t", "Hello.")
    await stage.wait(0.2)
    await stage.begin_reply("Good ")
    stage.ask()
    await stage.wait(2)
    assert stage.asked == []
    await stage.hear(ReplyWords("day."), TurnComplete())
    await stage.wait(ANSWER_S)
    spoken = [line[:2] for line in stage.page.lines if line[0] == "model"]
    assert spoken == [("model", "Good day."), ("model", "Yes.")]


async def test_an_ordinary_message_beside_a_question_is_answered_by_the_line_and_takes_nothing_of_it() -> None:
    stage = await a_stage()
    stage.shelf.takes_s = 30
    stage.ask()
    await stage.wait(1)
    stage.manager.take_text("t", "And you?")
    await stage.wait(0.2)
    await stage.reply("Fine.")
    acked = [told.facts[1] for told in stage.page.told if told.name == "ack"]
    assert ("t",) in acked
    assert not any("q" in ids for ids in acked)
    await stage.wait(30 + ANSWER_S)
    assert ("q",) in [told.facts[1] for told in stage.page.told if told.name == "ack"]
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_a_question_that_was_not_answered_is_asked_again_on_the_next_connection() -> None:
    stage = await a_stage()
    stage.shelf.takes_s = 10
    stage.ask()
    await stage.wait(5)
    stage.connection.drop()
    await stage.wait(10 + ANSWER_S)
    assert len(stage.asked) == 1
    assert [line[:2] for line in stage.page.lines] == [("user", "What is said?"), ("model", "Yes.")]


async def test_an_answer_that_breaks_off_is_given_again_in_its_place() -> None:
    stage = await a_stage()
    stage.answers([0.1, Chunk("At 00:12 so", usage=USAGE), TORN], words("At 00:12 somebody counts."))
    stage.ask()
    await stage.wait(10)
    lines = stage.page.lines
    assert [line[:2] for line in lines] == [("user", "What is said?"), ("model", "At 00:12 somebody counts.")]
    assert stage.page.transcript[-1].code == TurnCode.GIVEN_AGAIN
    assert len(stage.upstream.connections) == 1


async def test_a_model_that_fails_is_asked_again_then_the_next_one() -> None:
    stage = await a_stage()
    stage.answers([UNAVAILABLE], [UNAVAILABLE], words("Plums."))
    stage.ask()
    await stage.wait(10)
    assert [asked.model for asked in stage.asked] == [BEST, BEST, SECOND]
    assert stage.page.lines[-1] == ("model", "Plums.", "complete")
    assert "retrying" in stage.moves()


async def test_without_quota_the_next_model_is_asked_and_in_the_end_it_is_said() -> None:
    stage = await a_stage()
    spent = Failure(429, "You exceeded your current quota", Phase.LIVE, quotas=("PerDay",))
    stage.answers([spent], [spent])
    stage.ask()
    await stage.wait(ANSWER_S)
    assert [asked.model for asked in stage.asked] == [BEST, SECOND]
    line = stage.page.transcript[-1]
    assert (line.role, line.code, line.recordings) == ("system", "recording.quota", ("talk",))
    assert ("q",) in [told.facts[1] for told in stage.page.told if told.name == "ack"]
    stage.ask("q2", "And now?")
    await stage.wait(ANSWER_S)
    assert len(stage.asked) == 2
    assert stage.page.transcript[-1].code == "recording.quota"


async def test_a_file_that_was_uploaded_is_not_asked_about_where_it_is_not() -> None:
    there = f"vertex@global:{BEST}"
    stage = await QuestionsStage(listening=(there, SECOND)).open_quietly()
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    assert [asked.model for asked in stage.asked] == [SECOND]
    alone = await QuestionsStage(listening=(there,)).open_quietly()
    alone.ask()
    await alone.wait(ANSWER_S)
    assert alone.asked == []
    assert alone.page.transcript[-1].code == "recording.unavailable"
    assert "too large to go along" in alone.page.transcript[-1].text


async def test_a_file_that_the_provider_has_lost_is_brought_there_again_for_the_same_question() -> None:
    stage = await a_stage()
    stage.answers([GONE_THERE], words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    assert stage.shelf.lost_parts == [UploadedSound("https://files/talk-1", "audio/mpeg")]
    assert stage.asked[1].prompt.sounds[1] == UploadedSound("https://files/talk-2", "audio/mpeg")
    assert stage.page.lines[-1] == ("model", "Plums.", "complete")


async def test_a_file_that_is_lost_again_and_again_is_given_up() -> None:
    stage = await a_stage()
    stage.answers(*[[GONE_THERE]] * 8)
    stage.ask()
    await stage.wait(30)
    assert len(stage.asked) == 3
    assert stage.page.transcript[-1].code == "recording.not_ready"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ([Chunk(refusal="PROHIBITED_INPUT_CONTENT", usage=USAGE)], "turn.refused"),
        ([Chunk(finish="STOP", usage=USAGE)], "turn.no_answer"),
        ([Failure(1007, "Unsupported MIME type: audio/x", Phase.LIVE)], "recording.refused"),
        (
            [Failure(1007, "The input token count (2) exceeds the maximum number of tokens allowed (1)", Phase.LIVE)],
            "recording.too_long",
        ),
        ([Failure(0, "API key not found", Phase.HANDSHAKE)], "recording.unavailable"),
    ],
)
async def test_an_answer_that_nobody_gives_is_explained(stream: list[Chunk | Failure], code: str) -> None:
    stage = await a_stage()
    stage.answers(*[stream] * 8)
    stage.ask()
    await stage.wait(60)
    assert stage.page.transcript[-1].code == code
    assert stage.page.transcript[-1].text
    assert stage.moves()[-1] == "over"
    assert stage.manager.state == "live"


async def test_what_tries_took_that_came_to_nothing_is_counted_with_the_line_that_says_so() -> None:
    stage = await a_stage()
    stage.answers(*[[Chunk(finish="STOP", usage=USAGE)]] * 4)
    stage.ask()
    await stage.wait(60)
    line = stage.page.transcript[-1]
    assert line.code == "turn.no_answer"
    counted = [(turn, model, usage.prompt_tokens) for _, turn, model, usage in stage.store.usages]
    assert counted == [(line.number, model, 2 * (USAGE.prompt_tokens or 0)) for model in (BEST, SECOND)]
    assert len({connection for connection, *_ in stage.store.usages}) == 2


async def test_an_empty_answer_is_asked_for_again() -> None:
    stage = await a_stage()
    stage.answers([Chunk(finish="STOP", usage=USAGE)], words("Plums."))
    stage.ask()
    await stage.wait(10)
    assert stage.page.lines[-1] == ("model", "Plums.", "complete")


async def test_recitation_is_tried_again_and_by_the_next_model() -> None:
    stage = await a_stage()
    stage.answers(*[[Chunk(finish="RECITATION", refusal="RESPONSE_REJECTED")]] * 2, words("In other words."))
    stage.ask()
    await stage.wait(10)
    assert [asked.model for asked in stage.asked] == [BEST, BEST, SECOND]
    assert stage.page.lines[-1][1] == "In other words."


async def test_an_answer_that_is_held_back_in_the_middle_ends_there_and_says_why() -> None:
    stage = await a_stage()
    stage.answers([0.1, Chunk("At 00:12 so", usage=USAGE), Chunk(finish="SAFETY", refusal="GENERATED_CONTENT_SAFETY")])
    stage.ask()
    await stage.wait(ANSWER_S)
    assert [line[:2] for line in stage.page.lines][1] == ("model", "At 00:12 so")
    assert stage.page.transcript[-1].code == "turn.refused"
    assert len(stage.asked) == 1


async def test_an_answer_that_is_taken_for_a_recitation_in_the_middle_is_given_again() -> None:
    stage = await a_stage()
    recited = Chunk(finish="RECITATION", refusal="RESPONSE_REJECTED")
    stage.answers([0.1, Chunk("At 00:12 so", usage=USAGE), recited], words("In other words."))
    stage.ask()
    await stage.wait(10)
    assert [line[1] for line in stage.page.lines] == ["What is said?", "In other words."]


async def test_a_model_that_takes_no_past_in_the_middle_is_given_another_session() -> None:
    stage = QuestionsStage(models=(OLDEST,) * 3)
    await stage.open_quietly()
    await stage.exchange("t", "Hello.", "Hello.", handle="h-1")
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(20)
    assert len(stage.upstream.connections) == 2
    assert stage.connection.setup.handle is None
    past = (*stage.connection.setup.history, stage.connection.setup.instruction)
    assert "Plums." in str(past)
    stage.store.recap = Recap("", -1, recordings=(NOTES,))
    stage.manager.look_at_recordings()
    await stage.wait(20)
    assert len(stage.upstream.connections) == 3
    assert "about plums" in stage.connection.setup.instruction
    stage.manager.look_at_recordings()
    await stage.wait(20)
    assert len(stage.upstream.connections) == 3


async def test_a_resumed_session_that_takes_no_past_is_replaced_where_it_knows_less() -> None:
    notes = Recap("", -1, recordings=(NOTES,))
    stage = QuestionsStage(
        models=(OLDEST,) * 3,
        recap=notes,
        handle="h-0",
        handle_model=OLDEST,
        turns=(a_turn(0, "Hello."),),
        covered_turn=0,
    )
    await stage.open()
    await stage.wait(20)
    assert [connection.setup.handle for connection in stage.upstream.connections] == ["h-0", None]
    assert "about plums" in stage.connection.setup.instruction


async def test_a_recording_that_is_gone_or_not_brought_is_said() -> None:
    stage = await a_stage()
    stage.ask("q", "What?", "nothing")
    await stage.wait(1)
    assert stage.page.transcript[-1].code == "recording.gone"
    stage.shelf.failure = Unanswerable(TurnCode.RECORDING_NOT_READY, "It is still on its way.")
    stage.ask("q2", "What?")
    await stage.wait(1)
    assert stage.page.transcript[-1].text == "It is still on its way."
    assert stage.asked == []


async def test_more_sound_than_a_model_takes_is_not_brought_there() -> None:
    stage = await a_stage()
    stage.shelf.known["long"] = Listed("long", "long.mp3", 36_000_000, 1_152_000, 900_000_000)
    stage.ask("q", "What?", "long")
    await stage.wait(1)
    assert stage.page.transcript[-1].code == "recording.too_long"
    assert stage.shelf.brought == 0


async def test_stop_ends_an_answer_that_is_spoken() -> None:
    stage = await a_stage()
    stage.answers(words("One sentence. ", *["And one more of them. "] * 20))
    stage.ask()
    await stage.wait(2)
    stage.manager.stop_reply()
    await stage.wait(1)
    assert stage.page.transcript[-1].status == "interrupted"
    assert "flush" in [told.name for told in stage.page.told]
    count = len(stage.page.transcript[-1].text)
    await stage.wait(20)
    assert len(stage.page.transcript[-1].text) == count
    stage.ask("q2", "And then?")
    await stage.wait(ANSWER_S)
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_stop_gives_up_a_question_that_is_being_prepared() -> None:
    stage = await a_stage()
    stage.shelf.takes_s = 100
    stage.ask()
    await stage.wait(1)
    stage.manager.stop_reply()
    await stage.wait(200)
    assert stage.asked == []
    assert stage.page.transcript[-1].code == "turn.no_answer"


async def test_who_types_into_an_answer_ends_it_and_is_answered_by_the_line() -> None:
    stage = await a_stage()
    stage.answers(words("One sentence. ", *["And one more of them. "] * 20))
    stage.ask()
    await stage.wait(2)
    stage.manager.take_text("t", "Enough. And you?")
    await stage.wait(0.5)
    assert stage.manager.get_session_stats().turn_state == "waiting"
    await stage.reply("Fine.")
    assert [line[2] for line in stage.page.lines if line[0] == "model"] == ["interrupted", "complete"]
    assert stage.connection.texts == ["Enough. And you?"]


async def test_a_line_that_answers_speech_ends_an_answer_that_is_spoken() -> None:
    stage = await a_stage(Mode.CALL)
    stage.answers(words("One sentence. ", *["And one more of them. "] * 20))
    stage.ask()
    await stage.wait(2)
    await stage.speak(5)
    await stage.hear(UserWords("Wait."))
    await stage.hear(ReplyAudio(sound(200)), ReplyWords("Yes?"), TurnComplete())
    await stage.wait(1)
    assert [line[:2] for line in stage.page.lines][-2:] == [("user", "Wait."), ("model", "Yes?")]
    assert stage.page.lines[1][2] == "interrupted"
    assert len(stage.connection.past_turns) == 1


async def test_what_is_found_out_is_told_to_the_line_when_nobody_speaks() -> None:
    stage = await a_stage()
    stage.manager.take_text("t", "Hello.")
    await stage.wait(0.2)
    await stage.begin_reply("Good ")
    stage.store.recap = Recap("", -1, recordings=(NOTES,))
    stage.manager.look_at_recordings()
    await stage.wait(1)
    assert stage.connection.past_turns == []
    await stage.hear(ReplyWords("day."), TurnComplete())
    await stage.wait(1)
    told = [turn for turns in stage.connection.past_turns for turn in turns]
    assert "about plums" in told[0].text
    assert len(told) == 2
    stage.manager.look_at_recordings()
    await stage.wait(1)
    assert len(stage.connection.past_turns) == 1


async def test_a_fresh_session_begins_with_what_is_known_of_recordings() -> None:
    stage = QuestionsStage(recap=Recap("", -1, recordings=(NOTES,)))
    await stage.open()
    assert "about plums" in stage.connection.setup.instruction
    stage.store.recap = Recap("", -1, recordings=(NOTES,))
    stage.manager.look_at_recordings()
    await stage.wait(1)
    assert stage.connection.past_turns == []


async def test_a_session_that_forgot_what_it_was_told_is_told_again() -> None:
    stage = await a_stage()
    await stage.exchange("t", "Hello.", "Hello.", handle="h-1")
    stage.store.recap = Recap("", -1, recordings=(NOTES,))
    stage.manager.look_at_recordings()
    await stage.wait(1)
    assert len(stage.connection.past_turns) == 1
    stage.connection.drop()
    await stage.wait(2)
    assert stage.connection.setup.handle == "h-1"
    assert "about plums" in stage.connection.past_turns[0][0].text
    await stage.offer("h-2")
    stage.connection.drop()
    await stage.wait(2)
    assert stage.connection.setup.handle == "h-2"
    assert stage.connection.past_turns == []


async def test_a_stored_question_without_an_answer_is_asked_when_the_page_sends_it_again() -> None:
    question = replace(a_turn(0, "What is said?", id="q"), recordings=("talk",))
    plain = a_turn(1, "Hello.", id="t")
    stage = QuestionsStage(turns=(question, plain, a_turn(2, "Hello.", Role.MODEL)), same_page=True)
    await stage.open_quietly()
    stage.ask("q", "What is said?")
    stage.manager.take_text("t", "Hello.")
    await stage.wait(ANSWER_S)
    assert stage.connection.texts == []
    assert len(stage.asked) == 1
    assert stage.page.lines[-1][:2] == ("model", "Yes.")
    assert TALK.id in stage.page.transcript[-1].recordings


async def test_questions_beyond_those_that_may_wait_are_refused_in_words_and_the_others_answered() -> None:
    stage = await a_stage()
    stage.manager.set_sound(False)
    for number in range(200):
        stage.ask(f"q{number}")
    await stage.wait(60)
    said = [turn.text for turn in stage.page.transcript if turn.role is not Role.USER]
    assert said.count(TOO_MANY) == 200 - QUESTIONS_LIMIT
    assert len(said) == 200
    assert len(stage.asked) == QUESTIONS_LIMIT
    acknowledged = {id for told in stage.page.told if told.name == "ack" for id in told.facts[1]}
    assert acknowledged == {f"q{number}" for number in range(200)}


async def test_without_a_key_a_question_is_refused_in_words_and_the_talk_goes_on() -> None:
    stage = QuestionsStage(has_key=False)
    await stage.open_quietly()
    stage.ask()
    await stage.wait(1)
    assert stage.page.transcript[-1].code == "recording.unavailable"
    assert "no key" in stage.page.transcript[-1].text
    await stage.exchange("t", "Hello.", "Hello.")
    assert stage.page.lines[-1] == ("model", "Hello.", "complete")


async def test_a_conversation_in_turns_has_questions_answered_the_same_way() -> None:
    generation = FakeGeneration()
    stage = QuestionsStage(inner=TurnsUpstream(generation, VOICES), models=(SECOND,))
    await stage.open_quietly()
    stage.answers(words("Plums."))
    stage.ask()
    await stage.wait(ANSWER_S)
    stage.manager.take_text("t", "Which?")
    await stage.wait(ANSWER_S)
    before = generation.asked[0].prompt.question.before
    assert [line.text for line in before] == ["What is said?", "Plums."]
    assert [line[1] for line in stage.page.lines] == ["What is said?", "Plums.", "Which?", "Yes."]
