"""Transcription fragments become turns.

Fragments are not ordered relative to audio, and each model generation cuts them in its own way: whole sentences before
the answer, small increments, pieces of the user's sentence after the answer has begun. An *exchange* is what the user
says and the reply to it; a late piece of the user's words still belongs to the exchange it was spoken in. What is said
after a pause, by the same speaker or by another one, stands in a line of its own within the turn: together they are
what is answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sessions_app.live.spoken_lines import SENTENCE_ENDS, SpokenLines, begins_sentence


class Role(StrEnum):
    USER = "user"
    MODEL = "model"
    SYSTEM = "system"


class TurnStatus(StrEnum):
    PARTIAL = "partial"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


class TurnCode(StrEnum):
    """What a line of our own is about, or what the line of a reply went through."""

    CUT = "turn.cut"
    GIVEN_AGAIN = "turn.given_again"
    ENERGY_LOWER = "energy.lower"
    NO_ANSWER = "turn.no_answer"
    NOT_HEARD = "turn.not_heard"
    REFUSED = "turn.refused"
    NO_VOICE = "turn.no_voice"
    GOES_ON = "call.goes_on"
    BEGINS_ANEW = "call.begins_anew"
    RECORDING_GONE = "recording.gone"
    RECORDING_NOT_READY = "recording.not_ready"
    RECORDING_REFUSED = "recording.refused"
    RECORDING_TOO_LONG = "recording.too_long"
    RECORDING_QUOTA = "recording.quota"
    RECORDING_UNAVAILABLE = "recording.unavailable"


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of the transcript. `number` counts up in the conversation, with gaps; `at_ms` is Unix time.

    `id` is the page's id of a typed message, else empty. `code` says what a line of our own is about; of a reply it
    says that the connection took it away (`CUT`), or that it was given once more (`GIVEN_AGAIN`); else it is empty.
    `heard`: the characters of a reply's text that were played before it was interrupted, if fewer than all are known to
    have been. `recordings`: ids of those that a question, its reply, or the word that there is none is about.
    `until_ms`: Unix time of the moment that a line of our own names.
    `replaces`: the number of the question in whose place this one was asked. That one and what answered it are
    `withdrawn`: they are kept, and nobody is told of them any more.
    """

    number: int
    role: Role
    text: str
    status: TurnStatus
    at_ms: int
    id: str = ""
    code: str = ""
    heard: int | None = None
    recordings: tuple[str, ...] = ()
    until_ms: int | None = None
    replaces: int | None = None
    withdrawn: bool = False

    @property
    def as_heard(self) -> Turn:
        """The same with no more of its words than were heard."""
        heard = heard_part(self.text, self.heard)
        return self if self.heard is None else replace(self, text=heard.rstrip(), heard=None)

    @property
    def ends_exchange(self) -> bool:
        """Whether nothing said before it waits for an answer: a whole reply, or the word that there is none."""
        if self.role is Role.MODEL:
            return self.status is TurnStatus.COMPLETE
        return self.role is Role.SYSTEM and self.code in NO_ANSWER_CODES


def heard_part(text: str, heard: int | None) -> str:
    """What was played of the words of a reply; all of them where `heard`, in characters, is None."""
    return text[:heard]


def unheard_part(text: str, heard: int | None) -> str:
    """The words of a reply that were not played any more when it was interrupted; empty if there are none."""
    rest = "" if heard is None else text[heard:]
    return rest if rest.strip() else ""


NO_ANSWER_CODES = (
    TurnCode.NO_ANSWER,
    TurnCode.REFUSED,
    TurnCode.RECORDING_GONE,
    TurnCode.RECORDING_NOT_READY,
    TurnCode.RECORDING_REFUSED,
    TurnCode.RECORDING_TOO_LONG,
    TurnCode.RECORDING_QUOTA,
    TurnCode.RECORDING_UNAVAILABLE,
)
"""Of our own lines that end an exchange in the place of a reply."""

NOT_TRANSCRIBED = "(spoken, not transcribed)"
"""Stands for a reply whose sound was played and whose words never came."""

REPEATED_WITHIN_MS = 1_000
"""Nobody says a sentence twice in this time: it was transcribed twice."""

_LEAST_REPEATED_BYTES = 8
"""A shorter sentence, such as "Yes.", can be said twice within that time."""

_LEAST_OVERLAP = 3
"""Two hearings that share fewer characters than this at the seam, blanks not counted, do not overlap."""

TURNS_KEPT_AT_LEAST = 1_000
"""More than a page is told at once, and than any context takes. The others are in the store, for those who ask."""


class Transcript:
    """The turns of a conversation, in order, growing as fragments arrive.

    Every method that changes something returns the turns it changed, whole, for the page and the store.

    Args:
        turns: the newest of those that were stored before.
        typed_before: the numbers of turns before those, by the ids of the typed messages that they are.
        unanswered: the number of the one that was spoken and whose exchange a process did not live to end, if any. Its
            sound may be sent again, or be lost with the page: by its words it is told from another sentence.
    """

    def __init__(
        self,
        turns: tuple[Turn, ...] = (),
        typed_before: Mapping[str, int] | None = None,
        unanswered: int | None = None,
    ) -> None:
        self._turns: dict[int, Turn] = {turn.number: turn for turn in turns}
        self._typed_before = dict(typed_before or {})
        self._next_number = max(self._turns, default=-1) + 1
        self._spoken = self._doubtful = unanswered
        self._other: int | None = None
        self._reply: int | None = None
        self._reply_about: tuple[str, ...] = ()
        self._cut: int | None = None
        self._is_whole = False
        self._closed_spoken: int | None = None
        self._closed_reply: int | None = None
        self._before: str | None = None
        self._again = ""
        self._closed_before: str | None = None
        self._closed_again = ""
        self._sentence_ended = ("", 0)
        self._sound_at_ms: int | None = None
        self._lines = SpokenLines()
        self.expect_again()

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turns[number] for number in sorted(self._turns))

    @property
    def reply_number(self) -> int | None:
        """The number of the reply that is being given, if any."""
        return self._reply

    @property
    def settled_number(self) -> int:
        """The highest number whose exchange is over; -1 when none is."""
        return (self._next_number if self._spoken is None else self._spoken) - 1

    @property
    def last_of_user(self) -> int | None:
        """The number of the last turn of the user, if no reply came after it but one that was cut off with its
        connection."""
        spoken = (turn for turn in self._turns.values() if turn.role is not Role.SYSTEM and turn.number != self._cut)
        last = max(spoken, key=lambda turn: turn.number, default=None)
        return last.number if last is not None and last.role is Role.USER else None

    @property
    def last_question(self) -> Turn | None:
        """The last turn of the user, whatever came after it."""
        asked = (turn for turn in self._turns.values() if turn.role is Role.USER)
        return max(asked, key=lambda turn: turn.number, default=None)

    def add_typed(self, id: str, text: str, at_ms: int, recordings: tuple[str, ...] = ()) -> Turn:
        """A typed message is a whole turn as it comes."""
        turn = Turn(self._take_number(), Role.USER, text, TurnStatus.COMPLETE, at_ms, id, recordings=recordings)
        return self._put(turn)

    def replace_last(self, id: str, text: str, at_ms: int, recordings: tuple[str, ...] = ()) -> tuple[Turn, ...]:
        """A typed message in the place of the last question, which is withdrawn with what answered it. Our own lines
        about other things stay."""
        last = self.last_question
        if last is None:
            return (self.add_typed(id, text, at_ms, recordings),)
        since = (turn for turn in self.turns if turn.number >= last.number)
        withdrawn = [
            self._put(replace(turn, withdrawn=True))
            for turn in since
            if turn.role is not Role.SYSTEM or turn.ends_exchange
        ]
        asked = self.add_typed(id, text, at_ms, recordings)
        return (*withdrawn, self._put(replace(asked, replaces=last.number)))

    def add_system(
        self, text: str, at_ms: int, code: str = "", recordings: tuple[str, ...] = (), until_ms: int | None = None
    ) -> Turn:
        """A line of our own, about what happened to the conversation."""
        turn = Turn(self._take_number(), Role.SYSTEM, text, TurnStatus.COMPLETE, at_ms)
        return self._put(replace(turn, code=code, recordings=recordings, until_ms=until_ms))

    def find(self, number: int) -> Turn | None:
        """The turn of this number, if it is known."""
        return self._turns.get(number)

    def find_typed(self, id: str) -> int | None:
        """The number of a typed message's turn, if that message was taken in before."""
        held = (turn.number for turn in self._turns.values() if turn.id == id)
        return next(held, self._typed_before.get(id))

    def words_may_follow(self) -> int:
        """The exchange ends, and words of the user may still come: their number is kept for them."""
        if self._spoken is None:
            self._spoken = self._take_number()
        return self._spoken

    def voice_began(self) -> None:
        """The provider heard the user begin to speak during a reply: what follows is a new turn of theirs."""
        if self._reply is not None:
            self._spoken = None

    def voice_paused(self, at_ms: int) -> None:
        """Something that the user said is over, by our own ear."""
        if self._reply is None:
            self._lines.voice_paused(at_ms)

    def voice_resumed(self) -> None:
        """The user speaks, by our own ear. What is said during a reply is no part of what that answers."""
        if self._reply is None:
            self._lines.voice_resumed()

    def heard(self, fragment: str, at_ms: int) -> tuple[Turn, ...]:
        """A piece of what the user said."""
        number, self._spoken = self._open(self._spoken, Role.USER, at_ms)
        status = TurnStatus.COMPLETE if self._reply is not None and number < self._reply else TurnStatus.PARTIAL
        if self._before is None:
            said = self._turns[number].text
            text = self._without_repeat(_join(said, self._lines.place(said, fragment, at_ms)), at_ms)
            return self._become(number, text, status)
        again = self._lines.place(self._again, fragment, at_ms)
        self._again = self._without_repeat(_join(self._again, again), at_ms)
        if number == self._doubtful and not _is_heard_again(self._before, self._again):
            return self._heard_another(at_ms)
        text = merge_heard_again(self._before, self._again)
        return (self._put(replace(self._turns[number], text=text, status=status)),)

    def _heard_another(self, at_ms: int) -> tuple[Turn, ...]:
        """What seemed to be heard again is a sentence of its own; the one before stays as it was."""
        said, before = self._again, self._before or ""
        number = self._spoken or 0
        unchanged = self._put(replace(self._turns[number], text=before, status=TurnStatus.COMPLETE))
        self._spoken, self._other, self._before = self._other, None, None
        return (unchanged, *self.heard(said, at_ms))

    def goes_on(self, fragment: str) -> bool:
        """Whether a piece of what the user said may belong to the exchange that is over: it has no words yet, the piece
        begins no sentence of its own, or what was said in it was expected to be heard a second time, and this is it."""
        if self._closed_spoken is None:
            return False
        turn = self._turns.get(self._closed_spoken)
        if turn is None or not begins_sentence(turn.text, fragment.lstrip()):
            return True
        return self._closed_before is not None and _is_heard_again(self._closed_before, fragment)

    def heard_late(self, fragment: str, at_ms: int) -> tuple[Turn, ...]:
        """A piece of what the user said before the reply that is over. Nothing happens where that has no place."""
        turn = self._turns.get(self._closed_spoken) if self._closed_spoken is not None else None
        if turn is None or self._closed_before is None:
            return self._grow_late(self._closed_spoken, Role.USER, fragment, at_ms)
        self._closed_again = _join(self._closed_again, fragment)
        return self._become(turn.number, merge_heard_again(self._closed_before, self._closed_again), turn.status)

    def said_late(self, fragment: str, at_ms: int) -> tuple[Turn, ...]:
        """A piece of the reply that is over. Nothing happens where there was none."""
        return self._grow_late(self._closed_reply, Role.MODEL, fragment, at_ms)

    def _grow_late(self, number: int | None, role: Role, fragment: str, at_ms: int) -> tuple[Turn, ...]:
        if number is None:
            return ()
        known = self._turns.get(number)
        status = TurnStatus.COMPLETE if known is None else known.status
        self._open(number, role, at_ms)
        return self._grow(number, fragment, status)

    def reply_began(self, voice_possible: bool, about: tuple[str, ...] = ()) -> tuple[Turn, ...]:
        """The first output of a reply: what the user said is whole, and the reply's place comes after it.

        `voice_possible`: the reply may answer speech whose words are still on their way, so a number before the
        reply's is kept for them. `about`: the recordings that it is about.
        """
        changed: tuple[Turn, ...] = ()
        if self._reply is not None:
            return changed
        self._reply_about = about
        if self._spoken is None:
            self._spoken = self._take_number() if voice_possible else None
        elif self._spoken in self._turns:
            changed = (self._put(replace(self._turns[self._spoken], status=TurnStatus.COMPLETE)),)
            self._other = self._take_number() if voice_possible and self._spoken == self._doubtful else None
        if self._cut is not None and not self._has_user_gone_on(self._cut):
            self._reply = self._cut
        else:
            self._reply, self._cut = self._take_number(), None
        return changed

    def _has_user_gone_on(self, cut: int) -> bool:
        """Whether the user said something new after the reply that was cut off: what comes may answer that."""
        return any(turn.number > cut and turn.role is Role.USER for turn in self._turns.values())

    def sounded(self, at_ms: int) -> None:
        """Some of the reply's sound was given to the page."""
        if self._sound_at_ms is None:
            self._sound_at_ms = at_ms

    def said(self, fragment: str, at_ms: int) -> tuple[Turn, ...]:
        """A piece of what the model said. The first of a reply that is given again replaces what was cut off."""
        number, self._reply = self._open(self._reply, Role.MODEL, at_ms)
        if self._turns[number].recordings != self._reply_about:
            self._put(replace(self._turns[number], recordings=self._reply_about))
        if number == self._cut:
            self._cut = None
            self._put(replace(self._turns[number], text="", code=TurnCode.GIVEN_AGAIN, heard=None))
        return self._grow(number, fragment, TurnStatus.COMPLETE if self._is_whole else TurnStatus.PARTIAL)

    def heard_until(self, number: int, characters: int | None) -> tuple[Turn, ...]:
        """Of a reply that was interrupted so many characters were played; None: all. Other turns stay as they are, and
        so does a reply without words: nobody spoke the line that stands for them."""
        turn = self._turns.get(number)
        if turn is None or turn.status is not TurnStatus.INTERRUPTED or turn.text == NOT_TRANSCRIBED:
            return ()
        if turn.heard == characters:
            return ()
        return (self._put(replace(turn, heard=characters)),)

    def reply_is_whole(self) -> tuple[Turn, ...]:
        """All of the reply has arrived and it is only read: nothing that comes now interrupts it."""
        self._is_whole = self._reply is not None
        return self._finish(self._reply, TurnStatus.COMPLETE)

    def reply_ended(self, status: TurnStatus) -> tuple[Turn, ...]:
        """The exchange is over: the reply is complete or was interrupted, and what it answered is whole.

        What the user began to say after the reply began belongs to the next exchange, and stays open. A reply of sound
        alone gets a line that says so, until words of it come late.
        """
        if self._reply is not None and self._reply == self._cut:
            self._give_again_without_words(self._cut)
        self._cut = None
        began_since = self._spoken is not None and self._reply is not None and self._spoken > self._reply
        spoken = None if began_since else self._spoken
        self._closed_spoken, self._closed_reply = spoken, self._reply
        is_whole_again = self._before is None or _bare(self._before) in _bare(self._again)
        self._closed_before = None if spoken is None or is_whole_again else self._before
        self._closed_again = self._again
        changed = [*self._finish(spoken, TurnStatus.COMPLETE), *self._finish(self._reply, status)]
        if self._reply is not None and self._reply not in self._turns and self._sound_at_ms is not None:
            changed.append(self._put(Turn(self._reply, Role.MODEL, NOT_TRANSCRIBED, status, self._sound_at_ms)))
        self._spoken = self._spoken if began_since else None
        self._reply = self._before = self._sound_at_ms = None
        self._is_whole = False
        self._lines = SpokenLines()
        return tuple(changed)

    def _give_again_without_words(self, number: int) -> None:
        """Only the sound of the reply came a second time: the words of the first are all that there is."""
        if number in self._turns:
            self._put(replace(self._turns[number], status=TurnStatus.PARTIAL, code=TurnCode.GIVEN_AGAIN))

    def _finish(self, number: int | None, status: TurnStatus) -> tuple[Turn, ...]:
        turn = self._turns.get(number) if number is not None else None
        if turn is None or turn.status is not TurnStatus.PARTIAL:
            return ()
        return (self._put(replace(turn, status=status)),)

    def connection_lost(self) -> tuple[Turn, ...]:
        """The connection went in the middle of an exchange: the reply is cut off, and its audio will be heard again.

        What is given again then stands in the place of what was cut off. The words of the user come a second time, too,
        in whole or in part, and are no turn of their own.
        """
        spoken, cut = self._spoken, self._reply
        lines = self._lines
        self._sound_at_ms = None  # the reply is given again, with its words perhaps
        changed = self.reply_ended(TurnStatus.INTERRUPTED)
        self._spoken, self._cut = spoken, cut
        self._lines = lines
        self.expect_again()
        return tuple(self._mark_cut(turn) if turn.number == cut else turn for turn in changed)

    def _mark_cut(self, turn: Turn) -> Turn:
        return self._put(replace(turn, code=TurnCode.CUT))

    def expect_again(self) -> None:
        """What the user said in this exchange may be heard a second time."""
        if self._spoken in self._turns:
            self._before, self._again = self._turns[self._spoken].text, ""

    def _open(self, number: int | None, role: Role, at_ms: int) -> tuple[int, int]:
        if number is None:
            number = self._take_number()
        if number not in self._turns:
            self._turns[number] = Turn(number, role, "", TurnStatus.PARTIAL, at_ms)
        return number, number

    def _grow(self, number: int, fragment: str, status: TurnStatus) -> tuple[Turn, ...]:
        text = self._turns[number].text
        return self._become(number, _join("" if text == NOT_TRANSCRIBED else text, fragment), status)

    def _become(self, number: int, text: str, status: TurnStatus) -> tuple[Turn, ...]:
        turn = self._turns[number]
        return () if text == turn.text else (self._put(replace(turn, text=text, status=status)),)

    def _without_repeat(self, text: str, at_ms: int) -> str:
        """What the user said, without its last sentence where that was transcribed twice, in whatever pieces."""
        if not text.endswith(SENTENCE_ENDS):
            return text
        before, ended_at_ms = self._sentence_ended
        again = text.removeprefix(before).strip() if text.startswith(before) else ""
        if (
            len(again.encode()) >= _LEAST_REPEATED_BYTES
            and at_ms - ended_at_ms <= REPEATED_WITHIN_MS
            and _ends_with_sentence(before, again)
        ):
            text = before
        self._sentence_ended = (text, at_ms)
        return text

    def _put(self, turn: Turn) -> Turn:
        self._turns[turn.number] = turn
        if len(self._turns) > 2 * TURNS_KEPT_AT_LEAST:
            self._forget_oldest()
        return turn

    def _forget_oldest(self) -> None:
        """Of what is typed the ids are kept: a page may send it again however late."""
        for number in sorted(self._turns)[:-TURNS_KEPT_AT_LEAST]:
            turn = self._turns.pop(number)
            if turn.id:
                self._typed_before[turn.id] = number

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number


def merge_heard_again(before: str, again: str) -> str:
    """One text of two hearings of the same speech, the second of which may be only its end, or go further.

    What was shown in lines stays in them: that the pauses are not heard a second time does not join what they parted.
    """
    known, heard = _bare(before), _bare(again)
    if heard in known:
        return before
    if known in heard and not (heard.startswith(known) and "\n" in before):
        return again
    for length in range(min(len(known), len(heard)), _LEAST_OVERLAP - 1, -1):
        if known.endswith(heard[:length]):
            return before + _rest_after(before, again, length)
    return again if len(again) >= len(before) else _join(before, f" {again}")


def _bare(text: str) -> str:
    """What two hearings of a speech are compared by: no capitals, blanks or line breaks. A character for each."""
    return "".join(_small(character) for character in text if not character.isspace())


def _small(character: str) -> str:
    small = character.lower()
    return small if len(small) == 1 else character


def _rest_after(before: str, again: str, length: int) -> str:
    """What follows in `again` after so many characters that are no blanks, on a line of its own where it is another
    sentence that no blank parts from them."""
    places = [place for place, character in enumerate(again) if not character.isspace()]
    rest = again[places[length - 1] + 1 :]
    return f"\n{rest}" if "\n" in before and begins_sentence(before, rest) else rest


def _is_heard_again(before: str, again: str) -> bool:
    """Whether more than half of the words of the shorter one stand in the other, or it does as a whole."""
    if _bare(again) in _bare(before) or _bare(before) in _bare(again):
        return True
    shorter, longer = sorted((_words(before), _words(again)), key=len)
    return 2 * sum(word in longer for word in shorter) > len(shorter)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _join(text: str, fragment: str) -> str:
    """Fragments carry their own blanks: whoever adds any tears "www." from "Example" and "U." from "S."."""
    return text + fragment if text else fragment.lstrip()


def _ends_with_sentence(text: str, sentence: str) -> bool:
    """Whether `sentence` is the last of a text, and no part of a longer one. Capitals do not count."""
    start = len(text) - len(sentence)
    rest = text[:start].rstrip()
    return start >= 0 and text[start:].lower() == sentence.lower() and (not rest or rest.endswith(SENTENCE_ENDS))
