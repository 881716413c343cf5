"""The pages `/files/`: what a user has uploaded, where it is attached, and deleting it. A stranger gets 404."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app.models import Conversation, Recording
from sessions_app.recordings import service, uploads
from sessions_app.recordings.replies import user_of
from sessions_app.throttle import DELETION
from sessions_app.throttled import is_post, throttled

PAGE_SIZE = 25
NEARLY_FULL = 0.9
"""The share of a quota from which its bar says so."""

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list."""

    recording: Recording
    conversations: list[Conversation]


def for_its_owner(view: View) -> View:
    """For users who are logged in, and kept in no cache; what is not theirs does not exist."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except service.NoSuchRecording:
            raise Http404 from None

    return guarded


@require_safe
@for_its_owner
def files(request: HttpRequest) -> HttpResponse:
    """Newest first; the page number beyond the last gives the last."""
    user, limits = user_of(request), service.limits_of_the_server()
    page = Paginator(service.recordings_of(user), PAGE_SIZE).get_page(request.GET.get("page"))
    recordings = list(page)
    conversations = service.conversations_of(recordings)
    context = {
        "entries": [Entry(recording, conversations[recording.pk]) for recording in recordings],
        "page": page,
        "limits": limits,
        "holdings": service.holdings_of(user),
        "quota_high": int(limits.user_bytes * NEARLY_FULL),
        "uploads": uploads.uploads_of(user),
        "section": "files",
    }
    return render(request, "recordings/files.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
@throttled(DELETION, is_post)
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Asks, and deletes on POST."""
    recording = service.get_recording_for(user_of(request), id)
    if request.method == "POST":
        service.delete(user_of(request), id)
        messages.success(request, "The recording was deleted.")
        return redirect("files")
    conversations = service.conversations_of([recording])[recording.pk]
    context = {"recording": recording, "conversations": conversations, "section": "files"}
    return render(request, "recordings/delete.html", context)
