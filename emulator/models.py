"""The models the emulator knows, and how each generation behaves on a Live connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

HANDLE_LIFETIME_S = 2 * 60 * 60


class Generation(Enum):
    """A family of Live models that share their habits on the wire."""

    NATIVE_2_5 = "2.5"
    FLASH_3_1 = "3.1"
    LIVE_3_8 = "3.8"
    THINKING_3_8 = "3.8-thinking"
    TRANSCRIBE = "transcribe"


class Thinking(Enum):
    """Whether a model takes `thinkingConfig.thinkingLevel`."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a generation does on the wire. Times are seconds, token counts plain numbers."""

    generation: Generation
    modality: str = "AUDIO"
    thinking: Thinking = Thinking.OPTIONAL
    #: Handles come right after set-up (this long after it), or only after the first model turn (None).
    first_handle_s: float | None = None
    #: While nothing happens a fresh handle comes this often; None means only after turns.
    idle_handle_s: float | None = None
    #: `clientContent` is taken at any time, not only before the conversation has begun.
    client_content_any_time: bool = True
    takes_history_flag: bool = True
    history_must_end_with_user: bool = False
    #: Older models have `proactivity` and affective dialog, in v1alpha only.
    has_proactivity: bool = False
    takes_media_chunks: bool = False
    takes_context_update: bool = False
    #: Audio without `;rate=` ends in an internal error a few seconds later.
    needs_audio_rate: bool = False
    keeps_instruction_on_resume: bool = False
    #: The user's words arrive as one sentence rather than word by word.
    whole_input_transcript: bool = False
    sends_voice_activity: bool = False
    sends_empty_frames: bool = False
    starts_with_empty_content: bool = False
    sends_thought_text: bool = False
    counts_thoughts: bool = False
    #: Audio and its transcript share a frame, and `modelTurn` names its role.
    joins_audio_and_transcript: bool = False
    #: A typed turn (`clientContent`) is answered by the transcript alone.
    mute_for_client_content: bool = False
    reports_interaction_status: bool = False
    tool_id_prefix: str = "function-call-"
    #: What Agent Platform does otherwise, see `sides`.
    takes_stream_end: bool = True
    tells_session_id: bool = False
    counts_candidates: bool = False
    #: The turn of a tool call ends with its response, before the answer begins.
    ends_turn_of_tool_call: bool = False
    starts_with_empty_transcription: bool = False
    tells_audio_rate: bool = True
    #: `modelTurn` names its role also where audio comes without its transcript.
    names_role: bool = False
    #: How long a handle is good after the last connection of its session.
    handles_last_s: float = HANDLE_LIFETIME_S
    overhead_tokens: int = 1100
    context_tokens: int = 131_072
    #: How long a connection lives, and how long before its end GoAway comes.
    lifetime_s: float = 590.0
    go_away_before_s: float = 50.0
    end_text: str = "aborted"


PROFILES: dict[Generation, Profile] = {
    Generation.NATIVE_2_5: Profile(
        Generation.NATIVE_2_5,
        takes_history_flag=False,
        history_must_end_with_user=True,
        has_proactivity=True,
        takes_media_chunks=True,
        sends_thought_text=True,
        counts_thoughts=True,
    ),
    Generation.FLASH_3_1: Profile(
        Generation.FLASH_3_1,
        first_handle_s=0.1,
        client_content_any_time=False,
        needs_audio_rate=True,
        starts_with_empty_content=True,
        joins_audio_and_transcript=True,
        mute_for_client_content=True,
        tool_id_prefix="fc_",
        overhead_tokens=150,
    ),
    Generation.LIVE_3_8: Profile(
        Generation.LIVE_3_8,
        first_handle_s=0.013,
        idle_handle_s=5.0,
        takes_context_update=True,
        keeps_instruction_on_resume=True,
        whole_input_transcript=True,
        sends_voice_activity=True,
        sends_empty_frames=True,
        starts_with_empty_content=True,
        counts_thoughts=True,
        joins_audio_and_transcript=True,
        overhead_tokens=300,
        lifetime_s=3480.0,
        end_text="deadline expired",
    ),
    Generation.THINKING_3_8: Profile(
        Generation.THINKING_3_8,
        thinking=Thinking.REQUIRED,
        first_handle_s=0.013,
        idle_handle_s=5.0,
        takes_context_update=True,
        keeps_instruction_on_resume=True,
        whole_input_transcript=True,
        sends_voice_activity=True,
        sends_empty_frames=True,
        starts_with_empty_content=True,
        counts_thoughts=True,
        joins_audio_and_transcript=True,
        reports_interaction_status=True,
        overhead_tokens=300,
        lifetime_s=3480.0,
        end_text="deadline expired",
    ),
    Generation.TRANSCRIBE: Profile(
        Generation.TRANSCRIBE,
        modality="TEXT",
        first_handle_s=None,
        overhead_tokens=0,
    ),
}


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the models list; `live` is None for a model that only generates over REST, where some speak.

    The first TTS models take a voice of their own when none is asked for; `needs_voice` tells the others.
    """

    id: str
    display_name: str
    live: Profile | None = None
    methods: tuple[str, ...] = field(default=("generateContent", "countTokens", "createCachedContent"))
    speaks: bool = False
    needs_voice: bool = False
    #: What a context cache has to hold at least, by the documentation of caching.
    min_cached_tokens: int = 1_024
    is_on_developer_api: bool = True
    #: Of Agent Platform; None for all, empty for none.
    locations: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The resource name, `models/<id>`."""
        return f"models/{self.id}"

    @property
    def input_token_limit(self) -> int:
        """How large a prompt may be."""
        return 131_072 if self.live else 8_192 if self.speaks else 1_048_576

    def as_publisher_model(self) -> dict[str, object]:
        """The model as `GET publishers/google/models` shows it."""
        return {"name": f"publishers/google/{self.name}", "versionId": "default", "launchStage": "GA"}

    def as_resource(self) -> dict[str, object]:
        """The model as `GET /models` shows it."""
        return {
            "name": self.name,
            "version": "001",
            "displayName": self.display_name,
            "description": f"{self.display_name}, as played by the emulator",
            "inputTokenLimit": self.input_token_limit,
            "outputTokenLimit": 16_384 if self.speaks else 65_536,
            "supportedGenerationMethods": list(self.methods),
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
        }


def _live(
    model_id: str, display_name: str, generation: Generation, *, locations: frozenset[str] | None = frozenset()
) -> Model:
    methods = ("countTokens", "bidiGenerateContent")
    return Model(model_id, display_name, PROFILES[generation], methods, locations=locations)


def _speaking(model_id: str, display_name: str, *, needs_voice: bool = True) -> Model:
    methods = ("generateContent", "countTokens")
    return Model(model_id, display_name, methods=methods, speaks=True, needs_voice=needs_voice)


_MODELS = (
    _live("gemini-3.8-live", "Gemini 3.8 Live", Generation.LIVE_3_8, locations=None),
    Model(
        "gemini-live-2.5-flash-native-audio",
        "Gemini 2.5 Flash Native Audio",
        PROFILES[Generation.NATIVE_2_5],
        ("countTokens", "bidiGenerateContent"),
        is_on_developer_api=False,
        locations=frozenset({"us-central1", "us-east5", "europe-west4"}),
    ),
    _live("gemini-3.8-live-extended-thinking", "Gemini 3.8 Live Extended Thinking", Generation.THINKING_3_8),
    _live("gemini-3.1-flash-live-preview", "Gemini 3.1 Flash Live Preview", Generation.FLASH_3_1),
    _live("gemini-2.5-flash-native-audio-latest", "Gemini 2.5 Flash Native Audio", Generation.NATIVE_2_5),
    _live(
        "gemini-2.5-flash-native-audio-preview-12-2025",
        "Gemini 2.5 Flash Native Audio",
        Generation.NATIVE_2_5,
    ),
    _live(
        "gemini-2.5-flash-native-audio-preview-09-2025",
        "Gemini 2.5 Flash Native Audio",
        Generation.NATIVE_2_5,
    ),
    _live("gemini-3.5-transcribe-live", "Gemini 3.5 Transcribe Live", Generation.TRANSCRIBE),
    Model("gemini-3.8-flash", "Gemini 3.8 Flash"),
    Model("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", min_cached_tokens=4_096),
    Model("gemini-3.6-flash", "Gemini 3.6 Flash"),
    Model("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite"),
    _speaking("gemini-3.8-flash-tts", "Gemini 3.8 Flash TTS"),
    _speaking("gemini-3.8-flash-lite-tts", "Gemini 3.8 Flash-Lite TTS"),
    _speaking("gemini-3.1-flash-tts-preview", "Gemini 3.1 Flash TTS Preview"),
    _speaking("gemini-2.5-flash-preview-tts", "Gemini 2.5 Flash Preview TTS", needs_voice=False),
)

MODELS: dict[str, Model] = {model.id: model for model in _MODELS}


def find_model(name: str) -> Model | None:
    """Look a model up by `models/<id>` or the bare id."""
    return MODELS.get(name.removeprefix("models/"))
