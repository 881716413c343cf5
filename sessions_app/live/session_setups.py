"""How the connections of one live session are set up: what is wanted of it now, and what it was made with."""

from __future__ import annotations

from dataclasses import replace

from sessions_app.live.context import Context, RecordingNotes, instruction_with
from sessions_app.live.machine.events import Connect
from sessions_app.live.machine.failures import SPEECH_FIELD
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import Setup
from sessions_app.live.setups import chosen_in, gives_history, setup_for


class SessionSetups:
    """Makes the set-ups, one for each dial.

    Args:
        assistant: how the model is to behave.
        begun_with: what each session is begun with, also one that another process has begun.
    """

    def __init__(self, assistant: Assistant, begun_with: Context | None = None) -> None:
        self.wanted = assistant
        """May be set at any time; it counts from the next dial on."""
        self.left_out: set[str] = set()
        """Names of fields that this provider refuses."""
        self._taken: dict[str, object] | None = None
        self.notes: tuple[RecordingNotes, ...] = ()
        """What a fresh session of the last dial is told of recordings."""
        self._model = self._taken_by = ""
        self._made = assistant
        self._dialled = assistant
        context = begun_with or Context()
        self._instruction = instruction_with(context, assistant.instruction, turns_in_history=True)

    @property
    def made_with(self) -> str:
        """Of the session of the last dial, see `Assistant`."""
        return self._made.made_with

    @property
    def resumes(self) -> bool:
        """Whether the session of the last dial is one that is to be resumed."""
        return self._made.resumes

    @property
    def is_as_wanted(self) -> bool:
        """Whether nothing was wanted otherwise since the last dial."""
        return self._dialled == self.wanted

    @property
    def keeps_session(self) -> bool:
        """Whether a resume would take what is wanted now."""
        return self.wanted.made_with == self.made_with

    def want(self, assistant: Assistant) -> frozenset[str]:
        """It counts from the next dial on. Gives the fields that were left out and are tried now with what they say."""
        before, after = chosen_in(self.wanted), chosen_in(assistant)
        tried_again = frozenset(name for name in self.left_out if before.get(name) != after.get(name))
        self.left_out -= tried_again
        self.wanted = assistant
        return tried_again

    def taken(self) -> None:
        """The provider has taken the last set-up."""
        self._taken_by = self._model
        self._taken = {name: value for name, value in chosen_in(self._dialled).items() if name not in self.left_out}

    def next(self, wish: Connect, model: str, context: Context) -> Setup:
        """The set-up of a dial. A handle is only ever used with what its session was made with.

        A resume may take the new set-up's instruction (documentation of sessions, read 2026-11), and the past in it
        would be gone: it is told the one that its session was begun with.
        """
        resumes, self._model = wish.handle is not None, model
        if resumes:
            self._dialled = self.wanted.as_made(self._made)
            assistant = replace(self._dialled, instruction=self._instruction)
        else:
            assistant = self._made = self._dialled = self.wanted
        self.notes = context.recordings
        setup = setup_for(wish, model, assistant, context, frozenset(self.left_out))
        self._instruction = setup.instruction
        return replace(setup, on_trial=self._on_trial(resumes=resumes))

    def _on_trial(self, *, resumes: bool) -> tuple[str, ...]:
        """What the model has not taken yet. Of its first dial in a process a handle is more suspect than anything else,
        and no voice is."""
        chosen = chosen_in(self._dialled)
        if self._taken is None or self._taken_by != self._model:
            return () if resumes else tuple(name for name in chosen if name != SPEECH_FIELD)
        return tuple(name for name, value in chosen.items() if self._taken.get(name) != value)

    def gives_history(self, wish: Connect, model: str) -> bool:
        """Whether the past is given as turns, and not in the instruction."""
        return gives_history(wish, model, frozenset(self.left_out))
