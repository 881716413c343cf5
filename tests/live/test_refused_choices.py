"""A provider that takes not all that users may choose, and says so in one of its ways: nothing is lost for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import (
    COMPRESSION_FIGURES_FIELD,
    LANGUAGE_HINT_FIELD,
    SPEECH_FIELD,
    TURN_TAKING_FIELD,
    Failure,
    Phase,
)
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import Compression, Connection, GoAway, Setup, TurnTaking
from tests.fakes.energy import NEWEST
from tests.fakes.upstream import CUT, FakeUpstream
from tests.live.stage import INSTRUCTION, Stage, numbers
from tests.repeatable import cases
from tests.virtual_time import VirtualTimeLoop

SAYS_NOTHING = "Request contains an invalid argument."

IS_SAID: Mapping[str, Callable[[Setup], bool]] = {
    COMPRESSION_FIGURES_FIELD: lambda setup: setup.compression not in (None, Compression()),
    LANGUAGE_HINT_FIELD: lambda setup: setup.language != "",
    TURN_TAKING_FIELD: lambda setup: setup.turn_taking != TurnTaking(),
    SPEECH_FIELD: lambda setup: setup.voice == "Puck",
}
NAMED: Mapping[str, str] = {
    COMPRESSION_FIGURES_FIELD: "Invalid value at 'setup.context_window_compression.trigger_tokens' (TYPE_INT64)",
    LANGUAGE_HINT_FIELD: "Unsupported language code 'de-DE' for model models/gemini-3.8-live",
    TURN_TAKING_FIELD: "Unknown name \"realtimeInputConfig\" at 'setup': Cannot find field.",
    SPEECH_FIELD: "No matching speaker voice found for name: Puck",
}

ASSISTANTS = st.builds(
    Assistant,
    instruction=st.just(INSTRUCTION),
    voice=st.sampled_from(["Kore", "Puck", "Leda"]),
    language=st.sampled_from(["", "de-DE"]),
    turn_taking=st.sampled_from([TurnTaking(), TurnTaking(silence_ms=900), TurnTaking(interruptions=False)]),
    compresses=st.booleans(),
    trigger_tokens=st.sampled_from([0, 20_000]),
    resumes=st.booleans(),
)
Step: TypeAlias = tuple[str | Assistant, float]
"""What happens, and how long it is waited then, in seconds."""

STEPS = st.tuples(
    ASSISTANTS | st.sampled_from(["cut", "go away", "exchange", "reply"]), st.sampled_from([0.0, 0.01, 0.5, 20.0])
)


class Picky(FakeUpstream):
    """Refuses set-ups that say one of these fields, by its name or without a word about it."""

    def __init__(self, refused: Mapping[str, bool]) -> None:
        super().__init__()
        self._refused = refused

    async def connect(self, setup: Setup) -> Connection:
        for field, is_named in self._refused.items():
            if IS_SAID[field](setup) and field not in setup.left_out:
                self.script(Failure(1007, NAMED[field] if is_named else SAYS_NOTHING, Phase.SETUP))
                break
        return await super().connect(setup)


@settings(max_examples=cases(50))
@given(
    mode=st.sampled_from(Mode),
    first=ASSISTANTS,
    refused=st.dictionaries(st.sampled_from(sorted(IS_SAID)), st.booleans()),
    steps=st.lists(STEPS, min_size=1, max_size=8),
)
def test_whatever_of_it_is_refused_the_conversation_goes_on_with_its_model_and_every_word(
    mode: Mode, first: Assistant, refused: Mapping[str, bool], steps: Sequence[Step]
) -> None:
    # Of a first dial no voice is suspected: without one that was taken the model is as likely at fault.
    first = replace(first, voice="Kore")
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_converse(mode, first, refused, steps))


async def _converse(mode: Mode, first: Assistant, refused: Mapping[str, bool], steps: Sequence[Step]) -> None:
    stage, wanted = Stage(mode, assistant=first, upstream=Picky(refused)), first
    await stage.open()
    await stage.wait(5)
    for number, (what, seconds) in enumerate(steps):
        if isinstance(what, Assistant):
            wanted = what
            stage.manager.use(wanted)
        elif stage.manager.state is State.LIVE:
            await _happen(stage, what, f"h-{number}")
        await stage.speak(2)
        await stage.wait(seconds)
    await stage.wait(20)
    await stage.spoken_exchange("Are you there?", "I am.", handle="h")
    await stage.wait(20)

    assert stage.manager.state is State.LIVE
    assert {dial.setup.model for dial in stage.upstream.attempts} == {NEWEST}
    heard = {number for connection in stage.upstream.connections for number in numbers(connection.audio)}
    assert heard == set(range(stage.next_frame))
    last = stage.upstream.attempts[-1].setup
    assert (last.voice, last.language, last.turn_taking) == (wanted.voice, wanted.language, wanted.turn_taking)


async def _happen(stage: Stage, what: str, handle: str) -> None:
    match what:
        case "cut":
            stage.connection.drop(CUT)
        case "go away":
            await stage.hear(GoAway(20_000))
        case "exchange":
            await stage.spoken_exchange("Hello", "Hello.", handle=handle)
        case "reply":
            await stage.begin_reply("Once upon a time")
