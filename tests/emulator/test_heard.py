"""Which audio a session has taken in: what a test that stamps its frames counts with."""

import json
import urllib.request

import pytest
from google.genai import types

from emulator.heard import LIMIT, HeardAudio
from tests.emulator.client import ask, live, next_handle, say
from tests.emulator.test_control import request
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, eventually


def stamped(*numbers: int) -> bytes:
    """A quiet frame of 40 ms for each number, which it begins with."""
    return b"".join(number.to_bytes(8, "big") + bytes(1272) for number in numbers)


def numbers(marks: list[str]) -> list[int]:
    return [int(mark, 16) for mark in marks]


def heard_by(emulator: Emulator, session: str) -> tuple[list[int], list[int]]:
    """The numbers of the chunks a session knows, and of those it has forgotten."""
    with urllib.request.urlopen(
        f"{emulator.control_url}/api/heard?session={session}", timeout=ANSWERS_WITHIN_S
    ) as response:
        answer = json.load(response)
    assert answer["dropped"] == 0
    return numbers(answer["chunks"]), numbers(answer["forgotten"])


async def test_a_session_tells_which_chunks_it_took_in_and_in_which_order(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await say(session, stamped(7, 9, 8))
        await eventually(lambda: len(heard_by(emulator, emulator.connections()[0]["session"])[0]) == 3)
        assert heard_by(emulator, emulator.connections()[0]["session"]) == ([7, 9, 8], [])


async def test_a_resumed_session_has_heard_what_its_checkpoint_had(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await say(session, stamped(1, 2))
        await ask(session, "Hello")
        handle = await next_handle(session)
        await say(session, stamped(3, 4))
        await eventually(lambda: emulator.connections()[0]["audio_in_ms"] == 160)
    async with live(emulator, handle=handle) as session:
        await say(session, stamped(4, 5))
        await eventually(lambda: emulator.connections()[-1]["audio_in_ms"] == 80)
        assert heard_by(emulator, emulator.connections()[-1]["session"]) == ([1, 2, 4, 5], [3, 4])
    assert [entry["chunks"] for entry in emulator.entries("opened")] == [0, 2]
    assert {entry["chunks"] for entry in emulator.entries("handle_issued")} >= {2}


async def test_a_session_that_forgot_everything_has_heard_nothing(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await say(session, stamped(1, 2))
        await ask(session, "Hello")
        handle = await next_handle(session)
    emulator.fault("forget")
    async with live(emulator, handle=handle):
        assert heard_by(emulator, emulator.connections()[-1]["session"]) == ([], [1, 2])
    assert [entry["handle"] for entry in emulator.entries("forgotten")] == [handle]


async def test_the_session_of_one_connection_is_forgotten_and_no_other(emulator: Emulator) -> None:
    async with live(emulator) as one, live(emulator) as other:
        await ask(one, "My code word is PLUM-42.")
        await ask(other, "My code word is FERN-7.")
        handles = [await next_handle(one), await next_handle(other)]
        emulator.fault("forget", connection=emulator.connections()[-1]["id"])
    answers = []
    for handle in handles:
        async with live(emulator, handle=handle) as session:
            answers.append((await ask(session, "What is my code word?")).text)
    assert answers == ["Your code word is PLUM-42.", "You have not told me your code word yet."]


async def test_audio_that_is_refused_was_not_heard(emulator: Emulator) -> None:
    async with live(emulator) as session:
        name = emulator.connections()[0]["session"]
        await session.send_realtime_input(audio=types.Blob(data=stamped(1), mime_type="audio/wav"))
        await eventually(lambda: not emulator.connections())
    assert heard_by(emulator, name) == ([], [])


@pytest.mark.parametrize("query", ["", "?session=", "?session=s0"])
def test_a_session_that_is_not_there_is_refused_with_a_reason(emulator: Emulator, query: str) -> None:
    status, answer = request(emulator, "GET", f"/api/heard{query}")
    assert status == 400
    assert "there is no session" in answer["error"]


def test_going_back_twice_to_the_same_checkpoint_forgets_each_branch() -> None:
    heard = HeardAudio()
    heard.add(stamped(1))
    then = heard.checkpoint()
    heard.add(stamped(2))
    later = heard.checkpoint()
    heard.go_back(then)
    heard.add(stamped(3))
    heard.go_back(later)
    assert (numbers(heard.marks()), numbers(heard.forgotten_marks())) == ([1, 2], [2, 3])
    heard.go_back(then)
    assert (numbers(heard.marks()), numbers(heard.forgotten_marks()), len(heard)) == ([1], [2, 3, 2], 1)


def test_a_short_chunk_is_marked_all_the_same() -> None:
    heard = HeardAudio()
    heard.add(b"\x01\x02")
    assert heard.marks() == ["0102000000000000"]


def test_of_very_many_chunks_the_newest_are_told_and_the_others_counted() -> None:
    heard = HeardAudio()
    for number in range(LIMIT + 5_000):
        heard.add(number.to_bytes(8, "big"))
    marks = numbers(heard.marks())
    assert len(marks) >= LIMIT
    assert marks == list(range(heard.dropped, LIMIT + 5_000))
    assert len(heard) == LIMIT + 5_000
