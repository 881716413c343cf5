from __future__ import annotations

import pytest

from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer


@pytest.fixture
def summarizer() -> FakeSummarizer:
    return FakeSummarizer()


@pytest.fixture
def service(summarizer: FakeSummarizer) -> SummarizationService:
    return SummarizationService(summarizer)
