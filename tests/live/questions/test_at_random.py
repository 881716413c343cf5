"""Whatever happens beside a question about recordings: it comes to an end, once, and takes nothing else along."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.upstream import UserWords, VoiceBegan
from sessions_app.live.questions import QuestionState
from sessions_app.live.transcript import Role, TurnCode, TurnStatus
from tests.fakes.generation import Chunk, Stream, words
from tests.live.questions.stage import QuestionsStage
from tests.repeatable import cases
from tests.virtual_time import VirtualTimeLoop

ANSWERS: dict[str, Stream] = {
    "quick": words("At 00:01, plums. ", "No more."),
    "long": words("At 00:01, plums. ", *["And more of them. "] * 20, every_s=0.3),
    "late": [30.0, *words("At last.")],
    "empty": [Chunk(finish="STOP")],
    "blocked": [0.1, Chunk(refusal="BLOCKLIST")],
    "recited": [0.1, Chunk("At 00:01 "), Chunk(finish="RECITATION", refusal="RESPONSE_REJECTED")],
    "torn": [0.1, Chunk("At 00:01, pl")],
    "refused": [Failure(1011, "UNAVAILABLE overloaded", Phase.LIVE)],
    "lost": [Failure(403, "You do not have permission to access the File a or it may not exist.", Phase.LIVE)],
    "hanging": [1_000.0],
}
EVENTS = (
    *("ask", "ask", "type", "voice", "reply", "stop", "line lost", "wait", "long wait"),
    *("silent page", "page with sound", "slow upload", "quick upload", "no upload"),
)


async def a_talk(events: Sequence[str], answers: Sequence[str]) -> QuestionsStage:
    stage = QuestionsStage(Mode.CALL)
    await stage.open()
    stage.answers(*(ANSWERS[name] for name in answers))
    for number, event in enumerate(events):
        match event:
            case "ask":
                stage.ask(f"asked-{number}", f"Question {number}")
                await stage.wait(0.1)
            case "type":
                stage.manager.take_text(f"typed-{number}", f"Message {number}")
                await stage.wait(0.1)
            case "voice":
                await stage.speak(5)
                await stage.hear(VoiceBegan(), UserWords("Wait a moment."))
            case "reply":
                await stage.reply("Yes.")
            case "stop":
                stage.manager.stop_reply()
            case "line lost":
                stage.connection.drop()
                await stage.wait(2)
            case "wait":
                await stage.wait(0.7)
            case "long wait":
                await stage.wait(12)
            case "silent page":
                stage.manager.set_sound(False)
            case "page with sound":
                stage.manager.set_sound(True)
            case "slow upload":
                stage.shelf.takes_s, stage.shelf.failure = 20.0, None
            case "quick upload":
                stage.shelf.takes_s, stage.shelf.failure = 0.0, None
            case "no upload":
                stage.shelf.failure = Unanswerable(TurnCode.RECORDING_NOT_READY)
    stage.shelf.takes_s = 0.0
    await stage.wait(1)
    await stage.reply("That is all.")  # whatever the line still owed
    await stage.wait(600)
    return stage


@settings(max_examples=cases(80), deadline=None)
@given(
    st.lists(st.sampled_from(EVENTS), min_size=1, max_size=9),
    st.lists(st.sampled_from(sorted(ANSWERS)), max_size=8),
)
def test_every_question_comes_to_an_end(events: list[str], answers: list[str]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        stage = runner.run(a_talk(events, answers))
        asked = {f"asked-{number}" for number, event in enumerate(events) if event == "ask"}
        acked = Counter(id for _, ids in stage.page.acks for id in ids)
        assert asked <= acked.keys()
        assert stage.page.shows(State.LIVE)
        assert all(turn.status is not TurnStatus.PARTIAL for turn in stage.page.transcript if turn.role is Role.MODEL)
        assert stage.store.lines == stage.page.lines
        last = {told.facts.id: told.facts.state for told in stage.page.told if told.name == "question"}
        assert set(last.values()) <= {QuestionState.OVER}
        texts = [text for connection in stage.upstream.connections for text in connection.texts]
        assert not [text for text in texts if text.startswith("Question")]
