"""Places in a sound, as models are told them and write them: pure."""

from __future__ import annotations


def clock(ms: int) -> str:
    """Such as 12:41, or 1:02:41 from one hour on."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
