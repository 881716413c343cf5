"""The emulator's frames beside recorded traffic of the real service: same keys, same order of events.

The recordings lie beside the project, not in it; where they are missing there is nothing to compare.
"""

import json
from pathlib import Path
from typing import Any

from tests.emulator.client import FLASH_3_1, LIVE_3_8, NATIVE_2_5, is_turn_complete, setup_for, text_turn, wire
from tests.services.emulator import Emulator

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "wire-samples"
REPLAYED = (
    "pydantic-ai/test_google_ws__test_text_in_audio_out_turn.jsonl",
    "pydantic-ai/test_google_ws__test_message_history_seeding.jsonl",
    "pydantic-ai/test_google_ws__test_tool_call_round.jsonl",
    "pydantic-ai/test_parity_ws__test_history_seeding_parity[google-previous].jsonl",
    "pydantic-ai/test_parity_ws__test_history_seeding_parity[google-current].jsonl",
    "pydantic-ai/test_parity_ws__test_text_tool_round_parity[google-previous].jsonl",
    "pydantic-ai-3.8/image_then_typed_question__gemini-3.8-live.jsonl",
)
DOCUMENTED = frozenset({frozenset({"sessionResumptionUpdate"})})
"""`{"sessionResumptionUpdate": {}}` while generating: documented, in no recording."""

Shape = frozenset[str]


def shape(value: Any, path: str = "") -> Shape:
    """The paths of all keys of a message; list elements count once. Whether a turn took any thought is left out."""
    if isinstance(value, dict):
        value = {key: below for key, below in value.items() if key != "thoughtsTokenCount"}
        return frozenset({path} - {""}).union(
            *(shape(below, f"{path}.{key}".lstrip(".")) for key, below in value.items())
        )
    if isinstance(value, list):
        return frozenset().union(*(shape(below, f"{path}[]") for below in value))
    return frozenset({path})


def without_arguments(message: dict[str, Any]) -> dict[str, Any]:
    """Arguments of function calls have the client's names."""
    for call in message.get("toolCall", {}).get("functionCalls", []):
        call["args"] = bool(call.get("args"))
    return message


def shapes(messages: list[dict[str, Any]]) -> set[Shape]:
    return {shape(without_arguments(message)) for message in messages}


def landmarks(messages: list[dict[str, Any]]) -> list[str]:
    """The order of the events that happen once in a turn."""
    order: list[str] = []
    for message in messages:
        content = message.get("serverContent", {})
        for name in ("generationComplete", "interrupted", "turnComplete"):
            if name in content:
                order.append(name)
        for name in ("setupComplete", "toolCall", "usageMetadata"):
            if name in message:
                order.append(name)
    return order


def read(name: str) -> list[dict[str, Any]]:
    lines = (SAMPLES / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


async def replay(emulator: Emulator, recording: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send what the recorded client sent, and collect what the emulator answers."""
    sent = [entry["msg"] for entry in recording if entry["dir"] == "client"]
    received: list[dict[str, Any]] = []
    async with wire(emulator) as connection:
        for message in sent:
            if "tool_response" in message:
                received += await connection.until(lambda frame: "toolCall" in frame)
                call = received[-1]["toolCall"]["functionCalls"][0]
                message["tool_response"]["functionResponses"][0] |= {"id": call["id"], "name": call["name"]}
            await connection.send(message)
            if "setup" in message:
                received.append(await connection.receive())
        received += await connection.until(is_turn_complete)
    return received


async def test_recorded_clients_get_frames_of_the_recorded_shapes_in_the_recorded_order(emulator: Emulator) -> None:
    for name in REPLAYED:
        if not (SAMPLES / name).exists():
            continue
        recording = read(name)
        recorded = [entry["msg"] for entry in recording if entry["dir"] == "server"]
        answered = await replay(emulator, recording)
        assert landmarks(answered) == landmarks(recorded), name
        strangers = shapes(answered) - shapes(recorded) - DOCUMENTED - known_shapes(recorded)
        assert not strangers, (name, strangers)
        # Whether a model thinks aloud, volunteers a handle or says where it is quiet differs from turn to turn.
        missing = {one for one in shapes(recorded) - shapes(answered) if not is_optional(one)}
        assert not missing, (name, missing)


def known_shapes(recorded: list[dict[str, Any]]) -> set[Shape]:
    """Shapes of other recordings of the same generation."""
    if any("modelTurn.role" in path for message in recorded for path in shape(message)):
        return set()
    found: set[Shape] = set()
    for name in REPLAYED:
        if "3.8" not in name and (SAMPLES / name).exists():
            found |= shapes([entry["msg"] for entry in read(name) if entry["dir"] == "server"])
    return found


def is_optional(one: Shape) -> bool:
    return any("thought" in path or path.startswith("sessionResumptionUpdate") for path in one)


async def test_a_turn_of_3_8_has_its_oddities(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        handle = await connection.receive()
        await connection.send(text_turn("My name is Alice."))
        frames = await connection.until(is_turn_complete)
    assert set(handle["sessionResumptionUpdate"]) == {"newHandle", "resumable"}
    assert frames.count({}) >= 3
    assert {"serverContent": {}} in frames
    first = next(frame["serverContent"] for frame in frames if "modelTurn" in frame.get("serverContent", {}))
    assert set(first) == {"modelTurn", "outputTranscription"}
    assert first["modelTurn"]["role"] == "model"
    assert first["modelTurn"]["parts"][0]["inlineData"]["mimeType"] == "audio/pcm;rate=24000"
    assert frames[-1]["usageMetadata"]["thoughtsTokenCount"]


async def test_a_turn_of_2_5_has_one_part_in_a_frame_and_thinks_aloud(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(NATIVE_2_5)) as connection:
        await connection.send(text_turn("My name is Alice."))
        frames = await connection.until(is_turn_complete)
    assert {} not in frames
    contents = [frame["serverContent"] for frame in frames]
    assert contents[0]["modelTurn"]["parts"][0]["thought"] is True
    assert all(len(content) == 1 for content in contents)
    pieces = [content["outputTranscription"]["text"] for content in contents if "outputTranscription" in content]
    assert pieces == ["Got it.", " Your name", " is Alice."]


async def test_a_seeded_3_1_answers_with_its_transcript_alone(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(FLASH_3_1)) as connection:
        turns = [{"role": "user", "parts": [{"text": "My name is Alice. What is my name?"}]}]
        await connection.send({"clientContent": {"turns": turns, "turnComplete": True}})
        frames = await connection.until(is_turn_complete)
    assert [list(frame["serverContent"]) for frame in frames if "serverContent" in frame] == [
        [],
        ["outputTranscription"],
        ["generationComplete"],
        ["turnComplete"],
    ]
    assert "responseTokenCount" not in frames[-1]["usageMetadata"]


async def test_frames_are_binary_pretty_printed_json(emulator: Emulator) -> None:
    async with wire(emulator) as connection:
        await connection.send({"setup": setup_for(NATIVE_2_5)})
        assert await connection.frame() == b'{\n  "setupComplete": {}\n}\n'
        await connection.send(text_turn("Hello"))
        frame = await connection.frame()
    assert frame.startswith(b'{\n  "serverContent": {\n    "modelTurn": {\n      "parts": [\n        {\n')
    assert frame.endswith(b"\n}\n")


async def test_an_interrupted_turn_says_so_before_it_is_complete(tmp_path: Path) -> None:
    # A story is sent within a second, and then listened to for twenty.
    emulator = Emulator(tmp_path, ("--send-speed", "20", "--no-recogniser"))
    try:
        for model in (LIVE_3_8, FLASH_3_1, NATIVE_2_5):
            async with wire(emulator, setup_for(model)) as connection:
                await connection.send(text_turn("Tell me a long story."))
                await connection.until(lambda frame: frame.get("serverContent", {}).get("generationComplete"))
                await connection.send(text_turn("Say stop"))
                interrupted = landmarks(await connection.until(is_turn_complete))
                after = landmarks(await connection.until(is_turn_complete))
            assert interrupted[-3:] == ["interrupted", "turnComplete", "usageMetadata"]
            assert after == ["generationComplete", "turnComplete", "usageMetadata"]
    finally:
        assert emulator.stop() == 0
