"""Sizes and lengths as people read them. Pure."""

from __future__ import annotations

MB = 1_000_000


def size_words(size_bytes: int) -> str:
    """In whole MB, or with a decimal below 10; in KB below that."""
    if size_bytes < MB:
        return f"{max(1, round(size_bytes / 1000))} KB"
    megabytes = size_bytes / MB
    return f"{megabytes:.1f} MB" if megabytes < 10 else f"{round(megabytes)} MB"


def length_words(duration_ms: int) -> str:
    """As a clock has it: 0:07, 12:03, 1:02:03."""
    seconds = round(duration_ms / 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
