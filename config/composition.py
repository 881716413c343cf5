"""Puts the parts of a web process together: sessions, their provider, and who remembers what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import CollectorRegistry, ProcessCollector

from config.context_caches import cache_terms
from config.metrics.figures import Figures
from config.minters import is_dialled_by_token, minter_of_dials
from energy.levels import Kind, models_of
from energy.places import DEVELOPER_API, Place, place_of
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.by_kind import UpstreamByKind
from sessions_app.live.providers.by_place import UpstreamByPlace
from sessions_app.live.providers.late_upstream import LateUpstream
from sessions_app.live.providers.questions.upstream import LateListeners, UpstreamWithQuestions
from sessions_app.live.providers.token_keeper import TokenKeeper
from sessions_app.live.providers.upstream import Upstream, UpstreamFailed
from sessions_app.live.watch import Observers
from sessions_app.provider_accounts import account_at, has_account, version_at
from sessions_app.recordings.answering import listeners
from summarization.memory import SummarisedMemory

if TYPE_CHECKING:
    from config.tracing import Traces


NO_KEY = Failure(0, "API key not found: GEMINI_API_KEY is not set", Phase.HANDSHAKE)
NO_PROJECT = Failure(0, "API key not found: GOOGLE_CLOUD_PROJECT or the location is not set", Phase.HANDSHAKE)
LADDER_MODELS = models_of(settings.ENERGY_LADDERS)


def gemini_upstream(place: Place = DEVELOPER_API) -> Upstream:
    """Gemini at a place, as the settings have it. Blocks: see `LateUpstream`. Raises `UpstreamFailed` without a key."""
    access = _tokens() if is_dialled_by_token(place) else account_at(place)
    if not access:
        raise UpstreamFailed(NO_PROJECT if place.is_agent_platform else NO_KEY)
    from sessions_app.live.providers.gemini import GeminiUpstream

    return GeminiUpstream(access, version_at(place))


def turns_upstream() -> Upstream:
    """The same in turns, for which no tokens are made."""
    places = [place for place in _places(*LADDER_MODELS, *settings.TURNS_VOICE_MODELS) if has_account(place)]
    if not places:
        raise UpstreamFailed(NO_KEY)
    from sessions_app.live.providers.turns.by_place import GenerationByPlace
    from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration
    from sessions_app.live.providers.turns.upstream import TurnsUpstream

    terms = cache_terms()
    generations = {place: GeminiGeneration(account_at(place), version_at(place), terms) for place in places}
    return TurnsUpstream(GenerationByPlace(generations), settings.TURNS_VOICE_MODELS)


def _places(*models: str) -> frozenset[Place]:
    return frozenset(map(place_of, models))


def _tokens() -> TokenKeeper | None:
    minter = minter_of_dials()
    return None if minter is None else TokenKeeper(minter, figures.tokens)


def traces_if_wanted() -> Traces | None:
    """Traces of live sessions, where the settings say to where."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return None
    from config.tracing import Traces, exporting_provider

    return Traces(exporting_provider())


upstream = UpstreamByPlace(gemini_upstream, _places(*LADDER_MODELS))
in_turns = LateUpstream(turns_upstream)
figures_registry = CollectorRegistry()
ProcessCollector(registry=figures_registry)
figures = Figures(figures_registry)
traces = traces_if_wanted()
registry = SessionRegistry(
    UpstreamWithQuestions(UpstreamByKind({Kind.LIVE: upstream, Kind.TURNS: in_turns}), LateListeners(listeners)),
    SummarisedMemory(),
    figures if traces is None else Observers(figures, traces),
)
