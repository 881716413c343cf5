"""A page attaches recordings and asks about them: over sockets, with the rows as they are."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import Recording, RecordingWork, Turn
from sessions_app.recordings import service
from tests.fakes.upstream import FakeUpstream
from tests.recordings.at_google import recording_of
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import exchange

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


async def a_recording(user: User, content: bytes = b"sound") -> str:
    recording: Recording = await database_sync_to_async(recording_of)(user, content)
    return str(recording.pk)


@database_sync_to_async
def write_down(id: str, title: str) -> None:
    RecordingWork.objects.filter(recording=uuid.UUID(id)).update(state="done", title=title, summary="Ann counts plums.")


def ids_in(message: dict[str, Any]) -> list[str]:
    return [facts["id"] for facts in message["recordings"]]


async def test_a_session_begins_with_what_is_known_of_what_its_page_attaches_first(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    await write_down(id, "Plums")
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start(recordings=[id])
        assert ids_in(await page.wait_for("recordings")) == [id]
        assert "Ann counts plums." in upstream.connection.setup.instruction
        assert page.error_codes == []


async def test_the_page_and_the_model_hear_of_it_when_more_is_known(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        assert ids_in(await page.wait_for("recordings")) == []
        await page.send(type="attach", recording=id)
        (facts,) = (await page.wait_for("recordings"))["recordings"]
        assert facts["work"]["state"] == "waiting"
        await write_down(id, "Plums")
        (facts,) = (await page.wait_for("recordings"))["recordings"]
        assert facts["work"]["title"] == "Plums"
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
        told = [turn.text for turns in upstream.connection.past_turns for turn in turns]
        assert [("being written down" in text, "Ann counts plums." in text) for text in told if "talk.wav" in text] in (
            [(True, False), (False, True)],
            [(False, True)],
        )


async def test_a_question_is_asked_beside_the_line_and_stands_in_the_rows(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        await exchange(page, upstream, "m-1", "I am Ann.", "Hello Ann.")
        await page.send(type="text", id="q-1", text="Who speaks?", recordings=[id])
        turn = await page.wait_for("turn", id="q-1")
        assert turn["recordings"] == [id]
        await page.wait_for("recordings")
        (question,) = upstream.connection.questions
        assert (question.text, question.recordings) == ("Who speaks?", (id,))
        assert question.conversation == ready["conversation"]
        assert [turn.text for turn in question.context.turns] == ["I am Ann.", "Hello Ann."]
        assert upstream.connection.texts == ["I am Ann."]
    stored = await database_sync_to_async(Turn.objects.get)(client_id="q-1")
    assert stored.recordings == [id]


async def test_a_message_about_what_is_not_there_is_refused_and_not_taken(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User
) -> None:
    his = await a_recording(bob)
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start(recordings=[his])
        assert (await page.wait_for("error"))["recording"] == his
        await page.send(type="text", id="q-1", text="Who speaks?", recordings=[his])
        error = await page.wait_for("error")
        assert (error["code"], error["id"]) == ("recordings.unknown", "q-1")
        await page.send(type="attach", recording=str(uuid.uuid4()))
        assert (await page.wait_for("error"))["code"] == "recordings.unknown"
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
        assert [turn["text"] for turn in page.of_type("turn")][:1] == ["Hello"]
        assert upstream.connection.questions == []


async def test_a_question_that_was_taken_before_is_not_looked_up_again(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """A page that comes back sends what is not acknowledged once more; the recording may be gone by then."""
    id, page_id = await a_recording(alice), uuid.uuid4()
    for _ in range(2):
        async with Socket(registry, Mode.TEXT, alice, page_id) as page:
            await page.start()
            await page.send(type="text", id="q-1", text="Who speaks?", recordings=[id])
            await page.send(type="ping", t=1)
            await page.wait_for("pong")
            assert page.error_codes == []
        await database_sync_to_async(Recording.objects.filter(pk=id).delete)()
    assert len(upstream.connection.questions) == 1


async def test_a_chat_that_is_continued_has_its_recordings(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start(recordings=[id])
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start(**{"continue": ready["conversation"]})
        assert ids_in(await page.wait_for("recordings")) == [id]
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="reset")
        await page.wait_for("ready")
        assert ids_in(await page.wait_for("recordings")) == []


async def test_what_was_taken_out_of_a_chat_stays_out_when_its_page_comes_back_to_another_worker(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id, page_id = await a_recording(alice), uuid.uuid4()
    async with Socket(registry, Mode.TEXT, alice) as page:
        first = await page.start(recordings=[id])
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
    for worker, expected in ((registry, [id]), (other, [])):
        async with Socket(worker, Mode.TEXT, alice, page_id) as page:
            ready = await page.start(**{"continue": first["conversation"]})
            assert ids_in(await page.wait_for("recordings")) == expected
            await exchange(page, upstream, f"m-{len(expected)}", "Hello", "Hello.")
        detach = database_sync_to_async(service.detach)
        await detach(alice, uuid.UUID(id), uuid.UUID(ready["conversation"]))
        await worker.drain()


async def test_a_call_has_the_recordings_of_the_one_it_goes_on_from_and_of_no_other(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    async with Socket(registry, Mode.CALL, alice) as page:
        call = await page.start(recordings=[id])
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
        await page.send(type="hangup")
        await page.wait_closed()
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start(goes_on_from=call["conversation"])
        assert ids_in(await page.wait_for("recordings")) == [id]
        await page.send(type="hangup")
        await page.wait_closed()
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start(goes_on_from=call["conversation"])
        assert ids_in(await page.wait_for("recordings")) == []


async def test_a_server_that_takes_none_says_so(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, settings: Settings
) -> None:
    id = await a_recording(alice)
    settings.RECORDINGS = False
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start(recordings=[id])
        assert (await page.wait_for("error"))["code"] == "recordings.off"
        await page.send(type="text", id="q-1", text="Who speaks?", recordings=[id])
        assert (await page.wait_for("error"))["code"] == "recordings.off"
        assert page.of_type("recordings") == []


async def test_what_another_page_attaches_over_http_is_told(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    id = await a_recording(alice)
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        await page.wait_for("recordings")
        attach = database_sync_to_async(service.attach)
        await attach(alice, uuid.UUID(id), uuid.UUID(ready["conversation"]))
        assert ids_in(await page.wait_for("recordings")) == [id]
