"""Asking for summaries: the models in their order, long transcripts piece by piece."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from energy.places import Place, place_of
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.provider_accounts import account_at, has_account, version_at
from summarization.prompts import (
    Prompt,
    Summary,
    as_script,
    pieces,
    read_recap,
    read_summary,
    recap_prompt,
    summary_prompt,
    verbatim_summary,
)
from summarization.summarizer import BadAnswer, Refused, Spent, Summarizer, SummarizerError, Unavailable, pass_over

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class SummarizerByPlace:
    """Asks each model where it is served, see `summarizer.Summarizer`."""

    def __init__(self, models: Sequence[str], summarizers: Mapping[Place, Summarizer]) -> None:
        self.models = models
        self._summarizers = summarizers

    def ask(self, model: str, prompt: Prompt, spent: Spent = pass_over) -> str:
        return self._summarizers[place_of(model)].ask(model, prompt, spent)


class SummarizationService:
    """Summaries of transcripts, by the first of the summarizer's models that gives a usable answer."""

    def __init__(self, summarizer: Summarizer) -> None:
        self._summarizer = summarizer

    def summarize(self, turns: tuple[SpokenTurn, ...], recap: str = "") -> Summary:
        """The summary of a conversation: of these turns and of what `recap` says came before them.

        A short transcript is kept as it is; of a long one each piece but the last becomes part of the recap. Blocks.
        Raises `SummarizerError`, and ValueError when nobody said anything.
        """
        script = as_script(turns)
        if not script:
            raise ValueError("nobody said anything")
        if not recap and (verbatim := verbatim_summary(turns)) is not None:
            return verbatim
        *earlier, last = pieces(script)
        for piece in earlier:
            recap = self._condense(piece, recap)
        return self.ask(summary_prompt(last, recap), read_summary)

    def condense(self, turns: tuple[SpokenTurn, ...], recap: str = "") -> str:
        """A recap of these turns and of what `recap` says came before them. Blocks. Raises `SummarizerError`."""
        for piece in pieces(as_script(turns)):
            recap = self._condense(piece, recap)
        return recap

    def _condense(self, piece: str, recap: str) -> str:
        return self.ask(recap_prompt(piece, recap), lambda answer, _: read_recap(answer))

    def ask(self, prompt: Prompt, read: Callable[[str, str], Answer], spent: Spent = pass_over) -> Answer:
        """What `read` makes of the answer of the first model that gives a usable one, whose name it gets as well.

        Blocks. `read` raises ValueError for an answer that is of no use. Raises `SummarizerError`.
        """
        failures: list[SummarizerError] = []
        for model in self._summarizer.models:
            try:
                return self._ask_one(model, prompt, read, spent)
            except SummarizerError as error:
                failures.append(error)
            logger.warning("no summary: %s", failures[-1].reason)
        raise next((failure for failure in failures if failure.may_work_later), failures[0])

    def _ask_one(self, model: str, prompt: Prompt, read: Callable[[str, str], Answer], spent: Spent) -> Answer:
        answer = self._summarizer.ask(model, prompt, spent)
        try:
            return read(answer, model)
        except ValueError as error:
            raise BadAnswer(f"{model} gave an answer that cannot be used") from error


@cache
def gemini_service() -> SummarizationService:
    """Gemini, as the settings have it. Made when it is first needed. Raises `Refused` where nobody can be asked."""
    places = {place for place in map(place_of, settings.SUMMARY_MODELS) if has_account(place)}
    if not places:
        raise Refused("no API key is set")
    # The SDK takes most of a second to import, which commands and web workers without a summary to write need not pay.
    from summarization.gemini import GeminiSummarizer

    models = [model for model in settings.SUMMARY_MODELS if place_of(model) in places]
    asked = {place: GeminiSummarizer(account_at(place), version_at(place), ()) for place in places}
    return SummarizationService(SummarizerByPlace(models, asked))


def as_failure(error: Exception) -> SummarizerError:
    """What went wrong, in the summarizer's words; whatever is none of its errors is logged, and may pass."""
    if isinstance(error, SummarizerError):
        return error
    if isinstance(error, SoftTimeLimitExceeded):
        return Unavailable("it took too long")
    logger.error("summarising failed", exc_info=error)
    return Unavailable("something went wrong here; the log says what")
