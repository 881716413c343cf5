"""Reading the first message of a connection: what it asks for, and every way it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.models import Model, Profile, Thinking
from emulator.sides import DEVELOPER_API, Offered, Place, live_model_of, live_model_there
from emulator.texts import (
    CATALOGUE,
    RefusedError,
    modality_not_supported,
    not_in_live,
    unknown_name,
    voice_not_found,
)
from emulator.voice import is_known_voice
from emulator.wire import Json, camel_keys, camel_name, snake_name

DEFAULT_SILENCE_MS = 700

# A field's known children; None means that whatever stands below it is taken.
Fields = Mapping[str, "Fields | None"]

_CONTENT: Fields = {"role": None, "parts": None}
_TRANSCRIPTION: Fields = dict.fromkeys(
    [
        "languageCode",
        "languageCodes",
        "languageAuto",
        "languageHints",
        "customVocabulary",
        "adaptationPhrases",
        "wordTimestamp",
        "diarization",
        "mode",
        "sourceText",
    ]
)
_GENERATION_CONFIG: Fields = {
    **dict.fromkeys(
        [
            "responseModalities",
            "temperature",
            "topP",
            "topK",
            "maxOutputTokens",
            "candidateCount",
            "presencePenalty",
            "frequencyPenalty",
            "seed",
            "mediaResolution",
            "translationConfig",
            "enableAffectiveDialog",
            "responseMimeType",
            "responseSchema",
            "responseJsonSchema",
            "responseLogprobs",
            "logprobs",
            "stopSequences",
            "routingConfig",
            "audioTimestamp",
        ]
    ),
    "speechConfig": {
        "languageCode": None,
        "multiSpeakerVoiceConfig": None,
        "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": None}, "replicatedVoiceConfig": None},
    },
    "thinkingConfig": {"includeThoughts": None, "thinkingBudget": None, "thinkingLevel": None},
}
SETUP_FIELDS: Fields = {
    "model": None,
    "generationConfig": _GENERATION_CONFIG,
    "systemInstruction": _CONTENT,
    "tools": None,
    "realtimeInputConfig": {
        "automaticActivityDetection": dict.fromkeys(
            ["disabled", "startOfSpeechSensitivity", "endOfSpeechSensitivity", "prefixPaddingMs", "silenceDurationMs"]
        ),
        "activityHandling": None,
        "turnCoverage": None,
        "interimTranscriptTimestampEnabled": None,
    },
    "sessionResumption": {"handle": None},
    "contextWindowCompression": {"triggerTokens": None, "slidingWindow": {"targetTokens": None}},
    "inputAudioTranscription": _TRANSCRIPTION,
    "outputAudioTranscription": _TRANSCRIPTION,
    "proactivity": {"proactiveAudio": None, "proactiveVideo": None},
    "historyConfig": {"initialHistoryInClientContent": None},
    "avatarConfig": None,
    "safetySettings": None,
    "labels": None,
}
FIELDS_THERE: Fields = {
    **{name: below for name, below in SETUP_FIELDS.items() if name != "historyConfig"},
    "sessionResumption": {"handle": None, "transparent": None},
    "explicitVadSignal": None,
}
"""Of Agent Platform."""
_NOT_IN_LIVE = ("responseLogprobs", "logprobs", "stopSequences", "routingConfig", "audioTimestamp")
_ENUMS = {
    "startOfSpeechSensitivity": (
        "START_SENSITIVITY_UNSPECIFIED",
        "START_SENSITIVITY_HIGH",
        "START_SENSITIVITY_LOW",
    ),
    "endOfSpeechSensitivity": ("END_SENSITIVITY_UNSPECIFIED", "END_SENSITIVITY_HIGH", "END_SENSITIVITY_LOW"),
    "activityHandling": ("ACTIVITY_HANDLING_UNSPECIFIED", "START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"),
    "turnCoverage": (
        "TURN_COVERAGE_UNSPECIFIED",
        "TURN_INCLUDES_ONLY_ACTIVITY",
        "TURN_INCLUDES_ALL_INPUT",
        "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
    ),
}
_THINKING_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True, slots=True)
class Compression:
    """When the context is cut, and to how many tokens."""

    trigger_tokens: int
    target_tokens: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What the client asked for, checked."""

    model: Model
    profile: Profile
    place: Place = DEVELOPER_API
    instruction: str = ""
    voice: str = ""
    language: str = "en-us"
    handle: str | None = None
    wants_resumption: bool = False
    transparent: bool = False
    initial_history: bool = False
    automatic_activity: bool = True
    silence_ms: int = DEFAULT_SILENCE_MS
    interrupts: bool = True
    input_transcription: bool = False
    output_transcription: bool = False
    compression: Compression | None = None
    tools: tuple[Json, ...] = field(default=())


def check_fields(message: Json, known: Fields, path: str) -> None:
    """Refuse the first field of `message` that is not in `known`, as the service words it."""
    for name, value in message.items():
        key = camel_name(name)
        if key not in known:
            raise RefusedError(unknown_name(name, path))
        below = known[key]
        if below is not None and isinstance(value, dict):
            check_fields(value, below, f"{path}.{snake_name(key)}" if path else snake_name(key))


def content_text(content: Any) -> str:
    """The text of a Content (or of a bare string), its parts joined."""
    if isinstance(content, str):
        return content
    parts = content.get("parts", []) if isinstance(content, dict) else []
    return " ".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))


def read_setup(raw: Json, version: str, *, is_there: bool = False) -> Setup:
    """Check a `setup` message for API `version`; raises `RefusedError` with the text the service would use.

    `is_there`: on Agent Platform.
    """
    check_fields(raw, FIELDS_THERE if is_there else SETUP_FIELDS, "setup")
    setup = camel_keys(raw)
    offered = _read_model(setup, version, is_there=is_there)
    model, profile = offered.model, offered.profile
    has_options = is_there or version == "v1alpha"
    config = _object(setup, "generationConfig")
    _check_modality(config, model, profile)
    _check_generation_config(config, profile, has_options=has_options)
    _check_proactivity(setup, profile, has_options=has_options)
    realtime = _object(setup, "realtimeInputConfig")
    activity = _object(realtime, "automaticActivityDetection")
    _check_enums(realtime)
    _check_enums(activity)
    resumption = _object(setup, "sessionResumption")
    history = bool(_object(setup, "historyConfig").get("initialHistoryInClientContent"))
    handle = resumption.get("handle")
    if history and (not profile.takes_history_flag or handle):
        raise RefusedError(CATALOGUE["invalid argument"])
    speech = _object(config, "speechConfig")
    return Setup(
        model=model,
        profile=profile,
        place=offered.place,
        instruction=content_text(setup.get("systemInstruction", "")),
        voice=_read_voice(speech),
        language=str(speech.get("languageCode") or "en-us"),
        handle=str(handle) if handle else None,
        wants_resumption="sessionResumption" in setup,
        transparent=bool(resumption.get("transparent")),
        initial_history=history,
        automatic_activity=not activity.get("disabled"),
        silence_ms=_integer(activity.get("silenceDurationMs") or DEFAULT_SILENCE_MS),
        interrupts=realtime.get("activityHandling") != "NO_INTERRUPTION",
        input_transcription="inputAudioTranscription" in setup,
        output_transcription="outputAudioTranscription" in setup,
        compression=_read_compression(setup, profile),
        tools=tuple(_functions(setup.get("tools") or [])),
    )


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key) or {}
    if not isinstance(value, dict):
        raise RefusedError(CATALOGUE["invalid argument"])
    return value


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise RefusedError(CATALOGUE["invalid argument"]) from error


def _read_model(setup: Json, version: str, *, is_there: bool) -> Offered:
    name = str(setup.get("model", ""))
    return live_model_there(name) if is_there else live_model_of(name, version)


def _check_modality(config: Json, model: Model, profile: Profile) -> None:
    asked = config.get("responseModalities") or [profile.modality]
    if asked != [profile.modality]:
        raise RefusedError(modality_not_supported(", ".join(str(item) for item in asked), model.name))


def _check_generation_config(config: Json, profile: Profile, *, has_options: bool) -> None:
    if "responseSchema" in config or "responseJsonSchema" in config:
        raise RefusedError(CATALOGUE["response schema"])
    for name in _NOT_IN_LIVE:
        if name in config:
            raise RefusedError(not_in_live(f"{snake_name(name)} parameter"))
    if "enableAffectiveDialog" in config:
        if not profile.has_proactivity:
            raise RefusedError(CATALOGUE["invalid argument"])
        if not has_options:
            raise RefusedError(unknown_name("enableAffectiveDialog", "setup.generation_config"))
    level = _object(config, "thinkingConfig").get("thinkingLevel")
    if profile.thinking is Thinking.REQUIRED and not level:
        raise RefusedError(CATALOGUE["thinking level"])
    allowed = _THINKING_LEVELS[1:] if profile.thinking is Thinking.REQUIRED else _THINKING_LEVELS
    if level and str(level).upper() not in allowed:
        raise RefusedError(CATALOGUE["invalid argument"])


def _check_proactivity(setup: Json, profile: Profile, *, has_options: bool) -> None:
    if "proactivity" not in setup:
        return
    if not profile.has_proactivity:
        raise RefusedError(CATALOGUE["invalid argument"])
    if not has_options:
        raise RefusedError(unknown_name("proactivity", "setup"))


def _check_enums(config: Json) -> None:
    for key, allowed in _ENUMS.items():
        if key in config and config[key] not in allowed:
            raise RefusedError(CATALOGUE["invalid argument"])


def _read_voice(speech: Json) -> str:
    name = str(_object(_object(speech, "voiceConfig"), "prebuiltVoiceConfig").get("voiceName") or "")
    if name and not is_known_voice(name):
        raise RefusedError(voice_not_found(name))
    return name


def _read_compression(setup: Json, profile: Profile) -> Compression | None:
    if "contextWindowCompression" not in setup:
        return None
    config = _object(setup, "contextWindowCompression")
    trigger = _integer(config.get("triggerTokens") or profile.context_tokens * 8 // 10)
    target = _integer(_object(config, "slidingWindow").get("targetTokens") or trigger // 2)
    if not (5_000 <= trigger <= 128_000 and 0 <= target < trigger):
        raise RefusedError(CATALOGUE["invalid argument"])
    return Compression(trigger, target)


def _functions(tools: Any) -> list[Json]:
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise RefusedError(CATALOGUE["invalid argument"])
    return [function for tool in tools for function in tool.get("functionDeclarations") or []]
