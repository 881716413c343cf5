"""How the connections of one live session are set up: what is wanted of it now, and what it was made with."""

from __future__ import annotations

from dataclasses import replace

from sessions_app.live.context import Context
from sessions_app.live.machine.events import Connect
from sessions_app.live.machine.failures import COMPRESSION_FIELD, LANGUAGE_HINT_FIELD, TURN_TAKING_FIELD
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import Setup, TurnTaking
from sessions_app.live.setups import gives_history, setup_for


class SessionSetups:
    """Makes the set-ups, one for each dial.

    Args:
        assistant: how the model is to behave.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.wanted = assistant
        """May be set at any time; it counts from the next dial on."""
        self.left_out: set[str] = set()
        """Names of fields that this provider refuses."""
        self._made = assistant
        self._dialled = assistant
        self._instruction = assistant.instruction

    @property
    def made_with(self) -> str:
        """Of the session of the last dial, see `Assistant`."""
        return self._made.made_with

    @property
    def resumes(self) -> bool:
        """Whether the session of the last dial is one that is to be resumed."""
        return self._made.resumes

    @property
    def wished(self) -> tuple[str, ...]:
        """Fields that set-ups have because they are wanted, and could do without."""
        wanted = self.wanted
        fields = {
            TURN_TAKING_FIELD: wanted.turn_taking != TurnTaking(),
            LANGUAGE_HINT_FIELD: bool(wanted.language),
            COMPRESSION_FIELD: wanted.compresses and bool(wanted.trigger_tokens or wanted.compression_ratio),
        }
        return tuple(field for field, is_wished in fields.items() if is_wished)

    @property
    def is_as_wanted(self) -> bool:
        """Whether nothing was wanted otherwise since the last dial."""
        return self._dialled == self.wanted

    @property
    def keeps_session(self) -> bool:
        """Whether a resume would take what is wanted now."""
        return self.wanted.made_with == self.made_with

    def next(self, wish: Connect, model: str, context: Context) -> Setup:
        """The set-up of a dial. A handle is only ever used with what its session was made with.

        A resume may take the new set-up's instruction (documentation of sessions, read 2026-11), and the past in it
        would be gone: it is told the one that its session was begun with.
        """
        resumes = wish.handle is not None
        if resumes:
            self._dialled = self.wanted.as_made(self._made)
            assistant = replace(self._dialled, instruction=self._instruction)
        else:
            assistant = self._made = self._dialled = self.wanted
        setup = setup_for(wish, model, assistant, context, frozenset(self.left_out))
        self._instruction = setup.instruction
        return setup

    def gives_history(self, wish: Connect, model: str) -> bool:
        """Whether the past is given as turns, and not in the instruction."""
        return gives_history(wish, model, frozenset(self.left_out))
