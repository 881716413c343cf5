"""Questions about recordings, in our words: pure.

A Live model takes no files. A typed message that is about recordings is answered beside the line, by a model that does,
and the line is told afterwards what was asked and answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sessions_app.live.context import Context


@dataclass(frozen=True, slots=True)
class Question:
    """A typed message about recordings. `id`: of the message. `recordings`: their ids, in the order in which the user
    named them. `context`: what of the conversation is settled. `instruction`: how the model is to behave."""

    id: str
    text: str
    conversation: str
    recordings: tuple[str, ...]
    context: Context = field(default_factory=Context)
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording, as far as a request has to know it."""

    id: str
    name: str
    duration_ms: int
    tokens: int
    size_bytes: int


class QuestionState(StrEnum):
    """What becomes of a question, see `question` in the browser protocol."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    PROCESSING = "processing"
    ASKED = "asked"
    RETRYING = "retrying"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class QuestionMoved:
    """What a page is told of a question. `recording`: the one it is about, or empty; bytes are 0 where nothing is to be
    counted."""

    id: str
    recordings: tuple[str, ...]
    state: QuestionState
    recording: str = ""
    sent_bytes: int = 0
    size_bytes: int = 0
