"""Recordings over HTTP, for the scripts of pages: files come in parts, what they are is told, conversations get them.

What each takes and gives: `docs/recordings.md`.
"""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from sessions_app import throttle_rows
from sessions_app.auth_tokens.callers import Refused
from sessions_app.models import RecordingUpload
from sessions_app.recordings import checking, limits, service, uploads
from sessions_app.recordings.google_files import NOT_LET_GO, let_go_at_google
from sessions_app.recordings.parts import BadPart, part_in
from sessions_app.recordings.refusals import GONE
from sessions_app.recordings.replies import (
    for_users,
    listed_facts,
    recording_facts,
    upload_facts,
    upload_json,
    user_of,
)
from sessions_app.throttle import DELETION, UPLOADS, Scope

BODY_LIMIT_BYTES = 4 * 1024
LISTED_AT_ONCE = 50

LARGEST_NUMBER = 2**53 - 1
"""The largest number that scripts of pages have exactly."""


@for_users("POST", "GET")
def uploads_view(request: HttpRequest) -> HttpResponseBase:
    """POST announces a file; GET tells which are on their way."""
    user = user_of(request)
    if request.method != "POST":
        return JsonResponse({"uploads": [upload_facts(each) for each in uploads.uploads_of(user)]})
    wish = _body(request)
    name, size_bytes, is_kept = wish.get("name"), wish.get("size_bytes"), wish.get("keep", False)
    modified_ms = wish.get("modified_ms")
    if not isinstance(name, str) or type(size_bytes) is not int or not isinstance(is_kept, bool):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", 'Send {"name": text, "size_bytes": number}.')
    if size_bytes > LARGEST_NUMBER:
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "size_bytes is the size of a file.")
    if modified_ms is not None and not (type(modified_ms) is int and 0 <= modified_ms <= LARGEST_NUMBER):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "modified_ms is the time of a file's last change.")
    throttle_rows.take(UPLOADS, {Scope.ACCOUNT: str(user.pk)}, user)
    try:
        upload = uploads.begin(user, name, size_bytes, is_kept, modified_ms)
    except limits.OverLimit as refusal:
        raise Refused(_STATUSES.get(refusal.reason, HTTPStatus.CONFLICT), refusal.reason, str(refusal)) from None
    except OSError:
        raise _no_room() from None
    return upload_json(upload, HTTPStatus.CREATED)


_STATUSES = {
    limits.Reason.SWITCHED_OFF: HTTPStatus.FORBIDDEN,
    limits.Reason.EMPTY: HTTPStatus.BAD_REQUEST,
    limits.Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


@for_users("GET", "PUT", "DELETE")
def upload_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """GET tells how far a file is, PUT brings the next part of it, DELETE gives it up."""
    user = user_of(request)
    if request.method == "DELETE":
        uploads.cancel(user, id)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    upload = uploads.get_upload_for(user, id)
    if request.method == "PUT":
        upload = _take_part(request, upload)
        if upload.state == RecordingUpload.State.CHECKING:
            checking.enqueue(upload)
            return upload_json(upload, HTTPStatus.ACCEPTED)
    return upload_json(upload)


def _take_part(request: HttpRequest, upload: RecordingUpload) -> RecordingUpload:
    said = (request.headers.get("Content-Range", ""), request.headers.get("Content-Length", ""))
    try:
        part = part_in(*said, upload.size_bytes)
        return uploads.receive(user_of(request), upload.pk, part, request)
    except BadPart as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_part", str(error)) from None
    except (uploads.Incomplete, RawPostDataException):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_part", _("The part is not as long as it says.")) from None
    except uploads.WrongPlace:
        raise _Elsewhere("wrong_place", _("The file goes on elsewhere."), upload) from None
    except uploads.Busy:
        raise _Elsewhere("busy", _("A part of this file is being written."), upload) from None
    except uploads.Lost:
        raise Refused(HTTPStatus.GONE, "lost", _(GONE)) from None
    except OSError:
        raise _no_room() from None


class _Elsewhere(Refused):
    """A part that cannot be taken now, with where the file goes on."""

    def __init__(self, code: str, text: str, upload: RecordingUpload) -> None:
        super().__init__(HTTPStatus.CONFLICT, code, text)
        self._upload = upload

    def as_response(self) -> HttpResponse:
        self._upload.refresh_from_db(fields=["received_bytes", "state"])
        error = {"code": self.code, "text": str(self)}
        at = {"received_bytes": self._upload.received_bytes, "state": self._upload.state}
        return JsonResponse({"error": error, **at}, status=self.status)


def _no_room() -> Refused:
    return Refused(HTTPStatus.INSUFFICIENT_STORAGE, "no_room", _("The server has no room for this file at the moment."))


@for_users("GET")
def recordings_view(request: HttpRequest) -> HttpResponseBase:
    """What a user has, newest first, in pages; the page number beyond the last gives the last."""
    page = Paginator(service.recordings_of(user_of(request)), LISTED_AT_ONCE).get_page(request.GET.get("page"))
    listed = [listed_facts(recording) for recording in page]
    return JsonResponse({"recordings": listed, "page": page.number, "pages": page.paginator.num_pages})


@for_users("GET", "DELETE")
def recording_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """What a recording is; DELETE deletes it, wherever it is attached."""
    user = user_of(request)
    if request.method == "DELETE":
        service.delete(user, id)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return JsonResponse(recording_facts(service.get_recording_for(user, id)))


@for_users("DELETE")
def at_google_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """Has the copy at the provider deleted before its time. Here the recording stays, and it is uploaded again when
    somebody asks about it."""
    user = user_of(request)
    recording = service.get_recording_for(user, id)
    throttle_rows.take(DELETION, {Scope.ACCOUNT: str(user.pk)}, user)
    if not let_go_at_google(recording):
        raise Refused(HTTPStatus.CONFLICT, "not_deleted", str(NOT_LET_GO))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@for_users("POST")
def attach_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """Makes a recording part of a conversation of its user; again is as good as once."""
    try:
        service.attach(user_of(request), id, _conversation_in(request))
    except service.TooManyAttached as refusal:
        raise Refused(HTTPStatus.CONFLICT, "too_many_attached", str(refusal)) from None
    return JsonResponse(recording_facts(service.get_recording_for(user_of(request), id)))


@for_users("POST")
def detach_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """Takes a recording out of a conversation; it stays in the user's files."""
    service.detach(user_of(request), id, _conversation_in(request))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _conversation_in(request: HttpRequest) -> uuid.UUID:
    """Raises `Refused`."""
    try:
        return uuid.UUID(_body(request).get("conversation", ""))
    except (ValueError, AttributeError, TypeError):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", 'Send {"conversation": id}.') from None


def _body(request: HttpRequest) -> dict[str, Any]:
    """What was sent, parsed. Raises `Refused`."""
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > BODY_LIMIT_BYTES:
        text = f"A request has {BODY_LIMIT_BYTES // 1024} KiB at most."
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)
    try:
        wish = json.loads(request.body)
    except (ValueError, RecursionError, RawPostDataException):
        wish = None
    if not isinstance(wish, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "The request is no JSON object.")
    return wish
