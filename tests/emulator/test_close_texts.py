"""Every text of the catalogue, as it reaches the SDK."""

import re
from pathlib import Path

import pytest
from google.genai import errors

from emulator.texts import CATALOGUE, MAX_REASON_BYTES, find_text
from tests.emulator.client import hear, live
from tests.services.emulator import Emulator

FACTS = Path(__file__).resolve().parents[2].parent / "shared" / "live-api.md"


@pytest.mark.parametrize("name", CATALOGUE)
async def test_a_text_reaches_the_sdk_while_receiving(emulator: Emulator, name: str) -> None:
    text = CATALOGUE[name]
    async with live(emulator) as session:
        emulator.fault("close", text=name)
        with pytest.raises(errors.APIError) as closed:
            await hear(session)
    assert (closed.value.code, closed.value.details or "") == (text.code, text.reason)
    assert str(closed.value) == f"{text.code} None. {text.reason}"


@pytest.mark.parametrize("name", CATALOGUE)
async def test_a_text_reaches_the_sdk_during_the_set_up(emulator: Emulator, name: str) -> None:
    text = CATALOGUE[name]
    emulator.fault("close", text=name, when="setup")
    with pytest.raises(errors.APIError) as closed:
        async with live(emulator):
            pass
    assert (closed.value.code, closed.value.details or "") == (text.code, text.reason)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_reason_fits_a_close_frame_and_begins_the_text(name: str) -> None:
    text = CATALOGUE[name]
    assert len(text.reason.encode()) <= MAX_REASON_BYTES
    assert text.text.startswith(text.reason)


def test_names_may_be_written_with_blanks_hyphens_or_underscores() -> None:
    assert find_text("Session_Not-Found") is CATALOGUE["session not found"]


def test_every_close_the_facts_list_is_in_the_catalogue() -> None:
    """Runs where the sheet of facts lies beside the project."""
    if not FACTS.exists():
        return
    failure_modes = FACTS.read_text(encoding="utf-8").split("## 2. Failure modes")[1].split("### 2.5")[0]
    listed = re.findall(r"`(1\d{3}) (?:None\. )?([^`]*)`", failure_modes)
    listed = [(code, said) for code, said in listed if code != "1006"]  # the client's own code, never on the wire
    known = {(text.code, text.text.lower()) for text in CATALOGUE.values()}
    missing = [(code, said) for code, said in listed if not _is_known(int(code), said, known)]
    assert len(listed) > 30
    assert not missing


def _is_known(code: int, said: str, known: set[tuple[int, str]]) -> bool:
    """The sheet abbreviates with `…`, `models/X` and `|`: what stands before and after must be found in order."""
    pieces = [piece.strip(" .").lower() for piece in re.split(r"…|models/X?|\.\.\.", said)]
    return any(code == known_code and _in_order(pieces, text) for known_code, text in known)


def _in_order(pieces: list[str], text: str) -> bool:
    position = 0
    for piece in pieces:
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return True
