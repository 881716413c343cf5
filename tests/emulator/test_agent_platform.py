"""The persona of Agent Platform: its address and credentials, its frames, its handles, and what it refuses."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from google.oauth2.credentials import Credentials
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.emulator.client import (
    LIVE_3_8,
    PATIENCE_S,
    Wire,
    ask,
    config,
    is_turn_complete,
    say,
    sdk,
    speech,
    text_turn,
    tls,
)
from tests.emulator.test_caches import INSTRUCTION
from tests.emulator.test_recordings import shapes
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, eventually

NATIVE = "gemini-live-2.5-flash-native-audio"
SERVICE = "ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "wire-samples"
TRANSPARENT = types.SessionResumptionConfig(transparent=True)


def client_there(
    emulator: Emulator, location: str = "us-central1", bearer: str = "emulator", project: str = "holdline"
) -> genai.Client:
    """The unmodified SDK, pointed at the persona as the documentation says."""
    context = tls(emulator)
    return genai.Client(
        vertexai=True,
        project=project,
        location=location,
        credentials=Credentials(bearer),
        http_options=types.HttpOptions(
            base_url=emulator.environment["GOOGLE_VERTEX_BASE_URL"],
            client_args={"verify": context},
            async_client_args={"ssl": context, "verify": context},
        ),
    )


@asynccontextmanager
async def live_there(
    emulator: Emulator, model: str = LIVE_3_8, location: str = "us-central1", **more: Any
) -> AsyncIterator[AsyncSession]:
    client = client_there(emulator, location)
    async with client.aio.live.connect(model=model, config=config(**more)) as session:
        yield session


async def next_update(session: AsyncSession) -> types.LiveServerSessionResumptionUpdate:
    """The next one with a handle."""
    while True:
        update = (await session._receive()).session_resumption_update
        if update and update.new_handle:
            return update


def setup_there(model: str, location: str = "us-central1", **more: Any) -> dict[str, Any]:
    return {
        "model": f"projects/holdline/locations/{location}/publishers/google/models/{model}",
        "generationConfig": {"responseModalities": ["AUDIO"]},
        "outputAudioTranscription": {},
        **more,
    }


@asynccontextmanager
async def wire_there(
    emulator: Emulator, setup: dict[str, Any] | None = None, authorization: str = "Bearer emulator"
) -> AsyncIterator[Wire]:
    base = emulator.environment["GOOGLE_VERTEX_BASE_URL"].replace("https", "wss", 1)
    headers = {"Authorization": authorization} if authorization else {"x-goog-api-key": "emulator"}
    async with connect(
        f"{base}/{SERVICE}", ssl=tls(emulator), additional_headers=headers, proxy=None, open_timeout=PATIENCE_S
    ) as socket:
        connection = Wire(socket)
        if setup is not None:
            await connection.send({"setup": setup})
        yield connection


async def test_the_sdk_talks_to_it_by_its_own_address_and_is_given_the_id_of_the_session(emulator: Emulator) -> None:
    async with live_there(emulator) as session:
        heard = await ask(session, "My code word is PLUM-42.")
        assert session.session_id
        assert len(session.session_id) == 36
    assert heard.text
    assert heard.usage.response_token_count
    (opened,) = emulator.entries("opened")
    assert opened["location"] == "us-central1"


@pytest.mark.parametrize(
    ("authorization", "reason"), [("", "CREDENTIALS_MISSING"), ("Bearer bad", "ACCESS_TOKEN_TYPE_UNSUPPORTED")]
)
async def test_who_has_no_bearer_token_is_refused_at_the_door_with_error_info(
    emulator: Emulator, authorization: str, reason: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with wire_there(emulator, authorization=authorization):
            pass
    error = json.loads(refused.value.response.body or b"")["error"]
    assert (refused.value.response.status_code, error["status"]) == (401, "UNAUTHENTICATED")
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert error["details"][0]["reason"] == reason


async def test_a_project_that_the_caller_may_not_use_is_refused_as_users_have_met_it(emulator: Emulator) -> None:
    setup = setup_there(LIVE_3_8)
    async with wire_there(emulator, setup | {"model": setup["model"].replace("holdline", "bad-one")}) as connection:
        assert await connection.closed() == (1008, "Permission denied on resource project bad-one.")
    client = client_there(emulator, project="bad-one")
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model="gemini-3.8-flash", contents="Say hello")
    assert (refused.value.code, refused.value.status) == (403, "PERMISSION_DENIED")
    assert refused.value.details["error"]["details"][0]["reason"] == "CONSUMER_INVALID"


@pytest.mark.parametrize("version", ["v1beta", "v1alpha"])
async def test_versions_of_the_developer_api_are_not_served_there(emulator: Emulator, version: str) -> None:
    address = f"{emulator.environment['GOOGLE_VERTEX_BASE_URL']}/{SERVICE}".replace("v1beta1", version)
    assert httpx2.get(address, verify=tls(emulator), timeout=ANSWERS_WITHIN_S).status_code == 404


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (setup_there(LIVE_3_8, historyConfig={"initialHistoryInClientContent": True}), 'name "historyConfig"'),
        (setup_there("gemini-0.0-gone"), "Publisher Model projects/holdline/"),
        (setup_there(LIVE_3_8, location="global"), "Publisher Model"),
        (setup_there(NATIVE, location="europe-west1"), "Publisher Model"),
        (setup_there("gemini-2.5-flash-native-audio-latest"), "Publisher Model"),
        (setup_there(LIVE_3_8) | {"model": f"models/{LIVE_3_8}"}, "Invalid resource field value"),
    ],
    ids=["history", "no such model", "global", "not in that region", "of the other side", "named as on the other"],
)
async def test_it_refuses_what_that_side_refuses(emulator: Emulator, setup: dict[str, Any], said: str) -> None:
    async with wire_there(emulator, setup) as connection:
        code, reason = await connection.closed()
    assert code in (1007, 1008)
    assert said in reason


async def test_it_refuses_the_end_of_the_microphone(emulator: Emulator) -> None:
    """google-genai 3.6 knows `audio_stream_end` of the Developer API alone."""
    async with wire_there(emulator, setup_there(LIVE_3_8)) as connection:
        await connection.receive()
        await connection.send({"realtimeInput": {"audioStreamEnd": True}})
        assert await connection.closed() == (
            1007,
            "Invalid JSON payload received. Unknown name \"audio_stream_end\" at 'realtime_input': Cannot find field.",
        )


async def test_the_developer_api_refuses_what_is_of_agent_platform(emulator: Emulator) -> None:
    with pytest.raises(errors.APIError, match="is not found for API version"):
        async with sdk(emulator).aio.live.connect(model=NATIVE, config=config()):
            pass
    with pytest.raises(ValueError, match="transparent"):
        async with sdk(emulator).aio.live.connect(model=LIVE_3_8, config=config(session_resumption=TRANSPARENT)):
            pass


async def test_it_says_which_message_it_has_consumed_last_where_that_is_asked_for(emulator: Emulator) -> None:
    async with live_there(emulator, session_resumption=TRANSPARENT) as session:
        first = await next_update(session)
        await say(session, await speech("Hello"))
        await ask(session, "My code word is PLUM-42.")
        update = await next_update(session)
    consumed = emulator.entries("handle_issued")[-1]["consumed"]
    assert first.last_consumed_client_message_index is None  # 0, which JSON leaves out
    assert update.last_consumed_client_message_index == consumed > 2


async def test_it_says_nothing_of_messages_unasked(emulator: Emulator) -> None:
    async with live_there(emulator) as session:
        await ask(session, "Hello")
        assert (await next_update(session)).last_consumed_client_message_index is None


async def test_the_index_is_a_string_on_the_wire(emulator: Emulator) -> None:
    async with wire_there(emulator, setup_there(NATIVE, sessionResumption={"transparent": True})) as connection:
        await connection.receive()
        await connection.send(text_turn("Hello"))
        update = (await connection.until(lambda frame: "sessionResumptionUpdate" in frame))[-1]
    assert update["sessionResumptionUpdate"]["lastConsumedClientMessageIndex"] == "1"


@pytest.mark.parametrize(
    ("how", "expected"), [("lags", "1"), ("jumps", "3"), ("missing", None)], ids=["lags", "jumps", "missing"]
)
async def test_the_index_is_odd_on_demand(emulator: Emulator, how: str, expected: str | None) -> None:
    setup = setup_there(NATIVE, sessionResumption={"transparent": True})
    async with wire_there(emulator, setup) as connection:
        await connection.receive()
        await connection.send({"clientContent": {"turns": [], "turnComplete": False}})
        emulator.fault("odd_index", how=how, by=1)
        await connection.send(text_turn("Hello"))
        update = (await connection.until(lambda frame: "sessionResumptionUpdate" in frame))[-1]
    assert update["sessionResumptionUpdate"].get("lastConsumedClientMessageIndex") == expected


async def test_the_index_of_the_connection_before_is_told_on_demand(emulator: Emulator) -> None:
    async with live_there(emulator, NATIVE, session_resumption=TRANSPARENT) as session:
        for _ in range(3):
            await ask(session, "Hello")
            handle = (await next_update(session)).new_handle
    emulator.fault("odd_index", how="of-before")
    resumed = types.SessionResumptionConfig(handle=handle, transparent=True)
    async with live_there(emulator, NATIVE, session_resumption=resumed) as session:
        await ask(session, "Hello")
        assert (await next_update(session)).last_consumed_client_message_index == 3


async def test_a_handle_is_good_at_the_place_that_issued_it_and_nowhere_else(emulator: Emulator) -> None:
    async with live_there(emulator) as session:
        await ask(session, "My code word is PLUM-42.")
        handle = (await next_update(session)).new_handle
    resumption = types.SessionResumptionConfig(handle=handle)
    with pytest.raises(errors.APIError, match="session not found"):
        async with live_there(emulator, location="europe-west4", session_resumption=resumption):
            pass
    with pytest.raises(errors.APIError, match="session not found"):
        async with sdk(emulator).aio.live.connect(model=LIVE_3_8, config=config(handle)):
            pass
    async with live_there(emulator, session_resumption=resumption) as session:
        assert (await ask(session, "What is my code word?")).text == "Your code word is PLUM-42."


async def test_quota_is_spent_by_region(emulator: Emulator) -> None:
    emulator.fault("quota", where="us-central1")
    with pytest.raises(errors.APIError, match="Resource exhausted"):
        async with live_there(emulator):
            pass
    async with live_there(emulator, location="europe-west4") as session:
        assert (await ask(session, "Hello")).text
    async with sdk(emulator).aio.live.connect(model=LIVE_3_8, config=config()) as session:
        assert (await ask(session, "Hello")).text


async def test_quota_of_the_developer_api_leaves_agent_platform_alone(emulator: Emulator) -> None:
    emulator.fault("quota", where="developer-api")
    with pytest.raises(errors.APIError, match="exceeded your current quota"):
        async with sdk(emulator).aio.live.connect(model=LIVE_3_8, config=config()):
            pass
    async with live_there(emulator) as session:
        assert (await ask(session, "Hello")).text


def test_text_models_are_asked_over_rest_at_their_own_paths(emulator: Emulator) -> None:
    client, refused = client_there(emulator, "europe-west4"), client_there(emulator, bearer="bad")
    models = client.models
    assert models.generate_content(model="gemini-3.8-flash", contents="Say hello").text
    pieces = models.generate_content_stream(model="gemini-3.8-flash", contents="My name is Alice. What is my name?")
    assert "Alice" in "".join(piece.text or "" for piece in pieces)
    emulator.fault("quota", where="europe-west4", count=1)
    with pytest.raises(errors.ClientError, match="Resource exhausted") as spent:
        models.generate_content(model="gemini-3.8-flash", contents="Say hello")
    assert (spent.value.code, spent.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(errors.ClientError, match="Publisher Model"):
        models.generate_content(model="gemini-0.0-gone", contents="Say hello")
    with pytest.raises(errors.ClientError, match="UNAUTHENTICATED"):
        refused.models.generate_content(model="gemini-3.8-flash", contents="Say hello")


def test_context_caches_are_kept_at_a_place_and_refused_in_its_words(emulator: Emulator) -> None:
    client, elsewhere = client_there(emulator), client_there(emulator, "europe-west4")
    caches = client.caches
    kept = types.CreateCachedContentConfig(system_instruction=INSTRUCTION * 2, ttl="300s")
    cache = caches.create(model="gemini-3.8-flash", config=kept)
    assert cache.name
    assert cache.name.rsplit("/", 1)[0] == "projects/holdline/locations/us-central1/cachedContents"
    assert cache.model == "projects/holdline/locations/us-central1/publishers/google/models/gemini-3.8-flash"
    assert caches.update(name=cache.name, config=types.UpdateCachedContentConfig(ttl="7200s")).name == cache.name
    assert [one.name for one in caches.list()] == [cache.name]
    with pytest.raises(errors.ClientError, match=r"Not found: cached content metadata for \d+\.") as gone:
        elsewhere.models.generate_content(
            model="gemini-3.8-flash", contents="Hi", config=types.GenerateContentConfig(cached_content=cache.name)
        )
    assert gone.value.code == 404
    twice = types.GenerateContentConfig(cached_content=cache.name, system_instruction="Be kind.")
    with pytest.raises(errors.ClientError, match="should not be set in the request when using cached content"):
        client.models.generate_content(model="gemini-3.8-flash", contents="Hi", config=twice)
    caches.delete(name=cache.name)
    assert [*caches.list()] == []
    small = types.CreateCachedContentConfig(system_instruction=INSTRUCTION)
    with pytest.raises(errors.ClientError, match=r"is of \d+ tokens. The minimum token count to start caching is 2048"):
        caches.create(model="gemini-3.8-flash", config=small)
    client.close()
    elsewhere.close()


def test_its_models_are_listed_wherever_they_are_and_without_what_can_be_done_with_them(emulator: Emulator) -> None:
    client, refused = client_there(emulator), client_there(emulator, bearer="bad")
    listed = [*client.models.list()]
    names = {model.name for model in listed}
    assert {f"publishers/google/models/{id}" for id in (LIVE_3_8, NATIVE, "gemini-3.8-flash")} <= names
    assert "publishers/google/models/gemini-2.5-flash-native-audio-latest" not in names
    assert {tuple(model.supported_actions or ()) for model in listed} == {()}
    with pytest.raises(errors.ClientError, match="UNAUTHENTICATED"):
        refused.models.list()
    client.close()
    refused.close()


async def test_a_tool_call_has_a_turn_of_its_own_as_recorded(emulator: Emulator) -> None:
    name = "pydantic-ai/test_parity_ws__test_text_tool_round_parity[gateway-google].jsonl"
    recorded = [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()] if SAMPLES.exists() else []
    functions = [{"name": "get_weather", "parameters": {"properties": {"city": {"type": "STRING"}}}}]
    setup = setup_there(NATIVE, tools=[{"functionDeclarations": functions}])
    async with wire_there(emulator, setup) as connection:
        await connection.receive()
        await connection.send(text_turn("What is the weather in London?"))
        frames = await connection.until(lambda frame: "toolCall" in frame)
        call = frames[-1]["toolCall"]["functionCalls"][0]
        response = {"id": call["id"], "name": call["name"], "response": {"output": "It is foggy in London."}}
        await connection.send({"toolResponse": {"functionResponses": [response]}})
        of_call = await connection.until(is_turn_complete)
        answer = await connection.until(is_turn_complete)
    assert len(call["id"]) == 36
    assert [next(iter(frame["serverContent"])) for frame in of_call] == [
        "outputTranscription",
        "generationComplete",
        "turnComplete",
    ]
    assert answer[-1]["serverContent"] == {"turnComplete": True, "groundingMetadata": {}}
    assert answer[-1]["usageMetadata"]["candidatesTokenCount"] > 0
    sounds = [frame for frame in answer if "inlineData" in json.dumps(frame)]
    assert '"mimeType": "audio/pcm"' in json.dumps(sounds[0])
    assert {"serverContent": {"outputTranscription": {}}} in answer
    if recorded:
        told = shapes([entry["msg"] for entry in recorded if entry["dir"] == "server"])
        assert not {shape for shape in shapes([*of_call, *answer]) - told if not any("thought" in s for s in shape)}


async def test_the_end_of_a_model_is_told_in_the_words_of_that_side(emulator: Emulator) -> None:
    emulator.fault("retire_model", model=LIVE_3_8)
    async with wire_there(emulator, setup_there(LIVE_3_8)) as connection:
        code, reason = await connection.closed()
    assert (code, reason[:15]) == (1008, "Publisher Model")
    await eventually(lambda: not emulator.connections())
