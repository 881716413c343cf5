"""Conversations in the database, as they were said."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import User

from energy.levels import Mode
from sessions_app import services
from sessions_app.live.context import Context, context_of
from sessions_app.live.transcript import Role, Turn, TurnStatus
from sessions_app.models import Conversation
from sessions_app.services import SessionRequest
from summarization.rolling import latest_recap
from tests.stored import turns_of

MODEL = "gemini-3.8-live"
AT_MS = 1_767_225_600_000
SLOT = "gdm:call-session-handle"
LONG_AGO_GONE = "elsewhere:1"
FILLER = "and then we went on about the weather, the garden and the long way home through the rain"


def spoken(number: int, text: str, role: Role | None = None, status: TurnStatus = TurnStatus.COMPLETE) -> Turn:
    """A turn; those with even numbers are the user's."""
    speaker = role or (Role.MODEL if number % 2 else Role.USER)
    return Turn(number, speaker, text, status, AT_MS + number)


def turns(count: int, facts: dict[int, str] | None = None, first: int = 0) -> tuple[Turn, ...]:
    """So many turns of some length, with these texts at these numbers."""
    texts = facts or {}
    return tuple(
        spoken(number, texts.get(number, f"Turn {number} {FILLER}."), Role.USER if number in texts else None)
        for number in range(first, first + count)
    )


class Talk:
    """A conversation of somebody with the model, through the services."""

    def __init__(
        self,
        user: User,
        mode: Mode = Mode.CALL,
        owner: str = LONG_AGO_GONE,
        continues: uuid.UUID | None = None,
        page_id: uuid.UUID | None = None,
    ) -> None:
        self.request = SessionRequest(user, mode, SLOT, page_id or uuid.uuid4(), continues)
        self.opening = services.open_session(self.request, MODEL, owner)
        self.id = uuid.UUID(self.opening.conversation)

    def say(self, said: Iterable[Turn]) -> None:
        services.save_turns(self.opening.conversation, self.request.page_id, tuple(said))

    @property
    def context(self) -> Context:
        """What a session without memory would be given of it."""
        return context_of(turns_of(self.row), latest_recap(self.id))

    def leave(self) -> None:
        """The page is gone for good, as far as its session knows."""
        services.finish_session(self.opening.conversation, self.opening.session, "page-gone", False)

    def hang_up(self) -> None:
        services.finish_session(self.opening.conversation, self.opening.session, "hung-up", True)

    def come_back(self, owner: str = LONG_AGO_GONE) -> Talk:
        """The same page opens a session again."""
        return Talk(self.request.user, self.request.mode, owner, page_id=self.request.page_id)

    @property
    def row(self) -> Conversation:
        return Conversation.objects.get(pk=self.id)


def past_call(user: User, said: Iterable[Turn]) -> Talk:
    """A call that was hung up."""
    talk = Talk(user)
    talk.say(said)
    talk.hang_up()
    return talk
