"""Models are dialled as their kind is talked with."""

from __future__ import annotations

import pytest

from energy.levels import Kind, UnknownModel
from sessions_app.live.providers.by_kind import UpstreamByKind
from sessions_app.live.providers.upstream import Setup
from tests.fakes.energy import NEWEST
from tests.fakes.upstream import FakeUpstream


async def test_each_model_is_dialled_by_who_knows_its_kind() -> None:
    live, in_turns = FakeUpstream(), FakeUpstream()
    upstream = UpstreamByKind({Kind.LIVE: live, Kind.TURNS: in_turns})
    for model in (NEWEST, "gemini-3.8-flash"):
        upstream.expect(model)
        await upstream.connect(Setup(model, "", "Kore"))
    assert live.expected == [live.attempts[0].setup.model] == [NEWEST]
    assert in_turns.expected == [in_turns.attempts[0].setup.model] == ["gemini-3.8-flash"]
    with pytest.raises(UnknownModel):
        await upstream.connect(Setup("gemini-3.8-flash-tts", "", "Kore"))
