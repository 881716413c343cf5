"""Recordings for whoever answers questions about them, beside the event loop. See `live.providers.questions.shelf`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import connections

from energy.marking import gettext_noop as _
from sessions_app.daemon_threads import in_daemon_thread
from sessions_app.live.providers.questions.shelf import Bringing, Unanswerable
from sessions_app.live.providers.sound_parts import SoundPart
from sessions_app.live.questions import Listed, QuestionState
from sessions_app.live.transcript import TurnCode
from sessions_app.models import GeminiFile, Recording
from sessions_app.recordings import service
from sessions_app.recordings.google_files import NO_KEY, NotThere, audio_files, copy_of
from sessions_app.recordings.google_rules import State, which_go_along

AT_ONCE = 8
"""So many recordings are brought to the provider at a time by one process."""

LOOK_EVERY_S = 0.5
BRING_LIMIT_S = 1_800.0
"""Of all recordings of a question: 2 GB over 10 Mbit/s."""

NOT_GIVEN = _("{name} could not be given to the model: {reason}.")
NOT_READ = _("{name} cannot be read at the moment. You can ask again.")

R = TypeVar("R")

_STATES = {State.UPLOADING: QuestionState.UPLOADING, State.PROCESSING: QuestionState.PROCESSING}


class StoredRecordings:
    """See `questions.shelf.Shelf`, for one event loop. What is on its way goes on when a question is given up, and is
    found by the next one."""

    def __init__(self) -> None:
        self._rows = ThreadPoolExecutor(1, thread_name_prefix="recordings-rows")
        self._bringing = asyncio.Semaphore(AT_ONCE)

    async def listed(self, conversation: str, ids: tuple[str, ...]) -> tuple[Listed, ...]:
        return await self._look(partial(_listed, conversation, ids))

    async def parts(
        self, recordings: tuple[Listed, ...], tell: Callable[[Listed, Bringing], None]
    ) -> tuple[SoundPart, ...]:
        along = which_go_along([each.size_bytes for each in recordings])
        brought: list[SoundPart] = []
        try:
            async with asyncio.timeout(BRING_LIMIT_S):
                for each, goes_along in zip(recordings, along, strict=True):
                    brought.append(await self._bring(each, tell, goes_along=goes_along))
        except TimeoutError:
            raise Unanswerable(TurnCode.RECORDING_NOT_READY) from None
        return tuple(brought)

    async def lost(self, part: SoundPart) -> None:
        await self._look(partial(_lost, part))

    async def _bring(
        self, recording: Listed, tell: Callable[[Listed, Bringing], None], *, goes_along: bool
    ) -> SoundPart:
        async with self._bringing:
            bring = partial(_part_of, recording, goes_along=goes_along)
            bringing = asyncio.ensure_future(in_daemon_thread(bring, "recordings-bring"))
            while not (await asyncio.wait({bringing}, timeout=LOOK_EVERY_S))[0]:
                how_far = None if goes_along else await self._look(partial(_how_far, recording))
                if how_far is not None:
                    tell(recording, how_far)
            return bringing.result()

    async def _look(self, job: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._rows, _with_connections_closed, job)


def _with_connections_closed(job: Callable[[], R]) -> R:
    try:
        return job()
    finally:
        connections.close_all()


def _listed(conversation: str, ids: tuple[str, ...]) -> tuple[Listed, ...]:
    attached = {str(each.pk): each for each in service.attached_to(uuid.UUID(conversation))}
    if any(id not in attached for id in ids):
        raise Unanswerable(TurnCode.RECORDING_GONE)
    return tuple(_as_listed(attached[id]) for id in ids)


def _as_listed(recording: Recording) -> Listed:
    return Listed(str(recording.pk), recording.name, recording.duration_ms, recording.tokens, recording.size_bytes)


def _part_of(listed: Listed, *, goes_along: bool) -> SoundPart:
    """Raises `Unanswerable`."""
    try:
        recording = Recording.objects.get(pk=listed.id)
        return service.inline(recording) if goes_along else _uploaded(recording)
    except (Recording.DoesNotExist, FileNotFoundError):
        raise Unanswerable(TurnCode.RECORDING_GONE) from None
    except NotThere as error:
        text = NOT_GIVEN.format(name=listed.name, reason=error.reason)
        raise Unanswerable(_code_of(error), text) from error
    except OSError:
        text = NOT_READ.format(name=listed.name)
        raise Unanswerable(TurnCode.RECORDING_NOT_READY, text) from None


def _uploaded(recording: Recording) -> SoundPart:
    return audio_files().part_for(recording, BRING_LIMIT_S, may_go_along=False)


def _code_of(error: NotThere) -> TurnCode:
    if error.reason == NO_KEY:
        return TurnCode.RECORDING_UNAVAILABLE
    return TurnCode.RECORDING_NOT_READY if error.may_work_later else TurnCode.RECORDING_REFUSED


def _how_far(listed: Listed) -> Bringing | None:
    recording = Recording.objects.filter(pk=listed.id).defer("peaks").first()
    copy: GeminiFile | None = None if recording is None else copy_of(recording)
    state = None if copy is None else _STATES.get(State(copy.state))
    return None if copy is None or state is None else Bringing(state, copy.sent_bytes)


def _lost(part: SoundPart) -> None:
    audio_files().lost(part)
