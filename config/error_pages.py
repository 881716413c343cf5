"""The page of a fault of ours, which has to be there when nothing else is."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.utils.html import format_html
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.defaults import server_error

_logger = logging.getLogger(__name__)


def own_fault(request: HttpRequest) -> HttpResponse:
    """`500.html`, which asks nothing of the database; where even that cannot be put together, as after an upgrade
    without `collectstatic`, a page that needs nothing."""
    try:
        return server_error(request)
    except Exception:
        _logger.exception("the page of a fault could not be put together")
        return HttpResponseServerError(_plain_page())


def _plain_page() -> str:
    """Without styles, which may be what is missing, and the policy allows none within a page."""
    return format_html(
        """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title} · Holdline</title></head>
<body><h1>{title}</h1><p>{text}</p>
<p><a href="/">{link}</a></p></body>
</html>
""",
        language=get_language() or "en",
        direction="rtl" if get_language_bidi() else "ltr",
        title=_("Something broke on our side"),
        text=_("The fault has been noted. Try again in a moment."),
        link=_("Go to the start page"),
    )
