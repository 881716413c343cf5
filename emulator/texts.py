"""The catalogue of close texts: every way the service is known to end a Live connection, by a short name."""

from __future__ import annotations

from dataclasses import dataclass

# A WebSocket close frame holds 125 bytes, two of which are the code.
MAX_REASON_BYTES = 123


@dataclass(frozen=True, slots=True)
class CloseText:
    """One known close: its code and its full text, which the wire cuts at `MAX_REASON_BYTES`."""

    name: str
    code: int
    text: str

    @property
    def reason(self) -> str:
        """The text as it arrives: cut at 123 bytes, never inside a character."""
        return cut_reason(self.text)


class RefusedError(Exception):
    """The service ends the connection with `close`."""

    def __init__(self, close: CloseText) -> None:
        super().__init__(f"{close.code} {close.text}")
        self.close = close


def cut_reason(text: str) -> str:
    """Cut `text` to what fits into a close frame."""
    return text.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


def unknown_name(field: str, path: str) -> CloseText:
    """The refusal of a field the API does not know; `path` is empty at the top level."""
    place = f" at '{path}'" if path else ""
    return CloseText(
        "unknown name",
        1007,
        f'Invalid JSON payload received. Unknown name "{field}"{place}: Cannot find field.',
    )


def model_not_found(model: str, version: str) -> CloseText:
    """The refusal of a model that does not exist or cannot do Live."""
    return CloseText(
        "model not found",
        1008,
        f"{model} is not found for API version {version}, or is not supported for bidiGenerateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def publisher_model_not_found(name: str) -> CloseText:
    """The same on Agent Platform, also where the location does not have the model."""
    return CloseText(
        "publisher model", 1008, f"Publisher Model {name} was not found or your project does not have access to it."
    )


def permission_denied(project: str) -> CloseText:
    """The refusal of a project of Agent Platform that one may not ask for (GoogleCloudPlatform/generative-ai 3061)."""
    return CloseText("project there denied", 1008, f"Permission denied on resource project {project}.")


def modality_not_supported(modalities: str, model: str) -> CloseText:
    """The refusal of a response modality, such as TEXT on a speech model."""
    return CloseText(
        f"modality {modalities.lower()}",
        1007,
        f"The requested combination of response modalities ({modalities}) is not supported by the model. {model}",
    )


def voice_not_found(voice: str) -> CloseText:
    """The refusal of an unknown prebuilt voice."""
    return CloseText("voice not found", 1007, f"No matching speaker voice found for name: {voice}")


def not_in_live(parameter: str) -> CloseText:
    """The refusal of a generation parameter that Live does not have."""
    return CloseText("not in live", 1007, f"{parameter} is not supported in the live api.")


_EXHAUSTED = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_GO_AWAY_IGNORED = (
    "Connection aborted because the client failed to close the connection after receiving a GoAway signal "
    "once the session duration limit was reached"
)

_CATALOGUE = (
    # Ordinary ends: the session can be resumed.
    CloseText("aborted", 1008, "The operation was aborted."),
    CloseText("go away ignored", 1008, _GO_AWAY_IGNORED),
    CloseText("deadline expired", 1011, "Deadline expired before operation could complete."),
    CloseText("inference failed", 1011, "Failed to run inference for model: go/debugonly"),
    CloseText("thread cancelled", 1011, "Thread was cancelled when writing StartStep status"),
    CloseText("normal", 1000, ""),
    CloseText("cancelled", 1000, "The operation was cancelled"),
    CloseText("going away", 1001, "going away"),
    CloseText("internal error encountered", 1011, "Internal error encountered."),
    CloseText("internal error occurred", 1011, "Internal error occurred."),
    CloseText("unavailable", 1011, "The service is currently unavailable."),
    # The handle is dead.
    CloseText("session not found", 1008, "BidiGenerateContent session not found"),
    CloseText("session expired", 1008, "BidiGenerateContent session expired"),
    CloseText("invalid handle", 1007, "Invalid session handle"),
    CloseText("entity not found", 1008, "Requested entity was not found."),
    # The request is wrong.
    CloseText("invalid argument", 1007, "Request contains an invalid argument."),
    unknown_name("proactivity", "setup"),
    modality_not_supported("TEXT", "models/gemini-3.8-live"),
    modality_not_supported("AUDIO", "models/gemini-3.5-transcribe-live"),
    CloseText("text output", 1007, "Text output is not supported for native audio output model."),
    CloseText("thinking level", 1007, "Thinking level must be specified for this model."),
    CloseText("response schema", 1007, "response_schema not supported in generation config"),
    not_in_live("response_logprobs parameter"),
    voice_not_found("alloy"),
    CloseText(
        "audio content type",
        1007,
        "The audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration",
    ),
    CloseText("voices of text", 1007, "Cannot extract voices from a non-audio request."),
    CloseText("wav", 1007, "Failed to parse WAV audio."),
    CloseText("unknown tool config", 1007, "Unknown name toolConfig"),
    model_not_found("models/gemini-0.0-gone", "v1beta"),
    CloseText("publisher model not found", 1008, "Publisher model gemini-0.0-gone was not found"),
    publisher_model_not_found("projects/holdline/locations/us-central1/publishers/google/models/gemini-0.0-gone"),
    # mastra-ai/mastra 10257: a model that is named as at the Developer API.
    CloseText("invalid resource", 1007, "Invalid resource field value in the request."),
    permission_denied("None"),
    CloseText(
        "project there not found",
        1008,
        "Request trace id: f7ae7f8ad1a75738, Project 'projects/holdline' not found or deleted.",
    ),
    CloseText("not implemented", 1008, "Operation is not implemented, or supported, or enabled."),
    CloseText("policy violation", 1008, "policy violation"),
    # Key, region, quota.
    CloseText("key not valid", 1007, "API key not valid. Please pass a valid API key."),
    CloseText("key not valid 1008", 1008, "API key not valid. Please pass a valid API key."),
    CloseText("project denied", 1008, "Your project has been denied access. Please contact support."),
    CloseText(
        "api disabled",
        1008,
        "Generative Language API has not been used in project 1234567890 before or it is disabled.",
    ),
    CloseText(
        "unregistered caller",
        1008,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    ),
    # Ephemeral tokens. Guessed: nobody has published what the service says.
    CloseText("token expired", 1007, "The ephemeral token has expired."),
    CloseText(
        "token starts no session", 1007, "The ephemeral token starts no new session after its new_session_expire_time."
    ),
    CloseText("token used up", 1007, "The ephemeral token was used as often as it may be."),
    CloseText("token not yet", 1007, "The ephemeral token is not valid yet."),
    CloseText("token foreign model", 1008, "The ephemeral token is not valid for this model."),
    CloseText("token locked field", 1007, "setup.generation_config is locked by the ephemeral token."),
    CloseText("location", 1007, "User location is not supported for the API use."),
    CloseText("quota exceeded", 1011, _EXHAUSTED),
    CloseText("check quota", 1011, "Resource has been exhausted (e.g. check quota)"),
    CloseText("resource exhausted", 1011, "Resource exhausted. Please try again later."),
    CloseText(
        "resource exhausted there",
        1011,
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    ),
    CloseText(
        "billing there",
        1008,
        "This API method requires billing to be enabled. Please enable billing on project #1234567890 by visiting "
        "https://console.developers.google.com/billing/enable?project=1234567890 then retry.",
    ),
    CloseText("status resource exhausted", 1011, "429 RESOURCE_EXHAUSTED"),
    CloseText(
        "prepayment",
        1011,
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your "
        "project and billing.",
    ),
    CloseText("try again later", 1013, ""),
)

CATALOGUE: dict[str, CloseText] = {entry.name: entry for entry in _CATALOGUE}


def find_text(name: str) -> CloseText:
    """Look a text up by its name, written with blanks, hyphens or underscores; raises `KeyError`."""
    return CATALOGUE[name.strip().lower().replace("_", " ").replace("-", " ")]
