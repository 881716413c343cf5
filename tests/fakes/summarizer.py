"""A summarizer that answers as it is told; by default sensibly, from what it was asked."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

from sessions_app.live.providers.upstream import UsageReported
from summarization.prompts import Prompt
from summarization.summarizer import Spent, SummarizerError, pass_over

FACT_LIMIT_CHARACTERS = 80
Answer = str | SummarizerError


class FakeSummarizer:
    """See `summarization.summarizer.Summarizer`.

    `asked` holds every question with the model it went to. `say` sets the answers to the next questions, `break_down`
    one for all of them until `recover`. `while_thinking` is called before each answer, as if the model took its time.
    """

    def __init__(self, *models: str) -> None:
        self.models = models or ("first-model", "second-model")
        self.asked: list[tuple[str, Prompt]] = []
        self.while_thinking: Callable[[], object] = lambda: None
        self._next: deque[Answer] = deque()
        self._always: Answer | None = None

    def say(self, *answers: Answer) -> None:
        self._next.extend(answers)

    def break_down(self, answer: Answer) -> None:
        self._always = answer

    def recover(self) -> None:
        self._always = None

    def ask(self, model: str, prompt: Prompt, spent: Spent = pass_over) -> str:
        self.asked.append((model, prompt))
        spent(model, UsageReported(prompt_tokens=100, response_tokens=10))
        self.while_thinking()
        answer = self._next.popleft() if self._next else self._always
        if isinstance(answer, SummarizerError):
            raise answer
        return sensible_answer(prompt) if answer is None else answer


def sensible_answer(prompt: Prompt) -> str:
    """An object of the prompt's schema: short lines of the user become facts, and each fact of the recap stays one.

    Where there is none of either, all lines of the user do.
    """
    lines = prompt.text.splitlines()
    kept = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    said = [line.removeprefix("User: ") for line in lines if line.startswith("User: ")]
    short = [line for line in said if len(line) <= FACT_LIMIT_CHARACTERS]
    answer = {
        "title": "What was talked about",
        "summary": f"The user said {len(said)} things.",
        "open_points": [fact for fact in said if fact.endswith("?")],
        "facts": [*kept, *short] or said,
    }
    return json.dumps({name: answer[name] for name in prompt.schema["properties"]})
