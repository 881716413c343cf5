"""The pages about the project say what the code says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sessions_app.gateway import wire, wording
from sessions_app.live import close_codes
from sessions_app.live.machine.diagrams import session_diagram, turn_diagram

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.mark.parametrize(("name", "diagram"), [("state", session_diagram), ("turn", turn_diagram)])
def test_the_diagrams_are_those_of_the_tables(name: str, diagram: Callable[[], str]) -> None:
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")
    shown = re.search(rf"<!-- {name} diagram -->\n```mermaid\n(.*?)```", architecture, re.DOTALL)
    assert shown is not None
    assert shown[1] == diagram(), "print it anew: ./run manage state_diagram"


def test_the_protocol_page_names_every_toast_and_close_code() -> None:
    protocol = (DOCS / "browser-protocol.md").read_text(encoding="utf-8")
    codes = [*wording.OF_BOTH_MODES, *(f"call.{code}" for code in wording.OF_A_MODE)]
    assert [code for code in codes if f"`{code}`" not in protocol] == []
    closes = [value for value in vars(close_codes).values() if isinstance(value, int) and 1000 <= value < 5000]
    assert [code for code in closes if str(code) not in protocol] == []


def test_the_protocol_page_has_the_limits_of_the_code() -> None:
    protocol = (DOCS / "browser-protocol.md").read_text(encoding="utf-8")
    assert f"{wire.TEXT_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.TYPED_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.AUDIO_FRAME_LIMIT_BYTES // 1024} KiB" in protocol
    assert f"{wire.TYPED_LIMIT_CHARACTERS:,} characters" in protocol
