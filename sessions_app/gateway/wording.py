"""What toasts say. Their codes are those of the browser protocol; a code of both modes is kept without its mode."""

from __future__ import annotations

from dataclasses import dataclass

from energy.levels import Mode


@dataclass(frozen=True, slots=True)
class Wording:
    """`text` may hold {seconds}, the length of the outage. `ms`: how long it is shown, 0 until it is dismissed."""

    level: str
    text: str
    ms: int


OF_A_MODE = {
    "resumed": Wording("success", "The conversation goes on where it was.", 4_000),
    "started": Wording("info", "The old session could not be resumed. A new session was started.", 8_000),
    "reconnecting": Wording("warning", "The connection was lost. Trying to get it back.", 6_000),
    "reconnected": Wording("success", "The connection was away for {seconds} s. Nothing was forgotten.", 5_000),
    "rebuilt": Wording(
        "info",
        "The old session could not be resumed. A new session was started, and it was given the conversation so far.",
        8_000,
    ),
    "failed": Wording("error", "The connection could not be restored. What you typed is kept.", 0),
}

OF_BOTH_MODES = {
    "energy.lower": Wording("warning", "The service was lowered one step; the conversation goes on.", 8_000),
    "energy.restored": Wording("success", "The service is back at a higher level.", 5_000),
    "energy.exhausted": Wording("error", "The quota of every model is used up for now.", 0),
    "input.lost": Wording("warning", "Some of what you said could not be saved.", 8_000),
    "takeover": Wording("info", "This conversation was opened in another place.", 0),
    "server.draining": Wording("info", "The server restarts. The conversation goes on in a moment.", 6_000),
}

_FULL_CODES = {"exhausted": "energy.exhausted"}


def wording_of(code: str, mode: Mode, outage_ms: int = 0) -> tuple[str, Wording]:
    """The full code of a toast and what it says. `code` is a full one, or one of a mode without the mode."""
    code = _FULL_CODES.get(code, code)
    if code in OF_BOTH_MODES:
        return code, OF_BOTH_MODES[code]
    wording = OF_A_MODE[code]
    text = wording.text.format(seconds=max(1, round(outage_ms / 1000)))
    return f"{mode}.{code}", Wording(wording.level, text, wording.ms)
