"""What to do when a connection to the provider ends, or does not come about.

One pure function turns what the provider said into a verdict. The code alone never decides: 1007, 1008 and 1011
each carry both "resume" and "give up" meanings, so the text is matched first, then the phase and the record of the
connections before it. The provider cuts texts at 123 bytes, hence the short needles.

The texts and the reactions to them are those of the Live API as observed; `tests/live/test_failures.py` holds them all.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from energy.quota import untold_wait
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.machine.token_refusals import is_about_token

SHORT_LIFE_MS = 5_000
"""A connection that the provider ends sooner than this counts as a short life."""

TRY_LATER_WAIT_MS = 5_000

LINGER_MS = 5_000
"""The session of a lost connection may refuse to be resumed for a while: a second as reported, and some more."""

GUESS_AFTER_MS = 10_000
"""Faults that say nothing certain count against the model once they have gone on for so long: some come in bursts."""


class Phase(StrEnum):
    """How far a connection had come when it ended. MINTING: it was not dialled yet, for want of a token."""

    MINTING = "minting"
    HANDSHAKE = "handshake"
    SETUP = "setup"
    LIVE = "live"


class Verdict(StrEnum):
    """What the state machine should do next."""

    RESUME = "resume"
    FRESH = "fresh"
    NEXT_MODEL = "next_model"
    WAIT = "wait"
    STRIP_FIELD = "strip_field"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of one connection, or of one attempt at it.

    `code` is the WebSocket close code, an HTTP status when the handshake was refused, or 0 when there was neither
    (refused, timed out, no route). `text` is the reason as the provider gave it, possibly cut or empty.
    `retry_after_ms`: how long it asks to be left alone, if it does. `quotas`: ids and metrics of the quotas that it
    says were exceeded. `by_token`: the connection was dialled with an ephemeral token, not with the key.
    """

    code: int
    text: str
    phase: Phase
    retry_after_ms: int | None = None
    quotas: tuple[str, ...] = ()
    by_token: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What the state machine knows of the connections before this failure.

    `handle_used`: the connection was set up with a resumption handle. `seeded`: it was given context as initial
    history. `replaying`: input held back before was being sent when it ended. `alive_ms`: how long it was live.
    `short_lives`: connections in a row, this one included, that ended before they proved stable. `faults_ms`: since the
    first of those ended. `waits`: how often in a row it was waited for a limit to be over. `refused_ms`: since a set-up
    was refused first after the last connection that was live was cut; None where none was. `left_out`: fields that the
    set-up did without. `on_trial`: fields of it that say what the user has chosen, and that the provider has not taken
    yet, the most suspect first. `has_guessed`: another model was tried on a guess, and serves no better.
    """

    handle_used: bool = False
    seeded: bool = False
    replaying: bool = False
    alive_ms: int = 0
    short_lives: int = 0
    faults_ms: int = 0
    waits: int = 0
    refused_ms: int | None = None
    left_out: frozenset[str] = frozenset()
    on_trial: tuple[str, ...] = ()
    has_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the reason in a word for logs and pages, and what goes with it.

    `quota` is true only for a confirmed verdict about quota: nothing else may lower an energy level as if it were.
    `field` names the set-up field to leave out (STRIP_FIELD). `wait_ms` is how long to wait (WAIT).
    `drop_audio`: the audio that was replayed is the likely cause and must not be sent again. `is_guess`: the next
    model is tried, or nothing any more, for want of anything better, and not because something was said of this
    one. `may_pass`: it is no sign of anything while it is expected to be over soon.
    """

    verdict: Verdict
    reason: str
    quota: bool = False
    field: str = ""
    wait_ms: int = 0
    drop_audio: bool = False
    is_guess: bool = False
    may_pass: bool = False


def is_short_life(failure: Failure, alive_ms: int) -> bool:
    """Whether the provider itself ended a connection that had hardly begun.

    A network fault is none of its doing, and a token that it does not take says nothing of the session.
    """
    had_begun = failure.phase in (Phase.SETUP, Phase.LIVE) and failure.code not in _NETWORK_CODES
    return had_begun and alive_ms < SHORT_LIFE_MS and not is_token_refusal(failure)


def is_of_the_network(failure: Failure) -> bool:
    """Whether the connection was lost on the way, without a word of the provider."""
    return failure.code in _NETWORK_CODES


def is_token_refusal(failure: Failure) -> bool:
    """Whether the provider does not take the token that it was dialled with: another one may do.

    It may be too old or too new, used up, or made for something else; what the provider calls a wrong key is then the
    token as well, for it was made with the key a moment ago.
    """
    text = failure.text.lower()
    if is_about_token(text, failure.by_token):
        return True
    if not failure.by_token:
        return False
    reason = _stop_reason_in(text)
    is_refused_upgrade = failure.phase is Phase.HANDSHAKE and failure.code in _REFUSED_STATUSES
    return reason == BAD_KEY or (is_refused_upgrade and not reason and not _tells_quota(text, failure))


INITIAL_HISTORY_FIELD = "historyConfig"
LANGUAGE_HINT_FIELD = "languageCodes"
COMPRESSION_FIGURES_FIELD = "triggerTokens"
TURN_TAKING_FIELD = "realtimeInputConfig"
SPEECH_FIELD = "speechConfig"
COMPRESSION_FIELD = "contextWindowCompression"
RESUMPTION_FIELD = "sessionResumption"
TRANSPARENT_FIELD = "transparent"

BAD_KEY = "bad-key"
OF_A_PLACE = frozenset({StateReason.ACCESS_DENIED, StateReason.BAD_KEY, StateReason.BILLING, StateReason.REGION})
"""Reasons to stop that are about who asks: at another place that is another account."""

_REFUSED_STATUSES = (400, 401, 403)

_FIELDS: Mapping[str, tuple[str, ...]] = {
    SPEECH_FIELD: ("speechconfig", "voiceconfig", "voicename", "speakervoice", "extractvoices"),
    "thinkingConfig": ("thinkingconfig", "thinkinglevel"),
    INITIAL_HISTORY_FIELD: ("historyconfig", "initialhistory"),
    COMPRESSION_FIGURES_FIELD: ("triggertoken", "targettoken"),
    COMPRESSION_FIELD: ("contextwindowcompression", "slidingwindow"),
    TURN_TAKING_FIELD: (
        *("realtimeinputconfig", "automaticactivitydetection", "activityhandling", "silenceduration"),
        *("startofspeech", "startsensitivity", "endofspeech", "endsensitivity"),
    ),
    LANGUAGE_HINT_FIELD: ("languagecode",),
    "inputAudioTranscription": ("inputaudiotranscription",),
    "outputAudioTranscription": ("outputaudiotranscription",),
    TRANSPARENT_FIELD: ("transparent",),
    RESUMPTION_FIELD: ("sessionresumption",),
}
"""The fields of our set-up that a session can do without, and what a refusal calls them, in small letters and without
underscores and blanks: themselves, or what stands in them. What stands in another one goes before it."""

_UNKNOWN_NAME = re.compile(r'unknown name "(?P<field>[^"]+)"', re.IGNORECASE)

_STOP_TEXTS: tuple[tuple[str, str], ...] = (
    ("api key not valid", BAD_KEY),
    ("api_key_invalid", BAD_KEY),
    ("access_token_type_unsupported", BAD_KEY),
    ("api key expired", BAD_KEY),
    ("api key not found", BAD_KEY),
    ("unregistered callers", BAD_KEY),
    ("denied access", "access-denied"),
    ("denied on resource", "access-denied"),
    ("not found or deleted", "access-denied"),
    ("has not been used in project", "access-denied"),
    ("service_disabled", "access-denied"),
    ("consumer_invalid", "access-denied"),
    ("consumer_suspended", "access-denied"),
    ("iam_permission_denied", "access-denied"),
    ("user location is not supported", "region"),
    ("credits are depleted", "billing"),
    ("billing account", "billing"),
    ("billing_disabled", "billing"),
    ("billing is disabled", "billing"),
    ("billing to be enabled", "billing"),
    ("spending cap", "billing"),
    ("spend cap", "billing"),
)

_WRONG_REQUEST_TEXTS = (
    "response modalities (text)",
    "text output is not supported",
    "thinking level must be specified",
    "response_schema not supported",
    "not supported in the live api",
    "no matching speaker voice",
    "audio content type",
    "cannot extract voices",
    "failed to parse wav audio",
    "unknown name",
)

_QUOTA_TEXTS = (
    "exceeded your current quota",
    "resource has been exhausted",
    "resource exhausted",
    "resource_exhausted",
)

_MODEL_TEXTS = ("is not found for api version", "not supported for bidigeneratecontent", "publisher model")

_UNFIT_MODEL_TEXTS = ("response modalities (audio)",)

_DEAD_HANDLE_TEXTS = ("session not found", "session expired", "invalid session handle")

_RESET_TEXTS = (
    "operation was aborted",
    "failed to close the connection after receiving a goaway",
    "deadline expired",
    "failed to run inference",
    "thread was cancelled",
    "operation was cancelled",
    "operation is not implemented",
    "going away",
)

_NETWORK_TEXTS = ("keepalive ping timeout", "abnormal closure")

_PROVIDER_FAULT_TEXTS = ("internal error", "service is currently unavailable", "overloaded")

_RESET_CODES = (1000, 1001)

_NETWORK_CODES = (0, 1006)


def judge(failure: Failure, history: History) -> Judgement:
    """Say what a failure means. Pure: the same arguments always give the same answer."""
    text = failure.text.lower()
    return (
        _judge_by_minting(text, failure, history)
        or _judge_by_token(failure)
        or _judge_by_refusal_text(text, failure)
        or _judge_by_field(text, failure, history)
        or _judge_by_dead_handle(text)
        or _judge_by_choices(text, failure, history)
        or _judge_by_lingering_session(failure, history)
        or _judge_by_missing_entity(text, failure, history)
        or _judge_by_invalid_argument(text, failure, history)
        or _judge_by_http_status(failure, history)
        or _judge_by_interruption(text, failure, history)
        or _escalate(history, "unknown")
    )


def _judge_by_minting(text: str, failure: Failure, history: History) -> Judgement | None:
    """There is no token to dial with. Quota that was met here is that of minting, and says nothing of the model."""
    if failure.phase is not Phase.MINTING:
        return None
    if reason := _stop_reason_in(text):
        return Judgement(Verdict.STOP, reason)
    if failure.code == 429 or _tells_quota(text, failure):
        return _wait_for_rate(failure, history)
    if failure.code in (401, 403):
        return Judgement(Verdict.STOP, BAD_KEY)
    if 400 <= failure.code < 500:
        return Judgement(Verdict.RESUME, "token-refused")
    return Judgement(Verdict.RESUME, "provider-unavailable")


def _judge_by_token(failure: Failure) -> Judgement | None:
    """A token that is not taken: the next dial has another one, and the session is there as it was."""
    return Judgement(Verdict.RESUME, "token-refused") if is_token_refusal(failure) else None


def _stop_reason_in(text: str) -> str:
    """Why trying again is useless, by a text in small letters that says so by itself; empty when it does not."""
    return next((reason for needle, reason in _STOP_TEXTS if needle in text), "")


def _tells_quota(text: str, failure: Failure) -> bool:
    return bool(failure.quotas) or any(needle in text for needle in _QUOTA_TEXTS)


def _judge_by_refusal_text(text: str, failure: Failure) -> Judgement | None:
    """Texts that say by themselves that trying again unchanged is useless."""
    if reason := _stop_reason_in(text):
        return Judgement(Verdict.STOP, reason)
    if _tells_quota(text, failure):
        return Judgement(Verdict.NEXT_MODEL, "quota", quota=True)
    if any(needle in text for needle in _MODEL_TEXTS):
        return Judgement(Verdict.NEXT_MODEL, "unknown-model")
    if any(needle in text for needle in _UNFIT_MODEL_TEXTS):
        return Judgement(Verdict.NEXT_MODEL, "unfit-model")
    return None


def _judge_by_field(text: str, failure: Failure, history: History) -> Judgement | None:
    """A refusal that names something of the set-up: it is left out, once. Else another model may take what we send."""
    unknown_name = _UNKNOWN_NAME.search(failure.text)
    is_wrong_request = any(needle in text for needle in _WRONG_REQUEST_TEXTS)
    if not (unknown_name or is_wrong_request or (failure.code == 1007 and failure.phase is not Phase.LIVE)):
        return None
    field = _field_in(text, history.left_out) or (unknown_name["field"] if unknown_name else "")
    if field and field not in history.left_out:
        return Judgement(Verdict.STRIP_FIELD, "unknown-field" if unknown_name else "refused-field", field=field)
    return _try_another_model(history) if field or is_wrong_request else None


def _judge_by_choices(text: str, failure: Failure, history: History) -> Judgement | None:
    """A refusal that names nothing, of a set-up with something in it that the user has just chosen.

    So answered were figures for compression that others have sent for long (pipecat 4560). Before the handle, the
    history or the model is blamed, and lost, the session does without what is new.
    """
    names_nothing = failure.code == 1007 and failure.phase is Phase.SETUP and not _names_missing(text)
    field = next((field for field in history.on_trial if field not in history.left_out), "")
    if not field or not names_nothing:
        return None
    return Judgement(Verdict.STRIP_FIELD, "refused-field", field=field)


def _names_missing(text: str) -> bool:
    return "must be specified" in text


def _field_in(text: str, left_out: frozenset[str]) -> str:
    """The field of our set-up that a refusal, in small letters, is about; empty when it names none.

    Of several it is the first that was not left out yet. That a thinking level is missing is none of them: to leave it
    out is what was wrong.
    """
    if _names_missing(text):
        return ""
    spelled = text.replace("_", "").replace(" ", "")
    named = [field for field, names in _FIELDS.items() if any(name in spelled for name in names)]
    return next((field for field in named if field not in left_out), next(iter(named), ""))


def _try_another_model(history: History) -> Judgement:
    """A request that is refused as it stands; when two models refuse it, it is ours that is wrong."""
    if history.has_guessed:
        return Judgement(Verdict.STOP, "bad-request")
    return Judgement(Verdict.NEXT_MODEL, "bad-request", is_guess=True)


def _judge_by_dead_handle(text: str) -> Judgement | None:
    if any(needle in text for needle in _DEAD_HANDLE_TEXTS):
        return Judgement(Verdict.FRESH, "handle-dead")
    return None


def _judge_by_lingering_session(failure: Failure, history: History) -> Judgement | None:
    """A resume that is refused after a cut: for the provider the old connection may still be open for a while.

    The while begins with the first refusal, not with the cut: until then the way to the provider may have been at
    fault, or this machine slow. The provider then answers 1011, as reported (sip-to-ai and adk-streaming-guide, 2026);
    any refusal that does not say that the handle is dead may be this one.
    """
    is_soon = history.refused_ms is not None and history.refused_ms < LINGER_MS
    if history.handle_used and is_soon and is_refused_setup(failure):
        return Judgement(Verdict.RESUME, "session-lingers", may_pass=True)
    return None


def is_refused_setup(failure: Failure) -> bool:
    """Whether the provider itself ended a connection instead of completing its set-up, and not for being busy."""
    is_refused = failure.phase is Phase.SETUP and failure.code >= 1000 and failure.code not in (1006, 1013)
    return is_refused and not is_token_refusal(failure)


def _judge_by_missing_entity(text: str, failure: Failure, history: History) -> Judgement | None:
    if "requested entity was not found" in text:
        if history.handle_used and failure.phase is not Phase.LIVE:
            return Judgement(Verdict.FRESH, "handle-dead")
        if failure.phase is not Phase.LIVE:
            return Judgement(Verdict.NEXT_MODEL, "unknown-model")
        return _escalate(history, "not-found")
    return None


def _judge_by_invalid_argument(text: str, failure: Failure, history: History) -> Judgement | None:
    """The catch-all 1007: a refused handle, a refused seed, or stale audio sent into a resumed session."""
    if "invalid argument" not in text and failure.code != 1007:
        return None
    if history.replaying and failure.phase is Phase.LIVE:
        return Judgement(Verdict.RESUME, "replay-refused", drop_audio=True)
    if failure.phase is Phase.LIVE and not history.seeded:
        return _escalate(history, "invalid-argument")
    if history.handle_used:
        return Judgement(Verdict.FRESH, "handle-refused")
    if history.seeded:
        return Judgement(Verdict.STRIP_FIELD, "seed-refused", field=INITIAL_HISTORY_FIELD)
    if failure.phase is Phase.LIVE:
        return _escalate(history, "invalid-argument")
    return _try_another_model(history)


def _judge_by_http_status(failure: Failure, history: History) -> Judgement | None:
    """The WebSocket upgrade itself was answered with an HTTP status."""
    if failure.code == 429:
        return _wait_for_rate(failure, history)
    if failure.code in _REFUSED_STATUSES:
        return Judgement(Verdict.STOP, BAD_KEY)
    if failure.code == 404:
        return Judgement(Verdict.NEXT_MODEL, "unknown-model")
    if 500 <= failure.code < 600:
        return Judgement(Verdict.RESUME, "provider-unavailable")
    return None


def _wait_for_rate(failure: Failure, history: History) -> Judgement:
    untold_ms = untold_wait(history.waits + 1) // datetime.timedelta(milliseconds=1)
    return Judgement(Verdict.WAIT, "rate-limit", wait_ms=failure.retry_after_ms or untold_ms)


def _judge_by_interruption(text: str, failure: Failure, history: History) -> Judgement | None:
    """Ordinary ends of a connection: the session lives on, and the handle is good."""
    if failure.code == 1013:
        return Judgement(Verdict.WAIT, "try-later", wait_ms=failure.retry_after_ms or TRY_LATER_WAIT_MS)
    if failure.code in _NETWORK_CODES or any(needle in text for needle in _NETWORK_TEXTS):
        return Judgement(Verdict.RESUME, "network")
    if any(needle in text for needle in _RESET_TEXTS) or failure.code in _RESET_CODES:
        return _resume_unless_handle_is_suspect(history, failure)
    if any(needle in text for needle in _PROVIDER_FAULT_TEXTS):
        return _escalate(history, "provider-fault")
    return None


def _resume_unless_handle_is_suspect(history: History, failure: Failure) -> Judgement:
    """Resumed sessions that are closed at once, or before they are set up, twice: the handle is the cause."""
    if history.handle_used and history.short_lives >= 2 and failure.phase is not Phase.HANDSHAKE:
        return Judgement(Verdict.FRESH, "handle-suspect")
    return Judgement(Verdict.RESUME, "connection-reset")


def _escalate(history: History, reason: str) -> Judgement:
    """Resume, then fresh, then the next model, then stop: for faults that say nothing certain."""
    if history.short_lives <= 1:
        return Judgement(Verdict.RESUME, reason)
    if history.short_lives == 2 or history.faults_ms < GUESS_AFTER_MS:
        return Judgement(Verdict.FRESH, reason)
    if not history.has_guessed:
        return Judgement(Verdict.NEXT_MODEL, reason, is_guess=True)
    return Judgement(Verdict.STOP, reason, is_guess=True)
