"""What to do when a request about recordings comes to nothing: pure.

Reported of `generateContent` with audio (read 2026-11): 403 for a file that had been there (deprecated-generative-ai-
python 692, 617), 400 for one that is not ACTIVE yet (python-genai 2191), 500 of some models for every uploaded file
while others take it (python-genai 2522), empty answers, and RECITATION for what is no quotation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from sessions_app.live.machine.failures import Failure
from sessions_app.live.transcript import TurnCode

TRIES_OF_A_MODEL = 2
TRIES_AT_MOST = 8
PAUSES_S = (0.5, 2.0, 5.0)
BRINGS_AT_MOST = 3
"""So often the files of one question are brought to the provider: one that was there and is lost, is lost again."""

_IS_NOT_THERE = re.compile(
    r"access the file|file .*may not exist|not in an active state|file.*not found", re.IGNORECASE
)
_IS_TOO_LONG = re.compile(r"token count.*exceeds|exceeds the maximum number of tokens|too (?:long|many tokens)", re.I)
_IS_THE_SOUND = re.compile(r"mime ?type|unsupported.*(?:file|audio)|(?:audio|file).*(?:invalid|corrupt|decode)", re.I)

RETRIED_REFUSALS = frozenset({"RESPONSE_REJECTED"})
"""Recitation above all: another try, or another model, says the same in other words."""


def is_about_a_file(failure: Failure) -> bool:
    """Whether the provider says that it does not have a file, or not to be used."""
    return bool(_IS_NOT_THERE.search(failure.text))


class Next(Enum):
    """AGAIN: the same model. OTHER: the next one. BRING: the files, anew, and the same model. STOP: nobody."""

    AGAIN = auto()
    OTHER = auto()
    BRING = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """`code`: why there is no answer, if this was the last try."""

    next: Next
    code: TurnCode


def after_failure(failure: Failure, tries_of_model: int, *, is_uploaded: bool, is_spent: bool) -> Decision:
    """What a failed request is followed by.

    Args:
        failure: of the request.
        tries_of_model: how often this model was asked, this time included.
        is_uploaded: a file of the provider is in it.
        is_spent: the model has no quota, or is not there: it is not asked again now.
    """
    if is_uploaded and is_about_a_file(failure):
        return Decision(Next.BRING, TurnCode.RECORDING_NOT_READY)
    if _IS_TOO_LONG.search(failure.text):
        return Decision(Next.OTHER, TurnCode.RECORDING_TOO_LONG)
    if failure.code == 429 or (is_spent and failure.quotas):
        return Decision(Next.OTHER, TurnCode.RECORDING_QUOTA)
    if failure.code == 1007:  # what HTTP calls 400
        code = TurnCode.RECORDING_REFUSED if _IS_THE_SOUND.search(failure.text) else TurnCode.RECORDING_UNAVAILABLE
        return Decision(Next.OTHER, code)
    if is_spent or tries_of_model >= TRIES_OF_A_MODEL:
        return Decision(Next.OTHER, TurnCode.RECORDING_UNAVAILABLE)
    return Decision(Next.AGAIN, TurnCode.RECORDING_UNAVAILABLE)


def after_refusal(refusal: str, tries_of_model: int) -> Decision:
    """What an answer that was refused, or is empty, is followed by. `refusal`: the provider's word, empty for none."""
    code = TurnCode.REFUSED if refusal else TurnCode.NO_ANSWER
    if refusal and refusal not in RETRIED_REFUSALS:
        return Decision(Next.STOP, code)
    return Decision(Next.AGAIN if tries_of_model < TRIES_OF_A_MODEL else Next.OTHER, code)


def pause_s(tries: int) -> float:
    """Before the next try, after so many."""
    return PAUSES_S[min(tries, len(PAUSES_S)) - 1]
