"""The fake does what its interface promises."""

from __future__ import annotations

import pytest

from summarization.prompts import read_recap, read_summary, recap_prompt, summary_prompt
from summarization.summarizer import Refused, Summarizer
from tests.fakes.summarizer import FakeSummarizer


def test_the_fake_is_what_the_service_needs() -> None:
    """Read by mypy: the fake can stand where the interface is asked for."""
    summarizer: Summarizer = FakeSummarizer()
    assert summarizer.models


def test_it_answers_in_the_form_it_was_asked_for() -> None:
    fake = FakeSummarizer()
    summary = read_summary(fake.ask("a", summary_prompt("User: Where is Rex?", "They met.\n- Rex is a dog.")), "a")
    assert summary.facts == ("Rex is a dog.", "Where is Rex?")
    assert summary.open_points == ("Where is Rex?",)
    assert "Rex is a dog." in read_recap(fake.ask("a", recap_prompt("User: Hello", "They met.\n- Rex is a dog.")))


def test_it_says_what_it_is_told_to_say() -> None:
    fake = FakeSummarizer("only")
    fake.say("first")
    fake.break_down(Refused("no"))
    prompt = summary_prompt("User: Hello")
    assert fake.ask("only", prompt) == "first"
    with pytest.raises(Refused):
        fake.ask("only", prompt)
    fake.recover()
    assert fake.ask("only", prompt)
    assert [model for model, _ in fake.asked] == ["only"] * 3
