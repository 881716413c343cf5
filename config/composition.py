"""Puts the parts of a web process together: sessions, their provider, and who remembers what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import CollectorRegistry, ProcessCollector

from config.context_caches import cache_terms
from config.metrics.figures import Figures
from config.minters import minter_of_dials
from energy.levels import Kind
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.by_kind import UpstreamByKind
from sessions_app.live.providers.late_upstream import LateUpstream
from sessions_app.live.providers.token_keeper import TokenKeeper
from sessions_app.live.providers.upstream import Upstream, UpstreamFailed
from sessions_app.live.watch import Observers
from summarization.memory import SummarisedMemory

if TYPE_CHECKING:
    from config.tracing import Traces


NO_KEY = Failure(0, "API key not found: GEMINI_API_KEY is not set", Phase.HANDSHAKE)


def gemini_upstream() -> Upstream:
    """Gemini, as the settings have it. Blocks: see `LateUpstream`. Raises `UpstreamFailed` without a key."""
    access = _tokens() if settings.GEMINI_DIAL_WITH_TOKENS else settings.GEMINI_API_KEY
    if not access:
        raise UpstreamFailed(NO_KEY)
    from sessions_app.live.providers.gemini import GeminiUpstream

    return GeminiUpstream(access, settings.GEMINI_API_VERSION)


def turns_upstream() -> Upstream:
    """The same in turns, for which no tokens are made."""
    if not settings.GEMINI_API_KEY:
        raise UpstreamFailed(NO_KEY)
    from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration
    from sessions_app.live.providers.turns.upstream import TurnsUpstream

    generation = GeminiGeneration(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION, cache_terms())
    return TurnsUpstream(generation, settings.TURNS_VOICE_MODELS)


def _tokens() -> TokenKeeper | None:
    minter = minter_of_dials()
    return None if minter is None else TokenKeeper(minter, figures.tokens)


def traces_if_wanted() -> Traces | None:
    """Traces of live sessions, where the settings say to where."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return None
    from config.tracing import Traces, exporting_provider

    return Traces(exporting_provider())


upstream = LateUpstream(gemini_upstream)
in_turns = LateUpstream(turns_upstream)
figures_registry = CollectorRegistry()
ProcessCollector(registry=figures_registry)
figures = Figures(figures_registry)
traces = traces_if_wanted()
registry = SessionRegistry(
    UpstreamByKind({Kind.LIVE: upstream, Kind.TURNS: in_turns}),
    SummarisedMemory(),
    figures if traces is None else Observers(figures, traces),
)
