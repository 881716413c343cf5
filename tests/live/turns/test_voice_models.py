"""Which models may be asked to speak."""

from __future__ import annotations

import pytest

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.turns.voice_models import VoiceModels

HOUR_S = 3_600


def failure(code: int, text: str = "", retry_after_ms: int | None = None, *quotas: str) -> Failure:
    return Failure(code, text, Phase.LIVE, retry_after_ms, quotas)


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (failure(429, "RESOURCE_EXHAUSTED", 30_000), 30),
        (failure(429, "RESOURCE_EXHAUSTED"), 65),
        (failure(429, "", 0), 1),
        (failure(429, "RESOURCE_EXHAUSTED", 30_000, "GenerateRequestsPerDayPerProjectPerModel"), HOUR_S),
        (failure(429, "RESOURCE_EXHAUSTED", 10**12), 25 * HOUR_S),
        (failure(404, "NOT_FOUND models/a is not found for API version v1beta"), HOUR_S),
        (failure(403, "PERMISSION_DENIED"), HOUR_S),
    ],
)
def test_a_model_that_refuses_is_left_alone_for_so_long(refusal: Failure, wait_s: int) -> None:
    models = VoiceModels(("a", "b"))
    assert models.refused("a", refusal, 1_000)
    assert models.available(1_000 + wait_s - 0.1) == ("b",)
    assert models.available(1_000 + wait_s) == ("a", "b")


@pytest.mark.parametrize("fault", [failure(1011, "INTERNAL"), failure(0, "timed out"), failure(1007, "bad text")])
def test_a_model_that_only_fails_may_be_asked_again(fault: Failure) -> None:
    models = VoiceModels(("a",))
    assert not models.refused("a", fault, 1_000)
    assert models.available(1_000) == ("a",)


def test_no_other_models_are_remembered() -> None:
    models = VoiceModels(("a",))
    assert not models.refused("b", failure(429), 1_000)
