"""Agent Platform beside the Developer API and instead of it, by the unmodified SDK and the emulator's persona."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from sessions_app.live.providers.accounts import CloudProject
from summarization.gemini import GeminiSummarizer
from summarization.prompts import summary_prompt
from tests.scenarios.page import FRAME_MS, Page
from tests.scenarios.speech import silence, spoken
from tests.scenarios.test_conversations_survive import (
    ask_code_word,
    tell_code_word,
    test_a_call_is_heard_answered_and_survives_a_go_away_while_it_is_spoken,
    test_a_cut_is_survived_with_its_memory_and_at_most_one_toast,
    test_a_go_away_is_survived_with_its_memory_and_without_a_word,
    test_a_reply_that_was_cut_off_stands_once_and_says_that_it_was_given_again,
    test_a_torn_socket_of_the_same_page_is_attached_again_with_its_transcript,
)
from tests.scenarios.test_energy import forget_quota
from tests.services.emulator import ON_AGENT_PLATFORM, Emulator
from tests.services.web import WebServer

MODEL = "gemini-3.8-live"
THERE = f"vertex@us-central1:{MODEL}"
ELSEWHERE = f"vertex@europe-west4:{MODEL}"
NATIVE = "gemini-live-2.5-flash-native-audio"
BOTH = f"{MODEL},vertex:{MODEL},{ELSEWHERE}"

__all__ = [
    "test_a_call_is_heard_answered_and_survives_a_go_away_while_it_is_spoken",
    "test_a_cut_is_survived_with_its_memory_and_at_most_one_toast",
    "test_a_go_away_is_survived_with_its_memory_and_without_a_word",
    "test_a_reply_that_was_cut_off_stands_once_and_says_that_it_was_given_again",
    "test_a_torn_socket_of_the_same_page_is_attached_again_with_its_transcript",
]
"""Told here once more, by a server on Agent Platform. `./run test --persona vertex tests/scenarios` tells all."""


@pytest.fixture(scope="module")
def start(
    emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[dict[str, str]], WebServer]]:
    """Starts a server, once for each environment."""
    started: dict[str, WebServer] = {}

    def start(environment: dict[str, str]) -> WebServer:
        key = str(environment)
        if key not in started:
            directory = tmp_path_factory.mktemp("agent-platform")
            started[key] = WebServer(directory, {**emulator_program.environment, **environment})
        return started[key]

    yield start
    for server in started.values():
        server.stop()


@pytest.fixture
def there(start: Callable[[dict[str, str]], WebServer], emulator: Emulator) -> WebServer:
    """A server that knows nothing else, and has no key."""
    return start(ON_AGENT_PLATFORM | {"TEXT_MODELS": NATIVE})


@pytest.fixture
def web(there: WebServer) -> WebServer:
    """For the stories that are told on either side."""
    return there


@pytest.fixture
def both(start: Callable[[dict[str, str]], WebServer], emulator: Emulator) -> WebServer:
    """A server whose ladder has the Developer API, and then two regions of Agent Platform."""
    settings = {name: value for name, value in ON_AGENT_PLATFORM.items() if name.startswith("GOOGLE_CLOUD")}
    server = start(settings | {"CALL_MODELS": BOTH, "TEXT_MODELS": BOTH})
    forget_quota(server)
    return server


def dialled(emulator: Emulator) -> list[tuple[str, bool]]:
    return [(entry["location"], entry["handle_given"]) for entry in emulator.entries("opened")]


def spend(emulator: Emulator, *places: str) -> None:
    for place in places:
        emulator.fault("quota", where=place, connection="all")


@pytest.mark.parametrize(("mode", "model"), [("call", THERE), ("text", f"vertex@us-central1:{NATIVE}")])
async def test_what_a_call_and_a_chat_ask_of_their_models_there(
    there: WebServer, emulator: Emulator, mode: str, model: str
) -> None:
    async with Page(there, mode) as page:
        assert (await page.start())["model"] == model
        await tell_code_word(page)
        emulator.fault("cut")
        await page.wait_until(lambda: len(dialled(emulator)) > 1, "the next connection")
    assert dialled(emulator) == [("us-central1", False), ("us-central1", True)]
    (first, _) = emulator.entries("setup")
    assert first["asked"]["sessionResumption"] == {"transparent": True}
    assert "historyConfig" not in first["asked"]
    assert f"{model} calls this connection's session " in there.log()


async def test_a_dead_handle_is_made_good_by_what_was_said_given_in_the_instruction(
    there: WebServer, emulator: Emulator
) -> None:
    async with Page(there, "call") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("dead_handle")
        emulator.fault("cut")
        await page.wait_for("ready", action="rebuilt")
        assert "PLUM-42" in await ask_code_word(page)
    assert "PLUM-42" in str(emulator.entries("setup")[-1]["asked"]["systemInstruction"])


async def test_somebody_who_mutes_the_microphone_behind_a_sentence_is_answered(
    there: WebServer, emulator: Emulator
) -> None:
    async with Page(there, "call") as page:
        await page.start()
        await page.speak(spoken("What time is it?"))
        await page.send(type="mic", on=False)
        assert await page.reply()
        assert page.audio
    assert emulator.entries("audio_end") == []


@pytest.mark.parametrize("mode", ["call", "text"])
async def test_a_function_that_nobody_declared_costs_no_answer_though_its_turn_ends_first(
    there: WebServer, emulator: Emulator, mode: str
) -> None:
    async with Page(there, mode) as page:
        await page.start()
        emulator.fault("undeclared_tool_call", count=1)
        await tell_code_word(page)
        assert len(page.of_type("turn_complete")) == 1
        assert page.toasts() == []
    assert len(dialled(emulator)) == 1


async def test_quota_of_the_developer_api_takes_a_call_to_agent_platform_and_back(
    both: WebServer, emulator: Emulator
) -> None:
    async with Page(both, "call") as page:
        assert (await page.start())["model"] == MODEL
        await tell_code_word(page)
        spend(emulator, "developer-api")
        states_before = len(page.states())
        await page.say("What is my code word?")
        await page.wait_for("ready", model=THERE)
        await page.wait_for("state", state="live")
        assert page.states()[states_before:] == ["falling_back", "live"], "nothing is waited for on the way"
        assert "PLUM-42" in await page.reply()
        emulator.disarm()
        await asyncio.to_thread(forget_quota, both)
        await ask_code_word(page)
        await page.wait_until(lambda: page.of_type("ready")[-1]["model"] == MODEL, "the way back")
        assert "PLUM-42" in await ask_code_word(page)
    assert emulator.entries("handle_refused") == []
    assert {location for location, handle_given in dialled(emulator) if handle_given} == set()


async def test_a_key_that_is_not_taken_leads_to_agent_platform(
    start: Callable[[dict[str, str]], WebServer], emulator: Emulator
) -> None:
    settings = {name: value for name, value in ON_AGENT_PLATFORM.items() if name.startswith("GOOGLE_CLOUD")}
    server = start(settings | {"GEMINI_API_KEY": "bad", "TEXT_MODELS": BOTH, "AGENT_PLATFORM_API_VERSION": "v1"})
    async with Page(server, "text") as page:
        await page.send(type="start", page_id=page.page_id, last_down=-1)
        assert (await page.wait_for("ready"))["model"] == THERE
        await tell_code_word(page)
        assert "PLUM-42" in await ask_code_word(page)


async def test_a_region_that_is_spent_leads_to_the_next_and_no_handle_goes_with_it(
    both: WebServer, emulator: Emulator
) -> None:
    spend(emulator, "developer-api", "us-central1")
    async with Page(both, "text") as page:
        await page.start()
        await page.wait_until(lambda: page.of_type("ready")[-1]["model"] == ELSEWHERE, "the second region")
        await tell_code_word(page)
        emulator.fault("cut")
        await page.wait_for("ready", action="resumed")
        assert "PLUM-42" in await ask_code_word(page)
    assert dialled(emulator) == [("europe-west4", False), ("europe-west4", True)]
    assert emulator.entries("handle_refused") == []


async def test_a_conversation_in_turns_and_its_voice_are_asked_for_there_as_well(
    start: Callable[[dict[str, str]], WebServer], emulator: Emulator
) -> None:
    model = "vertex@global:gemini-3.8-flash"
    ladders = {"TEXT_MODELS": model, "TURNS_VOICE_MODELS": "vertex:gemini-3.8-flash-tts"}
    ladders |= {"AGENT_PLATFORM_API_VERSION": "v1"}
    async with Page(start(ON_AGENT_PLATFORM | ladders), "text") as page:
        assert (await page.start())["model"] == model
        await tell_code_word(page)
        assert "PLUM-42" in await ask_code_word(page)
        assert page.audio
        assert page.toasts() == []


async def test_credentials_that_are_not_taken_are_said_to_be_wrong(
    start: Callable[[dict[str, str]], WebServer], emulator: Emulator
) -> None:
    async with Page(start(ON_AGENT_PLATFORM | {"GOOGLE_CLOUD_ACCESS_TOKEN": "bad"}), "text") as page:
        await page.send(type="start", page_id=page.page_id, last_down=-1)
        assert (await page.wait_for("state", state="failed"))["reason"] == "bad-key"


def test_summaries_are_written_there(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_VERTEX_BASE_URL", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, emulator.environment[name])
    project = CloudProject("holdline", "global", "emulator")
    summarizer = GeminiSummarizer(project, "v1beta1", ["vertex@global:gemini-3.8-flash"])
    assert summarizer.ask("vertex@global:gemini-3.8-flash", summary_prompt("User: My name is Ann.", "")).startswith("{")


@pytest.mark.parametrize("how", ["lags", "jumps", "missing", "of-before"])
async def test_whatever_is_said_of_consumed_messages_a_question_that_was_cut_is_heard_whole(
    there: WebServer, emulator: Emulator, how: str
) -> None:
    emulator.fault("odd_index", how=how, by=50, connection="all")
    question = spoken("What time is it?") + silence(0.8)
    async with Page(there, "call") as page:
        await page.start()
        await page.speak(question, real_time=False)
        assert await page.reply()
        for _ in range(2):
            emulator.fault("cut", when="speech")
            await page.speak(question, real_time=False)
            assert await page.reply()
        assert len(dialled(emulator)) == 3
    heard_ms = [entry["ms"] for entry in emulator.entries("speech_in")]
    assert sum(ms > heard_ms[0] - FRAME_MS for ms in heard_ms) >= 3, (
        "a part of one may be heard twice, none only in part"
    )
    assert emulator.entries("handle_refused") == []
