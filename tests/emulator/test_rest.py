"""The calls around Live, through the SDK."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.emulator.client import SDK_INHERITS_AIOHTTP, sdk, tls
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S

CHAT = "gemini-3.8-flash"


class Digest(BaseModel):
    """What a summary of a call might be asked for."""

    title: str
    summary: str
    facts_to_keep: list[str]
    open_points: list[str]
    confidence: float | None = None


@pytest.fixture
def client(emulator: Emulator) -> genai.Client:
    return sdk(emulator)


def test_the_models_list_tells_which_can_do_live(client: genai.Client) -> None:
    models = {model.name: model.supported_actions or [] for model in client.models.list(config={"page_size": 3})}
    assert "bidiGenerateContent" in models["models/gemini-3.8-live"]
    assert "bidiGenerateContent" not in models["models/gemini-3.8-flash"]
    assert len(models) > 6


def test_one_model_can_be_shown(client: genai.Client) -> None:
    assert client.models.get(model="gemini-3.8-live").input_token_limit == 131_072
    with pytest.raises(errors.ClientError) as missing:
        client.models.get(model="gemini-0.0-gone")
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")


def test_a_chat_remembers(client: genai.Client) -> None:
    chat = client.chats.create(model=CHAT)
    assert chat.send_message("My code word is PLUM-42.").text == "Got it. Your code word is PLUM-42."
    answer = chat.send_message("What is my code word?")
    assert answer.text == "Your code word is PLUM-42."
    assert answer.candidates
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata
    assert answer.usage_metadata.total_token_count


def test_an_answer_can_be_streamed(client: genai.Client) -> None:
    pieces = list(client.models.generate_content_stream(model=CHAT, contents="Tell me a long story"))
    assert len(pieces) > 5
    assert "".join(piece.text or "" for piece in pieces).endswith("in its window.")
    assert pieces[-1].candidates
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


@SDK_INHERITS_AIOHTTP
async def test_an_answer_can_be_streamed_asynchronously(emulator: Emulator) -> None:
    client = sdk(emulator)
    stream = await client.aio.models.generate_content_stream(model=CHAT, contents="Say one two three four five six")
    assert "".join([piece.text or "" async for piece in stream]) == "one two three four five six"
    await client.aio.aclose()


TRANSCRIPT = """Summarise this conversation.
user: My code word is PLUM-42.
model: Got it. Your code word is PLUM-42.
user: The meeting is on Monday. When does the train leave?
"""


def test_json_is_made_to_the_schema_and_holds_the_facts(client: genai.Client) -> None:
    answer = client.models.generate_content(
        model=CHAT,
        contents=TRANSCRIPT,
        config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=Digest),
    )
    digest = answer.parsed
    assert isinstance(digest, Digest)
    assert digest.facts_to_keep == ["The user's code word is PLUM-42.", "The meeting is on Monday."]
    assert "PLUM-42" in digest.summary
    assert digest.open_points == ["When does the train leave?"]
    assert digest.title


def test_a_json_schema_does_as_well(client: genai.Client) -> None:
    answer = client.models.generate_content(
        model=CHAT,
        contents=TRANSCRIPT,
        config=types.GenerateContentConfig(
            response_mime_type="application/json", response_json_schema=Digest.model_json_schema()
        ),
    )
    assert "PLUM-42" in Digest.model_validate_json(answer.text or "").summary


def test_a_summary_in_plain_words_holds_the_facts(client: genai.Client) -> None:
    assert "The user's code word is PLUM-42." in (
        client.models.generate_content(model=CHAT, contents=TRANSCRIPT).text or ""
    )


def test_tokens_are_counted(client: genai.Client) -> None:
    few = client.models.count_tokens(model=CHAT, contents="Hello").total_tokens or 0
    many = client.models.count_tokens(model="gemini-3.8-live", contents="Hello " * 100).total_tokens or 0
    assert 0 < few < many


def test_a_live_model_does_not_generate_content(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="is not supported for generateContent"):
        client.models.generate_content(model="gemini-3.8-live", contents="Hello")


@pytest.mark.parametrize(("key", "code", "status"), [("bad", 400, "INVALID_ARGUMENT")])
def test_a_bad_key_is_refused_as_google_does(emulator: Emulator, key: str, code: int, status: str) -> None:
    client = sdk(emulator, key)
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=CHAT, contents="Hello")
    assert (refused.value.code, refused.value.status) == (code, status)
    assert "API_KEY_INVALID" in str(refused.value.details)


def test_a_request_without_a_key_is_forbidden(emulator: Emulator) -> None:
    address = f"{emulator.environment['GOOGLE_GEMINI_BASE_URL']}/v1beta/models"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address, context=tls(emulator), timeout=ANSWERS_WITHIN_S)
    assert refused.value.code == 403
    assert json.load(refused.value)["error"]["status"] == "PERMISSION_DENIED"
    refused.value.close()


@pytest.mark.parametrize(("limit", "per"), [("minute", "PerMinute"), ("day", "PerDay")])
def test_a_spent_quota_says_which_and_when_to_retry(emulator: Emulator, limit: str, per: str) -> None:
    client = sdk(emulator)
    emulator.fault("quota", model=CHAT, limit=limit, retry_after_s=37)
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=CHAT, contents="Hello")
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    details: Any = refused.value.details
    by_type = {entry["@type"].rpartition(".")[2]: entry for entry in details["error"]["details"]}
    assert by_type["RetryInfo"]["retryDelay"] == "37s"
    assert per in by_type["QuotaFailure"]["violations"][0]["quotaId"]
    assert client.models.generate_content(model="gemini-3.5-flash-lite", contents="Hello").text


def test_files_are_uploaded_listed_shown_and_deleted(client: genai.Client, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"n" * (9 * 1024 * 1024))
    uploaded = client.files.upload(file=path, config={"display_name": "Notes", "mime_type": "text/plain"})
    assert uploaded.name
    assert (uploaded.display_name, uploaded.size_bytes, uploaded.state) == (
        "Notes",
        9 * 1024 * 1024,
        types.FileState.ACTIVE,
    )
    assert next(file.name for file in client.files.list()) == uploaded.name
    assert client.files.get(name=uploaded.name).mime_type == "text/plain"
    client.files.delete(name=uploaded.name)
    with pytest.raises(errors.ClientError):
        client.files.get(name=uploaded.name)


def test_a_summary_keeps_the_facts_of_the_one_before_it(client: genai.Client) -> None:
    earlier = "Summary so far:\n- The user's dog is Rex.\n\nuser: My code word is PLUM-42.\nmodel: Noted.\n"
    answer = client.models.generate_content(
        model=CHAT,
        contents=earlier,
        config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=Digest),
    )
    assert isinstance(answer.parsed, Digest)
    assert answer.parsed.facts_to_keep == ["The user's dog is Rex.", "The user's code word is PLUM-42."]


def test_a_text_can_be_spoiled_in_every_way(emulator: Emulator) -> None:
    client = sdk(emulator)

    def ask() -> types.GenerateContentResponse:
        return client.models.generate_content(model=CHAT, contents="Say one two three four five six")

    emulator.fault("bad_text", answer="garbage", count=1)
    half = ask()
    assert half.candidates
    assert half.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert (half.text or "").startswith("one two")
    assert "six" not in (half.text or "")
    emulator.fault("bad_text", answer="empty", count=1)
    assert ask().text is None
    emulator.fault("bad_text", answer="blocked", count=1)
    blocked = ask()
    assert not blocked.candidates
    assert blocked.prompt_feedback
    emulator.fault("bad_text", answer="unavailable", model=CHAT, count=1)
    with pytest.raises(errors.ServerError, match="overloaded"):
        ask()
    assert ask().text == "one two three four five six"
    spoiled = [entry["spoiled"] for entry in emulator.entries("text_generated")]
    assert spoiled == ["garbage", "empty", "blocked", "unavailable", ""]


def test_a_text_that_hangs_comes_when_the_fault_is_gone(emulator: Emulator) -> None:
    client = sdk(emulator)
    emulator.fault("bad_text", answer="hang", for_s=0.3)
    assert client.models.generate_content(model=CHAT, contents="Say one two three").text == "one two three"


@pytest.mark.parametrize(
    "body",
    [
        {"contents": 5},
        {"contents": [{"parts": 3}]},
        {"contents": [{"parts": [{"inlineData": "sound"}]}]},
        {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "?"}}]}]},
        {"contents": [], "generationConfig": {"thinkingConfig": {"thinkingBudget": "many"}}},
        {"contents": [], "generationConfig": {"responseSchema": "any"}},
        {"contents": [], "generationConfig": {"responseModalities": 1}},
    ],
)
def test_a_body_of_other_types_is_refused(emulator: Emulator, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{emulator.environment['GOOGLE_GEMINI_BASE_URL']}/v1beta/models/{CHAT}:generateContent",
        data=json.dumps(body).encode(),
        headers={"x-goog-api-key": "emulator"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, context=tls(emulator), timeout=ANSWERS_WITHIN_S)
    assert refused.value.code == 400
    assert json.load(refused.value)["error"]["status"] == "INVALID_ARGUMENT"
    refused.value.close()
