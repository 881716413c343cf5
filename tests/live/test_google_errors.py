"""Google's error object in our words: what it says of quota, wherever the object stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.providers.durations import seconds_of
from sessions_app.live.providers.google_errors import GoogleError, read_error

SENTENCE = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
    "https://ai.dev/rate-limit. \n* Quota exceeded for metric: "
    "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 20, model: gemini-2.5-flash\n"
)
METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
HELP = {
    "@type": "type.googleapis.com/google.rpc.Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}


def violation(quota: str) -> dict[str, Any]:
    return {
        "quotaMetric": METRIC,
        "quotaId": quota,
        "quotaDimensions": {"model": "gemini-2.5-flash", "location": "global"},
        "quotaValue": "20",
    }


def quota_error(*quotas: str, delay: str = "", sentence: str = SENTENCE) -> dict[str, Any]:
    """The body of a 429 as the API sends it; ogkalu2/comic-translate#403 and google-gemini/gemini-cli#8437 show two."""
    details: list[dict[str, Any]] = [HELP]
    if quotas:
        violations = [violation(quota) for quota in quotas]
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations})
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return {"error": {"code": 429, "message": sentence, "status": "RESOURCE_EXHAUSTED", "details": details}}


def test_the_reason_of_its_error_info_is_a_part_of_what_it_says() -> None:
    """Kilo-Org/kilocode 2842, with what is of no use left out."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "CONSUMER_INVALID"}
    told = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "reason": "nothing"}
    sentence = "Permission denied on resource project gen-lang-client-xxxxx."
    error = {"code": 403, "message": sentence, "status": "PERMISSION_DENIED", "details": [told, info]}
    assert read_error({"error": error}).text == f"PERMISSION_DENIED {sentence} [CONSUMER_INVALID]"


@pytest.mark.parametrize("form", ["parsed", "inner", "text", "list"])
def test_details_are_read_wherever_the_object_stands(form: str) -> None:
    error = quota_error(PER_DAY, delay="58s")
    raw = {"parsed": error, "inner": error["error"], "text": json.dumps(error), "list": json.dumps([error])}[form]
    assert read_error(raw) == GoogleError(f"RESOURCE_EXHAUSTED {SENTENCE}".strip(), 58_000, (f"{PER_DAY} {METRIC}",))


def test_every_quota_that_was_exceeded_is_named() -> None:
    others = ("GenerateContentInputTokensPerModelPerMinute-FreeTier", "GenerateRequestsPerMinutePerProjectPerModel")
    assert [quota.split()[0] for quota in read_error(quota_error(*others, PER_DAY)).quotas] == [*others, PER_DAY]


def test_a_violation_may_have_words_alone() -> None:
    detail = {"violations": [{"subject": "project:1", "description": "Limit of sessions per day"}]}
    assert read_error({"details": [detail]}).quotas == ("Limit of sessions per day",)


@pytest.mark.parametrize(
    ("error", "ms"),
    [
        (quota_error(delay="36s"), 36_000),
        (quota_error(delay="45.578569677s"), 45_579),
        (quota_error(delay="1.1s"), 1_100),
        (quota_error(delay="0s"), 0),
        (quota_error(delay="36s", sentence="Please retry in 36.429760048s."), 36_000),
        (quota_error(sentence="Please retry in 36.429760048s."), 36_430),
        (quota_error(sentence="Please retry in 913.5ms."), 914),
        ("Please retry in 12s.", 12_000),
        (quota_error(delay="soon"), None),
        (quota_error(delay="-1s"), None),
        (quota_error(delay="9" * 400 + "s"), None),
        ("Please retry in " + "9" * 400 + "s.", None),
        (quota_error(), None),
    ],
)
def test_the_wait_is_the_one_that_is_asked_for_and_never_shorter(error: object, ms: int | None) -> None:
    assert read_error(error).retry_after_ms == ms


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (None, ""),
        ("", ""),
        ("The operation was aborted.", "The operation was aborted."),
        ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        ('{"error": {"code": 429, "message": "You exc', '{"error": {"code": 429, "message": "You exc'),
        ('{"error": "no"}', '{"error": "no"}'),
        ("[]", "[]"),
        ({"error": {"message": "Not found."}}, "Not found."),
    ],
)
def test_what_is_no_error_object_is_text(raw: object, text: str) -> None:
    assert read_error(raw) == GoogleError(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "details", "violations", "x"]), inner),
    max_leaves=30,
)


@given(JSON)
def test_whatever_a_proxy_answers_can_be_read(raw: object) -> None:
    for form in (raw, json.dumps(raw)):
        error = read_error(form)
        assert (error.retry_after_ms is None, isinstance(error.text, str)) == (True, True)


@pytest.mark.parametrize("text", ["", "9", "9.s", "-1s", "1.0000000001s", "soon", "٣s", "1s\n", 9, None])
def test_what_is_not_a_duration_has_no_length(text: object) -> None:
    assert seconds_of(text) is None
