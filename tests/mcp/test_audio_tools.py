"""The tools that listen, with a model that a test plays: what is stored, what is counted, how they refuse."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from mcp import Client
from pytest_django import Settings

from config.mcp.answers import RecordedAnswers, Said
from config.mcp.audio_tools import AudioTools
from config.mcp.calls import Calls
from config.mcp.server import server_of
from config.mcp.tools import tools
from energy.levels import Mode
from sessions_app import services
from sessions_app.auth_tokens.callers import Caller
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import Question
from sessions_app.live.transcript import Role, TurnCode
from sessions_app.models import Conversation, LiveSession, Recording, RecordingUpload, TurnUsage
from sessions_app.recordings.answering import Answered
from sessions_app.recordings.service import attach
from summarization import history
from summarization.models import CallHistory
from tests.mcp.conftest import text_of
from tests.services.processes import PATIENCE_S, eventually
from tests.summarization.talk import Talk, spoken

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = Path(__file__).parent.parent / "browser" / "fixtures" / "hello.wav"
MODEL = "gemini-3.8-flash"


class Model:
    """Answers with what a test gives it, or fails with it; what it was asked is in `questions`."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.says: str | Exception = "It says hello."
        self.refusal = ""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_cancelled = False

    async def __call__(self, question: Question, said: Said) -> Answered:
        self.questions.append(question)
        said("A model listens")
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if isinstance(self.says, Exception):
            raise self.says
        usage = UsageReported(
            prompt_tokens=100, response_tokens=10, prompt_tokens_by_modality={"AUDIO": 80, "TEXT": 20}, model=MODEL
        )
        return Answered(self.says, MODEL, self.refusal, (usage,))


@pytest.fixture
async def model() -> Model:
    return Model()


@pytest.fixture(autouse=True)
def folders(settings: Settings, tmp_path: Path) -> None:
    settings.RECORDINGS = True
    settings.MEDIA_ROOT, settings.RECORDING_UPLOADS_DIR = tmp_path / "media", tmp_path / "uploads"


Asks = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def program(model: Model) -> Asks:
    """A program that asks in somebody's name; on this machine unless it is said to be elsewhere."""

    @asynccontextmanager
    async def program_of(user: User, *, elsewhere: bool = False) -> AsyncIterator[Client]:
        calls = Calls("http" if elsewhere else "stdio", recheck_every_s=0.05)
        answers = RecordedAnswers(model, asyncio.get_running_loop())
        served = tools(AudioTools(answers, takes_paths=not elsewhere))
        async with Client(server_of(served, calls, lambda _: Caller(user, None))) as client:
            yield client
        calls.close()

    return program_of


@sync_to_async
def recording_of(user: User, name: str = "hello.wav") -> Recording:
    """A recording that somebody has, kept."""
    return Recording.objects.create(
        user=user,
        name=name,
        sha256=uuid.uuid4().hex * 2,
        size_bytes=9,
        media_type="audio/wav",
        duration_ms=2_574,
        peaks=b"",
        file="recordings/a",
        is_kept=True,
    )


async def listen(client: Client, file: object, question: str = "What is said?") -> dict[str, Any]:
    result = await client.call_tool("listen_to_audio", {"file": str(file), "question": question})
    assert not result.is_error, text_of(result)
    answered: dict[str, Any] = result.structured_content
    return answered


async def refusal(client: Client, tool: str, **arguments: object) -> str:
    """The sentence by which a call is refused."""
    result = await client.call_tool(tool, {"question": "What is said?"} | {k: str(v) for k, v in arguments.items()})
    assert result.is_error
    assert result.structured_content is None
    return text_of(result)


async def test_question_and_answer_are_a_conversation_of_the_history_and_are_counted(
    program: Asks, alice: User, model: Model
) -> None:
    recording = await recording_of(alice)
    async with program(alice) as client:
        first = await listen(client, recording.pk, "What is said?")
        again = await client.call_tool("ask_about_audio", {"session": first["session"], "question": "By whom?"})
    assert (first["answer"], first["recordings"][0]["id"]) == ("It says hello.", str(recording.pk))
    assert again.structured_content["session"] == first["session"]
    asked = model.questions[1]
    assert (asked.text, asked.recordings) == ("By whom?", (str(recording.pk),))
    assert [turn.text for turn in asked.context.turns] == ["What is said?", "It says hello."]

    record = await sync_to_async(history.read)(alice, uuid.UUID(first["session"]))
    assert [(line.role, line.text) for line in record.lines] == [
        ("user", "What is said?"),
        ("model", "It says hello."),
        ("user", "By whom?"),
        ("model", "It says hello."),
    ]
    assert (record.mode, record.is_over, record.is_live, record.models) == ("text", True, False, (MODEL,))
    assert (record.tokens.input, record.tokens.output) == (200, 20)
    assert await CallHistory.objects.filter(conversation=record.id).aexists()
    assert await TurnUsage.objects.acount() == 2


async def test_no_page_takes_the_session_for_its_own_chat(program: Asks, alice: User) -> None:
    recording = await recording_of(alice)
    async with program(alice) as client:
        answered = await listen(client, recording.pk)
    chat = await sync_to_async(Talk)(alice, Mode.TEXT)
    assert str(chat.id) != answered["session"]


async def test_a_recording_is_found_by_its_name(program: Asks, alice: User, bob: User) -> None:
    mine, _ = await recording_of(alice, "Talk.mp3"), await recording_of(bob, "Talk.mp3")
    async with program(alice, elsewhere=True) as client:
        for name in ("talk.MP3", "talk.\0mp3"):
            assert (await listen(client, name))["recordings"][0]["id"] == str(mine.pk)
        other = await recording_of(alice, "talk.mp3")
        several = await refusal(client, "listen_to_audio", file="talk.mp3")
        unknown = await refusal(client, "listen_to_audio", file="walk.mp3")
    assert str(mine.pk) in several
    assert str(other.pk) in several
    assert unknown.startswith("You have no recording of this id or name. Yours are ")


async def test_what_is_somebody_elses_is_not_there(program: Asks, alice: User, bob: User) -> None:
    recording = await recording_of(alice)
    async with program(alice) as client:
        session = (await listen(client, recording.pk))["session"]
    async with program(bob) as client:
        no_file = await refusal(client, "listen_to_audio", file=recording.pk)
        no_session = await refusal(client, "ask_about_audio", session=session)
    assert no_file == "You have no recording of this id or name. You have uploaded none yet."
    assert no_session == f"You have no session {session}."


async def test_who_is_elsewhere_can_name_no_file_of_this_machine(program: Asks, alice: User) -> None:
    async with program(alice, elsewhere=True) as client:
        refused = await refusal(client, "listen_to_audio", file=HELLO)
        described = next(tool for tool in (await client.list_tools()).tools if tool.name == "listen_to_audio")
    assert refused == "You have no recording of this id or name. You have uploaded none yet."
    assert "path" not in str(described.description)


@pytest.mark.parametrize("as_address", [False, True])
async def test_a_file_of_this_machine_is_taken_in_by_the_usual_checks(
    program: Asks, alice: User, tmp_path: Path, as_address: bool
) -> None:
    file = tmp_path / "a talk.wav"
    shutil.copy(HELLO, file)
    async with program(alice) as client:
        answered = await listen(client, file.as_uri() if as_address else file)
        again = await listen(client, file)
    assert answered["recordings"][0] == again["recordings"][0]
    recording = await Recording.objects.aget()
    assert (recording.name, recording.media_type, recording.is_kept) == ("a talk.wav", "audio/wav", False)
    assert file.exists(), "it stays the user's"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "There is no file"),
        ("folder", "is no file"),
        ("pipe", "is no file"),
        ("empty", "This file is empty"),
        ("text", "This is no audio file"),
        ("below a file", "cannot be read"),
        ("long name", "cannot be read"),
        ("too large", "This server takes up to"),
    ],
)
async def test_a_file_that_is_no_recording_is_refused_and_nothing_of_it_stays(
    program: Asks, alice: User, tmp_path: Path, settings: Settings, kind: str, words: str
) -> None:
    path = tmp_path / "file.wav"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "empty":
            path.touch()
        case "text":
            path.write_text("Nothing to hear. " * 50)
        case "below a file":
            path.touch()
            path = path / "x"
        case "long name":
            path = tmp_path / ("x" * 300)
        case "too large":
            settings.RECORDING_MAX_MB = 1
            with path.open("wb") as file:
                file.truncate(1_000_001)
    async with program(alice) as client:
        refused = await refusal(client, "listen_to_audio", file=path)
    assert words in refused
    assert not await Recording.objects.aexists()
    assert not await Conversation.objects.aexists()
    assert not await RecordingUpload.objects.filter(state__in=RecordingUpload.OPEN).aexists()


async def test_where_the_server_takes_no_recordings_it_takes_no_file_either(
    program: Asks, alice: User, settings: Settings
) -> None:
    settings.RECORDINGS = False
    async with program(alice) as client:
        assert await refusal(client, "listen_to_audio", file=HELLO) == "This server takes no recordings."


async def test_who_has_had_their_share_is_refused(program: Asks, alice: User, settings: Settings, model: Model) -> None:
    settings.FAIR_USE_TOKENS_PER_DAY = 100
    recording = await recording_of(alice)
    async with program(alice) as client:
        session = (await listen(client, recording.pk))["session"]
        refused = await refusal(client, "ask_about_audio", session=session)
        assert "You have used your 100 tokens for today." in await refusal(client, "listen_to_audio", file=HELLO)
    assert "You have used your 100 tokens for today." in refused
    assert await Conversation.objects.acount() == 1, "no empty one is left"
    assert not await RecordingUpload.objects.aexists()
    assert len(model.questions) == 1


async def test_a_question_without_an_answer_stands_there_with_the_reason_and_can_be_asked_again(
    program: Asks, alice: User, model: Model
) -> None:
    recording = await recording_of(alice)
    model.says = Unanswerable(TurnCode.RECORDING_QUOTA)
    model.says.usages = (UsageReported(prompt_tokens=100, response_tokens=0, model=MODEL),)
    async with program(alice) as client:
        refused = await refusal(client, "listen_to_audio", file=recording.pk)
        conversation = await Conversation.objects.aget()
        model.says = "Hello."
        answered = await client.call_tool("ask_about_audio", {"session": str(conversation.pk), "question": "Again?"})
    assert "quota" in refused
    assert str(conversation.pk) in refused
    assert answered.structured_content["answer"] == "Hello."
    record = await sync_to_async(history.read)(alice, conversation.pk)
    assert [(line.role, line.code) for line in record.lines][1] == (Role.SYSTEM, TurnCode.RECORDING_QUOTA)
    assert record.tokens.input == 200, "what came to nothing is counted, too"
    assert not await LiveSession.objects.filter(ended_at=None).aexists()


async def test_an_answer_that_the_provider_breaks_off_says_so(program: Asks, alice: User, model: Model) -> None:
    model.refusal = "SAFETY"
    recording = await recording_of(alice)
    async with program(alice) as client:
        answered = await listen(client, recording.pk)
    assert answered["answer"] == "It says hello."
    assert answered["note"] == "The model declined to answer."


async def test_a_session_that_went_on_elsewhere_goes_on_in_a_new_one(program: Asks, alice: User) -> None:
    """Its turns keep their numbers, whatever a page says meanwhile in the conversation that continues it."""
    recording = await recording_of(alice)
    async with program(alice) as client:
        session = (await listen(client, recording.pk))["session"]
        await sync_to_async(Talk)(alice, Mode.TEXT, continues=uuid.UUID(session))
        asked = {"session": session, "question": "And now?"}
        answered = (await client.call_tool("ask_about_audio", asked)).structured_content
    assert answered["session"] != session
    conversation = await Conversation.objects.aget(pk=answered["session"])
    assert str(conversation.continues_id) == session
    assert answered["recordings"][0]["id"] == str(recording.pk)


@sync_to_async
def call_about(user: User, recording: Recording) -> uuid.UUID:
    talk = Talk(user)
    talk.say([spoken(0, "Listen to this."), spoken(1, "I hear it.")])
    attach(user, recording.pk, talk.id)
    return talk.id


async def test_a_call_that_is_about_a_recording_can_be_asked_about(program: Asks, alice: User, model: Model) -> None:
    call = await call_about(alice, await recording_of(alice))
    async with program(alice) as client:
        answered = await client.call_tool("ask_about_audio", {"session": str(call), "question": "What was it?"})
    assert answered.structured_content["session"] != str(call)
    assert [turn.text for turn in model.questions[0].context.turns] == ["Listen to this.", "I hear it."]


async def test_a_session_without_recordings_cannot_be_asked(program: Asks, alice: User) -> None:
    recording = await recording_of(alice)
    async with program(alice) as client:
        session = (await listen(client, recording.pk))["session"]
        await sync_to_async(recording.delete)()
        refused = await refusal(client, "ask_about_audio", session=session)
    assert refused.startswith("No recording belongs to this session any more.")


async def test_while_a_question_is_answered_its_conversation_cannot_be_deleted(
    program: Asks, alice: User, model: Model
) -> None:
    recording = await recording_of(alice)
    model.may_answer.clear()
    async with program(alice) as client:
        asking = asyncio.create_task(listen(client, recording.pk))
        await eventually(lambda: bool(model.questions))
        conversation = uuid.UUID(model.questions[0].conversation)
        with pytest.raises(history.StillOpen):
            await sync_to_async(history.delete)(alice, conversation)
        model.may_answer.set()
        await asking
    await sync_to_async(history.delete)(alice, conversation)


async def test_a_question_whose_account_is_closed_is_torn_and_nothing_stays_open(
    program: Asks, alice: User, model: Model
) -> None:
    recording = await recording_of(alice)
    model.may_answer.clear()
    async with program(alice) as client:
        asking = asyncio.create_task(refusal(client, "listen_to_audio", file=recording.pk))
        await eventually(lambda: bool(model.questions))
        await sync_to_async(User.objects.filter(pk=alice.pk).update)(is_active=False)
        assert await asking == "Meanwhile the account was closed."
        await eventually(lambda: model.was_cancelled)
        conversation = model.questions[0].conversation
        async with asyncio.timeout(PATIENCE_S):
            while len(turns := await sync_to_async(_codes_of)(conversation)) < 2:  # noqa: ASYNC110 - rows tell nobody
                await asyncio.sleep(0.01)
    assert turns == ["", TurnCode.NO_ANSWER]
    assert not await LiveSession.objects.filter(ended_at=None).aexists()


def _codes_of(conversation: str) -> list[str]:
    return [turn.code for turn in services.own_turns_of(Conversation.objects.get(pk=conversation))]


async def test_progress_is_told_while_the_model_listens(program: Asks, alice: User, model: Model) -> None:
    recording = await recording_of(alice)
    told: list[str | None] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)
        if message == "A model listens":
            model.may_answer.set()

    model.may_answer.clear()
    async with program(alice) as client:
        asked = {"file": str(recording.pk), "question": "What is said?"}
        await client.call_tool("listen_to_audio", asked, progress_callback=progress)
    assert "A model listens" in told
