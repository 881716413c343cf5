"""Lines of our own in the transcript: why something that was said has no answer, or none that is heard.

Codes are those of the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from sessions_app.live.transcript import TurnCode

_TEXTS: Mapping[TurnCode, str] = {
    TurnCode.NO_ANSWER: "No answer was given to this. You can ask again.",
    TurnCode.NOT_HEARD: "This was not heard. Say it again, or type it.",
    TurnCode.NO_VOICE: "Answers are only written at the moment: no voice is to be had.",
    TurnCode.REFUSED: "The model declined to answer{because}.",
    TurnCode.RECORDING_GONE: "This cannot be answered: the recording is not here any more.",
    TurnCode.RECORDING_NOT_READY: "The recording could not be brought to the model in time. You can ask again.",
    TurnCode.RECORDING_REFUSED: "The provider does not take this recording.",
    TurnCode.RECORDING_TOO_LONG: "This is more sound than a model takes at once. Ask about fewer recordings.",
    TurnCode.RECORDING_QUOTA: "The quota of all models that listen to recordings is used up for now.",
    TurnCode.RECORDING_UNAVAILABLE: "No model that listens to recordings can be reached. You can ask again.",
}

_REASONS: Mapping[str, str] = {
    "MALFORMED_FUNCTION_CALL": "it tried to use a tool and failed",
    "RESPONSE_REJECTED": "its answer was rejected by the provider",
    "PROHIBITED_INPUT_CONTENT": "the provider does not allow what was said",
    "BLOCKLIST": "the provider does not allow a word of it",
    "GENERATED_AUDIO_SAFETY": "the provider held its answer back as unsafe",
    "GENERATED_CONTENT_SAFETY": "the provider held its answer back as unsafe",
    "GENERATED_CONTENT_PROHIBITED": "the provider does not allow its answer",
    "GENERATED_CONTENT_BLOCKLIST": "the provider does not allow a word of its answer",
    "MAX_REGENERATION_REACHED": "it could not find an answer that the provider allows",
}
"""Values of `turnCompleteReason` (google-genai 3.6, `types.TurnCompleteReason`), in plain words."""


def explanation_of(code: TurnCode, reason: str = "") -> str:
    """What a line with this code says. `reason` is the provider's word for a refusal; unknown ones are left out."""
    known = _REASONS.get(reason)
    return _TEXTS[code].format(because=f": {known}" if known else "")
