"""The tools that listen: to a recording of the user, or a file of the machine that is taken in first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from django.contrib.auth.models import User

from config.mcp import shapes
from config.mcp.calls import Refused, Tell
from config.mcp.history_tools import recordings_in
from config.mcp.local_files import path_in, take_in
from sessions_app.auth_tokens.callers import Caller
from sessions_app.live.storable import storable
from sessions_app.models import Recording
from sessions_app.recordings import service
from sessions_app.services import NotYours, get_conversation_for

NAMED_AT_MOST = 10
"""Recordings that an error names."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the conversation in which it stands: the one that was asked in, or one that continues it. `note`:
    why it ends early, or empty."""

    conversation: uuid.UUID
    text: str
    note: str = ""


class Answers(Protocol):
    """Who answers questions about the recordings of a conversation."""

    def refuse_if_spent(self, user: User) -> None:
        """Raises `Refused` where a user has had their share for now."""

    def begin(self, user: User, recording: Recording) -> uuid.UUID:
        """A new conversation about a recording."""

    def ask(self, user: User, conversation_id: uuid.UUID, question: str, tell: Tell) -> Reply:
        """Both are stored. Raises `Refused`, and what `tell` raises."""


class AudioTools:
    """Listening, in the name of a user.

    Args:
        answers: who is asked.
        takes_paths: whether whoever asks is on this machine, and may name its files.
    """

    def __init__(self, answers: Answers, takes_paths: bool) -> None:
        self._answers = answers
        self.takes_paths = takes_paths

    def listen(self, caller: Caller, asked: shapes.Listen, tell: Tell) -> shapes.Answer:
        """Raises `Refused`, `TooManyTries`."""
        self._answers.refuse_if_spent(caller.user)
        path = path_in(asked.file) if self.takes_paths else None
        recording = take_in(caller.user, path, tell) if path else recording_of(caller.user, asked.file)
        return self._ask(caller.user, self._answers.begin(caller.user, recording), asked.question, tell)

    def ask(self, caller: Caller, asked: shapes.Ask, tell: Tell) -> shapes.Answer:
        """Raises `Refused`."""
        try:
            get_conversation_for(caller.user, asked.session)
        except NotYours:
            raise Refused(f"You have no session {asked.session}.") from None
        if not service.attached_to(asked.session):
            raise Refused("No recording belongs to this session any more. Ask with listen_to_audio.")
        self._answers.refuse_if_spent(caller.user)
        return self._ask(caller.user, asked.session, asked.question, tell)

    def _ask(self, user: User, conversation_id: uuid.UUID, question: str, tell: Tell) -> shapes.Answer:
        reply = self._answers.ask(user, conversation_id, question, tell)
        return shapes.Answer(
            session=reply.conversation,
            answer=reply.text,
            recordings=recordings_in(service.attached_to(reply.conversation)),
            note=reply.note,
        )


def recording_of(user: User, words: str) -> Recording:
    """The recording of a user by its id or its name. Raises `Refused`."""
    try:
        return service.get_recording_for(user, uuid.UUID(words))
    except (ValueError, service.NoSuchRecording):
        pass
    named = list(service.recordings_of(user).filter(name__iexact=storable(words))[: NAMED_AT_MOST + 1])
    if len(named) == 1:
        return named[0]
    if named:
        raise Refused(f"Several of your recordings have this name. Say which one by its id: {_told(named)}.")
    known = list(service.recordings_of(user)[: NAMED_AT_MOST + 1])
    told = f"Yours are {_told(known)}." if known else "You have uploaded none yet."
    raise Refused(f"You have no recording of this id or name. {told}")


def _told(recordings: list[Recording]) -> str:
    words = [f"{each.name} ({each.pk})" for each in recordings[:NAMED_AT_MOST]]
    return ", ".join([*words, "and older ones"] if len(recordings) > NAMED_AT_MOST else words)
