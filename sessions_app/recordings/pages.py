"""The pages `/files/`: what a user has uploaded, each recording by itself, and what can be done with it.

A stranger gets 404.
"""

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
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.models import Recording, RecordingWork
from sessions_app.recordings import service, uploads
from sessions_app.recordings.google_files import NOT_LET_GO, copy_of, let_go_at_google, shown_copy
from sessions_app.recordings.naming import NameForm
from sessions_app.recordings.passages import page_at, passage_page
from sessions_app.recordings.replies import user_of
from sessions_app.recordings.service import Places
from sessions_app.throttle import DELETION
from sessions_app.throttled import is_post, throttled
from sessions_app.user_settings.service import history_days_of

PAGE_SIZE = 25
PLACES_IN_THE_LIST = 3
PLACES_ON_ITS_PAGE = 50
"""Conversations of one recording that are named; the others are counted."""

NEARLY_ALL_MS = 60_000
"""What may be missing of a recording that was heard to its end: the last piece is as long as the sound in it."""

NEARLY_FULL = 0.9
"""The share of a quota from which its bar says so."""

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list."""

    recording: Recording
    places: Places


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
    places = service.places_of(recordings, PLACES_IN_THE_LIST)
    context = {
        "entries": [Entry(recording, places[recording.pk]) for recording in recordings],
        "page": page,
        "limits": limits,
        "holdings": service.holdings_of(user),
        "quota_high": int(limits.user_bytes * NEARLY_FULL),
        "uploads": uploads.uploads_of(user),
        "history_days": history_days_of(user.pk),
        "section": "files",
    }
    return render(request, "recordings/files.html", context)


@require_safe
@for_its_owner
def recording_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One recording: its sound, what was made out of it, where it is and until when."""
    recording = service.get_recording_for(user_of(request), id)
    places = service.places_of([recording], PLACES_ON_ITS_PAGE)[recording.pk]
    work = RecordingWork.objects.filter(recording=recording).first()
    context = {
        "recording": recording,
        "work": work,
        "is_heard_in_part": work is not None and recording.duration_ms - work.done_ms > NEARLY_ALL_MS,
        "passages": passage_page(work.segments if work else (), _number(request, "passages", 1)),
        "places": places,
        "keeping": service.keeping_of(recording, places),
        "copy": shown_copy(recording, copy_of(recording)),
        "limits": service.limits_of_the_server(),
        "section": "files",
    }
    return render(request, "recordings/recording.html", context)


@require_safe
@for_its_owner
def passages(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A page of the transcript alone, for scripts: `?page=`, or `?at=`, the time of a passage in ms."""
    recording = service.get_recording_for(user_of(request), id)
    segments = RecordingWork.objects.filter(recording=recording).values_list("segments", flat=True).first() or ()
    number = page_at(segments, _number(request, "at", 0)) if "at" in request.GET else _number(request, "page", 1)
    context = {"recording": recording, "passages": passage_page(segments, number)}
    return render(request, "recordings/_passages.html", context)


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    asked = request.GET.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else otherwise


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
def rename(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Gives a recording a name of the user's own."""
    recording = service.get_recording_for(user_of(request), id)
    form = NameForm(request.POST or None, initial={"name": recording.name})
    if request.method == "POST" and form.is_valid():
        service.rename(user_of(request), id, form.cleaned_data["name"])
        messages.success(request, _("The name was changed."))
        return redirect("file", id)
    return render(request, "recordings/rename.html", {"form": form, "recording": recording, "section": "files"})


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
@throttled(DELETION, is_post)
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Asks, and deletes on POST."""
    recording = service.get_recording_for(user_of(request), id)
    if request.method == "POST":
        service.delete(user_of(request), id)
        messages.success(request, _("The recording was deleted."))
        return redirect("files")
    count = service.places_of([recording], 0)[recording.pk].count
    return render(request, "recordings/delete.html", {"recording": recording, "count": count, "section": "files"})


@require_POST
@for_its_owner
@throttled(DELETION)
def delete_at_google(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Has the copy at the provider deleted before its time; here the recording stays."""
    if let_go_at_google(service.get_recording_for(user_of(request), id)):
        messages.success(request, _("The copy at Google was deleted."))
    else:
        messages.error(request, NOT_LET_GO)
    return redirect("file", id)
