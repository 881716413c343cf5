"""Fields of a schema are filled by what they are called, or by what is said about them."""

from typing import Any

import pytest

from emulator.structured import Said, fill

SAID = Said("what I said", "what is answered")


def filled(properties: dict[str, Any], **more: Any) -> Any:
    return fill({"type": "OBJECT", "properties": properties, **more}, "user: The train leaves at nine.", SAID)


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("heard", ""),
        ("userTranscript", ""),
        ("transcription", ""),
        ("what_was_said", ""),
        ("first", "What the user said, word for word"),
        ("text", "The transcript of the answer's question"),
    ],
)
def test_what_was_heard_is_found_by_name_or_description(name: str, description: str) -> None:
    assert filled({name: {"type": "STRING", "description": description}}) == {name: "what I said"}


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("answer", "To what the user said"),
        ("reply", ""),
        ("modelResponse", ""),
        ("reply_to_what_was_heard", ""),
        ("second", "Your answer to what was said"),
    ],
)
def test_the_reply_is_found_by_name_or_description(name: str, description: str) -> None:
    assert filled({name: {"type": "STRING", "description": description}}) == {name: "what is answered"}


def test_fields_of_a_summary_stay_what_they_are() -> None:
    digest = filled({"title": {"type": "STRING"}, "summary": {"type": "STRING", "description": "Of what was said"}})
    assert digest == {"title": "The train leaves at nine", "summary": "The user said: The train leaves at nine."}


def test_properties_come_in_the_order_asked_for() -> None:
    properties = {"answer": {"type": "STRING"}, "mood": {"enum": ["calm"]}, "heard": {"type": "STRING"}}
    assert list(filled(properties)) == ["answer", "mood", "heard"]
    assert list(filled(properties, propertyOrdering=["heard", "gone"])) == ["heard", "answer", "mood"]
