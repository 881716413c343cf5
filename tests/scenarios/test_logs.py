"""What the log of a server has of a whole conversation: nothing that was said, typed or searched for, and no secret."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.scenarios.page import Page, log_in, submit
from tests.scenarios.speech import silence, spoken
from tests.services.cast import PASSWORD
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop

TYPED = "The code word is kingfisher."
SPOKEN = "Tell me about the yellow lighthouse."
SEARCHED = "marmalade"
TITLE = "Rhubarb and custard"
MALFORMED = "gooseberry"
NAME_TRIED = "somebodys-other-name"
PASSWORD_TRIED = "correct-horse-battery"
API_KEY = "a-key-of-this-test"

SECRETS = """
from django.conf import settings
from sessions_app.models import LiveSession, ResumptionHandle
from sessions_app.secrets import decrypt
print(settings.SECRET_KEY, settings.GEMINI_API_KEY)
for row in ResumptionHandle.objects.all(): print(decrypt(row.ciphertext))
"""
"""Prints, with the server's settings and database, what nobody may read in a log."""


def ask(web: WebServer, cookies: str, path: str) -> None:
    """Ask for a page of the site; one that is not there is a page, too."""
    request = urllib.request.Request(f"{web.url}{path}", headers={"Cookie": cookies})
    try:
        urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S).close()
    except urllib.error.HTTPError as error:
        error.close()


def phrases_of(text: str) -> set[str]:
    """Every three words in a row: a log line may have one word by itself, and none of these."""
    words = text.lower().split()
    return {" ".join(words[start : start + 3]) for start in range(len(words) - 2)}


@dataclass(frozen=True, slots=True)
class Talk:
    """What there was in it. `secrets`: keys of the server, and handles."""

    conversation: str
    replies: list[str]
    secrets: list[str]


async def converse(web: WebServer, emulator: Emulator) -> Talk:
    """Type, be cut, come back, talk."""
    async with Page(web, "text") as page:
        conversation = str((await page.start())["conversation"])
        await page.send_raw(f'{{"type": "{MALFORMED}", "{MALFORMED}": [')
        await page.send(type=MALFORMED, text=MALFORMED)
        await page.say(TYPED)
        replies = [await page.reply()]
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("state", state="live")
        await page.say("And once more, please.")
        replies.append(await page.reply())
        secrets = (await asyncio.to_thread(web.shell, SECRETS)).split()
    async with Page(web, "call") as call:
        await call.start()
        await call.speak(spoken(SPOKEN))
        await call.speak(silence(1))
        replies.append(await call.reply())
    return Talk(conversation, replies, secrets)


@pytest.mark.parametrize(
    ("server", "environment"),
    [("daphne", {"DEBUG": "1"}), ("uvicorn", {"LOG_FORMAT": "json"})],
    ids=["daphne, debugging", "uvicorn, json"],
)
async def test_the_most_talkative_log_has_no_word_of_anybody_and_no_secret(
    server: str, environment: dict[str, str], emulator: Emulator, start_web: Callable[..., WebServer]
) -> None:
    web = await asyncio.to_thread(start_web, server, LOG_LEVEL="DEBUG", GEMINI_API_KEY=API_KEY, **environment)
    talk = await converse(web, emulator)
    assert len(talk.secrets) > 2, "a handle was stored"
    cookies = await asyncio.to_thread(log_in, web.url, "alice")
    for path in (
        f"/history/?q={SEARCHED}",
        f"/history/{talk.conversation}/?q={SEARCHED}",
        f"/history/{talk.conversation}/export.md?q={SEARCHED}",
        f"/nowhere/?q={SEARCHED}",
        f"/ws/text/?q={SEARCHED}",
    ):
        await asyncio.to_thread(ask, web, cookies, path)
    await asyncio.to_thread(submit, web.url, f"/history/{talk.conversation}/rename/", cookies, title=TITLE)
    foreign = cookies.replace("sessionid", "elsewhere")
    await asyncio.to_thread(submit, web.url, "/accounts/login/", foreign, username=NAME_TRIED, password=PASSWORD_TRIED)

    assert web.stop() in {0, -15}
    log = web.log().lower()
    assert "/history/" in log, "the requests are in the log"
    tokens = [pair.partition("=")[2] for pair in cookies.split("; ")]
    hidden = {
        SEARCHED,
        TITLE,
        MALFORMED,
        NAME_TRIED,
        PASSWORD_TRIED,
        PASSWORD,
        "kingfisher",
        "lighthouse",
        *talk.secrets,
        *tokens,
    }
    for reply in talk.replies:
        hidden |= phrases_of(reply)
    found = {secret for secret in hidden if secret.lower() in log}
    assert found == set(), [line for line in log.splitlines() if any(secret.lower() in line for secret in found)][:20]
