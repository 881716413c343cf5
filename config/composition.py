"""Puts the parts of a web process together: sessions, their provider, and who remembers what was said."""

from functools import cache

from django.conf import settings

from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.live.providers.gemini import GeminiUpstream
from sessions_app.live.providers.upstream import Upstream
from summarization.memory import SummarisedMemory


@cache
def gemini_upstream() -> Upstream:
    """Gemini, as the settings have it. Made when it is first needed: the SDK wants a key."""
    return GeminiUpstream(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION)


registry = SessionRegistry(gemini_upstream, SummarisedMemory())
