"""Walks of eight facts from every state: whatever can come, there is an answer to it, also after seven others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.live.machine.events import Fact, State
from tests.live.facts import FACTS, can_come
from tests.live.play import play_to
from tests.repeatable import cases

DEPTH = 8


@pytest.mark.parametrize("state", [state for state in State if state is not State.ENDED])
@settings(max_examples=cases(300))
@given(data=st.data(), anytime=st.booleans())
def test_a_walk_of_eight_facts_that_can_come_never_meets_a_hole(
    state: State, data: st.DataObject, anytime: bool
) -> None:
    play = play_to(state, history_anytime=anytime)
    for _ in range(DEPTH):
        possible: list[Fact] = [fact for fact in FACTS if can_come(play.state, type(fact))]
        if play.state is State.ENDED:
            return
        play.tell(data.draw(st.sampled_from(possible)), after_ms=data.draw(st.sampled_from([0, 100, 20_000])))
