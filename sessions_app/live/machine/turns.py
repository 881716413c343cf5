"""Who has the word: the machine of turns, beside the one of the connection, so that neither multiplies the other.

It follows who speaks, what is owed, what may still arrive late, and what proves that the other side lives. Facts go in,
steps for the driver come out, in order; it never waits, and knows no clock but what it is told.

Sources of the rules (the Live API documentation and reports of its users, read 2026-11): `generationComplete` comes
when all of a reply is produced, `turnComplete` when its playback is assumed to be over, and some generations leave the
second out (interpretab, 3.1); transcripts have no order relative to other messages (typewhisper-win PR 478); a turn
may end without a word (livekit/agents-js PR 1544, gemini-live-api-examples 40), and a session may be stuck in such
turns (python-genai 2333); an answer may take 50 s (cookbook 1346).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from sessions_app.live.machine.reply import Answered, ReplyAccount, Sent, answered_without_a_reply, given_up
from sessions_app.live.machine.turn_events import (
    Asked,
    BeginReply,
    BreakOff,
    BrokenOff,
    CloseTurn,
    Delivered,
    EndExchange,
    Explain,
    GenerationEnded,
    Hear,
    LineBack,
    LineLost,
    MarkProduced,
    Play,
    PlayedOut,
    ReplyAnnounced,
    Say,
    SayAgain,
    SoundCame,
    SpeechEnded,
    StartPlaybackTimer,
    StartWatch,
    StartWordsTimer,
    Step,
    StopAsked,
    StopPlayback,
    StopPlaybackTimer,
    StopWatch,
    Suspect,
    TurnEnded,
    TurnFact,
    UserWordsCame,
    VoiceNoticed,
    WatchFired,
    WordsCame,
    WordsWaited,
)
from sessions_app.live.transcript import TurnCode

WATCH_MS = 8_000
"""Where nothing at all has moved for this long though an answer is owed, the other side has gone without closing."""

HEARD_WATCH_MS = 30_000
"""The same after the user's words were transcribed: whoever has written them down is thinking."""

PATIENCE_MS = 60_000
"""So long an answer may take on a connection that lives; then the exchange ends, and says that there was none."""

STALLED_REPLY_MS = 20_000
"""A reply that has begun and does not go on for this long, on a connection that lives, is over."""

TURN_END_GRACE_MS = 3_000
"""After the playback and this long, a turn that the provider does not end is over."""

LATE_WORDS_MS = 1_000
"""So long after its end an exchange still takes words of both sides, and so long words of the model wait for its sound:
2.5 sends several pieces of them before it [recorded]."""

IN_VAIN_MS = 120_000
IN_VAIN_ASKS = 3
"""So long after a model was first asked something, and when it was asked so often, no other connection asks it again:
all have failed."""

EMPTY_TURNS_LIMIT = 2
"""So many turns without a word in a row on one connection, after words that were transcribed, are a sick session. That
is found once until there is a reply: a new connection is all that can be done about it."""

SUSPICIONS_LIMIT = 3
"""So many connections that went dead over the same words cost the handle; after that nobody waits for an answer."""

NO_REFUSALS = frozenset({"", "NEED_MORE_INPUT"})
"""Reasons for the end of a turn that refuse nothing."""


class TurnState(StrEnum):
    """`waiting`: the user has said something, and nothing has come yet. `generating`: the model produces a reply.
    `speaking`: all of it is produced, and it is still being played."""

    LISTENING = "listening"
    WAITING = "waiting"
    GENERATING = "generating"
    SPEAKING = "speaking"


S = TurnState
_ALL = frozenset(TurnState)
_QUIET = frozenset({S.LISTENING, S.WAITING})

TURNS: Mapping[TurnState, Mapping[type[TurnFact], frozenset[TurnState]]] = {
    S.LISTENING: {
        SpeechEnded: frozenset({S.WAITING}),
        Delivered: _QUIET,
        VoiceNoticed: frozenset({S.LISTENING}),
        UserWordsCame: _QUIET,
        Asked: frozenset({S.LISTENING}),
        ReplyAnnounced: frozenset({S.LISTENING, S.GENERATING}),
        SoundCame: frozenset({S.LISTENING, S.GENERATING}),
        WordsCame: frozenset({S.LISTENING}),
        WordsWaited: frozenset({S.LISTENING, S.GENERATING}),
        GenerationEnded: frozenset({S.LISTENING, S.SPEAKING}),
        BrokenOff: frozenset({S.LISTENING}),
        TurnEnded: _QUIET,
        StopAsked: frozenset({S.LISTENING}),
        WatchFired: frozenset({S.LISTENING}),
        PlayedOut: frozenset({S.LISTENING}),
        LineLost: frozenset({S.LISTENING}),
        LineBack: frozenset({S.LISTENING}),
    },
    S.WAITING: {
        SpeechEnded: frozenset({S.WAITING}),
        Delivered: frozenset({S.WAITING}),
        VoiceNoticed: frozenset({S.WAITING}),
        UserWordsCame: frozenset({S.WAITING}),
        Asked: frozenset({S.WAITING}),
        ReplyAnnounced: frozenset({S.WAITING, S.GENERATING}),
        SoundCame: frozenset({S.WAITING, S.GENERATING}),
        WordsCame: frozenset({S.WAITING}),
        WordsWaited: frozenset({S.WAITING, S.GENERATING}),
        GenerationEnded: frozenset({S.WAITING, S.SPEAKING}),
        BrokenOff: frozenset({S.WAITING}),
        TurnEnded: _QUIET,
        StopAsked: frozenset({S.WAITING}),
        WatchFired: _QUIET,
        PlayedOut: frozenset({S.WAITING}),
        LineLost: _QUIET,
        LineBack: frozenset({S.WAITING}),
    },
    S.GENERATING: {
        SpeechEnded: frozenset({S.GENERATING}),
        Delivered: frozenset({S.GENERATING}),
        VoiceNoticed: frozenset({S.GENERATING}),
        UserWordsCame: frozenset({S.GENERATING}),
        Asked: frozenset({S.GENERATING}),
        ReplyAnnounced: frozenset({S.GENERATING}),
        SoundCame: frozenset({S.GENERATING}),
        WordsCame: frozenset({S.GENERATING}),
        WordsWaited: frozenset({S.GENERATING}),
        GenerationEnded: frozenset({S.SPEAKING}),
        BrokenOff: _QUIET,
        TurnEnded: _QUIET,
        StopAsked: _QUIET,
        WatchFired: frozenset({S.GENERATING, *_QUIET}),
        PlayedOut: frozenset({S.GENERATING}),
        LineLost: _QUIET,
        LineBack: frozenset({S.GENERATING}),
    },
    S.SPEAKING: {
        SpeechEnded: frozenset({S.SPEAKING}),
        Delivered: frozenset({S.SPEAKING}),
        VoiceNoticed: frozenset({S.SPEAKING}),
        UserWordsCame: frozenset({S.SPEAKING}),
        Asked: frozenset({S.SPEAKING}),
        ReplyAnnounced: frozenset({S.SPEAKING}),
        SoundCame: frozenset({S.SPEAKING}),
        WordsCame: frozenset({S.SPEAKING}),
        WordsWaited: frozenset({S.SPEAKING}),
        GenerationEnded: frozenset({S.SPEAKING}),
        BrokenOff: _QUIET,
        TurnEnded: _QUIET,
        StopAsked: _QUIET,
        WatchFired: frozenset({S.SPEAKING}),
        PlayedOut: _QUIET,
        LineLost: _QUIET,
        LineBack: frozenset({S.SPEAKING}),
    },
}
"""Every fact may come in every state: signals that come late or twice lead back to where they came."""

Ask = Callable[[], Sent]
"""What has been sent is asked for only when a reply begins or an exchange ends, for the answer takes a search."""


class TurnMachine:
    """Follows one exchange after the other.

    Args:
        sent: tells what the provider has been sent by now.
    """

    def __init__(self, sent: Ask) -> None:
        self.state = TurnState.LISTENING
        self._sent = sent
        self._reply: ReplyAccount | None = None
        self._held: list[str] = []
        self._held_are_late = False
        self._broke_off_at_ms: int | None = None
        self._may_answer_voice = False
        self._is_unwanted = False
        self._owes_end = False
        self._owed_since_ms = 0
        self._is_certain = False
        self._is_heard = False
        self._has_typed = False
        self._has_spoken = False
        self._is_asked = False
        self._asked_since_ms: int | None = None
        self._asks = 0
        self._is_said_again = False
        self._spoke_during_reply = False
        self._closed_at_ms: int | None = None
        self._closed_a_reply = False
        self._user_speaks_again = False
        self._has_answered = False
        self._empty_turns = 0
        self._suspicions = 0

    @property
    def is_replying(self) -> bool:
        """Whether a reply is being given, or still played."""
        return self._reply is not None

    @property
    def is_owed_an_answer(self) -> bool:
        """Whether something was said that nothing has come to yet, and that no mere noise was."""
        return self.state is TurnState.WAITING and (self._is_certain or self._has_spoken)

    def voice_taken(self) -> None:
        """Sound of the microphone was taken in, which the next reply may answer."""
        self._may_answer_voice = True

    def handle(self, fact: TurnFact, now_ms: int) -> list[Step]:
        """Take in one fact and say what is to be done, in order.

        Raises:
            AssertionError: the move is not in the table.
        """
        before = self.state
        steps = self._handlers[type(fact)](self, fact, now_ms)
        if self.state not in TURNS[before][type(fact)]:
            raise AssertionError(f"{before} -> {self.state} on {type(fact).__name__} is not in the table")
        return steps

    # -- the user ----------------------------------------------------------------------------------------------------

    def _on_speech_ended(self, fact: SpeechEnded, now_ms: int) -> list[Step]:
        if self._reply is not None:
            self._spoke_during_reply = self._spoke_during_reply or fact.is_speech
            return []
        self._has_spoken = self._has_spoken or fact.is_speech
        return self._wait(now_ms)

    def _on_delivered(self, fact: Delivered, now_ms: int) -> list[Step]:
        if self._reply is not None:
            return []
        if fact.typed:
            self._is_certain = self._has_typed = True
            return self._wait(now_ms)
        return [StartWatch(WATCH_MS)] if self.state is TurnState.WAITING else []

    def _wait(self, now_ms: int) -> list[Step]:
        """An answer is owed from now on."""
        if self.state is not TurnState.WAITING:
            self.state = TurnState.WAITING
            self._owed_since_ms = now_ms
        return [StartWatch(WATCH_MS)]

    def _on_voice_noticed(self, fact: VoiceNoticed, now_ms: int) -> list[Step]:
        """What is transcribed from now on is new."""
        if self._reply is None:
            self._user_speaks_again = True
        return []

    def _on_user_words(self, fact: UserWordsCame, now_ms: int) -> list[Step]:
        may_be_late = fact.goes_on and self.state is TurnState.LISTENING and not self._user_speaks_again
        if may_be_late and self._is_just_closed(now_ms):
            return [Hear(fact.text, late=True)]
        self._is_heard = True
        self._spoke_during_reply = False
        if self._reply is not None:
            return [Hear(fact.text)]
        self._is_certain = True
        return [Hear(fact.text), *self._wait(now_ms)]

    def _on_asked(self, fact: Asked, now_ms: int) -> list[Step]:
        self._is_asked = True
        if self._reply is None:
            self._asks += 1
            self._asked_since_ms = now_ms if self._asked_since_ms is None else self._asked_since_ms
        return []

    def _on_stop_asked(self, fact: StopAsked, now_ms: int) -> list[Step]:
        if self._reply is None:
            return []
        self._is_unwanted = self.state is TurnState.GENERATING
        self._owes_end = True
        self._spoke_during_reply = False
        return [StopPlayback(), *self._end_reply(now_ms, is_whole=False)]

    # -- the provider ------------------------------------------------------------------------------------------------

    def _on_sound(self, fact: SoundCame, now_ms: int) -> list[Step]:
        if self._is_unwanted:
            return []
        begun = self._begin()
        if self._reply is not None:
            self._reply.add_audio(fact.ms, now_ms)
        return [*begun, Play(fact.pcm)]

    def _on_reply_announced(self, fact: ReplyAnnounced, now_ms: int) -> list[Step]:
        return [] if self._is_unwanted else self._begin()

    def _on_words(self, fact: WordsCame, now_ms: int) -> list[Step]:
        """Only sound begins a reply that was not announced: words may be late, or early."""
        if self._is_unwanted:
            return []
        if self._reply is not None:
            return [Say(fact.text)]
        if self.state is TurnState.LISTENING and self._closed_a_reply and self._is_just_closed(now_ms):
            return [Say(fact.text, late=True)]
        if not self._held:
            broke_off_ms = self._broke_off_at_ms
            self._held_are_late = broke_off_ms is not None and now_ms - broke_off_ms <= LATE_WORDS_MS
        self._held.append(fact.text)
        return [StartWordsTimer(LATE_WORDS_MS)] if len(self._held) == 1 else []

    def _on_words_waited(self, fact: WordsWaited, now_ms: int) -> list[Step]:
        """No sound came with them: an answer of words where one is owed, else they are very late."""
        if not self._held:
            return []
        if self._held_are_late and not self._has_typed:
            self._held.clear()  # of the reply that was broken off: nobody heard them
            return []
        if self.state is TurnState.WAITING or not self._closed_a_reply:
            return self._begin()
        held, self._held = self._held, []
        return [Say(text, late=True) for text in held]

    def _begin(self) -> list[Step]:
        """The first sound of a reply or the word that there is one, or the end of one that has words alone."""
        if self._reply is not None:
            return []
        self._reply = ReplyAccount(self._sent())
        self.state = TurnState.GENERATING
        self._owes_end = self._spoke_during_reply = False
        self._has_answered = True
        self._empty_turns = self._suspicions = 0
        held, self._held = self._held, []
        return [BeginReply(self._may_answer_voice), StartWatch(WATCH_MS), *(Say(text) for text in held)]

    def _on_generation_ended(self, fact: GenerationEnded, now_ms: int) -> list[Step]:
        self._is_unwanted = False
        begun = self._begin() if self._held else []
        if self._reply is None or self.state is TurnState.SPEAKING:
            return begun
        self.state = TurnState.SPEAKING
        left_ms = self._reply.playback_left_ms(now_ms)
        return [*begun, StopWatch(), MarkProduced(), StartPlaybackTimer(left_ms + TURN_END_GRACE_MS)]

    def _on_broken_off(self, fact: BrokenOff, now_ms: int) -> list[Step]:
        """Where it had said nothing yet, the end of that turn answers nothing."""
        self._is_unwanted = False
        self._owes_end = True
        self._held.clear()
        steps: list[Step] = [StopPlayback()]
        if self._reply is not None:
            steps += self._end_reply(now_ms, is_whole=False)
        self._closed_a_reply = False
        self._broke_off_at_ms = now_ms
        self._user_speaks_again = True
        return steps

    def _on_turn_ended(self, fact: TurnEnded, now_ms: int) -> list[Step]:
        self._is_unwanted = False
        begun = self._begin() if self._held else []
        if self._reply is not None:
            ended = self._end_reply(now_ms, is_whole=True)
            return [*begun, *ended, CloseTurn(), *self._refusal(fact.reason)]
        if self._owes_end:
            self._owes_end = False
            return [CloseTurn()]
        return self._end_without_a_word(fact.reason, now_ms)

    def _end_without_a_word(self, reason: str, now_ms: int) -> list[Step]:
        """The model chose to say nothing, or refused. What it has not transcribed may be transcribed later."""
        if reason in NO_REFUSALS and self._is_certain and self._is_heard and self._count_empty_turn():
            return [StopWatch(), CloseTurn(), Suspect("empty-turns")]
        explanation = self._explanation(reason)
        if self._is_certain or self._user_speaks_again or self._is_asked:
            ended = self._end_unanswered(answered_without_a_reply, now_ms)
        else:
            self.state = TurnState.LISTENING
            ended = self._forget_what_is_owed()
        return [*ended, CloseTurn(), *explanation]

    def _count_empty_turn(self) -> bool:
        """Another exchange without an answer: whether that is one too many of a session that gave answers before."""
        self._empty_turns += 1
        return self._has_answered and self._empty_turns == EMPTY_TURNS_LIMIT

    def _explanation(self, reason: str) -> list[Step]:
        unanswered: list[Step] = [Explain(TurnCode.NO_ANSWER)] if self._has_typed else []
        return self._refusal(reason) or unanswered

    def _refusal(self, reason: str) -> list[Step]:
        return [] if reason in NO_REFUSALS else [Explain(TurnCode.REFUSED, reason)]

    # -- the clock ---------------------------------------------------------------------------------------------------

    def _on_watch_fired(self, fact: WatchFired, now_ms: int) -> list[Step]:
        if self.state is TurnState.WAITING:
            return self._look_for_an_answer(fact, now_ms)
        if self.state is not TurnState.GENERATING:
            return []
        if fact.lifeless_ms >= WATCH_MS:
            return [Suspect("silent")]
        if fact.idle_ms >= STALLED_REPLY_MS:
            self._owes_end = True
            return [*self._end_reply(now_ms, is_whole=True), CloseTurn()]
        return [StartWatch(max(WATCH_MS - fact.lifeless_ms, 1))]

    def _look_for_an_answer(self, fact: WatchFired, now_ms: int) -> list[Step]:
        """Nothing but a connection on which nothing moves is dead; a slow answer is waited for."""
        limit_ms = HEARD_WATCH_MS if self._is_heard else WATCH_MS
        if fact.lifeless_ms >= limit_ms:
            return self._suspect_silence(now_ms)
        if fact.user_is_away and not self._has_typed:
            # The provider waits for the rest of a sentence, or for the quiet after it: its time does not run.
            self._owed_since_ms = now_ms
            return [StartWatch(WATCH_MS)]
        owed_ms = now_ms - self._owed_since_ms
        if self._may_be_missed() and owed_ms >= WATCH_MS:
            waits = fact.user_speaks and owed_ms < PATIENCE_MS
            return [StartWatch(WATCH_MS)] if waits else self._say_again_or_give_up(now_ms)
        if owed_ms >= PATIENCE_MS:
            return [Suspect("empty-turns")] if self._count_empty_turn() else self._give_up(now_ms)
        return [StartWatch(max(1, min(WATCH_MS, limit_ms - fact.lifeless_ms)))]

    def _suspect_silence(self, now_ms: int) -> list[Step]:
        """What was only loud, and no voice, is worth one new connection until something was heard again."""
        self._suspicions += 1
        if self._suspicions > (SUSPICIONS_LIMIT if self._is_certain or self._has_spoken else 1):
            return self._give_up(now_ms)
        return [Suspect("silent", costs_handle=self._is_certain and self._suspicions == SUSPICIONS_LIMIT)]

    def _give_up(self, now_ms: int) -> list[Step]:
        """Nobody waits for this answer any longer, which was never refused nor ended by the provider."""
        is_told = self._has_typed or self._is_heard or self._asked_since_ms is not None
        explanation = [Explain(TurnCode.NO_ANSWER)] if is_told else []
        if self._has_spoken and not is_told:
            explanation = [Explain(TurnCode.NOT_HEARD)]
        return [*self._end_unanswered(given_up, now_ms), CloseTurn(), *explanation]

    def _may_be_missed(self) -> bool:
        """Whether the present connection may know nothing of what an answer is owed to. What a connection before it
        heard is missed only if our own ear heard it, too."""
        if self._is_asked:
            return False
        if not self._is_certain:
            return True
        return self._has_spoken and not self._is_heard

    def _say_again_or_give_up(self, now_ms: int) -> list[Step]:
        """Our own ear knows that somebody spoke; the provider's may have missed it, once."""
        if self._has_spoken and not self._is_said_again:
            self._is_said_again = True
            return [SayAgain(), StartWatch(WATCH_MS)]
        if self._has_spoken:
            return [*self._end_unanswered(given_up, now_ms), CloseTurn(), Explain(TurnCode.NOT_HEARD)]
        self.state = TurnState.LISTENING
        return self._forget_what_is_owed()

    def _on_played_out(self, fact: PlayedOut, now_ms: int) -> list[Step]:
        if self.state is not TurnState.SPEAKING:
            return []
        self._owes_end = True
        return [*self._end_reply(now_ms, is_whole=True), CloseTurn()]

    # -- the connection ----------------------------------------------------------------------------------------------

    def _on_line_lost(self, fact: LineLost, now_ms: int) -> list[Step]:
        """A reply of which all had arrived is whole, and is played to its end; half of one is given again."""
        self._held.clear()
        if self.state is TurnState.SPEAKING:
            return [*self._end_reply(now_ms, is_whole=True), CloseTurn(), StopWatch()]
        stop: list[Step] = [StopWatch(), StopPlaybackTimer()]
        if self._reply is None:
            return [*stop, *self._give_up(now_ms)] if self._is_asked_in_vain(now_ms) else stop
        if self._is_asked_in_vain(now_ms):
            return [*stop, StopPlayback(), *self._end_reply(now_ms, is_whole=False), CloseTurn()]
        self._reply = None
        self.state = TurnState.WAITING
        self._is_certain = True
        self._owed_since_ms = now_ms
        return [*stop, StopPlayback(), BreakOff()]

    def _is_asked_in_vain(self, now_ms: int) -> bool:
        since_ms = self._asked_since_ms
        return since_ms is not None and now_ms - since_ms >= IN_VAIN_MS and self._asks >= IN_VAIN_ASKS

    def _on_line_back(self, fact: LineBack, now_ms: int) -> list[Step]:
        """What the old connection was still to say about its turn is not said any more, nor has the new one been told
        anything again. What the old one heard it may miss."""
        self._is_heard = self._is_asked = False
        self._is_unwanted = self._owes_end = self._closed_a_reply = self._is_said_again = False
        self._closed_at_ms = None
        if self._empty_turns < EMPTY_TURNS_LIMIT:
            self._empty_turns = 0  # what would have been done about one more is done
        if self.state is TurnState.WAITING:
            self._owed_since_ms = now_ms
        return []

    # -- inside ------------------------------------------------------------------------------------------------------

    def _is_just_closed(self, now_ms: int) -> bool:
        return self._closed_at_ms is not None and now_ms - self._closed_at_ms <= LATE_WORDS_MS

    def _end_reply(self, now_ms: int, *, is_whole: bool) -> list[Step]:
        reply, self._reply = self._reply, None
        self._closed_a_reply = True
        answered = Answered() if reply is None else reply.answered(now_ms, is_whole=is_whole, is_heard=self._is_heard)
        spoke = self._spoke_during_reply
        steps = self._end(answered, now_ms, is_whole=is_whole)
        if self._sent().everything.typed_ids - answered.typed_ids:
            self._is_certain = self._has_typed = True
            return [*steps, *self._wait(now_ms)]
        if spoke:
            self._has_spoken = True
            return [*steps, *self._wait(now_ms)]
        return steps

    def _end_unanswered(self, what_is_over: Callable[..., Answered], now_ms: int) -> list[Step]:
        """What was never transcribed may be only now."""
        self._closed_a_reply = False
        answered = what_is_over(self._sent(), is_heard=self._is_heard)
        return self._end(answered, now_ms, is_whole=True, words_may_follow=not self._is_certain)

    def _end(self, answered: Answered, now_ms: int, *, is_whole: bool, words_may_follow: bool = False) -> list[Step]:
        self.state = TurnState.LISTENING
        self._closed_at_ms = now_ms
        self._user_speaks_again = False
        self._may_answer_voice = False
        return [*self._forget_what_is_owed(), StopPlaybackTimer(), EndExchange(is_whole, answered, words_may_follow)]

    def _forget_what_is_owed(self) -> list[Step]:
        self._is_certain = self._is_heard = self._has_typed = self._has_spoken = self._is_said_again = False
        self._is_asked = self._spoke_during_reply = False
        self._asked_since_ms, self._asks = None, 0
        return [StopWatch()]

    _handlers: Mapping[type[TurnFact], Callable[..., list[Step]]] = {
        SpeechEnded: _on_speech_ended,
        Delivered: _on_delivered,
        VoiceNoticed: _on_voice_noticed,
        UserWordsCame: _on_user_words,
        Asked: _on_asked,
        ReplyAnnounced: _on_reply_announced,
        SoundCame: _on_sound,
        WordsCame: _on_words,
        WordsWaited: _on_words_waited,
        GenerationEnded: _on_generation_ended,
        BrokenOff: _on_broken_off,
        TurnEnded: _on_turn_ended,
        StopAsked: _on_stop_asked,
        WatchFired: _on_watch_fired,
        PlayedOut: _on_played_out,
        LineLost: _on_line_lost,
        LineBack: _on_line_back,
    }
