"""What a model is told of a question that was asked in the place of another: pure.

A provider takes nothing out of what a session remembers. So the model is told what does not count any more, in words
that are true for a session that remembers it, and for one that was begun since and does not.
"""

from __future__ import annotations

from dataclasses import replace

from sessions_app.live.transcript import Turn

QUOTED_CHARACTERS = 200
"""So much of the earlier question is enough to know it by."""


def note_on(text: str, replaced: str) -> str:
    """What stands before the question `text`, which was asked in the place of `replaced`."""
    if text == replaced:
        return (
            "[I ask the following once more: the answer that you gave to it before is withdrawn, as if it had not been "
            "given. Give another one, and do not mention the earlier one.]"
        )
    quoted = replaced if len(replaced) <= QUOTED_CHARACTERS else f"{replaced[:QUOTED_CHARACTERS].rstrip()}…"
    return (
        f"[I have rewritten a message of mine: \u201c{quoted}\u201d. That one and your answer to it are withdrawn, as "
        "if they had not been there. Answer the following in its place, and do not mention the change.]"
    )


def with_note(text: str, note: str) -> str:
    """A question as the model is told it."""
    return f"{note}\n\n{text}" if note else text


def as_told(turn: Turn, note: str) -> Turn:
    """The same turn with what the model is told before it."""
    return replace(turn, text=with_note(turn.text, note))
