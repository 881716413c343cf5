"""Every route of the site, for tests that go to all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from sessions_app.models import Conversation


def routes(patterns: Iterable[URLPattern | URLResolver] | None = None, above: str = "") -> Iterator[str]:
    """Every route of the site, its parameters written as `<name>`."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = above + _route_of(pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def path_of(route: str, conversation: Conversation) -> str:
    """An address of the route; whatever it is about is this conversation."""
    values = {
        "id": str(conversation.pk),
        "object_id": str(conversation.pk) if "/conversation/" in route else "1",
        "app_label": "sessions_app",
        "url": "nowhere",
    }
    return "/" + re.sub(r"<(\w+)>", lambda parameter: values.get(parameter[1], "1"), route)


def _route_of(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    if isinstance(pattern.pattern, RegexPattern):
        return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", text).strip("^$")
    return re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", text)
