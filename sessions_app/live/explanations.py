"""Lines of our own in the transcript: why something that was said has no answer, or none that is heard.

Codes are those of the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from energy.marking import gettext_noop as _
from sessions_app.live.transcript import TurnCode

_TEXTS: Mapping[TurnCode, str] = {
    TurnCode.NO_ANSWER: _("No answer was given to this. You can ask again."),
    TurnCode.NOT_HEARD: _("This was not heard. Say it again, or type it."),
    TurnCode.NO_VOICE: _("Answers are only written at the moment: no voice is to be had."),
    TurnCode.REFUSED: _("The model declined to answer."),
    TurnCode.RECORDING_GONE: _("This cannot be answered: the recording is not here any more."),
    TurnCode.RECORDING_NOT_READY: _("The recording could not be brought to the model in time. You can ask again."),
    TurnCode.RECORDING_REFUSED: _("The provider does not take this recording."),
    TurnCode.RECORDING_TOO_LONG: _("This is more sound than a model takes at once. Ask about fewer recordings."),
    TurnCode.RECORDING_QUOTA: _("The quota of all models that listen to recordings is used up for now."),
    TurnCode.RECORDING_UNAVAILABLE: _("No model that listens to recordings can be reached. You can ask again."),
}

_REFUSALS: Mapping[str, str] = {
    "MALFORMED_FUNCTION_CALL": _("The model declined to answer: it tried to use a tool and failed."),
    "RESPONSE_REJECTED": _("The model declined to answer: its answer was rejected by the provider."),
    "PROHIBITED_INPUT_CONTENT": _("The model declined to answer: the provider does not allow what was said."),
    "BLOCKLIST": _("The model declined to answer: the provider does not allow a word of it."),
    "GENERATED_AUDIO_SAFETY": _("The model declined to answer: the provider held its answer back as unsafe."),
    "GENERATED_CONTENT_SAFETY": _("The model declined to answer: the provider held its answer back as unsafe."),
    "GENERATED_CONTENT_PROHIBITED": _("The model declined to answer: the provider does not allow its answer."),
    "GENERATED_CONTENT_BLOCKLIST": _("The model declined to answer: the provider does not allow a word of its answer."),
    "MAX_REGENERATION_REACHED": _(
        "The model declined to answer: it could not find an answer that the provider allows."
    ),
}
"""For values of `turnCompleteReason` (google-genai 3.6, `types.TurnCompleteReason`)."""

SENTENCES = (*_TEXTS.values(), *_REFUSALS.values())


def explanation_of(code: TurnCode, reason: str = "") -> str:
    """What a line with this code says. `reason` is the provider's word for a refusal; unknown ones are left out."""
    return _REFUSALS.get(reason, _TEXTS[code]) if code is TurnCode.REFUSED else _TEXTS[code]
