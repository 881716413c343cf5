"""Settings of live sessions that contradict each other, and what can be done about it."""

from __future__ import annotations

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from sessions_app.checks import check_api_key, check_recording_models, check_tokens_of_dials

SECRET = "0123456789abcdef" * 4
ASKS = {
    "GEMINI_API_KEY": "",
    "GEMINI_DIAL_WITH_TOKENS": True,
    "GEMINI_TOKEN_SERVICE_URL": "https://keeper.example/token-service/",
    "GEMINI_TOKEN_SERVICE_SECRET": SECRET,
    "TASKS_IN_PROCESS": False,
    "RECORDINGS": False,
}
SERVES = {"GEMINI_API_KEY": "a-key", "GEMINI_TOKEN_SERVICE": True, "GEMINI_TOKEN_SERVICE_SECRET": SECRET}


def found(settings: Settings, **values: object) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    messages: list[CheckMessage] = [*check_api_key(), *check_tokens_of_dials()]
    assert all(message.hint for message in messages)
    assert not any(SECRET in f"{message}" for message in messages)
    return [str(message.id).removeprefix("holdline.") for message in messages]


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({"GEMINI_API_KEY": "a-key"}, []),
        ({"GEMINI_API_KEY": "a-key", "GEMINI_DIAL_WITH_TOKENS": True}, []),
        ({"GEMINI_API_KEY": ""}, ["W301"]),
        ({"GEMINI_API_KEY": "", "GEMINI_DIAL_WITH_TOKENS": True}, ["W301"]),
        (ASKS, []),
        (ASKS | {"GEMINI_DIAL_WITH_TOKENS": False}, ["W301", "E302"]),
        (ASKS | {"GEMINI_TOKEN_SERVICE_SECRET": ""}, ["E303"]),
        (ASKS | {"GEMINI_TOKEN_SERVICE_URL": "http://10.0.0.7/"}, ["W305"]),
        (ASKS | {"GEMINI_TOKEN_SERVICE_URL": "http://127.0.0.1:8001/"}, []),
        (ASKS | {"TASKS_IN_PROCESS": True}, ["W306"]),
        (ASKS | {"EPHEMERAL_TOKENS": True}, ["W306"]),
        (ASKS | {"RECORDINGS": True}, ["W306"]),
        (ASKS | {"TASKS_IN_PROCESS": True, "GEMINI_API_KEY": "a-key"}, []),
        (SERVES, []),
        (SERVES | {"GEMINI_API_KEY": ""}, ["W301", "E304"]),
        (SERVES | {"GEMINI_TOKEN_SERVICE_SECRET": "short"}, ["E303"]),
    ],
)
def test_what_does_not_go_together_is_said(settings: Settings, values: dict[str, object], ids: list[str]) -> None:
    assert found(settings, **values) == ids


def test_a_live_model_that_is_to_listen_to_recordings_is_an_error(settings: Settings) -> None:
    assert check_recording_models() == []
    settings.RECORDING_MODELS = ("gemini-3.8-flash", "vertex@us-central1:gemini-3.8-live")
    assert [message.id for message in check_recording_models()] == ["holdline.E313"]
    settings.RECORDINGS = False
    assert check_recording_models() == []
