"""Whatever happens in a conversation in turns: everything said comes to an end, and is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import TurnTaking
from sessions_app.live.transcript import Role, TurnStatus
from tests.fakes.generation import Chunk, Stream, sound, spoken, words
from tests.live.stage import INSTRUCTION
from tests.live.turns.stage import TurnsStage
from tests.repeatable import cases
from tests.virtual_time import VirtualTimeLoop

UNAVAILABLE = Failure(1011, "UNAVAILABLE The model is overloaded.", Phase.LIVE)
HANGS = 1_000.0
LOST = Failure(0, "connection reset", Phase.LIVE)

ANSWERS: dict[str, Stream] = {
    "quick": words("Yes. ", "No."),
    "slow": [9.0, *spoken("Well?", "Yes. ", "No. " * 30)],
    "plain": words("Yes. ", "No. " * 30, every_s=0.4),
    "nothing": spoken("", ""),
    "blocked": [0.1, Chunk(refusal="BLOCKLIST")],
    "torn": [0.1, Chunk("Yes, b")],
    "refused": [UNAVAILABLE],
    "hanging": [HANGS],
    "standing still": [Chunk("Yes, "), HANGS],
    "lost": [0.2, Chunk("Yes, "), 0.2, LOST],
}
SOUNDS: dict[str, Stream] = {
    "short": sound(400),
    "long": sound(6_000),
    "none": [Chunk(finish="OTHER")],
    "refused": [UNAVAILABLE],
    "torn": [Chunk(pcm=bytes(4_801))],
}
EVENTS = ("say", "type", "stop", "mute", "wait", "long wait", "silent page", "page with sound", "line lost")


async def a_talk(
    events: Sequence[str], answers: Sequence[str], voices: Sequence[str], *, interruptions: bool
) -> TurnsStage:
    assistant = Assistant(INSTRUCTION, "Kore", turn_taking=TurnTaking(interruptions=interruptions))
    stage = await TurnsStage(Mode.CALL, assistant=assistant).open()
    stage.answers(*(ANSWERS[name] for name in answers))
    stage.voices(*(SOUNDS[name] for name in voices))
    for number, event in enumerate(events):
        match event:
            case "say":
                await stage.say(600)
            case "type":
                stage.manager.take_text(f"typed-{number}", f"Message {number}")
                await stage.wait(0.1)
            case "stop":
                stage.manager.stop_reply()
            case "mute":
                stage.manager.mute()
            case "wait":
                await stage.wait(0.7)
            case "long wait":
                await stage.pause(6)
            case "silent page":
                stage.manager.set_sound(False)
            case "page with sound":
                stage.manager.set_sound(True)
            case "line lost":
                stage.manager.refresh_session()
                await stage.wait(0.1)
    await stage.wait(400)
    return stage


@settings(max_examples=cases(60), deadline=None)
@given(
    st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8),
    st.lists(st.sampled_from(sorted(ANSWERS)), max_size=8),
    st.lists(st.sampled_from(sorted(SOUNDS)), max_size=6),
    st.booleans(),
)
def test_everything_that_was_said_comes_to_an_end(
    events: list[str], answers: list[str], voices: list[str], interruptions: bool
) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        stage = runner.run(a_talk(events, answers, voices, interruptions=interruptions))
        typed = {f"typed-{number}" for number, event in enumerate(events) if event == "type"}
        assert typed == {id for _, ids in stage.page.acks for id in ids}
        assert max((number for number, _ in stage.page.acks), default=0) >= stage.spoken_until
        assert stage.page.shows(State.LIVE)
        replies = [turn for turn in stage.page.transcript if turn.role is Role.MODEL]
        assert all(reply.status is not TurnStatus.PARTIAL for reply in replies)
        assert stage.store.lines == stage.page.lines
        assert stage.manager.get_session_stats().turn_state == "listening"
