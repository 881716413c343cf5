"""What the pages say of something that is not as it should be, in one place."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.modules import run

INCIDENT = """
    const { statusOf } = await import("/js/session/status_words.js");
    const { INITIAL } = await import("/js/session/session_state.js");
    const [known, page] = argument;
    const state = { ...INITIAL, ...known };
    const shown = { mode: "call", playing: false, heldBack: false, dismissedLevel: null, ...page };
    return m.incidentOf(state, statusOf(state, shown, { pageMs: 0, wallMs: 0 }), shown, 0);
"""
LOWERED = {"level": 2, "max": 3, "word": "reduced", "model": "gemini-y", "resets_at": "1970-01-01T09:00:00Z"}


def incident(page: Page, state: dict[str, Any], **shown: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = run(page, "session/incident.js", INCIDENT, [state, shown])
    return found


@pytest.mark.parametrize(
    ("state", "what", "kept", "action"),
    [
        ({"phase": "reconnecting", "offline": True}, "You are offline", "What you say is kept", None),
        ({"phase": "reconnecting", "retryAt": 4000}, "The line is being restored", "What you say is kept", "retry"),
        ({"phase": "reconnecting", "reason": "busy"}, "Gemini is busy", "What you say is kept", None),
        ({"phase": "falling_back"}, "Changing to another model", "What you say is kept", None),
        ({"phase": "exhausted"}, "Out of energy", "What you write is kept", "try-again"),
        ({"phase": "failed"}, "No connection", "What you write is kept", "retry"),
        ({"phase": "connecting", "reason": "queued", "place": 2}, "Second in line", "", None),
        ({"phase": "taken"}, "Open in another place", "It goes on there", "take-back"),
        ({"phase": "stopped", "reason": "Too much was sent."}, "Stopped", "", "reload"),
    ],
)
def test_each_incident_says_what_happened_what_is_kept_and_what_can_be_done(
    clock_in_utc: Page, state: dict[str, Any], what: str, kept: str, action: str | None
) -> None:
    said = incident(clock_in_utc, state)
    assert said is not None
    assert (said["what"], said["action"]) == (what, action)
    assert said["kept"].startswith(kept)


@pytest.mark.parametrize("phase", ["idle", "connecting", "live", "handover"])
def test_while_all_is_well_there_is_none(clock_in_utc: Page, phase: str) -> None:
    assert incident(clock_in_utc, {"phase": phase}) is None


def test_a_lowered_level_is_told_with_its_end_until_the_user_has_read_it(clock_in_utc: Page) -> None:
    said = incident(clock_in_utc, {"phase": "live", "energy": LOWERED})
    assert said is not None
    assert said["detail"] == "A better one is back at 09:00."
    assert said["kept"] == "gemini-y answers."
    assert incident(clock_in_utc, {"phase": "live", "energy": LOWERED}, dismissedLevel=2) is None


def test_an_answer_that_is_gathered_says_so(clock_in_utc: Page) -> None:
    said = incident(clock_in_utc, {"phase": "live", "turnState": "generating"}, heldBack=True)
    assert said is not None
    assert said["what"] == "Slow connection"
