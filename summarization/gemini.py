"""Summaries by Gemini's `generateContent` over the google-genai SDK, whose errors become ours.

The SDK requires httpx2, and lets its errors through as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai import errors, types

from energy.places import id_of
from sessions_app.live.providers.accounts import Account, client_for
from sessions_app.live.providers.google_errors import may_pass, read_error
from sessions_app.live.providers.turns.gemini_generation import usage_of
from summarization.prompts import Prompt
from summarization.summarizer import BadAnswer, Refused, Spent, Unavailable, pass_over

ANSWER_LIMIT_S = 30
ANSWER_LIMIT_TOKENS = 16_384
"""With what the model thinks before it writes."""

LISTENING_LIMIT_S = 180
LISTENING_LIMIT_TOKENS = 32_768
"""The same of a request with sound, whose answer has every word that is said in it."""

_BLOCKED = {
    types.FinishReason.SAFETY,
    types.FinishReason.RECITATION,
    types.FinishReason.BLOCKLIST,
    types.FinishReason.PROHIBITED_CONTENT,
    types.FinishReason.SPII,
}


class GeminiSummarizer:
    """See `summarizer.Summarizer`.

    Args:
        account: who asks.
        answer_limit_s: how long the provider may stay silent before it counts as unavailable.
    """

    def __init__(
        self, account: Account, api_version: str, models: Sequence[str], answer_limit_s: float = ANSWER_LIMIT_S
    ) -> None:
        self.models = models
        options = types.HttpOptions(api_version=api_version, timeout=int(answer_limit_s * 1000))
        self._client = client_for(account, options)

    def ask(self, model: str, prompt: Prompt, spent: Spent = pass_over) -> str:
        config = types.GenerateContentConfig(
            system_instruction=prompt.instruction,
            response_mime_type="application/json",
            response_schema=types.Schema.model_validate(prompt.schema),
            max_output_tokens=ANSWER_LIMIT_TOKENS if prompt.sound is None else LISTENING_LIMIT_TOKENS,
        )
        contents: list[types.PartUnionDict] = [prompt.text]
        if prompt.sound is not None:
            config.http_options = types.HttpOptions(timeout=LISTENING_LIMIT_S * 1000)
            contents = [types.Part.from_bytes(data=prompt.sound.data, mime_type=prompt.sound.media_type), prompt.text]
        try:
            response = self._client.models.generate_content(model=id_of(model), contents=contents, config=config)
        except errors.APIError as error:
            raise _translated(error, model) from error
        except GoogleAuthError as error:
            raise _without_credentials(error, model) from error
        except httpx2.TimeoutException as error:
            raise Unavailable(f"{model} did not answer in time") from error
        except (httpx2.HTTPError, OSError) as error:
            raise Unavailable("the provider cannot be reached") from error
        except ValueError as error:  # what came is no JSON, or not of the API's shape
            raise BadAnswer(f"{model} gave an answer that cannot be read") from error
        if response.usage_metadata is not None:
            spent(model, usage_of(response.usage_metadata, types.Modality.TEXT.value))
        return _text_of(response, model)


def _without_credentials(error: GoogleAuthError, model: str) -> Unavailable | Refused:
    """Those of a project are looked for, and renewed, when somebody asks."""
    if error.retryable or isinstance(error, TransportError):
        return Unavailable("the provider's credentials cannot be renewed at present")
    return Refused(f"there are no credentials to ask {model} with")


def _text_of(response: types.GenerateContentResponse, model: str) -> str:
    if response.prompt_feedback is not None and response.prompt_feedback.block_reason is not None:
        raise Refused(f"{model} refused to summarise what was said")
    candidate = response.candidates[0] if response.candidates else None
    if candidate is not None and candidate.finish_reason in _BLOCKED:
        raise Refused(f"{model} refused to summarise what was said")
    text = response.text if candidate is not None else None
    if not text or not text.strip():
        raise BadAnswer(f"{model} gave an empty answer")
    return text


def _translated(error: errors.APIError, model: str) -> Unavailable | Refused:
    code = error.code or 0
    retry_after_ms = read_error(error.details).retry_after_ms
    retry_after_s = None if retry_after_ms is None else retry_after_ms / 1000
    if code == 429:
        return Unavailable(f"the quota of {model} is used up for now", retry_after_s)
    if may_pass(code) or not code:
        return Unavailable(f"{model} is not available at present ({code})", retry_after_s)
    if code in (401, 403) or "API_KEY_INVALID" in str(error.details):
        return Refused(f"the API key does not allow the use of {model}")
    if code == 404:
        return Refused(f"there is no model {model}")
    return Refused(f"{model} refused the request ({code} {error.status or ''})".replace(" )", ")"))
