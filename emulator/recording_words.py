"""What is said of recordings: that they were heard, what is in them, and their transcripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator.recording import Recording

UNHEARD = "[not made out]"
_ABOUT = re.compile(
    r"\b(?:recordings?|audio|file|clip|hear|listen|loud|quiet|silen\w+|transcri\w+|describe|duration|minutes|seconds)\b"
    r"|\bhow long\b",
    re.IGNORECASE,
)
_MOST_PASSAGES = 20
_MOST_WORDS = 60


def is_asked_for(text: str) -> bool:
    """True for a text that asks about a recording rather than about what is said in it."""
    return _ABOUT.search(text) is not None


def at(milliseconds: int, *, hours: bool = False) -> str:
    """A time as models write it, to the nearest second: `01:05`, from an hour on (or with `hours`) `1:00:05`."""
    minutes, seconds = divmod((milliseconds + 500) // 1000, 60)
    if not hours and minutes < 60:
        return f"{minutes:02}:{seconds:02}"
    whole, minutes = divmod(minutes, 60)
    return f"{whole:02}:{minutes:02}:{seconds:02}" if hours else f"{whole}:{minutes:02}:{seconds:02}"


def describe(recordings: Sequence[Recording]) -> str:
    """What proves that recordings were heard: how long they are, where they are loud, and words with their times."""
    if len(recordings) == 1:
        return _described(recordings[0], "The recording")
    return " ".join(_described(recording, f"Recording {n}") for n, recording in enumerate(recordings, 1))


def transcribe(recordings: Sequence[Recording]) -> str:
    """A line for each passage of speech, with its time."""
    return "\n".join(
        f"[{at(said.start_ms)}] Speaker 1: {said.words or UNHEARD}"
        for recording in recordings
        for said in recording.spoken_passages()
    )


def _described(recording: Recording, name: str) -> str:
    seconds = (recording.duration_ms + 500) // 1000
    lasts = f"{name} lasts {at(recording.duration_ms)} ({seconds} second{'' if seconds == 1 else 's'})."
    levels = [
        f"{'loud' if passage.is_loud else 'quiet'} from {at(passage.start_ms)} to {at(passage.end_ms)}"
        f" ({passage.level_db:.0f} dB)"
        for passage in recording.passages
    ]
    more = f" and {len(levels) - _MOST_PASSAGES} more passages" if len(levels) > _MOST_PASSAGES else ""
    loudness = f"It is {', '.join(levels[:_MOST_PASSAGES])}{more}." if levels else ""
    return " ".join(filter(None, (lasts, loudness, _said(recording))))


def _said(recording: Recording) -> str:
    if not recording.utterances:
        return "I heard nobody speak."
    told = [f'at {at(said.start_ms)} "{said.words}"' for said in recording.utterances if said.words]
    if not told:
        return f"I heard speech for {recording.speech_ms / 1000:.1f} seconds and made out no words."
    more = " and more" if len(told) > _MOST_WORDS else ""
    return f"I heard {', '.join(told[:_MOST_WORDS])}{more}."
