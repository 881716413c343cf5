"""The page of a fault of ours, which has to be there when nothing else is."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.views.defaults import server_error

PLAIN = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Something broke on our side · Holdline</title></head>
<body><h1>Something broke on our side</h1><p>The fault has been noted. Try again in a moment.</p>
<p><a href="/">Go to the start page</a></p></body>
</html>
"""
"""Without styles, which may be what is missing, and the policy allows none within a page."""

_logger = logging.getLogger(__name__)


def own_fault(request: HttpRequest) -> HttpResponse:
    """`500.html`, which asks nothing of the database; where even that cannot be put together, as after an upgrade
    without `collectstatic`, a page that needs nothing."""
    try:
        return server_error(request)
    except Exception:
        _logger.exception("the page of a fault could not be put together")
        return HttpResponseServerError(PLAIN)
