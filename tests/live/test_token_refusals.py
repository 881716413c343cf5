"""Dialling by tokens: what becomes of a session when none is made, or one is not taken.

What Gemini says of a token that it does not take is not published; the texts here are those of the emulator, and words
that such a sentence is likely to have.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessions_app.live.machine.failures import (
    Failure,
    History,
    Phase,
    Verdict,
    is_refused_setup,
    is_short_life,
    is_token_refusal,
    judge,
)

WITH_HANDLE = History(handle_used=True)
TRIED_OFTEN = History(handle_used=True, short_lives=4, faults_ms=60_000, refused_ms=60_000)

TOKEN_REFUSALS = [
    (1007, "The ephemeral token has expired."),
    (1007, "The ephemeral token starts no new session after its new_session_expire_time."),
    (1007, "The ephemeral token was used as often as it may be."),
    (1008, "The ephemeral token is not valid yet."),
    (1008, "The ephemeral token is for models/gemini-3.1-flash-live-preview."),
    (1007, "generationConfig.responseModalities is locked by the ephemeral token."),
    (1008, "Auth token expired"),
    (1008, "AuthToken auth_tokens/*** has been used too many times"),
    (1008, "Authentication token is not valid for this model"),
]

SAID_OF_A_TOKEN_ONLY_WHERE_THERE_IS_ONE = [
    (1008, "Token has expired"),
    (1008, "Invalid token"),
    (1008, "The token has been used."),
    (1007, "API key not valid. Please pass a valid API key."),
    (1008, "Method doesn't allow unregistered callers (callers without established identity)."),
]

OF_OTHER_TOKENS = [
    "The input token count (140000) exceeds the maximum number of tokens allowed (131072).",
    "Quota exceeded for input tokens per minute",
    "The session resumption token is invalid",
    "BidiGenerateContent session expired",
]


@pytest.mark.parametrize(("code", "text"), TOKEN_REFUSALS)
@pytest.mark.parametrize("phase", [Phase.HANDSHAKE, Phase.SETUP, Phase.LIVE])
@pytest.mark.parametrize("history", [WITH_HANDLE, TRIED_OFTEN, History()])
def test_a_token_that_is_not_taken_costs_a_redial_and_neither_handle_nor_model_nor_field(
    code: int, text: str, phase: Phase, history: History
) -> None:
    judgement = judge(Failure(code, text, phase, by_token=True), history)
    assert (judgement.verdict, judgement.reason) == (Verdict.RESUME, "token-refused")
    assert judge(Failure(code, text.upper(), phase, by_token=True), history) == judgement


@pytest.mark.parametrize(("code", "text"), SAID_OF_A_TOKEN_ONLY_WHERE_THERE_IS_ONE)
@pytest.mark.parametrize("history", [WITH_HANDLE, TRIED_OFTEN])
def test_words_that_may_be_about_the_key_are_about_the_token_where_one_was_dialled_with(
    code: int, text: str, history: History
) -> None:
    failure = Failure(code, text, Phase.SETUP, by_token=True)
    assert judge(failure, history).reason == "token-refused"
    assert judge(replace(failure, by_token=False), history).reason != "token-refused"


@pytest.mark.parametrize("code", [400, 401, 403])
def test_an_upgrade_that_is_refused_is_the_token_or_the_key_whichever_was_sent(code: int) -> None:
    failure = Failure(code, "UNAUTHENTICATED Request had invalid authentication credentials.", Phase.HANDSHAKE)
    assert judge(failure, WITH_HANDLE).verdict is Verdict.STOP
    assert judge(replace(failure, by_token=True), WITH_HANDLE).reason == "token-refused"


@pytest.mark.parametrize("text", OF_OTHER_TOKENS)
def test_tokens_of_a_model_and_of_a_resumption_are_something_else(text: str) -> None:
    assert not is_token_refusal(Failure(1008, text, Phase.SETUP, by_token=True))


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (1008, "Your project has been denied access. Please contact support.", "access-denied"),
        (1007, "User location is not supported for the API use.", "region"),
        (1011, "Your prepayment credits are depleted.", "billing"),
        (403, "PERMISSION_DENIED This API method requires billing to be enabled.", "billing"),
        (1011, "You exceeded your current quota", "quota"),
        (1008, "BidiGenerateContent session not found", "handle-dead"),
        (1007, "Invalid session handle", "handle-dead"),
    ],
)
def test_everything_else_means_with_a_token_what_it_means_with_the_key(code: int, text: str, reason: str) -> None:
    phase = Phase.HANDSHAKE if code < 1000 else Phase.SETUP
    failure = Failure(code, text, phase, by_token=True)
    assert judge(failure, WITH_HANDLE).reason == reason
    assert judge(failure, WITH_HANDLE) == judge(replace(failure, by_token=False), WITH_HANDLE)


def test_a_token_that_is_not_taken_says_nothing_of_the_session() -> None:
    refused = Failure(1007, "The ephemeral token has expired.", Phase.SETUP, by_token=True)
    assert not is_short_life(refused, 0)
    assert not is_refused_setup(refused)
    assert is_short_life(replace(refused, text="odd"), 0)
    assert is_refused_setup(replace(refused, text="odd"))


@pytest.mark.parametrize(
    ("code", "text", "verdict", "reason"),
    [
        (400, "no token: INVALID_ARGUMENT API key not valid. Please pass a valid API key.", Verdict.STOP, "bad-key"),
        (401, "no token: none was made", Verdict.STOP, "bad-key"),
        (403, "no token: PERMISSION_DENIED", Verdict.STOP, "bad-key"),
        (403, "no token: your project has been denied access", Verdict.STOP, "access-denied"),
        (400, "no token: expire_time must lie in the future", Verdict.RESUME, "token-refused"),
        (404, "no token: Not found.", Verdict.RESUME, "token-refused"),
        (500, "no token: none was made", Verdict.RESUME, "provider-unavailable"),
        (503, "no token: none was made", Verdict.RESUME, "provider-unavailable"),
        (0, "no token: timed out", Verdict.RESUME, "provider-unavailable"),
        (429, "no token: RESOURCE_EXHAUSTED Resource has been exhausted", Verdict.WAIT, "rate-limit"),
    ],
)
@pytest.mark.parametrize("history", [WITH_HANDLE, TRIED_OFTEN, History()])
def test_a_token_that_is_not_made_has_its_own_verdict_and_costs_no_handle(
    code: int, text: str, verdict: Verdict, reason: str, history: History
) -> None:
    judgement = judge(Failure(code, text, Phase.MINTING), history)
    assert (judgement.verdict, judgement.reason, judgement.quota) == (verdict, reason, False)


def test_a_pause_that_is_asked_for_by_who_makes_tokens_is_kept() -> None:
    assert judge(Failure(429, "no token", Phase.MINTING, 7_000), History()).wait_ms == 7_000


def test_who_waits_for_a_token_has_no_short_life() -> None:
    assert not is_short_life(Failure(503, "no token", Phase.MINTING), 0)
