"""What of the recordings' notes the present session knows, and what its newest handle does: pure."""

from __future__ import annotations

from sessions_app.live.context import RecordingNotes

Notes = tuple[RecordingNotes, ...]


class NotesTold:
    """Follows one session after the other. A process that goes on with a session knows nothing of what that was told,
    and tells it all again."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._covered: dict[str, str] = {}

    def connected(self, *, resumed: bool, known: Notes) -> None:
        """There is a new connection. A fresh session was begun with `known`, a resumed one knows what its handle
        covers."""
        self._told = dict(self._covered) if resumed else {notes.id: notes.version for notes in known}
        self._covered = dict(self._covered) if resumed else {}

    def news(self, notes: Notes) -> Notes:
        """Those of which the session knows nothing, or less."""
        return tuple(each for each in notes if self._told.get(each.id) != each.version)

    def told(self, notes: Notes) -> None:
        """The session is being told of these."""
        self._told |= {each.id: each.version for each in notes}

    def covered(self) -> None:
        """The newest handle knows all that the session was told."""
        self._covered = dict(self._told)
