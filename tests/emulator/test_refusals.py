"""What the service would not take, and the words it says so in."""

import base64
from typing import Any

import pytest
from google.genai import errors, types
from websockets.exceptions import ConnectionClosed

from tests.emulator.client import (
    FLASH_3_1,
    LIVE_3_8,
    NATIVE_2_5,
    THINKING,
    TRANSCRIBE,
    live,
    sdk,
    setup_for,
    text_turn,
    wire,
)
from tests.services.emulator import Emulator

INVALID = (1007, "Request contains an invalid argument.")


def unknown(name: str, path: str) -> tuple[int, str]:
    place = f" at '{path}'" if path else ""
    return 1007, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'


async def refusal(emulator: Emulator, setup: Any, version: str = "v1beta", key: str = "emulator") -> tuple[int, str]:
    """How a set-up is refused."""
    async with wire(emulator, version=version, key=key) as connection:
        await connection.send({"setup": setup})
        return await connection.closed()


async def closing(emulator: Emulator, model: str, *messages: Any, **setup: Any) -> tuple[int, str]:
    """How a connection is closed after these messages."""
    async with wire(emulator, setup_for(model, **setup)) as connection:
        for message in messages:
            await connection.send(message)
        return await connection.closed()


def audio(data: bytes, mime_type: str = "audio/pcm;rate=16000") -> dict[str, Any]:
    return {"realtimeInput": {"audio": {"data": base64.b64encode(data).decode(), "mimeType": mime_type}}}


@pytest.mark.parametrize("name", ["gemini-0.0-gone", "gemini-3.8-flash", "gemini-2.0-flash-live-001"])
async def test_a_model_that_cannot_do_live_is_not_found(emulator: Emulator, name: str) -> None:
    code, reason = await refusal(emulator, {"model": f"models/{name}"})
    assert code == 1008
    assert reason.startswith(f"models/{name} is not found for API version v1beta, or is not supported for bidiGenerate")
    assert len(reason) == 123


@pytest.mark.parametrize("model", [LIVE_3_8, FLASH_3_1, NATIVE_2_5])
async def test_text_is_no_modality_of_a_speaking_model(emulator: Emulator, model: str) -> None:
    with pytest.raises(errors.APIError, match=r"response modalities \(TEXT\) is not supported by the model") as refused:
        async with live(emulator, model, response_modalities=[types.Modality.TEXT]):
            pass
    assert refused.value.code == 1007


async def test_audio_is_no_modality_of_a_transcribing_model(emulator: Emulator) -> None:
    with pytest.raises(errors.APIError, match=r"response modalities \(AUDIO\) is not supported by the model"):
        async with live(emulator, TRANSCRIBE):
            pass


async def test_extended_thinking_needs_a_thinking_level(emulator: Emulator) -> None:
    with pytest.raises(errors.APIError, match=r"Thinking level must be specified for this model\."):
        async with live(emulator, THINKING):
            pass


@pytest.mark.parametrize(
    ("model", "more", "version", "expected"),
    [
        (LIVE_3_8, {"toolConfig": {}}, "v1beta", unknown("toolConfig", "setup")),
        (
            LIVE_3_8,
            {"sessionResumption": {"transparent": True}},
            "v1beta",
            unknown("transparent", "setup.session_resumption"),
        ),
        (LIVE_3_8, {"generation_config": {"speed": 1}}, "v1beta", unknown("speed", "setup.generation_config")),
        (LIVE_3_8, {"proactivity": {"proactiveAudio": False}}, "v1beta", INVALID),
        (NATIVE_2_5, {"proactivity": {"proactiveAudio": True}}, "v1beta", unknown("proactivity", "setup")),
        (FLASH_3_1, {"generationConfig": {"enableAffectiveDialog": True}}, "v1alpha", INVALID),
        (
            NATIVE_2_5,
            {"generationConfig": {"enableAffectiveDialog": True}},
            "v1beta",
            unknown("enableAffectiveDialog", "setup.generation_config"),
        ),
        (NATIVE_2_5, {"historyConfig": {"initialHistoryInClientContent": True}}, "v1beta", INVALID),
        (LIVE_3_8, {"contextWindowCompression": {"triggerTokens": 4000}}, "v1beta", INVALID),
        (
            LIVE_3_8,
            {
                "realtimeInputConfig": {
                    "automaticActivityDetection": {"startOfSpeechSensitivity": "START_SENSITIVITY_MEDIUM"}
                }
            },
            "v1beta",
            INVALID,
        ),
        (
            LIVE_3_8,
            {"generationConfig": {"responseSchema": {"type": "OBJECT"}}},
            "v1beta",
            (1007, "response_schema not supported in generation config"),
        ),
        (
            LIVE_3_8,
            {"generationConfig": {"responseLogprobs": True}},
            "v1beta",
            (1007, "response_logprobs parameter is not supported in the live api."),
        ),
        (
            LIVE_3_8,
            {"generationConfig": {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "alloy"}}}}},
            "v1beta",
            (1007, "No matching speaker voice found for name: alloy"),
        ),
    ],
)
async def test_a_set_up_with_a_wrong_field_is_refused(
    emulator: Emulator, model: str, more: dict[str, Any], version: str, expected: tuple[int, str]
) -> None:
    assert await refusal(emulator, {"model": f"models/{model}", **more}, version) == expected


async def test_2_5_has_proactivity_and_affective_dialog_in_v1alpha(emulator: Emulator) -> None:
    config = {"responseModalities": ["AUDIO"], "enableAffectiveDialog": True}
    setup = setup_for(NATIVE_2_5, generationConfig=config, proactivity={"proactiveAudio": True})
    async with wire(emulator, setup, version="v1alpha") as connection:
        await connection.send(text_turn("Hello"))
        assert await connection.receive()


@pytest.mark.parametrize("key", ["bad-key", "BAD"])
async def test_a_bad_key_is_not_valid(emulator: Emulator, key: str) -> None:
    with pytest.raises(errors.APIError, match=r"API key not valid\. Please pass a valid API key\.") as refused:
        async with sdk(emulator, key).aio.live.connect(model=LIVE_3_8):
            pass
    assert refused.value.code == 1007


async def test_a_caller_without_a_key_is_unregistered(emulator: Emulator) -> None:
    code, reason = await refusal(emulator, setup_for(LIVE_3_8), key="")
    assert code == 1008
    assert reason.startswith("Method doesn't allow unregistered callers")


@pytest.mark.parametrize(
    "first", [text_turn("Hello"), {"clientContent": {}}, {"setup": {}, "clientContent": {}}, "nonsense"]
)
async def test_the_first_message_must_be_a_set_up(emulator: Emulator, first: Any) -> None:
    async with wire(emulator) as connection:
        await connection.send(first)
        assert await connection.closed() == INVALID


async def test_nothing_may_come_before_the_set_up_is_complete(emulator: Emulator) -> None:
    emulator.fault("slow_setup", delay_s=60)
    async with wire(emulator) as connection:
        await connection.send({"setup": setup_for(LIVE_3_8)})
        await connection.send(audio(bytes(640)))
        assert await connection.closed() == INVALID


@pytest.mark.parametrize(
    ("model", "message", "expected"),
    [
        (LIVE_3_8, {"setup": {}}, INVALID),
        (LIVE_3_8, audio(bytes(641)), INVALID),
        (LIVE_3_8, audio(b"RIFF", "audio/wav"), (1007, "Failed to parse WAV audio.")),
        (LIVE_3_8, {"realtimeInput": {"audio": {"data": "?", "mimeType": "audio/pcm;rate=16000"}}}, INVALID),
        (LIVE_3_8, {"realtimeInput": {"mediaChunks": [{"data": "AAAA", "mimeType": "audio/pcm;rate=16000"}]}}, INVALID),
        (LIVE_3_8, {"realtimeInput": {"activityStart": {}}}, INVALID),
        (LIVE_3_8, {"realtimeInput": {"noise": 1}}, unknown("noise", "realtime_input")),
        (LIVE_3_8, {"hangUp": {}}, unknown("hangUp", "")),
        (LIVE_3_8, {"toolResponse": {"functionResponses": [{"id": "fc_1", "name": "f", "response": {}}]}}, INVALID),
        (FLASH_3_1, {"contextUpdate": {"systemInstruction": {"parts": [{"text": "x"}]}}}, INVALID),
        (
            NATIVE_2_5,
            {"clientContent": {"turns": [{"role": "model", "parts": [{"text": "Hi"}]}], "turnComplete": True}},
            INVALID,
        ),
    ],
)
async def test_a_wrong_message_ends_the_connection(
    emulator: Emulator, model: str, message: Any, expected: tuple[int, str]
) -> None:
    assert await closing(emulator, model, message) == expected


async def test_3_1_takes_client_content_only_before_the_conversation(emulator: Emulator) -> None:
    content = {"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Hello"}]}], "turnComplete": False}}
    assert await closing(emulator, FLASH_3_1, content, text_turn("Hello"), content) == INVALID


async def test_realtime_input_waits_for_the_promised_history(emulator: Emulator) -> None:
    history = {"initialHistoryInClientContent": True}
    assert await closing(emulator, LIVE_3_8, text_turn("Hello"), historyConfig=history) == INVALID


async def test_3_1_fails_after_speech_without_a_rate(emulator: Emulator) -> None:
    disabled = {"automaticActivityDetection": {"disabled": True}}
    spoken = [
        {"realtimeInput": {"activityStart": {}}},
        audio(bytes(6400), "audio/pcm"),
        {"realtimeInput": {"activityEnd": {}}},
    ]
    expected = (1011, "Internal error encountered.")
    assert await closing(emulator, FLASH_3_1, *spoken, realtimeInputConfig=disabled) == expected


async def test_other_rates_are_taken(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send(audio(bytes(48_000 * 2), "audio/pcm;rate=48000"))
        await connection.send(text_turn("Hello"))
        await connection.until(lambda message: "serverContent" in message)
        assert emulator.connections()[0]["audio_in_ms"] == 1000


async def test_a_foreign_service_is_not_there(emulator: Emulator) -> None:
    with pytest.raises(Exception, match="HTTP 404"):
        async with wire(emulator, method="BidiMakeCoffee"):
            pass


@pytest.mark.parametrize("slashes", ["/", "//"])
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_every_version_is_served_with_one_slash_or_two(emulator: Emulator, slashes: str, version: str) -> None:
    async with wire(emulator, version=version, slashes=slashes) as connection:
        await connection.send({"setup": setup_for(LIVE_3_8)})
        assert await connection.frame() == b'{\n  "setupComplete": {}\n}\n'


async def test_keys_may_be_camel_or_snake_and_base64_url_safe(emulator: Emulator) -> None:
    setup = {
        "model": f"models/{LIVE_3_8}",
        "generation_config": {
            "response_modalities": ["AUDIO"],
            "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
        },
        "output_audio_transcription": {},
        "realtime_input_config": {"automatic_activity_detection": {"silence_duration_ms": 500}},
    }
    async with wire(emulator, setup) as connection:
        data = base64.urlsafe_b64encode(b"\xff\xf8" * 320).decode()
        assert "_" in data
        await connection.send({"realtime_input": {"audio": {"data": data, "mime_type": "audio/pcm;rate=16000"}}})
        await connection.send(
            {"client_content": {"turns": [{"role": "user", "parts": [{"text": "Hi"}]}], "turn_complete": True}}
        )
        frames = await connection.until(lambda message: message.get("serverContent", {}).get("turnComplete"))
    assert any("outputTranscription" in frame.get("serverContent", {}) for frame in frames)


@pytest.mark.parametrize(
    "more", [{"tools": "x"}, {"tools": ["x"]}, {"generationConfig": [1]}, {"realtimeInputConfig": "x"}, {"model": 5}]
)
async def test_values_of_other_types_are_refused(emulator: Emulator, more: dict[str, Any]) -> None:
    code, _ = await refusal(emulator, setup_for(LIVE_3_8) | more)
    assert code in (1007, 1008)


@pytest.mark.parametrize(
    "message",
    [
        {"clientContent": {"turns": "x"}},
        {"clientContent": {"turns": [{"parts": ["x"]}], "turnComplete": True}},
        {"realtimeInput": {"audio": "x"}},
        {"realtimeInput": []},
        {"toolResponse": {"functionResponses": "x"}},
        {"clientContent": {"turns": 5}},
    ],
)
async def test_odd_messages_are_refused_or_taken_without_harm(emulator: Emulator, message: Any) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send(message)
        await connection.send({"setup": {}})
        assert await connection.closed() == INVALID


async def test_a_client_that_hangs_up_is_answered_at_once(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        pass
    assert await connection.closed() == (1000, "")
    with pytest.raises(ConnectionClosed):
        await connection.send({})
    entry = emulator.entries("closed")[0]
    assert (entry["code"], entry["by"]) == (1000, "client")
