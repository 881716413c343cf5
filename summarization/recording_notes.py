"""What a model that has not heard the recordings of a conversation is told of them: out of their transcripts."""

from __future__ import annotations

import uuid
from dataclasses import replace

from sessions_app.live.context import RECORDINGS_LIMIT_TOKENS, Recap, RecordingNotes
from sessions_app.live.sound_clock import clock
from sessions_app.live.tokens import estimate_tokens
from sessions_app.models import Recording, RecordingWork

LEAST_TOKENS = 300
"""Of each, where many are attached: a title and a few sentences."""

_NOT_YET = "It is being written down here; what is said in it is not known yet."
_TOO_LONG = "(The transcript is too long to stand here.)"


def added_to(recap: Recap | None, conversation_id: uuid.UUID) -> Recap | None:
    """The recap of a conversation, with what is known of its recordings by now."""
    attached = Recording.objects.filter(attachments__conversation=conversation_id).order_by("attachments__at")
    recordings = list(attached.select_related("work").defer("peaks"))
    if not recordings:
        return recap
    limit_tokens = max(LEAST_TOKENS, RECORDINGS_LIMIT_TOKENS // len(recordings))
    notes = tuple(RecordingNotes(str(each.pk), notes_of(each, limit_tokens), _version(each)) for each in recordings)
    return replace(recap or Recap("", until_turn=-1), recordings=notes)


def _version(recording: Recording) -> str:
    work: RecordingWork | None = getattr(recording, "work", None)
    is_known = work is not None and work.state not in (RecordingWork.State.WAITING, RecordingWork.State.WORKING)
    return f"{work.state} {work.finished_at}" if work is not None and is_known else ""


def notes_of(recording: Recording, limit_tokens: int) -> str:
    """What is known of one recording; its transcript where all of that fits."""
    head = f'Recording "{recording.name}", {clock(recording.duration_ms)} long.'
    work: RecordingWork | None = getattr(recording, "work", None)
    if work is None or work.state in (RecordingWork.State.WAITING, RecordingWork.State.WORKING):
        return f"{head} {_NOT_YET}"
    if work.state == RecordingWork.State.FAILED:
        return f"{head} It could not be written down: {work.error}."
    known = [head, f"Title: {work.title}", f"Summary: {work.summary}"]
    if work.segments:
        transcript = "\n".join(["Transcript:", *map(_line, work.segments)])
        fits = estimate_tokens("\n".join([*known, transcript])) <= limit_tokens
        known.append(transcript if fits else _TOO_LONG)
    return _cut("\n".join(known), limit_tokens)


def _line(said: dict[str, object]) -> str:
    speaker = f"{said['speaker']}: " if said["speaker"] else ""
    return f"[{clock(int(str(said['start_ms'])))}] {speaker}{said['text']}"


def _cut(text: str, limit_tokens: int) -> str:
    """Its beginning; a character is a token at most."""
    while estimate_tokens(text) > limit_tokens:
        text = text[: max(limit_tokens, len(text) * limit_tokens // estimate_tokens(text) - 1)]
    return text
