"""The list of text chats: a page of its own, which the chat shows in a box beside what is said."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.services import get_chat_for
from summarization import chats, history, services
from summarization.forms import TitleForm
from summarization.views import for_its_owner


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
    """Gives a chat a title of the user's own, and leads back to the chat that is open."""
    user = _user(request)
    get_chat_for(user, id)
    record = history.read(user, id)
    if not record.lines:
        raise Http404
    form = TitleForm(request.POST or None, initial={"title": record.title})
    if request.method == "POST" and form.is_valid():
        services.rename(user, id, form.cleaned_data["title"])
        messages.success(request, "The title was changed.")
        return redirect("chats")
    return render(request, "summarization/rename_chat.html", {"form": form, "record": record, "section": "text"})


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
