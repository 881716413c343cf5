"""Sizes and lengths as people read them. Pure."""

from __future__ import annotations

MB = 1_000_000
NAMELESS = "Recording"


def file_name(name: str, at_most: int) -> str:
    """The name of a file to show: without the folders that some browsers send."""
    return shown_name(name.replace("\\", "/").rsplit("/", 1)[-1], at_most)


def shown_name(name: str, at_most: int) -> str:
    """Without what is no character; a word of ours where nothing is left."""
    shown = "".join(character for character in name if character.isprintable()).strip()
    return shown[:at_most] or NAMELESS


def size_words(size_bytes: int) -> str:
    """In whole MB, or with a decimal below 10; in KB below that."""
    if size_bytes < MB:
        return f"{max(1, round(size_bytes / 1000))} KB"
    megabytes = size_bytes / MB
    return f"{megabytes:.1f} MB" if megabytes < 10 else f"{round(megabytes)} MB"


def length_words(duration_ms: int) -> str:
    """As a clock has it: 0:07, 12:03, 1:02:03; to the nearest second."""
    return _clock(round(duration_ms / 1000))


def time_words(at_ms: int) -> str:
    """The same of a time in it: the second that has begun."""
    return _clock(at_ms // 1000)


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
