"""How the connections of a session are set up while what is wanted of it changes: a handle goes with what it is of."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from sessions_app.live.context import Context
from sessions_app.live.machine.events import Connect
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import Setup, TurnTaking
from sessions_app.live.session_setups import SessionSetups
from tests.fakes.energy import NEWEST
from tests.live.stage import a_turn
from tests.repeatable import cases

PAST = Context((a_turn(0, "My code word is plum."),))
ASSISTANTS = st.builds(
    Assistant,
    instruction=st.sampled_from(["Be kind.", "Be brief."]),
    voice=st.sampled_from(["Kore", "Puck"]),
    language=st.sampled_from(["", "de-DE"]),
    turn_taking=st.builds(TurnTaking, silence_ms=st.sampled_from([0, 900])),
    compresses=st.booleans(),
    resumes=st.booleans(),
)


@dataclass(frozen=True)
class Issued:
    """A handle as the store has it: by which set-up its session was begun."""

    begun_by: Setup
    made_with: str


class Wishes(RuleBasedStateMachine):
    """Users change their minds at any time, connections come and go, and the row of a handle outlives processes."""

    def __init__(self) -> None:
        super().__init__()
        self.setups = SessionSetups(Assistant("Be kind.", "Kore"))
        self.begun_by: Setup | None = None
        self.handle: Issued | None = None

    @rule(assistant=ASSISTANTS)
    def want(self, assistant: Assistant) -> None:
        self.setups.wanted = assistant
        if not self.setups.keeps_session:
            self.handle = None  # as the machine forgets it

    @rule(seed=st.booleans())
    def begin(self, seed: bool) -> None:
        context = PAST if seed else Context()
        self.begun_by = self.setups.next(Connect(seed=seed), NEWEST, context)
        self.handle = None
        assert self.setups.is_as_wanted
        assert self.begun_by.voice == self.setups.wanted.voice

    @precondition(lambda self: self.begun_by is not None and self.setups.resumes)
    @rule()
    def issue(self) -> None:
        assert self.begun_by is not None
        self.handle = Issued(self.begun_by, self.setups.made_with)

    @precondition(lambda self: self.handle is not None)
    @rule(late=st.none() | ASSISTANTS)
    def resume(self, late: Assistant | None) -> None:
        """`late`: wanted after the dial was wished, and before it was made."""
        assert self.handle is not None
        if late is not None:
            self.setups.wanted = late
        setup = self.setups.next(Connect("h"), NEWEST, Context())
        begun_by = self.handle.begun_by
        assert (setup.voice, setup.language, setup.resumes) == (begun_by.voice, begun_by.language, begun_by.resumes)
        assert setup.instruction == begun_by.instruction, "with the past in it"
        assert setup.turn_taking == self.setups.wanted.turn_taking, "a resume takes that"
        assert self.setups.is_as_wanted is self.setups.keeps_session
        if not self.setups.keeps_session:
            self.handle = None

    @precondition(lambda self: self.handle is not None)
    @rule(assistant=ASSISTANTS)
    def come_back_elsewhere(self, assistant: Assistant) -> None:
        """Another process goes on, with what is wanted by then; it takes the handle only of a session made so."""
        assert self.handle is not None
        self.setups = SessionSetups(assistant)
        if self.setups.made_with != self.handle.made_with:
            self.handle = None
            return
        setup = self.setups.next(Connect("h"), NEWEST, Context())
        begun_by = self.handle.begun_by
        assert (setup.voice, setup.language, setup.resumes) == (begun_by.voice, begun_by.language, begun_by.resumes)
        self.begun_by = setup
        self.handle = Issued(setup, self.setups.made_with)


Wishes.TestCase.settings = settings(max_examples=cases(60), stateful_step_count=20)
TestWishes = Wishes.TestCase
