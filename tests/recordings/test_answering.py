"""A question about recordings that is asked without a live session."""

from __future__ import annotations

import pytest

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions.answering import Listeners
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.questions import Question
from sessions_app.live.transcript import TurnCode
from sessions_app.recordings.answering import answer
from tests.fakes.generation import USAGE, FakeGeneration, words
from tests.fakes.shelf import FakeShelf

THERE = "vertex@us-central1:gemini-3.8-flash"
QUESTION = Question("q", "What is said?", "conversation", ("talk",))


def listeners(*models: str) -> Listeners:
    return Listeners(FakeGeneration(), VoiceModels(models), VoiceModels(()), FakeShelf())


async def test_it_is_answered_in_writing_and_what_it_took_is_told() -> None:
    asked = listeners("gemini-3.8-flash")
    assert isinstance(asked.generation, FakeGeneration)
    asked.generation.script.append(words("At 00:12, ", "plums."))
    answered = await answer(QUESTION, asked)
    assert (answered.text, answered.model, answered.refusal) == ("At 00:12, plums.", "gemini-3.8-flash", "")
    assert [usage.prompt_tokens for usage in answered.usages] == [USAGE.prompt_tokens]
    assert asked.generation.read == []


async def test_why_there_is_no_answer_is_raised() -> None:
    asked = listeners("gemini-3.8-flash")
    assert isinstance(asked.generation, FakeGeneration)
    asked.generation.script += [[Failure(429, "You exceeded your current quota", Phase.LIVE)]]
    with pytest.raises(Unanswerable) as failed:
        await answer(QUESTION, asked)
    assert failed.value.code is TurnCode.RECORDING_QUOTA


async def test_a_model_of_agent_platform_is_given_no_file_of_the_developer_api() -> None:
    asked = listeners(THERE, "gemini-3.8-flash")
    assert (await answer(QUESTION, asked)).model == "gemini-3.8-flash"
    with pytest.raises(Unanswerable) as failed:
        await answer(QUESTION, listeners(THERE))
    assert failed.value.code is TurnCode.RECORDING_UNAVAILABLE
    assert "too large" in failed.value.text
