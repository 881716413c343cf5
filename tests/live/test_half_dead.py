"""Connections that are open and dead, sessions that remember nothing, and users who are simply silent."""

from __future__ import annotations

import pytest

from sessions_app.live.machine.events import (
    Action,
    AnswerOverdue,
    CloseFinished,
    Connect,
    CutReply,
    ForgetHandle,
    HoldInput,
    LeaveUpstream,
    MemoryLost,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    SendBlocked,
    SetupCompleted,
    StartTimer,
    State,
    StopTimer,
    TellReady,
    Timer,
    Toast,
    UserTurnEnded,
)
from sessions_app.live.machine.states import ANSWER_LIMIT_MS
from sessions_app.live.memory import MemoryProof, typed_tokens
from sessions_app.live.voice import VoiceGate
from tests.live.play import LIVED_MS, Play, of, only

SILENT = AnswerOverdue(silent_ms=ANSWER_LIMIT_MS, heard=False)


def waiting(*, certain: bool = True) -> Play:
    """A user who has said something on a line that has lived for a while."""
    play = Play().go_live()
    play.have_a_turn("handle-1")
    play.tell(UserTurnEnded(certain), LIVED_MS)
    return play


# -- silence of the provider -------------------------------------------------------------------------------------------


def test_a_typed_message_starts_the_watch_for_its_answer() -> None:
    play = Play().go_live()
    assert play.tell(UserTurnEnded(certain=True)) == [StartTimer(Timer.ANSWER, ANSWER_LIMIT_MS)]


def test_a_provider_that_says_nothing_is_left_and_dialled_anew_at_once_by_its_handle() -> None:
    play = waiting()
    wishes = play.tell(SILENT, ANSWER_LIMIT_MS)
    assert play.state is State.RECONNECTING
    assert of(wishes, HoldInput)
    assert of(wishes, LeaveUpstream)
    assert only(wishes, Connect).handle == "handle-1"


def test_the_watch_goes_on_after_the_new_connection_and_the_second_silence_gives_the_handle_up() -> None:
    play = waiting()
    play.tell(SILENT, ANSWER_LIMIT_MS)
    play.complete_setup()
    assert play.wishes[-1] == StartTimer(Timer.ANSWER, ANSWER_LIMIT_MS)
    wishes = play.tell(SILENT, ANSWER_LIMIT_MS)
    assert of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect(seed=True)


def test_words_that_nobody_answers_are_given_up_in_the_end() -> None:
    play = waiting()
    for _ in range(2):
        play.tell(SILENT, ANSWER_LIMIT_MS)
        play.complete_setup()
    assert play.tell(SILENT, ANSWER_LIMIT_MS) == []
    assert play.state is State.LIVE


def test_noise_is_worth_one_new_connection_and_no_handle() -> None:
    play = waiting(certain=False)
    assert not of(play.tell(SILENT, ANSWER_LIMIT_MS), ForgetHandle)
    play.complete_setup()
    assert play.tell(SILENT, ANSWER_LIMIT_MS) == []
    assert play.state is State.LIVE


def test_noise_is_no_fault_while_the_provider_talks_of_other_things() -> None:
    play = waiting(certain=False)
    assert play.tell(AnswerOverdue(silent_ms=3_000, heard=False), ANSWER_LIMIT_MS) == []
    assert play.state is State.LIVE


def test_speech_that_the_provider_heard_and_does_not_answer_is_a_fault_though_it_talks() -> None:
    play = waiting(certain=False)
    play.tell(AnswerOverdue(silent_ms=3_000, heard=True), ANSWER_LIMIT_MS)
    assert play.state is State.RECONNECTING


def test_a_reply_that_stalls_is_cut_and_asked_for_again() -> None:
    play = waiting()
    play.tell(ReplyBegan(), 500)
    wishes = play.tell(SILENT, ANSWER_LIMIT_MS)
    assert only(wishes, CutReply) == CutReply(produced=False)
    assert of(wishes, Connect)


def test_a_reply_that_still_comes_is_waited_for() -> None:
    play = waiting()
    play.tell(ReplyBegan(), 500)
    wishes = play.tell(AnswerOverdue(silent_ms=1_000, heard=False), ANSWER_LIMIT_MS)
    assert wishes == [StartTimer(Timer.ANSWER, ANSWER_LIMIT_MS - 1_000)]
    assert play.state is State.LIVE


@pytest.mark.parametrize("fact", [ReplyProduced(60_000), ReplyEnded()])
def test_nothing_is_owed_once_the_reply_is_there(fact: ReplyProduced | ReplyEnded) -> None:
    play = waiting()
    play.tell(ReplyBegan(), 500)
    assert StopTimer(Timer.ANSWER) in play.tell(fact, 500)
    assert play.tell(SILENT, ANSWER_LIMIT_MS) == []
    assert play.state is State.LIVE


def test_a_send_that_blocks_is_a_connection_that_has_gone() -> None:
    play = waiting()
    wishes = play.tell(SendBlocked())
    assert play.state is State.RECONNECTING
    assert only(wishes, Connect).handle == "handle-1"


# -- memory ------------------------------------------------------------------------------------------------------------


def test_a_session_that_forgot_is_replaced_by_one_that_is_given_the_context() -> None:
    play = Play().go_live()
    play.have_a_turn("handle-1")
    wishes = play.tell(MemoryLost())
    assert play.state is State.HANDOVER
    assert of(wishes, ForgetHandle)
    assert play.tell(CloseFinished()) == [Connect(seed=True)]
    wishes = play.tell(SetupCompleted(), 100)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "rebuilt"


def proof(*turns: tuple[int, int, int]) -> MemoryProof:
    memory = MemoryProof()
    for turn in turns:
        assert not memory.is_lost(*turn)
    return memory


def test_a_prompt_that_goes_on_growing_is_a_proof() -> None:
    memory = proof((410, 71, 6), (487, 50, 5))
    memory.resumed()
    assert not memory.is_lost(545, 60, 6)


def test_a_prompt_that_falls_back_to_the_instruction_is_noticed_even_after_one_turn() -> None:
    memory = proof((410, 71, 6))
    memory.resumed()
    assert memory.is_lost(412, 30, 6)


def test_a_long_question_does_not_hide_that_all_is_forgotten() -> None:
    memory = proof((410, 71, 6), (487, 50, 5))
    memory.resumed()
    assert memory.is_lost(404 + 500, 30, 500)


def test_compression_to_half_is_no_loss() -> None:
    memory = proof((1_000, 50, 0), *((tokens, 400, 0) for tokens in range(1_500, 100_000, 500)))
    memory.resumed()
    assert not memory.is_lost(52_000, 100, 10)


def test_counts_that_are_added_up_over_the_session_prove_nothing() -> None:
    memory = proof((410, 70, 6), (900, 70, 6), (1_500, 70, 6))
    memory.resumed()
    assert not memory.is_lost(500, 70, 6)


def test_only_the_first_turn_after_a_resume_is_a_proof() -> None:
    memory = proof((410, 71, 6), (487, 50, 5))
    memory.resumed()
    assert not memory.is_lost(545, 60, 6)
    assert not memory.is_lost(300, 60, 6)


def test_nothing_is_judged_before_anything_is_known() -> None:
    memory = MemoryProof()
    memory.resumed()
    assert not memory.is_lost(100, 10, 0)


def test_four_characters_are_a_token() -> None:
    assert typed_tokens("twelve chars") == 3


# -- the gate ----------------------------------------------------------------------------------------------------------

LOUD = (4_000).to_bytes(2, "little", signed=True) * 640
QUIET = (100).to_bytes(2, "little", signed=True) * 640


def test_an_utterance_ends_with_the_quiet_after_it_and_only_once() -> None:
    gate = VoiceGate()
    heard = [gate.hear(frame) for frame in [*[QUIET] * 10, *[LOUD] * 20, *[QUIET] * 60]]
    assert heard.count(True) == 1
    assert heard.index(True) == 10 + 20 + 17


def test_a_click_is_no_utterance() -> None:
    gate = VoiceGate()
    assert not any(gate.hear(frame) for frame in [LOUD, LOUD, *[QUIET] * 60])


def test_a_pause_for_breath_does_not_end_an_utterance() -> None:
    gate = VoiceGate()
    frames = [*[LOUD] * 20, *[QUIET] * 10, *[LOUD] * 20]
    assert not any(gate.hear(frame) for frame in frames)
    assert gate.end()


def test_half_an_hour_of_silence_is_no_utterance() -> None:
    gate = VoiceGate()
    assert not any(gate.hear(bytes(1280)) for _ in range(30 * 60 * 25))
