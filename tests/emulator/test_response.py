"""How an answer is cut into the messages of a stream."""

import base64
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.response import Response, pieces_of_json, pieces_of_sound, pieces_of_text


def response(**more: Any) -> Response:
    return Response("gemini-3.8-flash", Counter(TEXT=7), **more)


def text_of(messages: list[dict[str, Any]]) -> str:
    return "".join(message["candidates"][0]["content"]["parts"][0]["text"] for message in messages)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z"])))
def test_json_is_cut_anywhere_and_joined_it_is_what_it_was(text: str) -> None:
    assert "".join(piece.text for piece in pieces_of_json(text)) == text


def test_json_is_cut_in_the_middle_of_each_escape() -> None:
    text = r'{"a": "he said \"no\" \u00e9"}'
    pieces = [piece.text for piece in pieces_of_json(text)]
    assert sum(piece.endswith("\\") for piece in pieces) == text.count("\\") == 3


@given(st.text(alphabet="ab \n", min_size=1))
def test_a_stream_says_the_same_as_the_whole_and_ends_with_a_reason(text: str) -> None:
    answer = response(pieces=pieces_of_text(text.strip() or "x"))
    messages = answer.messages()
    assert text_of(messages) == text_of([answer.whole()])
    reasons = [message["candidates"][0].get("finishReason") for message in messages]
    assert reasons == [None] * (len(messages) - 1) + ["STOP"]


def test_usage_stands_in_every_message_and_the_last_is_that_of_the_whole() -> None:
    answer = response(pieces=pieces_of_text("one two three four five six seven eight nine"))
    counts = [message["usageMetadata"]["candidatesTokenCount"] for message in answer.messages()]
    assert counts == sorted(counts)
    assert len(counts) == 3
    assert answer.messages()[-1]["usageMetadata"] == answer.whole()["usageMetadata"]
    assert answer.whole()["usageMetadata"]["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": 7}]


def test_sound_is_counted_by_its_length_and_comes_in_pieces() -> None:
    pcm = bytes(range(256)) * 375
    answer = response(pieces=pieces_of_sound(pcm))
    messages = answer.messages()
    parts = [message["candidates"][0]["content"]["parts"][0]["inlineData"] for message in messages]
    assert len(parts) == 8
    assert b"".join(base64.b64decode(part["data"]) for part in parts) == pcm
    assert {part["mimeType"] for part in parts} == {"audio/L16;codec=pcm;rate=24000"}
    assert messages[-1]["usageMetadata"]["candidatesTokensDetails"] == [{"modality": "AUDIO", "tokenCount": 50}]
