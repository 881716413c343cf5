"""What a live session makes of tokens that are refused: the handle stays, the tries are bounded, the end is told."""

from __future__ import annotations

from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import HandleUpdate
from tests.fakes.energy import OLDER
from tests.fakes.upstream import Answer
from tests.live.stage import Stage

REFUSED = Failure(1007, "The ephemeral token has expired.", Phase.SETUP, by_token=True)
QUOTA = Failure(1011, "You exceeded your current quota", Phase.LIVE)
NOT_MADE = Failure(503, "no token: none was made", Phase.MINTING)


async def with_a_handle(stage: Stage) -> Stage:
    await stage.open_quietly()
    stage.connection.feed(HandleUpdate("handle-1"))
    await stage.settle()
    return stage


async def test_refused_tokens_keep_handle_and_model_and_the_next_dial_resumes() -> None:
    stage = await with_a_handle(Stage())
    model = stage.upstream.attempts[0].setup.model
    stage.upstream.script(REFUSED, NOT_MADE, REFUSED, REFUSED)
    stage.connection.drop()
    await stage.wait(15)
    redials = [attempt.setup for attempt in stage.upstream.attempts[1:]]
    assert [(setup.model, setup.handle) for setup in redials] == [(model, "handle-1")] * 5
    assert not any(setup.left_out for setup in redials)
    assert stage.upstream.attempts[-1].connection is not None


async def test_tokens_that_are_refused_for_a_minute_end_the_tries_and_the_page_is_told_why() -> None:
    stage = await with_a_handle(Stage())
    stage.upstream.otherwise = Answer(REFUSED)
    stage.connection.drop()
    await stage.wait(120)
    assert len(stage.upstream.attempts) < 40
    assert stage.page.shows(State.FAILED)
    assert "token-refused" in stage.page.all_of("state")[-1]
    stage.upstream.otherwise = Answer()
    stage.manager.reconnect_session()
    await stage.settle()
    assert stage.upstream.attempts[-1].setup.handle == "handle-1"
    assert stage.upstream.attempts[-1].connection is not None


async def test_a_change_of_level_is_announced_to_the_provider() -> None:
    stage = await with_a_handle(Stage())
    assert stage.upstream.expected == []
    stage.connection.drop(QUOTA)
    await stage.settle()
    assert stage.upstream.expected == [OLDER]
    assert stage.upstream.attempts[-1].setup.model == OLDER
