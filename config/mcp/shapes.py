"""What tools take and give, as their callers see it: the schemas of MCP are made of these."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from summarization.forms import QUERY_LIMIT_CHARACTERS

PAGES_AT_MOST = 100_000
QUESTION_CHARACTERS = 4_000
FILE_CHARACTERS = 1_000

Question = Annotated[str, Field(min_length=1, max_length=QUESTION_CHARACTERS, description="In any language.")]

PageNumber = Annotated[int, Field(ge=1, le=PAGES_AT_MOST, description="From 1.")]
Mode = Literal["call", "text"]


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Listen(Arguments):
    file: Annotated[
        str, Field(min_length=1, max_length=FILE_CHARACTERS, description="The id or the name of a recording.")
    ]
    question: Question


class Ask(Arguments):
    session: Annotated[uuid.UUID, Field(description="As listen_to_audio gave it.")]
    question: Question


class ListConversations(Arguments):
    mode: Annotated[Mode | None, Field(description="Calls or text chats alone.")] = None
    page: PageNumber = 1


class ReadConversation(Arguments):
    conversation: Annotated[uuid.UUID, Field(description="Its id.")]
    page: PageNumber = 1


class SearchHistory(Arguments):
    words: Annotated[
        str, Field(min_length=1, max_length=QUERY_LIMIT_CHARACTERS, description="All of them have to occur.")
    ]
    page: PageNumber = 1


class Recording(BaseModel):
    id: uuid.UUID
    name: str
    duration_ms: int


class Answer(BaseModel):
    session: Annotated[uuid.UUID, Field(description="A conversation, to be asked on in with ask_about_audio.")]
    answer: str
    recordings: Annotated[list[Recording], Field(description="What was listened to.")]
    note: Annotated[str, Field(description="Why the answer ends early, or empty.")]

    def as_text(self) -> str:
        told = [self.answer, self.note, f"(session {self.session}: ask on with ask_about_audio)"]
        return "\n\n".join(filter(None, told))


class ConversationEntry(BaseModel):
    id: uuid.UUID
    title: str
    mode: Mode
    started_at: datetime.datetime
    until: Annotated[datetime.datetime, Field(description="When it ended, or something was said last.")]
    is_over: bool
    excerpt: Annotated[str, Field(description="Of its summary, or around the words that were searched for.")]
    recordings: list[Recording]

    def as_text(self) -> str:
        lines = [f"{self.started_at:%Y-%m-%d %H:%M} UTC, {self.mode}: {self.title} (id {self.id})"]
        lines += [self.excerpt] if self.excerpt else []
        lines += [f"Recording: {each.name} (id {each.id})" for each in self.recordings]
        return "\n  ".join(lines)


class Conversations(BaseModel):
    conversations: list[ConversationEntry]
    page: int
    pages: int
    total: Annotated[int, Field(description="Of all pages.")]

    def as_text(self) -> str:
        if not self.total:
            return "There is no such conversation."
        found = "\n".join(entry.as_text() for entry in self.conversations)
        return f"{found}\n(page {self.page} of {self.pages}, {self.total} in all)"


class Turn(BaseModel):
    number: int
    role: Annotated[str, Field(description="user, model, or system for a line of Holdline itself.")]
    text: str
    at: datetime.datetime
    note: Annotated[str, Field(description="What became of it, if it was not simply said.")]

    def as_text(self) -> str:
        return f"{self.role}{f' ({self.note})' if self.note else ''}: {self.text}"


class Conversation(BaseModel):
    id: uuid.UUID
    title: str
    mode: Mode
    started_at: datetime.datetime
    until: datetime.datetime
    is_over: bool
    summary: Annotated[str, Field(description="Empty until it is written.")]
    facts: list[str]
    open_points: list[str]
    recordings: list[Recording]
    turns: Annotated[list[Turn], Field(description="Of this page, oldest first.")]
    page: int
    pages: int

    def as_text(self) -> str:
        head = [f"{self.title} ({self.mode}, {self.started_at:%Y-%m-%d %H:%M} UTC, id {self.id})"]
        head += [f"Recording: {each.name} (id {each.id})" for each in self.recordings]
        head += [f"Summary: {self.summary}"] if self.summary else []
        head += [f"Fact: {fact}" for fact in self.facts]
        head += [f"Left open: {point}" for point in self.open_points]
        said = [turn.as_text() for turn in self.turns]
        return "\n".join([*head, "", *said, f"(page {self.page} of {self.pages})"])
