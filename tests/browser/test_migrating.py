"""The page of one's own that the guide for those who move shows: it does what the guide says of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, WebSocketRoute

from tests.scenarios.speech import silence, spoken
from tests.services.web import WebServer

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "migrating.md"
SENTENCE = "Hello world, how are you?"
FRAME_BYTES = 1280
HEARD_WITHIN_MS = 120_000

THE_REST_OF_IT = """
const shown = new Map();
let samplesPlayed = 0;
const play = (samples) => { samplesPlayed += samples.length; };
const stopPlaying = () => {};
const show = (turn) => shown.set(turn.turn, turn);
"""
"""What the guide leaves to the page that is moved."""

OFFERED = """
window.ownPage = {
  open,
  speak,
  told: () => ({ shown: [...shown.values()], samplesPlayed, unsafe: unsafe.size, number }),
};
"""

TALK = """
async (said) => {
  const bytes = Uint8Array.from(atob(said), (character) => character.charCodeAt(0));
  const page = window.ownPage;
  page.open();
  for (let at = 0; at < bytes.length; at += 1280) {
    page.speak(new Int16Array(bytes.slice(at, at + 1280).buffer));
    if (at === 1280 * 25) await window.tear();
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
"""


def own_page(host: str) -> str:
    """The script of the guide, with what it leaves out, as one object."""
    scripts = re.findall(r"```js\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    script = next(script for script in scripts if "page_id" in script)
    script = script.replace("wss://talk.example.org", f"ws://{host}")
    return f"() => {{ {THE_REST_OF_IT} {script} {OFFERED} }}"


def test_the_page_of_the_guide_loses_nothing_when_its_socket_is_torn_in_mid_word(
    web: WebServer,
    open_context: Callable[..., BrowserContext],
    sign_in: Callable[..., Page],
) -> None:
    page = sign_in(open_context(web), "bob")
    sockets: list[WebSocketRoute] = []

    def let_through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/ws/call/", let_through)
    page.expose_function("tear", lambda: sockets[0].close(code=4500, reason="torn"))
    page.goto("/account/")  # a page without a live session of its own
    page.evaluate(own_page(web.host))
    said = silence(0.5) + spoken(SENTENCE) + silence(2)
    said += bytes(-len(said) % FRAME_BYTES)
    page.evaluate(TALK, base64.b64encode(said).decode())
    page.wait_for_function(
        "() => ownPage.told().shown.some((turn) => turn.role === 'model' && turn.status === 'complete')",
        timeout=HEARD_WITHIN_MS,
    )
    page.wait_for_function("() => ownPage.told().unsafe < ownPage.told().number / 2", timeout=HEARD_WITHIN_MS)
    page.wait_for_function(
        "() => ownPage.told().shown.some((turn) => turn.role === 'user' && /world/i.test(turn.text))",
        timeout=HEARD_WITHIN_MS,
    )
    told = page.evaluate("() => ownPage.told()")
    heard = " ".join(turn["text"] for turn in told["shown"] if turn["role"] == "user")
    assert "hello world" in heard.lower()
    assert told["samplesPlayed"] > 0
    assert len(sockets) == 2
