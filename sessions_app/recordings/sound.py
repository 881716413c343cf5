"""The sound of a recording over HTTP, whole or a part of it, as players ask. Never in memory as a whole."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from sessions_app.auth_tokens.callers import Refused
from sessions_app.models import Recording
from sessions_app.recordings import service
from sessions_app.recordings.replies import for_users, user_of
from sessions_app.voice_samples.byte_ranges import NoSuchPart, part_of

PIECE_BYTES = 128 * 1024
KEPT_S = 24 * 3600
"""By browsers. What an address leads to never changes."""


@for_users("GET")
def sound_view(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """The bytes as they are kept, to be played and to be saved, and never to be shown as a page."""
    recording = service.get_recording_for(user_of(request), id)
    etag = f'"{recording.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={KEPT_S}",
        "Content-Disposition": content_disposition_header(True, recording.name) or "attachment",
        "ETag": etag,
    }
    try:
        part = part_of(request.headers.get("Range", ""), recording.size_bytes)
    except NoSuchPart:
        headers["Content-Range"] = f"bytes */{recording.size_bytes}"
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    nothing_yet = HttpResponse(headers=headers)
    if (answer := get_conditional_response(request, etag=etag, response=nothing_yet)) is not nothing_yet:
        return cast(HttpResponse, answer)
    if part is None or request.headers.get("If-Range", etag) != etag:
        part, status = range(recording.size_bytes), HTTPStatus.OK
    else:
        status = HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{recording.size_bytes}"
    headers["Content-Length"] = str(len(part))
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=recording.media_type, headers=headers)
    if not service.has_sound(recording):
        raise Refused(HTTPStatus.NOT_FOUND, "gone", _("The sound of this recording is gone."))
    return StreamingHttpResponse(_pieces(recording, part), recording.media_type, status, headers=headers)


async def _pieces(recording: Recording, part: range) -> AsyncIterator[bytes]:
    """Asynchronous, because Django would collect a plain iterator before it sends anything."""
    file = await asyncio.to_thread(service.open_sound, recording)
    try:
        await asyncio.to_thread(file.seek, part.start)
        left = len(part)
        while left and (piece := await asyncio.to_thread(file.read, min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
    finally:
        file.close()
