"""Where recordings are, as whoever answers questions about them sees it. `sessions_app/recordings` has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sessions_app.live.providers.sound_parts import SoundPart
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import Listed, QuestionState
from sessions_app.live.transcript import TurnCode


class Unanswerable(Exception):
    """There will be no answer. `code`: what kind of reason that is. `text`: a sentence for people, empty for the usual
    one. `reason`: the provider's word for a refusal. `usages`: what the tries took, by model."""

    def __init__(self, code: TurnCode, text: str = "", reason: str = "") -> None:
        super().__init__(text or code)
        self.code, self.text, self.reason = code, text, reason
        self.usages: tuple[UsageReported, ...] = ()


@dataclass(frozen=True, slots=True)
class Bringing:
    """How far a recording is on its way to the provider. `state`: uploading or processing."""

    state: QuestionState
    sent_bytes: int = 0


class Shelf(Protocol):
    """Every method leaves the event loop free."""

    async def listed(self, conversation: str, ids: tuple[str, ...]) -> tuple[Listed, ...]:
        """These recordings of a conversation, in the order of the ids. Raises `Unanswerable` where one is gone."""

    async def parts(
        self, recordings: tuple[Listed, ...], tell: Callable[[Listed, Bringing], None]
    ) -> tuple[SoundPart, ...]:
        """How these get into one request; brings them to the provider where they have to be there, and says how far
        that is. The wait is bounded. Raises `Unanswerable`."""

    async def lost(self, part: SoundPart) -> None:
        """The provider does not have this file, or cannot use it: it is brought there anew when it is next needed."""
