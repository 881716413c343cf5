"""A live session beside whose line questions about recordings are answered, with everything around it played."""

from __future__ import annotations

from typing import Any

from energy.levels import Mode
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions.answering import Listeners
from sessions_app.live.providers.questions.upstream import LateListeners, UpstreamWithQuestions
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import Upstream, UpstreamFailed
from tests.fakes.generation import Asked, FakeGeneration, Stream
from tests.fakes.shelf import FakeShelf
from tests.fakes.upstream import FakeUpstream
from tests.live.stage import Stage
from tests.live.turns.stage import VOICES

BEST, SECOND = "gemini-3.8-flash", "gemini-3.5-flash-lite"


class QuestionsStage(Stage):
    """As a `Stage`. `generation` is who listens and speaks, `shelf` where the recordings are."""

    def __init__(
        self,
        mode: Mode = Mode.TEXT,
        inner: Upstream | None = None,
        *,
        has_key: bool = True,
        listening: tuple[str, ...] = (BEST, SECOND),
        **options: Any,
    ) -> None:
        self.generation = FakeGeneration()
        self.shelf = FakeShelf()
        listeners = Listeners(self.generation, VoiceModels(listening), VoiceModels(VOICES), self.shelf)
        line = FakeUpstream()
        provider = UpstreamWithQuestions(inner or line, LateListeners(lambda: listeners if has_key else _nobody()))
        super().__init__(mode, upstream=line, provider=provider, **options)

    def answers(self, *streams: Stream) -> None:
        self.generation.script += streams

    @property
    def asked(self) -> list[Asked]:
        return self.generation.asked

    def ask(self, id: str = "q", text: str = "What is said?", *recordings: str) -> None:
        self.manager.take_text(id, text, recordings or ("talk",))

    def moves(self) -> list[str]:
        """What the page was told of questions."""
        return [str(told.facts.state) for told in self.page.told if told.name == "question"]


def _nobody() -> Listeners:
    raise UpstreamFailed(Failure(0, "API key not found", Phase.HANDSHAKE))
