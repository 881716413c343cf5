"""What users choose on their page of settings arrives at the provider, at once and in the middle of a conversation."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.page import Page, log_in, submit
from tests.scenarios.speech import silence
from tests.scenarios.test_conversations_survive import ask_code_word, tell_code_word
from tests.services.emulator import Emulator
from tests.services.web import WebServer

UNTOUCHED = {
    "voice": "Kore",
    "language": "auto",
    "answer_length": "normal",
    "new_call": "ask",
    "persona": "default",
    "start_sensitivity": "model",
    "end_sensitivity": "model",
    "theme": "device",
    "interruptions": "on",
    "compression": "on",
    "resumption": "on",
}

CHOSEN = {
    "voice": "Puck",
    "language": "de-DE",
    "answer_length": "short",
    "instruction": "Talk like a pirate.",
    "start_sensitivity": "high",
    "end_sensitivity": "low",
    "silence_ms": "900",
    "trigger_tokens": "20000",
    "compression_ratio": "0.25",
}
ARRIVES = [
    (("generationConfig", "speechConfig", "voiceConfig", "prebuiltVoiceConfig", "voiceName"), "Puck"),
    (("generationConfig", "speechConfig", "languageCode"), None),
    (("inputAudioTranscription",), {"languageCodes": ["de-DE"]}),
    (("realtimeInputConfig", "automaticActivityDetection", "startOfSpeechSensitivity"), "START_SENSITIVITY_HIGH"),
    (("realtimeInputConfig", "automaticActivityDetection", "endOfSpeechSensitivity"), "END_SENSITIVITY_LOW"),
    (("realtimeInputConfig", "automaticActivityDetection", "silenceDurationMs"), 900),
    (("realtimeInputConfig", "activityHandling"), "NO_INTERRUPTION"),
    (("contextWindowCompression",), {"triggerTokens": 20_000, "slidingWindow": {"targetTokens": 5_000}}),
    (("sessionResumption", "handle"), None),
]


@pytest.fixture
def cookies(web: WebServer) -> Iterator[str]:
    """Of Bob's browser, whose settings are the defaults again when the test is over."""
    cookies = log_in(web.url, "bob")
    yield cookies
    submit(web.url, "/settings/reset/", cookies)


def save(web: WebServer, cookies: str, **changes: str) -> None:
    """Send the form; what is empty is a switch that is off."""
    fields = {name: value for name, value in {**UNTOUCHED, **changes}.items() if value}
    submit(web.url, "/settings/", cookies, **fields)


def asked(emulator: Emulator) -> dict[str, Any]:
    """The newest set-up that the provider was sent."""
    setup: dict[str, Any] = emulator.entries("setup")[-1]["asked"]
    return setup


def value_at(setup: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = setup
    for name in path:
        value = (value or {}).get(name)
    return value


async def test_every_setting_arrives_in_the_set_up(web: WebServer, emulator: Emulator, cookies: str) -> None:
    save(web, cookies, **CHOSEN, interruptions="")
    async with Page(web, "call", "bob") as page:
        await page.start(fresh=True)
    setup = asked(emulator)
    assert [(path, value_at(setup, path)) for path, _ in ARRIVES] == ARRIVES
    instruction = setup["systemInstruction"]["parts"][0]["text"]
    assert [word in instruction for word in ("voice of Holdline", "one sentence", "German", "like a pirate")] == [
        True
    ] * 4


async def test_what_is_switched_off_is_not_asked_for_and_what_is_untouched_is_as_ever(
    web: WebServer, emulator: Emulator, cookies: str
) -> None:
    async with Page(web, "call", "bob") as page:
        await page.start(fresh=True)
    before = asked(emulator)
    assert before["contextWindowCompression"] == {"slidingWindow": {}}
    assert "realtimeInputConfig" not in before
    save(web, cookies, compression="", resumption="", theme="dark")
    async with Page(web, "call", "bob") as page:
        await page.start(fresh=True)
    after = asked(emulator)
    assert before.keys() - after.keys() == {"contextWindowCompression", "sessionResumption"}
    assert after == {name: value for name, value in before.items() if name in after}


@pytest.mark.parametrize("mode", ["call", "text"])
@pytest.mark.parametrize(
    ("change", "resumed"), [({"silence_ms": "900", "trigger_tokens": "20000"}, True), ({"voice": "Puck"}, False)]
)
async def test_a_change_in_the_middle_of_a_conversation_costs_neither_words_nor_memory(
    web: WebServer, emulator: Emulator, cookies: str, mode: str, change: dict[str, str], resumed: bool
) -> None:
    async with Page(web, mode, "bob") as page:
        await page.start(fresh=True)
        await tell_code_word(page)
        save(web, cookies, **change)
        await page.speak(silence(1))
        await page.wait_for("state", state="handover")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)
        assert page.of_type("lost") == []
        assert page.toasts() == ([] if resumed else ["settings.applied"])
        assert [entry["resumed"] for entry in emulator.entries("opened")] == [False, resumed]
        told = [entry["text"] for entry in emulator.entries("text_in")]
        assert told == ["my code word is PLUM-42", "What is my code word?"]
        setup = asked(emulator)
        voice = value_at(setup, ("generationConfig", "speechConfig", "voiceConfig", "prebuiltVoiceConfig", "voiceName"))
        assert (voice, "handle" in setup["sessionResumption"]) == (("Kore", True) if resumed else ("Puck", False))


async def test_who_does_not_want_to_interrupt_hears_the_answer_to_its_end_and_then_the_next(
    web: WebServer, emulator: Emulator, cookies: str
) -> None:
    save(web, cookies, interruptions="")
    async with Page(web, "call", "bob") as page:
        await page.start(fresh=True)
        await tell_code_word(page)
        await page.say("Tell me a long story")
        await page.wait_for("turn", role="model", status="partial")
        await page.say("What is my code word?")
        await page.reply()
        assert "PLUM-42" in await page.reply()
        replies = {turn["turn"]: turn["status"] for turn in page.of_type("turn") if turn["role"] == "model"}
        assert list(replies.values()) == ["complete"] * 3
        assert page.of_type("flush") == []


@pytest.mark.parametrize("field", ["realtimeInputConfig", "languageCodes"])
async def test_what_the_provider_does_not_know_is_left_out(
    web: WebServer, emulator: Emulator, cookies: str, field: str
) -> None:
    save(web, cookies, silence_ms="900", language="de-DE")
    emulator.fault("reject_field", field=field)
    async with Page(web, "call", "bob") as page:
        await page.start(fresh=True)
        await tell_code_word(page)
        assert page.of_type("energy") == []
    assert [field in str(entry["asked"]) for entry in emulator.entries("setup")] == [True, False]


async def test_without_resumption_a_cut_is_survived_by_the_words_alone(
    web: WebServer, emulator: Emulator, cookies: str
) -> None:
    save(web, cookies, resumption="")
    async with Page(web, "text", "bob") as page:
        await page.start(fresh=True)
        await tell_code_word(page)
        emulator.fault("cut")
        await page.wait_for("ready", action="rebuilt")
        assert "PLUM-42" in await ask_code_word(page)
    assert {entry["handle_given"] for entry in emulator.entries("opened")} == {False}


def test_a_voice_is_recorded_for_who_listens_to_it_in_a_session_that_is_not_kept(
    web: WebServer, emulator: Emulator, cookies: str
) -> None:
    submit(web.url, "/settings/voices/Leda/", cookies)
    setup = asked(emulator)
    assert value_at(setup, ("generationConfig", "speechConfig", "voiceConfig", "prebuiltVoiceConfig")) == {
        "voiceName": "Leda"
    }
    assert not {"sessionResumption", "contextWindowCompression"} & setup.keys()
    headers = {"Cookie": cookies, "Range": "bytes=0-3"}
    with urllib.request.urlopen(urllib.request.Request(f"{web.url}/settings/voices/Leda/", headers=headers)) as sound:
        assert (sound.status, sound.read()) == (206, b"RIFF")
        seconds = (int(sound.headers["Content-Range"].rpartition("/")[2]) - 44) / 48_000
    assert 1 < seconds <= 6
