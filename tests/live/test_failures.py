"""Every text that the provider is known to end a connection with, and what is to become of the session then.

The texts are those of the Live API as observed. On the wire they are cut at 123 bytes, so each is judged whole and cut.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from energy.quota import LimitKind, resets_at
from sessions_app.live.machine.failures import (
    COMPRESSION_FIGURES_FIELD,
    GUESS_AFTER_MS,
    INITIAL_HISTORY_FIELD,
    LANGUAGE_HINT_FIELD,
    LINGER_MS,
    SHORT_LIFE_MS,
    Failure,
    History,
    Phase,
    Verdict,
    is_short_life,
    judge,
)

CLOSE_REASON_LIMIT_BYTES = 123

RESUME, FRESH, NEXT_MODEL = Verdict.RESUME, Verdict.FRESH, Verdict.NEXT_MODEL
WAIT, STRIP_FIELD, STOP = Verdict.WAIT, Verdict.STRIP_FIELD, Verdict.STOP

LONG_LIFE = History(handle_used=True, alive_ms=540_000)
ANEW = History()
WITH_HANDLE = History(handle_used=True)
SEEDED = History(seeded=True)

INVALID_ARGUMENT = "Request contains an invalid argument."
ABORTED = "The operation was aborted."
GO_AWAY_IGNORED = (
    "Connection aborted because the client failed to close the connection after receiving a GoAway signal "
    "once the session duration limit was reached"
)
ENTITY_NOT_FOUND = "Requested entity was not found."
QUOTA_EXCEEDED = (
    "You exceeded your current quota, please check your plan and billing details. "
    "For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits"
)
MODEL_NOT_FOUND = (
    "models/gemini-9-live is not found for API version v1beta, or is not supported for bidiGenerateContent. "
    "Call ListModels to see the list of available models and their supported methods."
)
TEXT_MODALITY = (
    "The requested combination of response modalities (TEXT) is not supported by the model. models/gemini-3.8-live"
)
PUBLISHER_MODEL = (
    "Publisher Model `projects/my-project/locations/us-central1/publishers/google/models/gemini-9` not found."
)

ORDINARY_ENDS = [
    (1008, ABORTED),
    (1008, GO_AWAY_IGNORED),
    (1011, "Deadline expired before operation could complete."),
    (1011, "Failed to run inference for model: go/debugonly"),
    (1011, "Thread was cancelled when writing StartStep status to the channel."),
    (1000, ""),
    (1000, "The operation was cancelled"),
    (1000, "The operation was cancelled."),
    (1001, ""),
    (1001, "going away"),
    (1001, "The server is going away"),
    (1006, ""),
    (1006, "abnormal closure [internal]"),
    (1006, "Abnormal closure."),
    (1006, "keepalive ping timeout"),
    (1011, "keepalive ping timeout"),
    (1011, "sent 1011 (internal error) keepalive ping timeout; no close frame received"),
    (0, "[Errno 111] Connect call failed"),
    (0, "timed out"),
]

PROVIDER_FAULTS = [
    (1011, "Internal error encountered."),
    (1011, "Internal error occurred."),
    (1011, "The service is currently unavailable."),
    (1011, "The model is overloaded. Please try again later."),
]

DEAD_HANDLES = [
    (1008, "BidiGenerateContent session not found"),
    (1008, "BidiGenerateContent session expired"),
    (1007, "Invalid session handle"),
]

WRONG_REQUESTS = [
    (1007, TEXT_MODALITY),
    (1007, "Text output is not supported for native audio output model."),
    (1007, "Thinking level must be specified for this model."),
    (1007, "response_schema not supported in generation config"),
    (1007, "Function calling config is not supported in the live api."),
    (1007, "The audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration"),
    (1007, "Failed to parse WAV audio."),
    (1007, "Unknown name toolConfig at 'setup'"),
]

WRONG_MODELS = [
    (1008, MODEL_NOT_FOUND),
    (1008, PUBLISHER_MODEL),
    (1008, "Publisher model gemini-9 was not found"),
    (1007, TEXT_MODALITY.replace("TEXT", "AUDIO")),
]

NO_CREDIT = [
    (1011, "Your prepayment credits are depleted. Please go to AI Studio to add more."),
    (429, "RESOURCE_EXHAUSTED Your prepayment credits are depleted. Please go to AI Studio to add more."),
    (429, "RESOURCE_EXHAUSTED Your billing account has exceeded its monthly spending cap."),
    (1011, "Your project has exceeded its monthly spending cap."),
    (403, "PERMISSION_DENIED This API method requires billing to be enabled."),
]

NO_PROJECT = [
    (1008, "Permission denied on resource project None."),
    (1008, "Request trace id: f7ae7f8ad1a75738, Project 'projects/ project-xyz' not found or deleted."),
    (403, "PERMISSION_DENIED Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform"),
    (403, "PERMISSION_DENIED Vertex AI API ist nicht aktiviert. [SERVICE_DISABLED]"),
    (403, "PERMISSION_DENIED [CONSUMER_INVALID]"),
    (403, "PERMISSION_DENIED [IAM_PERMISSION_DENIED]"),
]
"""Of Agent Platform: GoogleCloudPlatform/generative-ai 3061 and 1748, rhel-lightspeed/linux-mcp-server 450,
Kilo-Org/kilocode 2842."""

DEAD_ENDS = [
    (1007, "API key not valid. Please pass a valid API key."),
    (1008, "API key not valid. Please pass a valid API key."),
    (1008, "Your project has been denied access. Please contact support."),
    (1008, "Generative Language API has not been used in project 12345 before or it is disabled."),
    (1008, "Method doesn't allow unregistered callers (callers without established identity)."),
    (1007, "User location is not supported for the API use."),
    *NO_CREDIT,
    *NO_PROJECT,
]

QUOTA = [
    (1011, QUOTA_EXCEEDED),
    (1011, "Resource has been exhausted (e.g. check quota)"),
    (1011, "Resource has been exhausted (e.g. check quota)."),
    (1011, "Resource exhausted. Please try again later."),
    (429, "RESOURCE_EXHAUSTED You exceeded your current quota"),
    (429, "429 RESOURCE_EXHAUSTED"),
]


ESCALATION = [
    (WITH_HANDLE, RESUME),
    (replace(WITH_HANDLE, short_lives=1), RESUME),
    (replace(WITH_HANDLE, short_lives=2, faults_ms=60_000), FRESH),
    (replace(WITH_HANDLE, short_lives=4, faults_ms=GUESS_AFTER_MS - 1), FRESH),
    (replace(WITH_HANDLE, short_lives=3, faults_ms=GUESS_AFTER_MS), NEXT_MODEL),
    (replace(WITH_HANDLE, short_lives=4, faults_ms=GUESS_AFTER_MS, has_guessed=True), STOP),
]
"""Four faults within ten seconds are a burst, and no model is left for it."""


def cut(text: str) -> str:
    return text.encode()[:CLOSE_REASON_LIMIT_BYTES].decode(errors="ignore")


def verdict(code: int, text: str, phase: Phase, history: History) -> Verdict:
    """The verdict on a text; that on its cut form is the same, and so is that in another case."""
    judgement = judge(Failure(code, text, phase), history)
    assert judge(Failure(code, cut(text), phase), history).verdict is judgement.verdict
    assert judge(Failure(code, text.upper(), phase), history).verdict is judgement.verdict
    assert judgement.reason
    return judgement.verdict


# -- ordinary ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "text"), [*ORDINARY_ENDS, *PROVIDER_FAULTS])
@pytest.mark.parametrize("history", [LONG_LIFE, replace(LONG_LIFE, handle_used=False)])
def test_a_long_lived_connection_that_ends_is_resumed(code: int, text: str, history: History) -> None:
    assert verdict(code, text, Phase.LIVE, history) is RESUME


@pytest.mark.parametrize(("code", "text"), [*ORDINARY_ENDS, *PROVIDER_FAULTS])
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.LIVE])
def test_one_short_life_says_nothing_against_the_handle(code: int, text: str, phase: Phase) -> None:
    assert verdict(code, text, phase, replace(WITH_HANDLE, short_lives=1)) is RESUME


@pytest.mark.parametrize(("code", "text"), PROVIDER_FAULTS)
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.LIVE])
@pytest.mark.parametrize(("history", "expected"), ESCALATION)
def test_faults_of_the_provider_escalate_with_every_short_life(
    code: int, text: str, phase: Phase, history: History, expected: Verdict
) -> None:
    assert verdict(code, text, phase, history) is expected


@pytest.mark.parametrize(("code", "text"), [(1000, ""), (1008, ABORTED), (1001, "going away")])
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.LIVE])
def test_a_resume_that_is_closed_at_once_twice_had_a_bad_handle(code: int, text: str, phase: Phase) -> None:
    assert verdict(code, text, phase, replace(WITH_HANDLE, short_lives=2)) is FRESH


@pytest.mark.parametrize(("code", "text"), [(1000, ""), (1008, ABORTED)])
def test_short_lives_of_fresh_sessions_say_nothing_against_a_handle(code: int, text: str) -> None:
    assert verdict(code, text, Phase.LIVE, replace(ANEW, short_lives=2)) is RESUME


@pytest.mark.parametrize("short_lives", [0, 2, 5])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("code", "text"), [(1006, "abnormal closure [internal]"), (1006, "keepalive ping timeout"), (0, "")]
)
def test_the_network_is_never_held_against_the_session(code: int, text: str, phase: Phase, short_lives: int) -> None:
    assert verdict(code, text, phase, replace(WITH_HANDLE, short_lives=short_lives)) is RESUME


# -- handles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "text"), DEAD_HANDLES)
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.LIVE])
@pytest.mark.parametrize("history", [WITH_HANDLE, LONG_LIFE])
def test_a_dead_handle_is_never_tried_again(code: int, text: str, phase: Phase, history: History) -> None:
    assert verdict(code, text, phase, history) is FRESH


def test_an_entity_that_is_not_found_is_the_handle_when_one_was_used_and_the_model_when_not() -> None:
    assert verdict(1008, ENTITY_NOT_FOUND, Phase.SETUP, WITH_HANDLE) is FRESH
    assert verdict(1008, ENTITY_NOT_FOUND, Phase.SETUP, ANEW) is NEXT_MODEL
    assert verdict(1008, ENTITY_NOT_FOUND, Phase.LIVE, LONG_LIFE) is RESUME


# -- invalid arguments -------------------------------------------------------------------------------------------------


def test_an_invalid_argument_at_a_resume_means_the_handle() -> None:
    assert verdict(1007, INVALID_ARGUMENT, Phase.SETUP, WITH_HANDLE) is FRESH


@pytest.mark.parametrize("text", [INVALID_ARGUMENT, ""])
def test_an_invalid_argument_at_a_fresh_set_up_is_tried_with_another_model_and_with_no_third(text: str) -> None:
    assert verdict(1007, text, Phase.SETUP, ANEW) is NEXT_MODEL
    assert verdict(1007, text, Phase.SETUP, replace(ANEW, has_guessed=True)) is STOP


# -- a session that lingers --------------------------------------------------------------------------------------------

CUT_JUST_NOW = replace(WITH_HANDLE, refused_ms=LINGER_MS - 1, short_lives=4)
LINGERING = [
    (1011, "Internal error encountered."),
    (1007, INVALID_ARGUMENT),
    (1008, ENTITY_NOT_FOUND),
    (1008, "policy violation"),
]


@pytest.mark.parametrize(("code", "text"), LINGERING)
def test_a_resume_that_is_refused_soon_after_a_cut_is_tried_again_with_its_handle(code: int, text: str) -> None:
    assert verdict(code, text, Phase.SETUP, CUT_JUST_NOW) is RESUME
    assert judge(Failure(code, text, Phase.SETUP), CUT_JUST_NOW).may_pass


@pytest.mark.parametrize(("code", "text"), LINGERING)
@pytest.mark.parametrize(
    "history",
    [replace(WITH_HANDLE, refused_ms=LINGER_MS, short_lives=2), replace(WITH_HANDLE, short_lives=2)],
)
def test_a_resume_that_is_refused_for_longer_costs_its_handle(code: int, text: str, history: History) -> None:
    assert verdict(code, text, Phase.SETUP, history) is FRESH


@pytest.mark.parametrize(("code", "text"), DEAD_HANDLES)
def test_a_handle_that_is_said_to_be_dead_is_dead_also_after_a_cut(code: int, text: str) -> None:
    assert verdict(code, text, Phase.SETUP, CUT_JUST_NOW) is FRESH


@pytest.mark.parametrize(("code", "text"), QUOTA)
def test_quota_is_quota_also_after_a_cut(code: int, text: str) -> None:
    assert verdict(code, text, Phase.SETUP, CUT_JUST_NOW) is NEXT_MODEL


@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.LIVE])
def test_an_invalid_argument_after_initial_history_means_the_history(phase: Phase) -> None:
    judgement = judge(Failure(1007, INVALID_ARGUMENT, phase), SEEDED)
    assert (judgement.verdict, judgement.field) == (STRIP_FIELD, INITIAL_HISTORY_FIELD)


@pytest.mark.parametrize("handle_used", [True, False])
def test_an_invalid_argument_during_a_replay_means_the_audio_that_was_replayed(handle_used: bool) -> None:
    history = History(handle_used=handle_used, replaying=True, short_lives=1)
    judgement = judge(Failure(1007, INVALID_ARGUMENT, Phase.LIVE), history)
    assert (judgement.verdict, judgement.drop_audio) == (RESUME, True)


@pytest.mark.parametrize("handle_used", [True, False])
def test_a_refused_set_up_is_not_put_down_to_audio_that_the_connection_before_was_sent(handle_used: bool) -> None:
    history = History(handle_used=handle_used, replaying=True, short_lives=1)
    judgement = judge(Failure(1007, INVALID_ARGUMENT, Phase.SETUP), history)
    assert not judgement.drop_audio
    assert judgement == judge(Failure(1007, INVALID_ARGUMENT, Phase.SETUP), replace(history, replaying=False))


def test_an_invalid_argument_in_the_middle_of_a_conversation_is_resumed_and_drops_nothing() -> None:
    judgement = judge(Failure(1007, INVALID_ARGUMENT, Phase.LIVE), LONG_LIFE)
    assert (judgement.verdict, judgement.drop_audio) == (RESUME, False)


# -- requests of ours that are wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "left_out"),
    [
        ("proactivity", "proactivity"),
        ("enableAffectiveDialog", "enableAffectiveDialog"),
        ("history_config", "historyConfig"),
        ("slidingWindow", "contextWindowCompression"),
        ("target_tokens", COMPRESSION_FIGURES_FIELD),
        ("startOfSpeechSensitivity", "realtimeInputConfig"),
        ("activity_handling", "realtimeInputConfig"),
        ("language_codes", LANGUAGE_HINT_FIELD),
    ],
)
def test_a_field_that_this_version_of_the_api_does_not_know_is_left_out(field: str, left_out: str) -> None:
    text = f"Invalid JSON payload received. Unknown name \"{field}\" at 'setup': Cannot find field."
    judgement = judge(Failure(1007, text, Phase.SETUP), WITH_HANDLE)
    assert (judgement.verdict, judgement.field) == (STRIP_FIELD, left_out)
    assert verdict(1007, text, Phase.SETUP, ANEW) is STRIP_FIELD
    again = replace(ANEW, left_out=frozenset({left_out}))
    assert judge(Failure(1007, text, Phase.SETUP), again).verdict is NEXT_MODEL, (
        "it is refused although it was left out"
    )


@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE])
def test_an_invalid_argument_means_first_what_the_user_wants_and_nothing_went_through_with(history: History) -> None:
    failure = Failure(1007, INVALID_ARGUMENT, Phase.SETUP)
    judgement = judge(failure, replace(history, on_trial=("realtimeInputConfig",)))
    assert (judgement.verdict, judgement.field) == (STRIP_FIELD, "realtimeInputConfig")
    assert judge(failure, history).verdict is not STRIP_FIELD


@pytest.mark.parametrize(("code", "text"), WRONG_REQUESTS)
@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE])
def test_a_wrong_request_gives_way_to_another_model_and_is_ours_when_two_refuse_it(
    code: int, text: str, history: History
) -> None:
    assert verdict(code, text, Phase.SETUP, history) is NEXT_MODEL
    assert verdict(code, text, Phase.SETUP, replace(history, has_guessed=True)) is STOP


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("No matching speaker voice found for name: alloy", "speechConfig"),
        ("Cannot extract voices from a non-audio request.", "speechConfig"),
        ("Thinking level is not supported for this model.", "thinkingConfig"),
        ("Invalid value at 'setup.generation_config.thinking_config.thinking_level'", "thinkingConfig"),
        ("contextWindowCompression is not supported in the live api.", "contextWindowCompression"),
        ("Invalid value at 'setup.input_audio_transcription'", "inputAudioTranscription"),
        ("sessionResumption is not enabled for this project", "sessionResumption"),
        ("Unsupported language code 'de-DE' for model models/gemini-3.8-live", LANGUAGE_HINT_FIELD),
        ("Target token count must be smaller than the trigger tokens.", COMPRESSION_FIGURES_FIELD),
        ("Activity handling NO_INTERRUPTION is not supported for this model.", "realtimeInputConfig"),
    ],
)
@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE])
def test_a_refusal_that_names_a_field_we_sent_leaves_that_field_out(text: str, field: str, history: History) -> None:
    judgement = judge(Failure(1007, text, Phase.SETUP), history)
    assert (judgement.verdict, judgement.field) == (STRIP_FIELD, field)
    again = judge(Failure(1007, text, Phase.SETUP), replace(history, left_out=frozenset({field})))
    assert again.verdict is NEXT_MODEL


def test_of_two_fields_that_a_refusal_names_the_inner_one_is_left_out_first() -> None:
    text = "Invalid value at 'setup.context_window_compression.sliding_window.target_tokens' (TYPE_INT64)"
    refusal = Failure(1007, text, Phase.SETUP)
    assert judge(refusal, ANEW).field == COMPRESSION_FIGURES_FIELD
    again = replace(ANEW, left_out=frozenset({COMPRESSION_FIGURES_FIELD}))
    assert judge(refusal, again).field == "contextWindowCompression"


@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE, replace(WITH_HANDLE, refused_ms=0), replace(ANEW, seeded=True)])
@pytest.mark.parametrize("text", [INVALID_ARGUMENT, ""])
def test_a_refusal_that_names_nothing_is_put_down_to_what_the_user_has_just_chosen(text: str, history: History) -> None:
    refusal = Failure(1007, text, Phase.SETUP)
    on_trial = replace(history, on_trial=(COMPRESSION_FIGURES_FIELD, LANGUAGE_HINT_FIELD))
    assert judge(refusal, on_trial).field == COMPRESSION_FIGURES_FIELD
    once = replace(on_trial, left_out=frozenset({COMPRESSION_FIGURES_FIELD}))
    assert judge(refusal, once).field == LANGUAGE_HINT_FIELD
    twice = replace(on_trial, left_out=frozenset(on_trial.on_trial))
    assert judge(refusal, twice) == judge(refusal, replace(history, left_out=twice.left_out)), "as without them"
    assert judge(Failure(1011, text, Phase.SETUP), on_trial) == judge(Failure(1011, text, Phase.SETUP), history)


@pytest.mark.parametrize(("code", "text"), WRONG_MODELS)
@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE])
def test_a_model_that_is_unknown_or_cannot_speak_gives_way_to_the_next(code: int, text: str, history: History) -> None:
    judgement = judge(Failure(code, text, Phase.SETUP), history)
    assert verdict(code, text, Phase.SETUP, history) is NEXT_MODEL
    assert not judgement.quota


def test_an_operation_that_is_not_implemented_can_be_resumed() -> None:
    text = "Operation is not implemented, or supported, or enabled."
    assert verdict(1008, text, Phase.LIVE, LONG_LIFE) is RESUME


# -- key, quota, region ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "text"), DEAD_ENDS)
@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE, replace(WITH_HANDLE, replaying=True)])
def test_what_only_the_owner_can_mend_stops_at_once(code: int, text: str, history: History) -> None:
    assert verdict(code, text, Phase.SETUP, history) is STOP


@pytest.mark.parametrize(("code", "text"), NO_CREDIT)
def test_missing_credit_is_said_by_its_name_and_is_nobodys_quota(code: int, text: str) -> None:
    """No model is any better, and no time is known at which it comes back."""
    judgement = judge(Failure(code, text, Phase.SETUP), ANEW)
    assert (judgement.verdict, judgement.reason, judgement.quota) == (STOP, "billing", False)


@pytest.mark.parametrize(("code", "text"), NO_PROJECT)
def test_a_project_that_may_not_ask_is_told_from_a_wrong_key(code: int, text: str) -> None:
    assert judge(Failure(code, text, Phase.SETUP), ANEW).reason == "access-denied"


def test_a_quota_that_is_named_is_one_whatever_the_sentence() -> None:
    failure = Failure(429, "Slow down.", Phase.HANDSHAKE, 7_000, ("GenerateRequestsPerMinutePerProjectPerModel",))
    judgement = judge(failure, ANEW)
    assert (judgement.verdict, judgement.quota) == (NEXT_MODEL, True)


@pytest.mark.parametrize(("code", "text"), QUOTA)
@pytest.mark.parametrize("history", [ANEW, WITH_HANDLE, LONG_LIFE])
def test_quota_that_is_used_up_gives_way_to_the_next_model(code: int, text: str, history: History) -> None:
    phase = Phase.HANDSHAKE if code == 429 else Phase.SETUP
    judgement = judge(Failure(code, text, phase), history)
    assert verdict(code, text, phase, history) is NEXT_MODEL
    assert judgement.quota


@pytest.mark.parametrize("code", [400, 401, 403])
@pytest.mark.parametrize(
    "text", ["", "UNAUTHENTICATED ACCESS_TOKEN_TYPE_UNSUPPORTED", "INVALID_ARGUMENT API_KEY_INVALID"]
)
def test_a_handshake_refused_for_its_key_stops(code: int, text: str) -> None:
    assert verdict(code, text, Phase.HANDSHAKE, ANEW) is STOP


def test_a_rate_limit_waits_as_long_as_the_provider_says_or_a_minute() -> None:
    told = judge(Failure(429, "", Phase.HANDSHAKE, retry_after_ms=12_000), ANEW)
    untold = judge(Failure(429, "", Phase.HANDSHAKE), ANEW)
    assert (told.verdict, told.wait_ms) == (WAIT, 12_000)
    assert (untold.verdict, untold.wait_ms) == (WAIT, 65_000)


def test_a_rate_limit_that_goes_on_is_waited_for_as_the_ledger_would() -> None:
    now = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    for waits in range(12):
        judgement = judge(Failure(429, "", Phase.HANDSHAKE), History(waits=waits))
        ledger = resets_at(LimitKind.MINUTE, now, refusals=waits + 1) - now
        assert datetime.timedelta(milliseconds=judgement.wait_ms) == ledger


@pytest.mark.parametrize("code", [500, 502, 503, 504])
@pytest.mark.parametrize("text", ["", "UNAVAILABLE The service is currently unavailable.", "<html>Bad Gateway</html>"])
def test_a_provider_that_is_down_is_dialled_again(code: int, text: str) -> None:
    assert verdict(code, text, Phase.HANDSHAKE, WITH_HANDLE) is RESUME


def test_an_unknown_address_is_an_unknown_model() -> None:
    assert verdict(404, "", Phase.HANDSHAKE, ANEW) is NEXT_MODEL


def test_try_again_later_waits() -> None:
    assert verdict(1013, "", Phase.LIVE, LONG_LIFE) is WAIT


# -- what nobody has seen yet ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1002, 1007, 1008, 1011, 1012, 1014, 3000, 4999])
@pytest.mark.parametrize(("history", "expected"), ESCALATION)
def test_an_unknown_text_resumes_then_starts_afresh_then_steps_down_then_stops(
    code: int, history: History, expected: Verdict
) -> None:
    assert verdict(code, "The moon is in the wrong house.", Phase.LIVE, history) is expected


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("code", [0, 200, 302, 418, 1000, 1005, 1007, 1008, 1011, 1015, 9999])
def test_every_failure_has_a_verdict_and_only_quota_counts_as_quota(code: int, phase: Phase) -> None:
    judgement = judge(Failure(code, "", phase), History())
    assert judgement.verdict in Verdict
    assert not judgement.quota


# -- short lives -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1007, 1008, 1011])
def test_a_connection_the_provider_ends_at_once_has_had_a_short_life(code: int) -> None:
    assert is_short_life(Failure(code, "", Phase.LIVE), SHORT_LIFE_MS - 1)
    assert is_short_life(Failure(code, "", Phase.SETUP), 0)
    assert not is_short_life(Failure(code, "", Phase.LIVE), SHORT_LIFE_MS)


def test_neither_the_network_nor_a_refused_handshake_is_a_short_life() -> None:
    assert not is_short_life(Failure(1006, "", Phase.LIVE), 0)
    assert not is_short_life(Failure(0, "timed out", Phase.SETUP), 0)
    assert not is_short_life(Failure(503, "", Phase.HANDSHAKE), 0)
