"""Any traffic, any handles, any cuts: in order, none missing, none twice but what was in flight, or counted as lost."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sessions_app.live.backlog import AUDIO_LIMIT_BYTES, AudioFrame, Backlog, Item, TypedMessage
from sessions_app.live.voice import BYTES_PER_MS
from tests.repeatable import cases

ROUND_TRIP_MS = 100
FRAMES = {ms: b"\x00\x20" * (ms * BYTES_PER_MS // 2) for ms in (40, 4_000)}
"""Long ones, so that the bounds are reached."""


class AnyTraffic(RuleBasedStateMachine):
    """A page that speaks and types, and a provider that remembers what it was sent.

    `known`: what the session behind the present connection has been sent, with the moment; `checkpoint`: what it had
    consumed when it issued the last handle. A message needs up to a round trip to be consumed, so a session may
    remember more than its handle is known to cover: `surplus`, which comes a second time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog()
        self.now_ms = 1_000
        self.spoken_ms: dict[int, int] = {}
        self.typed: set[str] = set()
        self.known: list[tuple[Item, int]] = []
        self.surplus: list[Item] = []
        self.checkpoint: list[Item] | None = None
        self.covered: set[int] = set()
        self.last_sent = -1
        self.reply: tuple[int, frozenset[str], set[int]] | None = None
        self.answered: set[int] = set()
        self.answered_ids: set[str] = set()
        self.excused: set[int] = set()
        self.lost_ms = 0
        self.lost_ids: set[str] = set()
        self.dropped = False

    # -- the page ----------------------------------------------------------------------------------------------------

    @rule(ms=st.sampled_from(sorted(FRAMES)), count=st.integers(1, 5))
    def speak(self, ms: int, count: int) -> None:
        for _ in range(count):
            number = len(self.spoken_ms)
            assert self.backlog.add_audio(number, FRAMES[ms]) is not None
            self.spoken_ms[number] = ms

    @precondition(lambda self: self.spoken_ms)
    @rule(back=st.integers(1, 10))
    def repeat(self, back: int) -> None:
        """A page sends again what was not acknowledged."""
        for number in range(max(0, len(self.spoken_ms) - back), len(self.spoken_ms)):
            assert self.backlog.add_audio(number, FRAMES[40]) is None

    @rule()
    def type(self) -> None:
        id = f"typed-{len(self.typed)}"
        self.typed.add(id)
        self.backlog.add_typed(id, "Hello")

    @rule()
    def mute(self) -> None:
        self.backlog.add_audio_end()

    @rule(count=st.integers(1, 5), is_muted=st.booleans())
    def say_again(self, count: int, is_muted: bool) -> None:
        """What nobody heard; it changes nothing of what is known or safe."""
        self.backlog.repeat_audio([FRAMES[40]] * count, is_muted=is_muted)

    @rule(ms=st.integers(0, 300))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    # -- the connection ----------------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 30))
    def send(self, count: int) -> None:
        known = {item.number for item, _ in self.known if isinstance(item, AudioFrame)}
        for _ in range(count):
            item = self.backlog.next_unsent()
            if item is None:
                return
            assert item.position > self.last_sent, "in order"
            if isinstance(item, AudioFrame):
                assert item.number not in known & self.covered, "none twice but what was in flight"
                assert item.number not in self.answered
            elif isinstance(item, TypedMessage):
                assert item.id not in self.answered_ids
            self.last_sent = item.position
            self.known.append((item, self.now_ms))
            self.backlog.mark_sent(item, self.now_ms, 1)

    @rule(delay_ms=st.integers(0, ROUND_TRIP_MS))
    def offer_handle(self, delay_ms: int) -> None:
        """The provider had consumed what arrived `delay_ms` ago; the driver counts on a whole round trip."""
        self.checkpoint = [*self.surplus, *self.consumed(delay_ms)]
        self.covered |= self.numbers(self.consumed(ROUND_TRIP_MS))
        self.backlog.cover_audio(self.backlog.mark_at(self.now_ms - ROUND_TRIP_MS))

    @precondition(lambda self: self.reply is None)
    @rule()
    def begin_reply(self) -> None:
        mark = self.backlog.mark_at(self.now_ms - ROUND_TRIP_MS)
        ids = self.backlog.typed_sent()
        self.reply = (mark, ids, self.numbers(self.consumed(ROUND_TRIP_MS)))

    @precondition(lambda self: self.reply is not None)
    @rule()
    def end_reply(self) -> None:
        assert self.reply is not None
        mark, ids, numbers = self.reply
        self.reply = None
        self.backlog.answered(mark, ids)
        self.answered |= numbers
        self.answered_ids |= ids

    @rule(resumed=st.booleans())
    def swap(self, resumed: bool) -> None:
        resumed = resumed and self.checkpoint is not None
        if resumed:
            assert self.checkpoint is not None
            kept = [item for item in self.checkpoint if self.is_covered(item)]
            self.surplus = [item for item in self.checkpoint if not self.is_covered(item)]
            self.known = [(item, 0) for item in kept]
        else:
            self.excused |= self.covered
            self.known, self.surplus, self.checkpoint, self.covered = [], [], None, set()
        self.reply, self.last_sent = None, -1
        self.backlog.rewind(resumed=resumed)

    @precondition(lambda self: self.known)
    @rule(dice=st.integers(0, 5))
    def refuse_replay(self, dice: int) -> None:
        if dice == 0:
            self.backlog.drop_audio()
            self.swap(resumed=True)
            self.dropped = True

    # -- what always holds -------------------------------------------------------------------------------------------

    @rule()
    def come_to_rest(self) -> None:
        """When all is sent, everything is known to the model, or answered, or was told as lost."""
        self.send(10_000)
        loss = self.backlog.take_loss()
        self.lost_ms += loss.ms
        self.lost_ids |= set(loss.ids)
        known = self.numbers([*self.surplus, *(item for item, _ in self.known)])
        missing = self.spoken_ms.keys() - known - self.answered - self.excused
        assert sum(self.spoken_ms[number] for number in missing) <= self.lost_ms
        ids = {item.id for item, _ in self.known if isinstance(item, TypedMessage)}
        assert self.typed - ids - self.answered_ids <= self.lost_ids
        if sum(self.spoken_ms.values()) * BYTES_PER_MS <= AUDIO_LIMIT_BYTES and not self.dropped:
            assert self.lost_ms == 0
            assert not missing

    @invariant()
    def acknowledged_is_what_is_safe(self) -> None:
        if sum(self.spoken_ms.values()) * BYTES_PER_MS <= AUDIO_LIMIT_BYTES and not self.dropped:
            safe = self.covered | self.answered | self.excused
            assert set(range(self.backlog.acknowledged_number)) <= safe

    @invariant()
    def the_memory_is_bounded(self) -> None:
        held = [item for item in self.backlog._items if isinstance(item, AudioFrame)]
        assert sum(len(frame.pcm) for frame in held) <= AUDIO_LIMIT_BYTES
        assert self.backlog._audio_bytes == sum(len(frame.pcm) for frame in held)

    # -- helpers -----------------------------------------------------------------------------------------------------

    def consumed(self, delay_ms: int) -> list[Item]:
        return [item for item, at_ms in self.known if at_ms <= self.now_ms - delay_ms]

    def is_covered(self, item: Item) -> bool:
        return isinstance(item, AudioFrame) and item.number in self.covered

    @staticmethod
    def numbers(items: list[Item]) -> set[int]:
        return {item.number for item in items if isinstance(item, AudioFrame)}


AnyTraffic.TestCase.settings = settings(max_examples=cases(120), stateful_step_count=50)
TestAnyTraffic = AnyTraffic.TestCase
