"""Dials each model as its kind is talked with."""

from __future__ import annotations

from collections.abc import Mapping

from energy.levels import Kind, profile_of
from sessions_app.live.providers.upstream import Connection, Setup, Upstream


class UpstreamByKind:
    """See `upstream.Upstream`. Models must be such that a profile describes.

    Args:
        upstreams: who dials models of each kind.
    """

    def __init__(self, upstreams: Mapping[Kind, Upstream]) -> None:
        self._upstreams = upstreams

    def expect(self, model: str) -> None:
        self._of(model).expect(model)

    async def connect(self, setup: Setup) -> Connection:
        return await self._of(setup.model).connect(setup)

    def _of(self, model: str) -> Upstream:
        return self._upstreams[profile_of(model).kind]
