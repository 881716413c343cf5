"""What every engine has to do: pages, a chat, a call with both voices, a torn network, no error in the console."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.outages import Wire
from tests.engines.engine import Engine, wait_for, wait_until
from tests.services.emulator import Emulator
from tests.services.web import WebServer

PAGES = ("/", "/text/", "/call/", "/history/", "/session/", "/settings/", "/account/", "/files/")
HELD_S = 6.0
STATE = "document.documentElement.dataset.state"
ANSWERS = "document.querySelectorAll('.turn[data-role=model][data-status=complete]').length"


@dataclass(frozen=True)
class Stage:
    """An engine in front of the app, with a network in between that can be held."""

    engine: Engine
    emulator: Emulator
    web: WebServer
    wire: Wire

    def open(self, path: str) -> None:
        self.engine.open(f"http://127.0.0.1:{self.wire.port}{path}")

    def open_as(self, name: str, path: str) -> None:
        cookie = self.web.log_in(name)
        self.open("/healthz")
        self.engine.ask(f"(document.cookie = {json.dumps(f'{cookie}; path=/')}, true)")
        self.open(path)


def pages_render(stage: Stage) -> None:
    """Each has its heading, in the typefaces that belong to it, and is as wide as the window."""
    stage.open_as("alice", "/")
    for path in PAGES:
        stage.open(path)
        assert stage.engine.ask("document.querySelector('main h1').textContent.trim() !== ''"), path
        assert stage.engine.ask("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
    wait_until(stage.engine, "document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")


def chat_answers(stage: Stage) -> None:
    """What is typed is answered."""
    stage.open_as("alice", "/text/")
    wait_until(stage.engine, f"{STATE} === 'live'")
    stage.engine.type("#composer-text", "My code word is plum.")
    wait_until(stage.engine, f"{ANSWERS} > 0")


def call_connects_plays_and_captures(stage: Stage) -> None:
    """A call is begun by a press, what the microphone hears reaches the provider, and an answer is heard."""
    _begin_call(stage)
    wait_for(lambda: bool(stage.emulator.connections()), "a connection at the provider")
    wait_for(lambda: _heard_ms(stage) > 1000, "a second of the microphone's sound at the provider")
    stage.engine.type("#composer-text", "How are you?")
    wait_until(stage.engine, "Number(document.documentElement.dataset.outputPeak) > 0.01")
    wait_until(stage.engine, "Number(document.documentElement.dataset.playedMs) > 500")


def offline_and_back(stage: Stage) -> None:
    """In the call that goes on the network carries nothing for some seconds; the page says so, and comes back."""
    before = stage.engine.ask(ANSWERS)
    stage.wire.is_held = True
    wait_until(stage.engine, f"{STATE} !== 'live'")
    time.sleep(HELD_S)
    stage.wire.is_held = False
    wait_until(stage.engine, f"{STATE} === 'live'")
    stage.engine.type("#composer-text", "Are you there?")
    wait_until(stage.engine, f"{ANSWERS} > {before}")


def hang_up_leads_to_the_end(stage: Stage) -> None:
    stage.engine.press("[data-hang-up]")
    wait_until(stage.engine, "document.documentElement.dataset.stage === 'ended'")


def _begin_call(stage: Stage) -> None:
    stage.open_as("alice", "/call/")
    wait_until(stage.engine, "'turns' in document.documentElement.dataset")  # its script has begun
    stage.engine.press("[data-start]")
    wait_until(stage.engine, f"{STATE} === 'live'")


def _heard_ms(stage: Stage) -> int:
    return sum(entry["audio_in_ms"] for entry in stage.emulator.connections())


CHECKS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("pages render", pages_render),
    ("chat answers", chat_answers),
    ("call connects, captures and plays", call_connects_plays_and_captures),
    ("offline and back", offline_and_back),
    ("hang up", hang_up_leads_to_the_end),
)
