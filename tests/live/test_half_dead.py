"""Connections that are open and dead, sessions that remember nothing, and users who are simply silent."""

from __future__ import annotations

from sessions_app.live.machine.events import (
    Action,
    CloseFinished,
    Connect,
    ForgetHandle,
    HoldInput,
    LeaveUpstream,
    MemoryLost,
    ProviderSilent,
    SendBlocked,
    SetupCompleted,
    State,
    TellReady,
    Toast,
)
from sessions_app.live.memory import MemoryProof
from sessions_app.live.voice import VoiceGate
from tests.live.play import LIVED_MS, Play, of, only

# -- silence of the provider: when it is one is decided by the machine of turns ----------------------------------------


def waiting() -> Play:
    """A line that has lived for a while."""
    play = Play().go_live()
    play.have_a_turn("handle-1")
    play.now_ms += LIVED_MS
    return play


def test_a_provider_that_has_gone_is_left_and_dialled_anew_at_once_by_its_handle() -> None:
    play = waiting()
    wishes = play.tell(ProviderSilent())
    assert play.state is State.RECONNECTING
    assert of(wishes, HoldInput)
    assert of(wishes, LeaveUpstream)
    assert only(wishes, Connect).handle == "handle-1"


def test_a_handle_that_leads_to_the_same_silence_is_given_up() -> None:
    wishes = waiting().tell(ProviderSilent(costs_handle=True))
    assert of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect(seed=True)


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


# -- the gate ----------------------------------------------------------------------------------------------------------

LOUD = (4_000).to_bytes(2, "little", signed=True) * 640
QUIET = (100).to_bytes(2, "little", signed=True) * 640


def test_an_utterance_ends_with_the_quiet_after_it_and_only_once() -> None:
    gate = VoiceGate()
    heard = [gate.hear(frame) is not None for frame in [*[QUIET] * 10, *[LOUD] * 20, *[QUIET] * 60]]
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
