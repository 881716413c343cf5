"""The story of the product, told by a page without a browser: the line goes, the conversation stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.scenarios.test_energy import forget_quota
from tests.services.emulator import Emulator
from tests.services.processes import eventually
from tests.services.web import WebServer

CODE_WORD = "my code word is PLUM-42"
QUESTION = "What is my code word?"


async def tell_code_word(page: Page) -> None:
    await page.say(CODE_WORD)
    assert "PLUM-42" in await page.reply()


async def ask_code_word(page: Page) -> str:
    await page.say(QUESTION)
    return await page.reply()


def turns_of(page: Page) -> dict[int, dict[str, str]]:
    """The transcript as the page would show it: the latest of each number."""
    return {message["turn"]: message for message in page.of_type("turn")}


@pytest.mark.parametrize("mode", ["text", "call"])
async def test_a_go_away_is_survived_with_its_memory_and_without_a_word(
    web: WebServer, emulator: Emulator, mode: str
) -> None:
    async with Page(web, mode) as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("go_away", time_left="2s")
        await page.wait_for("go_away", time_left_ms=2000)
        await page.wait_for("state", state="handover")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)
        assert page.states() == ["connecting", "live", "handover", "live"]
        assert page.toasts() == []
        assert len(page.of_type("ready")) == 1
        assert [turn["role"] for turn in turns_of(page).values()] == ["user", "model", "user", "model"]
    assert [entry["resumed"] for entry in emulator.entries("opened")] == [False, True]


async def test_a_go_away_with_no_time_left_during_a_reply_is_survived(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("go_away", time_left="0s", when="midway")
        await page.say("Tell me a long story")
        await page.wait_for("turn", role="model", status="partial")
        await page.wait_for("go_away", time_left_ms=0)
        await page.wait_for("state", state="live")
        await page.reply()
        assert "PLUM-42" in await ask_code_word(page)


@pytest.mark.parametrize("mode", ["text", "call"])
async def test_a_cut_is_survived_with_its_memory_and_at_most_one_toast(
    web: WebServer, emulator: Emulator, mode: str
) -> None:
    async with Page(web, mode) as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("ready", action="resumed")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)
        assert len(page.toasts()) <= 1
        assert [turn["role"] for turn in turns_of(page).values()] == ["user", "model", "user", "model"]


async def test_a_session_that_refuses_its_resume_for_a_second_after_a_cut_is_resumed_all_the_same(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        # As often as in a second, however slow this machine is.
        emulator.fault("lingering_session", linger_s=60, count=2)
        emulator.fault("cut")
        await page.wait_for("ready", action="resumed")
        await page.wait_for("state", state="live")
        assert emulator.entries("handle_refused")
        assert "PLUM-42" in await ask_code_word(page)
        assert page.of_type("energy") == []
        assert len(page.toasts()) <= 1


async def test_a_function_that_nobody_declared_is_refused_at_once_and_the_answer_comes(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as page:
        await page.start()
        emulator.fault("undeclared_tool_call", count=1)
        await tell_code_word(page)
        assert len(emulator.entries("undeclared_tool_call")) == 1
        assert len(emulator.connections()) == 1
        assert page.toasts() == []


async def test_a_cut_right_after_a_reply_does_not_lose_it_though_no_handle_covers_it(
    web: WebServer, emulator: Emulator
) -> None:
    emulator.fault("withhold_handles", on=True)
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)


async def test_a_reply_that_was_cut_off_stands_once_and_says_that_it_was_given_again(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("stall", for_s=60, when="midway")
        await page.say("Tell me a long story")
        await page.wait_for("turn", role="model", status="partial")
        await eventually(lambda: bool(emulator.entries("fault")))  # or it would hold the reply that comes again
        emulator.fault("cut")
        await page.wait_for("flush")
        await page.wait_for("state", state="live")
        await page.reply()
        replies = [(turn["status"], turn.get("code")) for turn in turns_of(page).values() if turn["role"] == "model"]
        assert replies == [("complete", None), ("complete", "turn.given_again")]
        assert [entry["text"] for entry in emulator.entries("text_in")].count("Tell me a long story") == 2


@pytest.mark.parametrize("mode", ["text", "call"])
async def test_a_dead_handle_gives_a_new_session_with_the_context_and_says_so(
    web: WebServer, emulator: Emulator, mode: str
) -> None:
    async with Page(web, mode) as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("dead_handle")
        emulator.fault("cut")
        ready = await page.wait_for("ready", action="rebuilt")
        assert [turn["role"] for turn in ready["transcript"]] == ["user", "model"]
        toast = await page.wait_for("toast", code=f"{mode}.rebuilt")
        assert "new session was started" in toast["text"]
        assert "PLUM-42" in await ask_code_word(page)
        assert len(page.toasts()) == 1


async def test_a_reload_of_a_text_chat_uses_no_handle_and_shows_the_transcript(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        await page.disconnect()
    async with Page(web, "text") as reloaded:
        ready = await reloaded.start()
        assert ready["action"] == "rebuilt"
        assert [turn["text"] for turn in ready["transcript"]][:1] == [CODE_WORD]
        assert "PLUM-42" in await ask_code_word(reloaded)
    assert [entry["handle_given"] for entry in emulator.entries("opened")] == [False, False]


async def test_a_reload_of_a_call_starts_empty_and_uses_no_handle(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        await page.tear()
    async with Page(web, "call") as reloaded:
        ready = await reloaded.start()
        assert (ready["action"], ready["transcript"]) == ("new", [])
        assert "PLUM-42" not in await ask_code_word(reloaded)
    assert [entry["handle_given"] for entry in emulator.entries("opened")] == [False, False]


async def test_a_torn_socket_of_the_same_page_is_attached_again_with_its_transcript(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        await page.tear()
        await page.connect()
        ready = await page.start()
        assert ready["action"] == "attached"
        assert [turn["role"] for turn in ready["transcript"]] == ["user", "model"]
        assert "PLUM-42" in await ask_code_word(page)
    assert len(emulator.entries("opened")) == 1


async def test_words_spoken_while_the_call_connects_arrive(web: WebServer, emulator: Emulator) -> None:
    emulator.fault("slow_setup", delay_s=2)
    speech = spoken("Good morning, can you hear me?")
    async with Page(web, "call") as page:
        await page.send(type="start", page_id=page.page_id, last_down=-1)
        await page.speak(speech, real_time=False)
        await page.wait_for("ready")
        await page.speak(silence(1.5))
        await page.reply()
    (heard,) = emulator.entries("speech_in")
    assert heard["ms"] > len(speech) / 32 * 0.6


async def test_a_call_is_heard_answered_and_survives_a_go_away_while_it_is_spoken(
    web: WebServer, emulator: Emulator
) -> None:
    first, second = spoken("Hello world, how are you?"), spoken("What did I say first?")
    async with Page(web, "call") as page:
        await page.start()
        await page.speak(first + silence(1.5))
        await page.reply()
        assert page.audio
        emulator.fault("go_away", time_left="2s")
        await page.speak(second + silence(1.5))
        await page.reply()
        assert [number for number, _ in page.audio] == list(range(len(page.audio)))
        assert page.toasts() == []
        roles = [turn["role"] for turn in turns_of(page).values()]
        assert roles == ["user", "model", "user", "model"]
    assert [entry["resumed"] for entry in emulator.entries("opened")] == [False, True]
    assert len(emulator.entries("speech_in")) == 2


async def test_odd_frames_of_the_provider_are_survived(web: WebServer, emulator: Emulator) -> None:
    emulator.fault("first_frame_not_setup")
    emulator.fault("extra_frames")
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        assert "PLUM-42" in await ask_code_word(page)
    assert len(emulator.entries("opened")) == 1


async def test_an_answer_to_the_set_up_that_cannot_be_read_costs_another_dial_and_no_memory(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        logged_before = len(web.log())
        emulator.fault("first_frame_not_setup", unreadable=True, count=2)
        emulator.fault("cut")
        await page.wait_for("ready", action="resumed")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)
        assert page.of_type("energy") == []
    assert len(emulator.entries("opened")) == 4
    logged = web.log()[logged_before:]
    assert "The answer to the set-up cannot be read" in logged
    assert "Traceback" not in logged


async def test_a_field_that_the_provider_does_not_know_is_left_out(web: WebServer, emulator: Emulator) -> None:
    emulator.fault("reject_field", field="contextWindowCompression")
    async with Page(web, "text") as page:
        ready = await page.start()
        assert ready["action"] in ("new", "rebuilt")
        await tell_code_word(page)


@pytest.fixture
def full_energy_afterwards(web: WebServer) -> Iterator[None]:
    """What a test found spent, the next one does not."""
    yield
    forget_quota(web)


@pytest.mark.usefixtures("full_energy_afterwards")
async def test_a_spent_quota_moves_on_to_the_next_model_with_its_memory(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("quota", model="gemini-3.8-live", limit="day")
        emulator.fault("close", text="quota exceeded", connection="latest")
        await page.wait_for("state", state="falling_back")
        energy = await page.wait_for("energy", level=2)
        assert energy["reason"] == "rate-limit-exceeded"
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)


@pytest.mark.developer_api
async def test_a_key_that_is_refused_ends_in_failed_with_its_reason(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(GEMINI_API_KEY="bad-key")
    async with Page(web, "text") as page:
        await page.send(type="start", page_id=page.page_id, last_down=-1)
        state = await page.wait_for("state", state="failed")
        assert state["reason"] == "bad-key"
        await page.wait_for("toast", code="text.failed")


@pytest.mark.parametrize("is_cut", [False, True])
async def test_what_two_people_say_one_after_the_other_stands_in_lines_of_their_own_also_when_it_is_heard_again(
    web: WebServer, emulator: Emulator, is_cut: bool
) -> None:
    emulator.fault("slow_thinking", delay_s=3)
    both = spoken("What time is it?") + silence(0.9) + spoken("How are you?", "Kore")
    async with Page(web, "call") as page:
        await page.start()
        await page.speak(both + silence(1))
        await page.wait_until(lambda: any("\n" in turn["text"] for turn in turns_of(page).values()), "both lines")
        if is_cut:
            emulator.fault("cut")
            await page.wait_for("ready", action="resumed")
        await page.reply()
        (said,) = [turn["text"] for turn in turns_of(page).values() if turn["role"] == "user"]
    first, second, *_ = (entry["text"] for entry in emulator.entries("speech_in"))
    assert said == f"{first}\n{second}"
