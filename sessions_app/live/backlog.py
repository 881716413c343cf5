"""The client's input, kept until it cannot be lost any more.

Every audio frame and typed message has a place here until its reply is complete and stored (`answered`). A resumable
handle covers audio up to a mark (`mark_at`, `cover_audio`): what is covered need not be sent again to a connection that
resumes with that handle, and its memory may be given back, but for what a fresh session would need if the handle turned
out to be dead: the last seconds, and what was said and is not answered. A typed message is covered only by its reply.

After a swap of the connection `rewind` makes everything that the new one does not know come again, in order.

Bounds: 60 s of audio and 200 typed messages. The oldest goes first and is counted. A frame dropped before it was ever
sent is lost at once; one that had been sent is lost only if its connection goes before a handle covers it. Of a
microphone that was open and silent for half an hour nothing is missed, and nothing is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from sessions_app.live.transcript import Turn
from sessions_app.live.voice import BYTES_PER_MS, is_loud

AUDIO_LIMIT_BYTES = 60_000 * BYTES_PER_MS
COVERED_AUDIO_KEPT_BYTES = 4_000 * BYTES_PER_MS
COVERED_SPEECH_KEPT_BYTES = 20_000 * BYTES_PER_MS
"""So much of covered audio is kept where something in it was said and is not answered."""

SPEECHES_LIMIT = 32
"""Places of sentences that are not answered: the oldest ones count."""

TYPED_LIMIT = 200


@dataclass(slots=True, eq=False)
class AudioFrame:
    """PCM16 mono at 16 kHz, numbered by the page."""

    position: int
    number: int
    pcm: bytes
    sent_at_ms: int | None = None
    sent_index: int = 0


@dataclass(slots=True, eq=False)
class AudioEnd:
    """The microphone was muted here: the provider is told, so that it does not wait for more speech."""

    position: int
    sent_at_ms: int | None = None
    sent_index: int = 0


@dataclass(slots=True, eq=False)
class TypedMessage:
    """A typed turn; `id` is unique in the page. `recordings`: ids of those that it asks about; such a question is
    answered beside the line. `note`: what the model of the line is told before it, see `replacing`."""

    position: int
    id: str
    text: str
    recordings: tuple[str, ...] = ()
    note: str = ""
    sent_at_ms: int | None = None
    sent_index: int = 0


@dataclass(slots=True, eq=False)
class RepeatedAudio:
    """PCM16 mono at 16 kHz that the present connection was sent before, and said nothing to."""

    position: int
    pcm: bytes
    sent_at_ms: int | None = None
    sent_index: int = 0


@dataclass(slots=True, eq=False)
class PastTurns:
    """Turns of the past that the present connection does not know, and is told of in the middle."""

    position: int
    turns: tuple[Turn, ...]
    sent_at_ms: int | None = None
    sent_index: int = 0


Item = AudioFrame | AudioEnd | TypedMessage | RepeatedAudio | PastTurns


@dataclass(frozen=True, slots=True)
class Loss:
    """Input that could not be saved: milliseconds of audio, and the ids of typed messages."""

    ms: int = 0
    ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ms or self.ids)


@dataclass(slots=True)
class _Run:
    """Frames that were dropped after they had been sent: `until` is the position after the last of them."""

    until: int
    size_bytes: int
    is_loud: bool


_RUN_BYTES = 1_000 * BYTES_PER_MS


@dataclass(slots=True)
class _Tally:
    audio_bytes: int = 0
    ids: list[str] = field(default_factory=list)


class Backlog:
    """Input in the order it came, and what of it the present connection still has to be sent.

    Args:
        next_number: the first audio number not taken in yet (more than 0 when a page life goes on in a new process).
    """

    def __init__(self, next_number: int = 0) -> None:
        self.next_number = next_number
        self._first_number = self._unsent_number = next_number
        self._numbers_missed = self._never_sent = 0
        self._items: deque[Item] = deque()
        self._unsent: deque[Item] = deque()
        self._next_position = 0
        self._covered_until = 0
        self._acknowledged_number = next_number
        self._audio_bytes = 0
        self._covered_bytes = 0
        self._typed_count = 0
        self._lost = _Tally()
        self._at_risk: deque[_Run] = deque()
        self._speeches: deque[int] = deque()

    # -- input -------------------------------------------------------------------------------------------------------

    def add_audio(self, number: int, pcm: bytes) -> AudioFrame | None:
        """Take in one frame. None when it was taken in before (a page sends again what was not acknowledged)."""
        if number != self.next_number:
            if number < self.next_number:
                return None
            self._numbers_missed += number - self.next_number
        self.next_number = number + 1
        frame = AudioFrame(self._take_position(), number, pcm)
        self._append(frame)
        self._audio_bytes += len(pcm)
        while self._audio_bytes > AUDIO_LIMIT_BYTES:
            self._drop_oldest_audio()
        return frame

    def add_audio_end(self) -> None:
        """Note that the microphone was muted after everything taken in so far; to say so twice adds nothing."""
        if not (self._items and isinstance(self._items[-1], AudioEnd)):
            self._append(AudioEnd(self._take_position()))

    def add_typed(self, id: str, text: str, recordings: tuple[str, ...] = (), note: str = "") -> None:
        """Take in one typed message; the caller has made sure that its id is new."""
        self._append(TypedMessage(self._take_position(), id, text, recordings, note))
        self._typed_count += 1
        if self._typed_count > TYPED_LIMIT:
            self._drop_oldest_typed()

    def repeat_audio(self, frames: Iterable[bytes], *, is_muted: bool) -> None:
        """Send these once more to the present connection, after everything taken in so far. `is_muted`: then say again
        that the microphone is muted.

        They are in flight only: it is the frames they repeat that are acknowledged, and that come again after a swap.
        """
        self._unsent.extend(RepeatedAudio(self._take_position(), pcm) for pcm in frames)
        if is_muted:
            self._unsent.append(AudioEnd(self._take_position()))

    def tell_past(self, turns: tuple[Turn, ...]) -> PastTurns:
        """Tell the present connection of turns, after everything taken in so far. In flight only: the next connection
        is told of the past as a whole."""
        told = PastTurns(self._take_position(), turns)
        self._unsent.append(told)
        return told

    def keep_speech(self, frames: int) -> None:
        """The last so many frames are something that the user said, which a fresh session would need until it is
        answered."""
        if len(self._speeches) < SPEECHES_LIMIT:
            self._speeches.append(self._next_position - frames)

    @property
    def end(self) -> int:
        """The position after everything taken in so far."""
        return self._next_position

    # -- counting, at no cost until somebody asks --------------------------------------------------------------------

    @property
    def frames_waiting(self) -> int:
        """Frames of audio that no connection has been sent."""
        return sum(isinstance(item, AudioFrame) and self._is_new(item) for item in self._unsent)

    @property
    def frames_sent(self) -> int:
        """Frames of audio that were sent to any connection, each counted once."""
        taken = self.next_number - self._first_number - self._numbers_missed
        return taken - self._never_sent - self.frames_waiting

    @property
    def frames_acknowledged(self) -> int:
        """Frames of audio that need not be kept for the next connection any more."""
        return max(0, self._acknowledged_number - self._first_number - self._numbers_missed)

    def _is_new(self, frame: AudioFrame) -> bool:
        return frame.sent_at_ms is None and frame.number >= self._unsent_number

    # -- sending -----------------------------------------------------------------------------------------------------

    @property
    def is_drained(self) -> bool:
        """Whether the present connection has been sent everything."""
        return not self._unsent

    @property
    def has_unsent_audio(self) -> bool:
        """Whether audio is among what the present connection has not been sent."""
        return any(isinstance(item, AudioFrame) for item in self._unsent)

    def next_unsent(self) -> Item | None:
        """The oldest item that the present connection has not been sent."""
        return self._unsent[0] if self._unsent else None

    def mark_sent(self, item: Item, now_ms: int, index: int) -> None:
        """The present connection took `item` as its message number `index`, the set-up being 0.

        Nothing happens when the item was dropped or answered meanwhile.
        """
        if self._unsent and self._unsent[0] is item:
            self._unsent.popleft()
            item.sent_at_ms = now_ms
            item.sent_index = index

    def rewind(self, *, resumed: bool) -> int:
        """There is a new connection. A resumed one knows what the handle covers; a fresh one knows none of it.

        Gives how many frames of audio are to be sent once more.
        """
        self._lose_what_is_at_risk()
        if not resumed:
            self._covered_until = 0
            self._covered_bytes = 0
        self._unsent = deque(item for item in self._items if not self._is_covered(item))
        again = sum(isinstance(item, AudioFrame) and item.sent_at_ms is not None for item in self._unsent)
        sent = (item.number for item in self._items if isinstance(item, AudioFrame) and item.sent_at_ms is not None)
        self._unsent_number = max(self._unsent_number, *(number + 1 for number in sent), 0)
        for item in self._items:
            item.sent_at_ms = None
        return again

    # -- covering ----------------------------------------------------------------------------------------------------

    def mark_at(self, moment_ms: float = inf) -> int:
        """The position up to which (exclusive) everything had been sent by `moment_ms`, or by now."""
        for item in reversed(self._items):
            if item.sent_at_ms is not None and item.sent_at_ms <= moment_ms:
                return item.position + 1
        return self._covered_until

    def mark_of(self, index: int) -> int:
        """The position up to which (exclusive) the provider says it has consumed the messages of this connection."""
        for item in reversed(self._items):
            if item.sent_at_ms is not None and item.sent_index <= index:
                return item.position + 1
        return self._covered_until

    def cover_exactly(self, mark: int) -> None:
        """The newest handle covers the audio before `mark` and no other, whatever one before it was said to cover."""
        if mark < self._covered_until:
            self._covered_until = mark
            self._covered_bytes = self._sum_covered()
        self.cover_audio(mark)

    def cover_audio(self, mark: int) -> None:
        """A handle covers the audio before `mark`."""
        if mark <= self._covered_until:
            return
        for item in self._items:
            if isinstance(item, AudioFrame) and self._covered_until <= item.position < mark:
                self._covered_bytes += len(item.pcm)
                self._acknowledged_number = max(self._acknowledged_number, item.number + 1)
        self._covered_until = mark
        self._make_safe(mark)
        self._give_back_covered_audio()

    def answered(self, mark: int, ids: frozenset[str]) -> None:
        """The reply to the audio before `mark` and to the typed messages `ids` is complete and stored."""

        def is_answered(item: Item) -> bool:
            match item:
                case RepeatedAudio():
                    return True
                case PastTurns():
                    return False
                case TypedMessage():
                    return item.id in ids
            return item.position < mark and (item.sent_at_ms is not None or self._is_covered(item))

        for item in self._items:
            if isinstance(item, AudioFrame) and is_answered(item):
                self._acknowledged_number = max(self._acknowledged_number, item.number + 1)
        self._make_safe(mark)
        while self._speeches and self._speeches[0] < mark:
            self._speeches.popleft()
        self._remove(is_answered)

    def typed_sent(self, until_ms: float = inf) -> frozenset[str]:
        """Ids of the unanswered typed messages that the present connection had been sent by a moment. Questions about
        recordings are not among them: no reply answers one of those in passing."""
        messages = (item for item in self._items if isinstance(item, TypedMessage) and not item.recordings)
        return frozenset(item.id for item in messages if item.sent_at_ms is not None and item.sent_at_ms <= until_ms)

    def typed(self, id: str) -> TypedMessage | None:
        """The typed message of this id, if it waits here for its reply."""
        return next((item for item in self._items if isinstance(item, TypedMessage) and item.id == id), None)

    def holds_typed(self, id: str) -> bool:
        """Whether the typed message waits here for its reply."""
        return self.typed(id) is not None

    @property
    def acknowledged_number(self) -> int:
        """The first audio number neither covered nor answered: what an `ack` may promise once that is stored."""
        return self._acknowledged_number

    def uncovered(self) -> tuple[tuple[tuple[int, bytes], ...], tuple[tuple[str, str, tuple[str, ...]], ...]]:
        """What is not safe: numbered frames of audio; of typed messages their ids, their texts and the ids of the
        recordings that they ask about; each in order."""
        audio = tuple(
            (item.number, item.pcm)
            for item in self._items
            if isinstance(item, AudioFrame) and item.number >= self._acknowledged_number
        )
        typed = tuple((item.id, item.text, item.recordings) for item in self._items if isinstance(item, TypedMessage))
        return audio, typed

    # -- losing ------------------------------------------------------------------------------------------------------

    def drop_audio(self) -> None:
        """Give up all audio that no handle covers: the provider refused it. Typed messages stay."""
        uncovered = self._audio_bytes - self._covered_bytes
        self._lost.audio_bytes += uncovered
        self._never_sent += self.frames_waiting
        self._lose_what_is_at_risk()
        self._remove(lambda item: not isinstance(item, TypedMessage | PastTurns))

    def give_up(self, item: Item) -> None:
        """This one cannot be sent at all: it is lost, and the others go on."""
        if isinstance(item, AudioFrame):
            self._lost.audio_bytes += len(item.pcm)
            self._never_sent += self._is_new(item)
        elif isinstance(item, TypedMessage):
            self._lost.ids.append(item.id)
        self._remove(lambda other: other is item)

    def take_loss(self) -> Loss:
        """What was lost since the last call, to be told to the page."""
        loss = Loss(self._lost.audio_bytes // BYTES_PER_MS, tuple(self._lost.ids))
        self._lost = _Tally()
        return loss

    # -- inside ------------------------------------------------------------------------------------------------------

    def _is_covered(self, item: Item) -> bool:
        return item.position < self._covered_until and not isinstance(item, TypedMessage)

    def _append(self, item: Item) -> None:
        self._items.append(item)
        self._unsent.append(item)

    def _give_back_covered_audio(self) -> None:
        """Covered frames stand at the front, between typed messages that still wait for their reply."""
        surplus = self._covered_bytes - COVERED_AUDIO_KEPT_BYTES
        if surplus <= 0:
            return
        spoken_from = self._speeches[0] if self._speeches else inf
        speech_limit = COVERED_SPEECH_KEPT_BYTES - COVERED_AUDIO_KEPT_BYTES
        given_back = set()
        for item in self._items:
            is_speech = item.position >= spoken_from and surplus <= speech_limit
            if surplus <= 0 or item.position >= self._covered_until or is_speech:
                break
            if isinstance(item, AudioFrame):
                surplus -= len(item.pcm)
            if not isinstance(item, TypedMessage):
                given_back.add(item.position)
        self._remove(lambda item: item.position in given_back)

    def _drop_oldest_audio(self) -> None:
        frame = next(item for item in self._items if isinstance(item, AudioFrame))
        self._never_sent += self._is_new(frame)
        if frame.sent_at_ms is None and not self._is_covered(frame):
            self._lost.audio_bytes += len(frame.pcm)
        elif not self._is_covered(frame):
            self._note_risk(frame)
        self._remove_one(frame)

    def _note_risk(self, frame: AudioFrame) -> None:
        """In runs of a second, because a microphone may stay open for hours without a handle."""
        if not self._at_risk or self._at_risk[-1].size_bytes >= _RUN_BYTES:
            self._at_risk.append(_Run(0, 0, is_loud=False))
        run = self._at_risk[-1]
        run.until = frame.position + 1
        run.size_bytes += len(frame.pcm)
        run.is_loud = run.is_loud or is_loud(frame.pcm)

    def _make_safe(self, mark: int) -> None:
        """Of the frames that were dropped after they had been sent, those before `mark` are not missed."""
        while self._at_risk and self._at_risk[0].until <= mark:
            self._at_risk.popleft()

    def _lose_what_is_at_risk(self) -> None:
        if self._lost.audio_bytes or any(run.is_loud for run in self._at_risk):
            self._lost.audio_bytes += sum(run.size_bytes for run in self._at_risk)
        self._at_risk.clear()

    def _drop_oldest_typed(self) -> None:
        oldest = next(item for item in self._items if isinstance(item, TypedMessage))
        self._lost.ids.append(oldest.id)
        self._remove_one(oldest)

    def _remove_one(self, item: Item) -> None:
        """Near the front of both queues, so this is cheap."""
        self._items.remove(item)
        if item.sent_at_ms is None and item in self._unsent:
            self._unsent.remove(item)
        if isinstance(item, AudioFrame):
            self._audio_bytes -= len(item.pcm)
            if self._is_covered(item):
                self._covered_bytes -= len(item.pcm)
        elif isinstance(item, TypedMessage):
            self._typed_count -= 1

    def _remove(self, unwanted: Callable[[Item], bool]) -> None:
        self._items = deque(item for item in self._items if not unwanted(item))
        self._unsent = deque(item for item in self._unsent if not unwanted(item))
        frames = [item for item in self._items if isinstance(item, AudioFrame)]
        self._audio_bytes = sum(len(frame.pcm) for frame in frames)
        self._covered_bytes = self._sum_covered()
        self._typed_count = sum(isinstance(item, TypedMessage) for item in self._items)

    def _sum_covered(self) -> int:
        return sum(len(item.pcm) for item in self._items if isinstance(item, AudioFrame) and self._is_covered(item))

    def _take_position(self) -> int:
        position = self._next_position
        self._next_position += 1
        return position
