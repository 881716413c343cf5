"""What a TTS model is asked to say, and every way in which it refuses: pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from emulator.memory import text_tokens
from emulator.models import Model
from emulator.rest_errors import INVALID_ARGUMENT, refusal
from emulator.setup import content_text
from emulator.voice import PREBUILT_VOICES, is_known_voice
from emulator.wire import Json

_DEFAULT_VOICE = "Kore"
# "Say cheerfully: ..." directs the voice, and only what follows is spoken.
_DIRECTION = re.compile(r"^\s*(?:say|read|speak|tts)\b[^:\n]{0,80}:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Speech:
    """A text to be spoken, in a voice and a language."""

    text: str
    voice: str
    language: str
    prompt_tokens: Counter[str]


def read_speech(model: Model, body: Json) -> Speech:
    """Understand a request to a TTS model, keys in camel case; raises `ApiError` in the words of the API."""
    config = body.get("generationConfig") or {}
    check_modality(model, config)
    if body.get("systemInstruction"):
        raise refusal(400, "Developer instruction is not enabled for this model")
    text = "\n".join(content_text(content) for content in body.get("contents") or [])
    speech = config.get("speechConfig") or {}
    voice = _voice(model, speech)
    spoken = _DIRECTION.sub("", text).strip()
    if not spoken:
        raise refusal(400, INVALID_ARGUMENT)
    return Speech(spoken, voice, str(speech.get("languageCode") or "en-us"), Counter(TEXT=text_tokens(text)))


def check_modality(model: Model, config: Json) -> None:
    """Refuse what a model does not answer in: text of a TTS model, sound of another."""
    asked = [str(modality).upper() for modality in config.get("responseModalities") or ["TEXT"]]
    given = "AUDIO" if model.speaks else "TEXT"
    if asked != [given]:
        raise refusal(
            400,
            f"The requested combination of response modalities ({', '.join(asked)}) is not supported by the model. "
            f"{model.name} accepts the following combination of response modalities:\n* {given}\n",
        )


def _voice(model: Model, speech: Json) -> str:
    name = str(((speech.get("voiceConfig") or {}).get("prebuiltVoiceConfig") or {}).get("voiceName") or "")
    if not name and model.needs_voice:
        raise refusal(400, INVALID_ARGUMENT)
    if name and not is_known_voice(name):
        known = ", ".join(voice.lower() for voice in PREBUILT_VOICES)
        raise refusal(400, f"Voice name {name} is not supported. Allowed voice names are: {known}")
    return name or _DEFAULT_VOICE
