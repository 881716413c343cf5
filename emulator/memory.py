"""What a Live session remembers. Everything here is immutable, so keeping a checkpoint is keeping a reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["user", "model"]
#: How a turn came in: typed, spoken aloud, given as history, or as a picture beside the text.
Origin = Literal["typed", "spoken", "history"]

AUDIO_TOKENS_PER_S = 25
IMAGE_TOKENS = 258
_ASCII_CHARACTERS_PER_TOKEN = 4


def text_tokens(text: str) -> int:
    """About how many tokens `text` has, at least one when there is any; beyond ASCII every character is one."""
    ascii_characters = len(text.encode("ascii", "ignore"))
    return -(-ascii_characters // _ASCII_CHARACTERS_PER_TOKEN) + len(text) - ascii_characters


def measured_words(speech_ms: int) -> str:
    """What stands for words that were spoken and could not be made out."""
    return f"I spoke for {speech_ms / 1000:.1f} seconds."


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said until the other took over."""

    role: Role
    text: str
    origin: Origin = "typed"
    #: Length of the speech heard or spoken, milliseconds.
    audio_ms: int = 0
    #: False when speech was heard but no words could be made out; `text` is then empty.
    recognised: bool = True
    images: int = 0

    @property
    def audio_tokens(self) -> int:
        """Tokens of the sound of this turn."""
        return self.audio_ms * AUDIO_TOKENS_PER_S // 1000

    @property
    def text_tokens(self) -> int:
        """Tokens of the words of this turn, when they are not counted as sound."""
        return 0 if self.audio_ms else text_tokens(self.text)

    @property
    def tokens(self) -> int:
        """All tokens of this turn in the context."""
        return self.audio_tokens + self.text_tokens + self.images * IMAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Memory:
    """The state a checkpoint keeps: the instruction, the turns, and how many replies there were."""

    instruction: str = ""
    turns: tuple[Turn, ...] = ()
    replies: int = 0

    def plus(self, *turns: Turn) -> Memory:
        """This memory with `turns` added at its end."""
        return replace(self, turns=self.turns + turns)

    def with_reply(self, turns: tuple[Turn, ...]) -> Memory:
        """This memory with `turns`, one of which is a new reply."""
        return replace(self, turns=turns, replies=self.replies + 1)

    def with_instruction(self, instruction: str) -> Memory:
        """This memory under another system instruction."""
        return replace(self, instruction=instruction)

    @property
    def tokens(self) -> int:
        """Tokens of the whole context."""
        return text_tokens(self.instruction) + sum(turn.tokens for turn in self.turns)

    def compressed(self, target_tokens: int) -> Memory:
        """This memory cut from its start to at most `target_tokens`, always at the start of a user's turn."""
        spare = self.tokens - target_tokens
        for start, turn in enumerate(self.turns):
            if spare <= 0 and turn.role == "user":
                return replace(self, turns=self.turns[start:])
            spare -= turn.tokens
        return replace(self, turns=())
