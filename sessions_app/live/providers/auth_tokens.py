"""Ephemeral tokens of the Gemini API, by the SDK.

Which fields a token holds fast is told by a mask. `sessionResumption` is in neither the set-up nor the mask: whoever
holds the token adds the handle of its own session, and a set-up that goes beyond its mask is refused with 400.
"""

from __future__ import annotations

import logging
import math
import threading
import warnings

import httpx2
from google import genai
from google.genai import errors, types

from sessions_app.live.providers.accounts import client_for
from sessions_app.live.providers.google_errors import read_error
from sessions_app.live.providers.minting import API_VERSION, MintingFailed, TokenOrder, without_secrets

logger = logging.getLogger(__name__)

TIMEOUT_MS = 10_000
"""For each step of asking: to connect, to send, to wait for the answer."""

TOKEN_PREFIX = "auth_tokens/"  # noqa: S105 - no token

PATHS = {
    "instruction": "systemInstruction",
    "voice": "generationConfig.speechConfig",
    "temperature": "generationConfig.temperature",
}
"""Where the fields of an order stand in a set-up, as a mask names them."""

_UNREADABLE = (AttributeError, TypeError, ValueError)
"""What the SDK raises for an answer that is no JSON, or no object."""

# It is said once a process, and nothing follows from it for whoever reads the log of a server.
warnings.filterwarnings("ignore", "The SDK's token creation implementation is experimental")
warnings.filterwarnings("ignore", "The SDK's ephemeral token support is experimental")


class GeminiMinter:
    """See `minting.Minter`. The base URL and the trusted certificates come from the environment, as in `gemini`.

    Its client is made when it is first asked, and kept: that takes a tenth of a second, for certificates. Several
    threads may ask at the same time.
    """

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key
        self._client: genai.Client | None = None
        self._making = threading.Lock()

    def mint(self, order: TokenOrder) -> str:
        try:
            token = self._made().auth_tokens.create(config=config_of(order)).name or ""
        except errors.APIError as error:
            logger.warning("the provider makes no token: %s %s", error.code, error.status)
            said = read_error(error.details)
            wait_s = None if said.retry_after_ms is None else math.ceil(said.retry_after_ms / 1000)
            raise MintingFailed(error.code or 0, wait_s, without_secrets(said.text, self._api_key)) from None
        except (OSError, httpx2.HTTPError, *_UNREADABLE) as error:
            logger.warning("the provider cannot be asked for a token: %s", type(error).__name__)
            raise MintingFailed from None
        if not token.startswith(TOKEN_PREFIX):
            logger.warning("the provider answered without a token")
            raise MintingFailed
        return token

    def close(self) -> None:
        """Close the connections that are kept; it may be asked again."""
        with self._making:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _made(self) -> genai.Client:
        with self._making:
            if self._client is None:
                options = types.HttpOptions(api_version=API_VERSION, timeout=TIMEOUT_MS)
                self._client = client_for(self._api_key, options)
            return self._client


def config_of(order: TokenOrder) -> types.CreateAuthTokenConfig:
    """The SDK's words for an order. What is set is in the mask by itself."""
    fields: dict[str, object] = {"response_modalities": [types.Modality.AUDIO]}
    if order.instruction:
        fields["system_instruction"] = types.Content(role="user", parts=[types.Part(text=order.instruction)])
    if order.voice:
        voice = types.PrebuiltVoiceConfig(voice_name=order.voice)
        fields["speech_config"] = types.SpeechConfig(voice_config=types.VoiceConfig(prebuilt_voice_config=voice))
    if order.temperature is not None:
        fields["temperature"] = order.temperature
    if order.thinking_level:
        fields["thinking_config"] = types.ThinkingConfig(thinking_level=types.ThinkingLevel(order.thinking_level))
    given = {"instruction": order.instruction, "voice": order.voice, "temperature": order.temperature}
    left_out = sorted(name for name in order.locked if given[name] in ("", None))
    return types.CreateAuthTokenConfig(
        uses=order.uses,
        expire_time=order.expire_time,
        new_session_expire_time=order.new_session_expire_time,
        live_connect_constraints=types.LiveConnectConstraints(
            model=order.model, config=types.LiveConnectConfig.model_validate(fields)
        ),
        lock_additional_fields=["tools", *(PATHS[name] for name in left_out)],
    )
