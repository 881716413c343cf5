"""What is made out of a recording when it has come: transcript, language, title and summary. The only writer of
`RecordingWork`; also has copies at the provider deleted when a recording goes.

A row asks for the work, as with summaries, and the piece that was heard last stands in it: whoever goes on begins
behind that. One run does as many pieces as fit into its time and hands the rest on.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from django.db import Error, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from sessions_app.live.providers.sound_parts import InlineSound
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.models import GeminiFile, Recording, RecordingWork
from sessions_app.recordings.cutting import NotCut, Piece, pieces_of
from sessions_app.recordings.google_rules import State
from sessions_app.usage import save_recording_usage
from summarization import attempts, claims, queue
from summarization.claims import Claim
from summarization.recording_prompts import (
    NOBODY_SPEAKS,
    About,
    Heard,
    Segment,
    piece_prompt,
    read_piece,
    read_whole,
    whole_prompt,
)
from summarization.summarizer import Refused, Spent, SummarizerError
from summarization.summarizing import SummarizationService, as_failure, gemini_service
from summarization.titles import TITLE_LIMIT_CHARACTERS

logger = logging.getLogger(__name__)

BEGIN_WITHIN_S = 200
"""A run begins no piece later than this but its first, which there always is: the slowest answer has to fit behind it
into `attempts.LONGEST_WORK_S`."""

ERROR_CHARACTERS = 200


# -- asking for it -----------------------------------------------------------------------------------------------------


@receiver(post_save, sender=Recording)
def _begin(sender: Any, instance: Recording, created: bool, **signal: Any) -> None:
    if created:
        RecordingWork.objects.create(recording=instance)
        queue.enqueue(queue.WRITE_RECORDING_WORK, instance.pk)


@receiver(post_delete, sender=Recording)
def _let_go(sender: Any, instance: Recording, **signal: Any) -> None:
    if GeminiFile.objects.filter(sha256=instance.sha256).exclude(state=State.DELETED).exists():
        queue.enqueue(queue.DELETE_AT_GOOGLE, instance.sha256)


@transaction.atomic
def request(recording_ids: Iterable[uuid.UUID], from_the_beginning: bool = True) -> int:
    """Have the work on these done anew, or for the first time; gives their number.

    `from_the_beginning`: what was heard before is heard again.
    """
    now, count = timezone.now(), 0
    for id in recording_ids:
        RecordingWork.objects.get_or_create(recording_id=id)
        once_more = Least(F("claims_lost"), attempts.CLAIMS_LOST_BEFORE_FAILED - 1)
        nothing: dict[str, Any] = {"done_ms": 0, "segments": [], "language": "", "title": "", "summary": ""}
        RecordingWork.objects.filter(recording_id=id).update(
            state=RecordingWork.State.WAITING,
            attempts=0,
            claims_lost=once_more,
            claim=None,
            claimed_until=None,
            requested_at=now,
            due_at=now,
            error="",
            **(nothing if from_the_beginning else {}),
        )
        queue.enqueue(queue.WRITE_RECORDING_WORK, id)
        count += 1
    return count


def request_again(recording: Recording) -> None:
    """Go on with the work on one where it has failed, or begin it where there is none; what is on its way, or done, is
    left alone."""
    if not RecordingWork.objects.filter(recording=recording).exclude(state=RecordingWork.State.FAILED).exists():
        request([recording.pk], from_the_beginning=False)


def due() -> QuerySet[RecordingWork]:
    """What is wanted, due, and nobody is at, longest first."""
    wanted = RecordingWork.objects.filter(claims.may_be_taken(timezone.now()), state__in=RecordingWork.WANTED)
    return wanted.order_by("due_at")


def give_up_deadly() -> None:
    """What workers were lost at too often has failed, until somebody asks for it again."""
    deadly = RecordingWork.objects.filter(claims_lost__gte=attempts.CLAIMS_LOST_BEFORE_FAILED, claimed_until=None)
    deadly.filter(state__in=RecordingWork.WANTED).update(
        state=RecordingWork.State.FAILED, error="the process that was at it ended in the middle", due_at=None
    )


# -- doing it ----------------------------------------------------------------------------------------------------------


def write_recording_work(recording_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Do what is wanted of a recording, or a part of it, if it is and nobody else is at it. Blocks for the model."""
    claim = claims.take(RecordingWork.objects.filter(state__in=RecordingWork.WANTED), recording_id)
    work = claim.rows.select_related("recording").first() if claim is not None else None
    if claim is None or work is None:
        return
    claim.rows.update(state=RecordingWork.State.WORKING)
    try:
        with claims.kept(claim):
            asked = service or gemini_service()
            about = _about(work, asked) if _listen(work, claim, asked) else None
    except FileNotFoundError:
        _note_failure(work, claim, Refused("the sound of this recording is gone"))
    except NotCut:
        _note_failure(work, claim, Refused("the sound of this recording cannot be cut into pieces"))
    except Exception as error:
        _note_failure(work, claim, as_failure(error))
    else:
        _note_end(work, claim, about)


def _listen(work: RecordingWork, claim: Claim[RecordingWork], service: SummarizationService) -> bool:
    """Hear the pieces that nobody has heard yet; whether that were all."""
    until_s = time.monotonic() + BEGIN_WITHIN_S
    with pieces_of(work.recording, work.done_ms) as pieces:
        for number, piece in enumerate(pieces):
            if number and time.monotonic() > until_s:
                return False
            heard = _hear(work, piece, service)
            if not _keep(work, claim, piece, heard):
                return False
    return True


def _hear(work: RecordingWork, piece: Piece, service: SummarizationService) -> Heard:
    sound = InlineSound(piece.path.read_bytes(), piece.media_type)
    prompt = piece_prompt(sound, _segments(work))
    return service.ask(prompt, lambda answer, model: read_piece(answer, piece.start_ms, piece.end_ms), _counting(work))


def _keep(work: RecordingWork, claim: Claim[RecordingWork], piece: Piece, heard: Heard) -> bool:
    """Store what was said in a piece, and count tries anew; False when the claim is lost, or the recording gone."""
    work.segments = [*work.segments, *map(asdict, heard.segments)]
    work.language = work.language or heard.language
    work.done_ms, work.attempts = piece.end_ms, 1
    kept = claim.rows.update(
        segments=work.segments, language=work.language, done_ms=work.done_ms, attempts=work.attempts
    )
    return bool(kept)


def _about(work: RecordingWork, service: SummarizationService) -> About:
    segments = _segments(work)
    if not segments:
        return About(PurePath(work.recording.name).stem[:TITLE_LIMIT_CHARACTERS], NOBODY_SPEAKS)
    return service.ask(whole_prompt(segments), read_whole, _counting(work))


def _counting(work: RecordingWork) -> Spent:
    recording = work.recording

    def count(model: str, usage: UsageReported) -> None:
        try:
            save_recording_usage(recording.user_id, recording.pk, model, usage.as_data())
        except Error as error:  # what was heard is worth more than its count; the recording may be gone, too
            logger.warning("what the work on a recording took is not counted: %s", type(error).__name__)

    return count


def _segments(work: RecordingWork) -> list[Segment]:
    return [Segment(**said) for said in work.segments]


def _note_end(work: RecordingWork, claim: Claim[RecordingWork], about: About | None) -> None:
    """Of the work, or of this run: then the next one is asked for at once."""
    if about is not None:
        claim.rows.update(
            **claims.GIVEN_BACK,
            state=RecordingWork.State.DONE,
            **asdict(about),
            error="",
            due_at=None,
            finished_at=timezone.now(),
        )
        logger.info("the recording %s is written down", work.recording_id)
    elif claim.rows.update(**claims.GIVEN_BACK, state=RecordingWork.State.WAITING, attempts=0, due_at=timezone.now()):
        queue.enqueue(queue.WRITE_RECORDING_WORK, work.recording_id)


def _note_failure(work: RecordingWork, claim: Claim[RecordingWork], failure: SummarizerError) -> None:
    """Say why there is nothing, and when it is tried again: soon, later, or not by itself."""
    delay = attempts.delay_after(work.attempts, failure)
    has_failed = delay is None or work.attempts >= attempts.TRIES_BEFORE_FAILED
    noted = claim.rows.update(
        **claims.GIVEN_BACK,
        state=RecordingWork.State.FAILED if has_failed else RecordingWork.State.WAITING,
        error=failure.reason[:ERROR_CHARACTERS],
        due_at=None if delay is None else timezone.now() + delay,
    )
    if noted and delay is not None:
        queue.enqueue(queue.WRITE_RECORDING_WORK, work.recording_id, delay)
