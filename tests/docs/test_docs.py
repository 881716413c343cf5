"""The pages about the project say what the code says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sessions_app.gateway import wire
from sessions_app.live.machine.diagrams import session_diagram, turn_diagram

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.mark.parametrize(("name", "diagram"), [("state", session_diagram), ("turn", turn_diagram)])
def test_the_diagrams_are_those_of_the_tables(name: str, diagram: Callable[[], str]) -> None:
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")
    shown = re.search(rf"<!-- {name} diagram -->\n```mermaid\n(.*?)```", architecture, re.DOTALL)
    assert shown is not None
    assert shown[1] == diagram(), "print it anew: ./run manage state_diagram"


def test_the_protocol_page_has_the_limits_of_the_code() -> None:
    protocol = (DOCS / "browser-protocol.md").read_text(encoding="utf-8")
    assert f"{wire.TEXT_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.TYPED_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.AUDIO_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.TYPED_LIMIT_CHARACTERS:,} characters" in protocol
