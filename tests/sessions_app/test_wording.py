"""What toasts say, and the codes that pages are told: those of the protocol, no more and no fewer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from energy.levels import Mode
from sessions_app.gateway.wording import wording_of
from sessions_app.live.machine import states

PROTOCOL = (Path(__file__).parents[2] / "docs" / "browser-protocol.md").read_text(encoding="utf-8")
LEVELS = {"info", "success", "warning", "error"}


def documented_toasts() -> set[str]:
    (paragraph,) = re.findall(r"^Toast codes:.*?(?=\n\n)", PROTOCOL, re.MULTILINE | re.DOTALL)
    codes = {code for code in re.findall(r"`([a-z_.]+)`", paragraph) if not code.endswith(".")}
    return codes | {code.replace("call.", "text.") for code in codes}


@pytest.mark.parametrize("code", sorted(documented_toasts()))
def test_every_code_of_the_protocol_has_words(code: str) -> None:
    mode, _, short = code.partition(".")
    asked = short if mode in tuple(Mode) else code
    told, wording = wording_of(asked, Mode(mode) if mode in tuple(Mode) else Mode.CALL, outage_ms=3_400)
    assert told == code
    assert wording.level in LEVELS
    assert wording.text.endswith(".")
    assert "{" not in wording.text
    assert wording.ms >= 0


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("code", sorted(states._SEVERITY))
def test_every_toast_that_the_core_wishes_for_is_one_of_the_protocol(code: str, mode: Mode) -> None:
    told, _ = wording_of(code, mode)
    assert told in documented_toasts()


@pytest.mark.parametrize(("outage_ms", "said"), [(0, "1 s"), (2_300, "2 s"), (59_900, "60 s")])
def test_the_length_of_an_outage_is_told_in_whole_seconds(outage_ms: int, said: str) -> None:
    assert said in wording_of("reconnected", Mode.CALL, outage_ms)[1].text


def test_a_new_session_is_never_called_a_resumed_one() -> None:
    for code in ("started", "rebuilt"):
        text = wording_of(code, Mode.TEXT)[1].text
        assert "new session" in text
        assert "could not be resumed" in text
