"""`SummarizationService`: short, long, and which model answers."""

from __future__ import annotations

import pytest

from summarization.summarizer import BadAnswer, Refused, Unavailable
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.summarization.talk import turns


def test_a_short_transcript_is_kept_as_it_is_and_no_model_is_asked(
    service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summary = service.summarize(turns(2))
    assert summary.summary.startswith("User: Turn 0")
    assert summary.title.startswith("Turn 0")
    assert not summary.model
    assert not summarizer.asked


def test_a_longer_one_is_one_question(service: SummarizationService, summarizer: FakeSummarizer) -> None:
    summary = service.summarize(turns(40, {11: "My train leaves at nine."}))
    assert len(summarizer.asked) == 1
    assert "My train leaves at nine." in summary.facts
    assert summary.model == "first-model"


def test_a_very_long_one_goes_in_pieces_and_no_fact_of_any_is_lost(
    service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    facts = {number: f"Fact {number} is this." for number in (2, 300, 700, 998)}
    summary = service.summarize(turns(1_000, facts))
    assert len(summarizer.asked) > 2
    assert set(facts.values()) <= set(summary.facts)


def test_nothing_is_not_summarised(service: SummarizationService) -> None:
    with pytest.raises(ValueError, match="nobody said anything"):
        service.summarize(())


@pytest.mark.parametrize(
    "failure", [Unavailable("busy"), Refused("no such model"), BadAnswer("empty"), "garbage", "{}"]
)
def test_the_next_model_is_asked_when_one_fails(
    service: SummarizationService, summarizer: FakeSummarizer, failure: str | Unavailable
) -> None:
    summarizer.say(failure)
    assert service.summarize(turns(40)).model == "second-model"


def test_when_all_fail_the_failure_that_may_pass_counts(
    service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.say(Refused("no such model"), Unavailable("busy", 7))
    with pytest.raises(Unavailable, match="busy") as failure:
        service.summarize(turns(40))
    assert failure.value.retry_after_s == 7


def test_when_all_refuse_it_is_refused(service: SummarizationService, summarizer: FakeSummarizer) -> None:
    summarizer.break_down(Refused("the key is wrong"))
    with pytest.raises(Refused, match="the key is wrong"):
        service.summarize(turns(40))
