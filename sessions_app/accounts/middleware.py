"""Notes which browsers are there, for the list of those in which somebody is logged in."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from sessions_app.accounts import browsers

logger = logging.getLogger(__name__)


def note_browsers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """To stand behind Django's authentication. What did not look at the session costs nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        try:
            if request.session.accessed and request.user.is_authenticated:
                browsers.note(request, request.user)
        except DatabaseError as error:  # the page itself is there, or has told of it
            logger.warning("that a browser was seen cannot be noted: %s", type(error).__name__)
        return response

    return middleware
