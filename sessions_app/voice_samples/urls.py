"""The route of samples of voices."""

from __future__ import annotations

from collections.abc import Callable

from django.urls import URLPattern, path

from sessions_app.live.providers.upstream import Upstream
from sessions_app.voice_samples.views import voice_sample


def voice_sample_urls(upstream: Callable[[], Upstream]) -> list[URLPattern]:
    """`upstream` gives the provider that samples are made by, when one is to be made."""
    return [path("settings/voices/<str:voice>/", voice_sample, {"upstream": upstream}, name="voice-sample")]
