"""A page that asks about recordings: the unmodified SDK, the emulator's ear, files that the provider forgets."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bench.uploads import Sender, upload
from tests.emulator.recordings import encoded, hum
from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, wait_until
from tests.services.web import WebServer

PLUM, TIME = "My code word is PLUM-42.", "What time is it?"
HOURS_48 = 48 * 3600.0 + 60
TOO_LARGE_TO_GO_ALONG_S = 460
"""Of 16 kHz PCM: 14.7 MB."""


@pytest.fixture(scope="module")
def program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """One server for this file, with the work of recordings in its thread."""
    server = WebServer(tmp_path_factory.mktemp("recordings"), {**emulator_program.environment, "REDIS_URL": ""})
    yield server
    server.stop()


@pytest.fixture
def talk(program: WebServer, emulator: Emulator) -> WebServer:
    return program


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence after two seconds."""
    path = tmp_path_factory.mktemp("sound") / "short.ogg"
    path.write_bytes(encoded(silence(2) + spoken(PLUM) + hum(1) + silence(1), "audio/ogg"))
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "large.wav"
    path.write_bytes(encoded(silence(3) + spoken(PLUM) + silence(TOO_LARGE_TO_GO_ALONG_S), "audio/wav"))
    return path


def sent(web: WebServer, path: Path, name: str = "alice") -> str:
    """The id of a recording that a user has uploaded to be kept."""
    sender = Sender(web.host, web.log_in(name))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    upload(sender, path, sha256, is_torn=False)
    theirs = f"Recording.objects.get(sha256={sha256!r}, user__username={name!r})"
    return web.shell(f"from sessions_app.models import Recording\nprint({theirs}.pk)").strip()


def files(web: WebServer) -> list[dict[str, Any]]:
    """What the server knows of its files at the provider."""
    code = "import json\nfrom sessions_app.models import GeminiFile\n"
    rows = "list(GeminiFile.objects.values('state', 'uploads', 'uri'))"
    found: list[dict[str, Any]] = json.loads(web.shell(f"{code}print(json.dumps({rows}))"))
    return found


def of(page: Page, id: str) -> dict[str, Any]:
    """What the page was told last of a recording."""
    told = [each for message in page.of_type("recordings") for each in message["recordings"] if each["id"] == id]
    return told[-1] if told else {}


async def start(page: Page, **fields: Any) -> dict[str, Any]:
    """A page that reads only: nobody waits for what is spoken."""
    ready = await page.start(**fields)
    await page.send(type="sound", on=False)
    return ready


async def test_a_recording_is_asked_about_and_the_line_knows_afterwards_what_was_said(
    talk: WebServer, short: Path
) -> None:
    id = await asyncio.to_thread(sent, talk, short)
    async with Page(talk, "text") as page:
        await page.start(recordings=[id])
        await page.wait_until(lambda: of(page, id), "the recording in the list")
        asked = await page.say("How long is the recording, and what do you hear in it?", recordings=[id])
        await page.wait_until(lambda: page.audio, "the voice")
        await page.send(type="sound", on=False)
        answer = await page.reply()
        assert "lasts 00:0" in answer
        assert "code word" in answer
        turns = [turn for turn in page.of_type("turn") if turn.get("recordings") == [id]]
        assert {turn["role"] for turn in turns} == {"user", "model"}
        await page.wait_until(lambda: [m for m in page.of_type("ack") if asked in m["ids"]], "the ack")
        await page.wait_until(lambda: of(page, id)["work"]["state"] == "done", "what was written down")
        assert of(page, id)["work"]["title"]
        assert of(page, id)["provider"]["state"] == "inline"
        count = "from sessions_app.models import TurnUsage\nprint(TurnUsage.objects.values_list('model'))"
        await asyncio.to_thread(
            wait_until, lambda: "gemini-3.8-flash" in talk.shell(count), HANGS_AFTER_S, "what it took"
        )
        await page.say("What is my code word?")
        assert "PLUM" in (await page.reply()).upper()


@pytest.fixture(scope="module")
def known(program: WebServer, short: Path) -> str:
    """The id of a recording of alice."""
    return sent(program, short)


@pytest.mark.parametrize(
    "fault",
    [
        *({"answer": answer, "count": 1} for answer in ("cut", "empty", "internal")),
        {"answer": "stopped", "reason": "RECITATION", "count": 1},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_an_answer_that_goes_wrong_is_given_all_the_same(
    talk: WebServer, emulator: Emulator, known: str, fault: dict[str, Any]
) -> None:
    async with Page(talk, "text") as page:
        await start(page, recordings=[known])
        await page.wait_until(lambda: of(page, known).get("work", {}).get("state") == "done", "the end of its work")
        emulator.fault("bad_text", **fault)
        await page.say("How long is the recording?", recordings=[known])
        assert "lasts 00:0" in await page.reply()
        lines = [turn for turn in page.of_type("turn") if turn["role"] == "model" and turn["status"] == "complete"]
        assert {line["turn"] for line in lines} == {lines[0]["turn"]}
        assert page.toasts() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"answer": "blocked"}, "turn.refused"), ({"answer": "stopped", "reason": "SAFETY"}, "turn.refused")],
    ids=["blocked", "held back"],
)
async def test_an_answer_that_the_provider_holds_back_is_explained(
    talk: WebServer, emulator: Emulator, known: str, fault: dict[str, Any], code: str
) -> None:
    async with Page(talk, "text") as page:
        await start(page, recordings=[known])
        await page.wait_until(lambda: of(page, known).get("work", {}).get("state") == "done", "the end of its work")
        emulator.fault("bad_text", count=1, **fault)
        await page.say("How long is the recording?", recordings=[known])
        await page.wait_for("turn", role="system", code=code)
        await page.say("Hello there.")
        assert await page.reply()


async def test_in_a_call_the_answer_is_spoken_and_the_talk_goes_on_by_voice(talk: WebServer, short: Path) -> None:
    id = await asyncio.to_thread(sent, talk, short)
    question = spoken("What is my code word?")
    async with Page(talk, "call") as page:
        await page.start(recordings=[id])
        await page.say("What do you hear in this recording?", recordings=[id])
        await page.wait_until(lambda: page.audio, "the voice")
        await page.speak(question + silence(1.2))
        await page.wait_for("turn", role="model", status="interrupted", recordings=[id])
        assert "PLUM" in (await page.reply()).upper()


async def test_two_days_later_after_a_restart_of_everything_the_question_is_answered(
    start_web: Callable[..., WebServer], emulator: Emulator, large: Path
) -> None:
    web = start_web(REDIS_URL="")
    id = await asyncio.to_thread(sent, web, large)
    async with Page(web, "text") as page:
        ready = await start(page)
        await page.say("How long is the recording?", recordings=[id])
        assert "lasts 07:4" in await page.reply()
        moves = [message["state"] for message in page.of_type("question")]
        assert moves[0] == "waiting"
        assert moves[-1] == "over"
        conversation = ready["conversation"]
        await page.disconnect()
    assert [(file["state"], file["uploads"]) for file in files(web)] == [("active", 1)]
    web.stop()
    emulator.reset()
    emulator.forward(HOURS_48)
    web.start()
    web.shell(
        "from datetime import timedelta\nfrom django.db.models import F\nfrom sessions_app.models import GeminiFile\n"
        "GeminiFile.objects.update(expires_at=F('expires_at') - timedelta(days=2), used_at=F('used_at') - timedelta(2))"
    )
    async with Page(web, "text") as page:
        await start(page, **{"continue": conversation})
        await page.wait_until(lambda: of(page, id), "the recording in the list of the chat that goes on")
        await page.say("How long is the recording?", recordings=[id])
        assert "lasts 07:4" in await page.reply()
    assert [(file["state"], file["uploads"]) for file in files(web)] == [("active", 2)]


async def test_a_file_that_the_provider_has_lost_is_brought_there_again_and_the_question_answered(
    talk: WebServer, emulator: Emulator, large: Path
) -> None:
    id = await asyncio.to_thread(sent, talk, large)
    async with Page(talk, "text") as page:
        await start(page)
        await page.say("How long is the recording?", recordings=[id])
        assert "lasts 07:4" in await page.reply()
        emulator.reset()
        await page.wait_for("state", state="live")
        await page.say("And is it loud?", recordings=[id])
        assert "quiet" in await page.reply()
    assert max(file["uploads"] for file in files(talk)) == 2


async def test_what_cannot_be_attached_is_said_and_the_talk_goes_on(talk: WebServer, short: Path) -> None:
    hers = await asyncio.to_thread(sent, talk, short)
    stranger = "00000000-0000-4000-8000-000000000000"
    async with Page(talk, "text", "bob") as page:
        await page.start(recordings=[stranger])
        await page.wait_until(lambda: page.of_type("error"), "the error")
        assert page.of_type("error")[0]["recording"] == stranger
        id = await page.say("What is in it?", recordings=[hers])
        await page.wait_for("error", code="recordings.unknown", id=id)
        await page.send(type="attach", recording=hers)
        await page.wait_for("error", code="recordings.unknown", recording=hers)
        await page.say("Hello there.")
        assert await page.reply()
        await page.wait_until(lambda: page.of_type("recordings"), "the list")
        assert not any(message["recordings"] for message in page.of_type("recordings"))


async def test_a_recording_that_is_attached_by_another_page_is_told_to_the_live_one(
    talk: WebServer, short: Path
) -> None:
    id = await asyncio.to_thread(sent, talk, short)
    async with Page(talk, "text") as page:
        ready = await page.start()
        await page.wait_for("recordings")
        sender = Sender(talk.host, talk.log_in("alice"))
        body = json.dumps({"conversation": ready["conversation"]}).encode()
        path = f"/api/recordings/{id}/attach/"
        await asyncio.to_thread(sender.ask, "POST", path, body, Content_Type="application/json")
        await page.wait_until(lambda: of(page, id), "the recording in the list")


async def test_a_file_that_the_provider_cannot_process_is_explained(
    talk: WebServer, emulator: Emulator, large: Path
) -> None:
    id = await asyncio.to_thread(sent, talk, large)
    talk.shell("from sessions_app.models import GeminiFile\nGeminiFile.objects.all().delete()")
    emulator.fault("fail_processing", text="The codec is unknown.")
    async with Page(talk, "text") as page:
        await start(page)
        await page.say("How long is the recording?", recordings=[id])
        line = await page.wait_for("turn", role="system", code="recording.refused")
        assert "The codec is unknown" in line["text"]
        await page.wait_until(lambda: of(page, id).get("provider", {}).get("state") == "failed", "what became of it")
