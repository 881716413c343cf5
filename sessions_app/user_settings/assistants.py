"""How the model is to behave by what a user has chosen: pure."""

from __future__ import annotations

from collections.abc import Mapping

from energy.levels import Mode
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import TurnTaking
from sessions_app.user_settings.terms import AUTOMATIC, LANGUAGES, OF_THE_MODEL, UserSettings

_LENGTHS: Mapping[str, str] = {
    "short": "Keep answers short: one sentence, two where one is not enough. This counts more than what was said of it "
    "above.",
    "normal": "",
    "long": "Give full answers with reasons and examples, as long as the matter needs. This counts more than what was "
    "said of it above.",
}


def assistant_of(settings: UserSettings, operators_instruction: str, mode: Mode) -> Assistant:
    """The operator's instruction comes first, and what the user wants is said after it.

    Native audio models choose the language themselves, and are told it in words (the provider's page on language and
    voice); its code is a hint for transcription alone. In a text chat nobody speaks, so nothing takes turns there.
    """
    language = "" if settings.language == AUTOMATIC else settings.language
    wishes = [
        operators_instruction,
        _LENGTHS[settings.answer_length],
        f"Speak {LANGUAGES[language]}, whatever was said of the language above." if language else "",
        f"This is how the person you talk with wants you to talk:\n{settings.instruction}"
        if settings.instruction
        else "",
    ]
    return Assistant(
        instruction="\n\n".join(wish for wish in wishes if wish),
        voice=settings.voice,
        language=language,
        turn_taking=_turn_taking_of(settings) if mode is Mode.CALL else TurnTaking(),
        compresses=settings.compression,
        trigger_tokens=settings.trigger_tokens,
        compression_ratio=settings.compression_ratio,
        resumes=settings.resumption,
    )


def _turn_taking_of(settings: UserSettings) -> TurnTaking:
    return TurnTaking(
        start_sensitivity=_sensitivity(settings.start_sensitivity),
        end_sensitivity=_sensitivity(settings.end_sensitivity),
        silence_ms=settings.silence_ms,
        interruptions=settings.interruptions,
    )


def _sensitivity(word: str) -> str:
    return "" if word == OF_THE_MODEL else word
