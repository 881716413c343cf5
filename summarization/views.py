"""The history: the list with its search, one conversation, and what can be done with it; the list of text chats. A
stranger gets 404."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.recordings.service import NoSuchRecording, get_recording_for, has_files_page
from sessions_app.services import NotYours, get_chat_for
from sessions_app.throttle import DELETION, EXPORT, SEARCH
from sessions_app.throttled import is_post, throttled
from sessions_app.user_settings.service import history_days_of
from summarization import chats, export, history, recordings, services
from summarization.forms import QUERY_LIMIT_CHARACTERS, FilterForm, TitleForm
from summarization.found_files import FoundFiles, find_files
from summarization.models import SummaryState
from summarization.passages import has_hit
from summarization.search_words import words_of

PAGE_SIZE = 25

View = Callable[..., HttpResponse]


def for_its_owner(view: View) -> View:
    """For users who are logged in, and kept in no cache; what is not theirs does not exist: raises Http404."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except NotYours:
            raise Http404 from None
        add_never_cache_headers(response)
        return response

    return cast(View, guarded)


def is_search(request: HttpRequest) -> bool:
    """Whether words are looked for, which goes through everything that was said."""
    return bool(request.GET.get("q"))


@require_safe
@for_its_owner
@throttled(SEARCH, is_search)
def history_page(request: HttpRequest) -> HttpResponse:
    """The conversations of a user; the page number beyond the last gives the last."""
    user = _user(request)
    form = FilterForm(request.GET, models=history.models_of(user))
    filters = form.filters()
    found = history.NOTHING if form.is_search_refused else history.find(user, filters)
    page: Page[history.Entry] = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "found": found,
        "page": page,
        "query": query.urlencode(),
        "words": form.data.get("q", "") if filters.words else "",
        "files": _files(user, filters) if page.number == 1 else None,
        "has_files": has_files_page(user),
        "can_delete_all": bool(page.paginator.count) or history.count_deletable_recordings(user) > 0,
        "history_days": partial(history_days_of, user.pk),  # asked for where there is nothing to show alone
        "section": "history",
    }
    return render(request, "summarization/history.html", context)


@require_safe
@for_its_owner
def conversation_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One conversation: what was said, what it came to, and what its line went through."""
    return _show(request, id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
def rename(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Gives a conversation of the history a title of the user's own. Raises Http404 until it is in there."""
    record = history.read(_user(request), id)
    if record.summary is None:
        raise Http404
    form = TitleForm(request.POST or None, initial={"title": record.title})
    if request.method == "POST" and form.is_valid():
        services.rename(_user(request), id, form.cleaned_data["title"])
        messages.success(request, _("The title was changed."))
        return redirect("conversation", id)
    context = {"form": form, "record": record, "section": "history"}
    return render(request, "summarization/rename.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
@throttled(DELETION, is_post)
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Asks, and deletes on POST; refuses while a page has the conversation open, whose words have to go somewhere."""
    if request.method == "POST":
        try:
            history.delete(_user(request), id)
        except history.StillOpen:
            messages.error(
                request,
                _(
                    "This conversation is open in a page right now, so it was not deleted. "
                    "Hang up or close that page, wait half a minute, then delete it."
                ),
            )
            return _show(request, id, HTTPStatus.CONFLICT)
        messages.success(request, _("The conversation was deleted."))
        return redirect("history")
    context = {"record": history.read(_user(request), id), "section": "history"}
    return render(request, "summarization/delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
@throttled(DELETION, is_post)
def delete_all(request: HttpRequest) -> HttpResponse:
    """States how many conversations and recordings no page has open, and deletes them on POST."""
    user = _user(request)
    count, loose = history.count_deletable(user), history.count_deletable_recordings(user)
    what = _counted(count, loose)
    if request.method == "POST":
        services.delete_all(user)
        messages.success(request, _deleted(what, count + loose))
        return redirect("history")
    context = {"count": count, "recordings": loose, "what": what, "section": "history"}
    return render(request, "summarization/delete_all.html", context)


@require_POST
@for_its_owner
def summarise(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Asks for the summary again; one that is on its way is left to come."""
    summary = history.read(_user(request), id).summary
    if summary is not None and summary.state != SummaryState.PENDING:
        services.request_summary(id)
    return redirect("conversation", id)


@require_POST
@for_its_owner
def write_down(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Has a recording written down again, or for the first time; work that is on its way is left to come."""
    try:
        recording = get_recording_for(_user(request), id)
    except NoSuchRecording:
        raise Http404 from None
    recordings.request_again(recording)
    return redirect("file", id)


@require_safe
@for_its_owner
@throttled(EXPORT)
def export_markdown(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The conversation as a text to read elsewhere."""
    record = history.read(_user(request), id)
    return _file(export.as_markdown(record), "text/markdown; charset=utf-8", export.file_name(record, "md"))


@require_safe
@for_its_owner
@throttled(EXPORT)
def export_json(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The conversation as data, whole."""
    record = history.read(_user(request), id)
    return _file(export.as_json(record), "application/json", export.file_name(record, "json"))


@require_safe
@for_its_owner
def chats_page(request: HttpRequest) -> HttpResponse:
    """Some of the chats of a user. A page number that makes no sense gives the first."""
    number = request.GET.get("page", "")
    page = chats.page_of_chats(_user(request), int(number) if number.isascii() and number.isdecimal() else 1)
    return render(request, "summarization/chats.html", {"page": page, "section": "text"})


@require_POST
@for_its_owner
def pin_chat(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Pins a chat to the top of the list, or with `pinned=0` lets it go."""
    chats.pin(_user(request), id, request.POST.get("pinned") != "0")
    return redirect("chats")


@require_http_methods(["GET", "HEAD", "POST"])
@for_its_owner
def rename_chat(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Gives a chat a title of the user's own, and leads back to the list that it stood in: with `from=text` that is
    the box of the chat page."""
    user = _user(request)
    back = reverse("text") + "#chats" if request.GET.get("from") == "text" else reverse("chats")
    get_chat_for(user, id)
    record = history.read(user, id)
    if not record.lines:
        raise Http404
    form = TitleForm(request.POST or None, initial={"title": record.title})
    if request.method == "POST" and form.is_valid():
        services.rename(user, id, form.cleaned_data["title"])
        messages.success(request, _("The title was changed."))
        return redirect(back)
    context = {"form": form, "record": record, "back": back, "section": "text"}
    return render(request, "summarization/rename_chat.html", context)


def _counted(conversations: int, recordings: int) -> str:
    """Such as "2 conversations and 1 recording"; empty where there is neither."""
    chats = ngettext("%(count)s conversation", "%(count)s conversations", conversations) % {"count": conversations}
    sounds = ngettext("%(count)s recording", "%(count)s recordings", recordings) % {"count": recordings}
    if conversations and recordings:
        # Translators: such as 2 conversations and 1 recording
        return _("%(conversations)s and %(recordings)s") % {"conversations": chats, "recordings": sounds}
    return chats if conversations else sounds if recordings else ""


def _deleted(what: str, number: int) -> str:
    if not number:
        return _("Nothing was deleted.")
    # Translators: such as 2 conversations and 1 recording were deleted.
    return ngettext("%(what)s was deleted.", "%(what)s were deleted.", number) % {"what": what}


def _show(request: HttpRequest, id: uuid.UUID, status: int = HTTPStatus.OK) -> HttpResponse:
    record = history.read(_user(request), id)
    query = request.GET.get("q", "")[:QUERY_LIMIT_CHARACTERS]
    words = words_of(query)
    context = {
        "record": record,
        "query": query,
        "words": words,
        "found": [line.number for line in record.lines if line.can_be_found and has_hit(line.heard_text, words)],
        "section": "history",
    }
    return render(request, "summarization/conversation.html", context, status=status)


def _files(user: User, filters: history.Filters) -> FoundFiles | None:
    """Recordings have neither a mode nor a model."""
    if not filters.words or filters.mode or filters.model:
        return None
    return find_files(user, filters.words, filters.since, filters.before)


def _file(content: str, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
