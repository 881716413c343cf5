"""Who may ask for recordings, and how they are answered: as JSON, in no cache; what is not theirs does not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from sessions_app.auth_tokens.callers import Refused
from sessions_app.models import Recording, RecordingUpload
from sessions_app.recordings import service, uploads
from sessions_app.recordings.parts import ADVISED_PART_BYTES
from sessions_app.services import NotYours
from sessions_app.stored_words import in_words
from sessions_app.throttle import TooManyTries
from sessions_app.throttled import too_many

CONVERSATIONS_TOLD = 50
"""Of one recording, those that it came to last."""

View = Callable[..., HttpResponseBase]


def for_users(*methods: str) -> Callable[[View], View]:
    """A view for users who are logged in. Every refusal is `{"error": {"code", "text"}}`; Django's check against forged
    requests comes before it and answers with its page."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                response = _answer(view, request, methods, *args, **kwargs)
            except Refused as refusal:
                response = refusal.as_response()
            except TooManyTries as refusal:
                refused = Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", str(refusal))
                response = too_many(refused.as_response(), refusal)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            return response

        return answered

    return wrap


def _answer(view: View, request: HttpRequest, methods: tuple[str, ...], *args: Any, **kwargs: Any) -> HttpResponseBase:
    if not request.user.is_authenticated:
        raise Refused(HTTPStatus.UNAUTHORIZED, "not_logged_in", _("Log in first."))
    answered = (*methods, "HEAD") if "GET" in methods else methods
    if request.method not in answered:
        allowed = ", ".join(answered)
        text = _("Only %(methods)s can be asked for here.") % {"methods": allowed}
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "bad_method", text, Allow=allowed)
    try:
        return view(request, *args, **kwargs)
    except service.NoSuchRecording:
        raise Refused(HTTPStatus.NOT_FOUND, "no_such_recording", _("You have no such recording.")) from None
    except uploads.NoSuchUpload:
        raise Refused(HTTPStatus.NOT_FOUND, "no_such_upload", _("You have no such upload. It was cancelled.")) from None
    except NotYours:
        raise Refused(HTTPStatus.NOT_FOUND, "no_such_conversation", _("You have no such conversation.")) from None


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def upload_json(upload: RecordingUpload, status: int = HTTPStatus.OK) -> HttpResponse:
    return JsonResponse(upload_facts(upload), status=status)


def upload_facts(upload: RecordingUpload) -> dict[str, Any]:
    """How far a file is: with its recording when it is done, with a sentence when it was refused."""
    facts: dict[str, Any] = {
        "id": str(upload.pk),
        "name": upload.name,
        "size_bytes": upload.size_bytes,
        "received_bytes": upload.received_bytes,
        "chunk_bytes": ADVISED_PART_BYTES,
        "state": upload.state,
    }
    if upload.state == RecordingUpload.State.REFUSED:
        facts["error"] = {"code": "not_taken", "text": in_words(upload.refusal)}
    if upload.recording is not None:
        facts["recording"] = recording_facts(upload.recording)
    return facts


def recording_facts(recording: Recording) -> dict[str, Any]:
    """A recording as pages get it. `peaks`: the loudest of each of up to 1,000 equal slots, 0 to 255."""
    places = service.places_of([recording], CONVERSATIONS_TOLD)[recording.pk]
    return {
        **listed_facts(recording),
        "sha256": recording.sha256,
        "is_cut": recording.is_cut,
        "note": in_words(recording.note),
        "peaks": list(bytes(recording.peaks)),
        "conversations": [str(conversation.pk) for conversation in reversed(places.shown)],
        "conversation_count": places.count,
    }


def listed_facts(recording: Recording) -> dict[str, Any]:
    """What a list tells of a recording."""
    return {
        "id": str(recording.pk),
        "name": recording.name,
        "media_type": recording.media_type,
        "size_bytes": recording.size_bytes,
        "duration_ms": recording.duration_ms,
        "tokens": recording.tokens,
        "created_at": recording.created_at.isoformat(),
        "sound": reverse("recording-sound", args=[recording.pk]),
        "page": reverse("file", args=[recording.pk]),
    }
