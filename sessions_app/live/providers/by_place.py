"""Dials each model where it is served."""

from __future__ import annotations

from collections.abc import Callable

from energy.places import Place, place_of
from sessions_app.live.providers.late_upstream import LateUpstream
from sessions_app.live.providers.upstream import Connection, Setup, Upstream


class UpstreamByPlace:
    """See `upstream.Upstream`.

    Args:
        make: gives who dials at a place, see `LateUpstream`.
        places: that are going to be dialled. Others are made when they are.
    """

    def __init__(self, make: Callable[[Place], Upstream], places: frozenset[Place]) -> None:
        self._make = make
        self._upstreams = {place: self._late(place) for place in places}

    def prepare(self) -> None:
        """See `LateUpstream`."""
        for upstream in self._upstreams.values():
            upstream.prepare()

    def expect(self, model: str) -> None:
        self._at(model).expect(model)

    async def connect(self, setup: Setup) -> Connection:
        return await self._at(setup.model).connect(setup)

    def _at(self, model: str) -> LateUpstream:
        place = place_of(model)
        if place not in self._upstreams:
            self._upstreams[place] = self._late(place)
        return self._upstreams[place]

    def _late(self, place: Place) -> LateUpstream:
        return LateUpstream(lambda: self._make(place))
