"""What we hear of the user ourselves, whatever the provider makes of it: pure."""

from __future__ import annotations

from sessions_app.live.voice import Utterance, VoiceGate

ENOUGH_QUIET_MS = 1_200
"""After so much of it a provider knows that the user is done, so that its time runs though no sound comes any more."""

AWAY_AFTER_MS = 1_000
"""An open microphone that has sent nothing for this long belongs to a page that is cut off."""


class OwnEar:
    """Listens to the microphone. Sound is PCM16 mono 16 kHz, moments are in ms of any one clock.

    `last_speech`: the frames of the last utterance that was a voice. `is_muted`: the user has closed the microphone.
    """

    def __init__(self) -> None:
        self.last_speech: tuple[bytes, ...] = ()
        self.is_muted = False
        self._gate = VoiceGate()
        self._last_sound_ms: int | None = None

    @property
    def is_voiced(self) -> bool:
        """Whether something loud was heard that has not ended yet."""
        return self._gate.is_voiced

    def hear(self, pcm: bytes, now_ms: int) -> Utterance | None:
        """Take in a frame; the utterance that it ends, if it ends one."""
        self.is_muted = False
        self._last_sound_ms = now_ms
        return self._note(self._gate.hear(pcm))

    def mute(self) -> Utterance | None:
        """The microphone was closed; the utterance that this ends, if it ends one."""
        self.is_muted = True
        return self._note(self._gate.end())

    def forget(self) -> None:
        """What was heard so far has been answered."""
        self._gate.forget()

    def is_user_away(self, now_ms: int) -> bool:
        """Whether the page's connection is torn, noticed or not, before the provider could know that the user is done:
        an open microphone sends quiet, too."""
        if self.is_muted or self._last_sound_ms is None or self._gate.quiet_since_loud_ms >= ENOUGH_QUIET_MS:
            return False
        return now_ms - self._last_sound_ms >= AWAY_AFTER_MS

    def _note(self, utterance: Utterance | None) -> Utterance | None:
        if utterance is not None and utterance.is_speech:
            self.last_speech = utterance.frames
        return utterance
