"""Samples of voices: found, or made when somebody asks for one first. The only writer of `VoiceSample`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone

from energy import budget, ledger
from energy.ladders import ladder_of
from energy.levels import Mode
from energy.queue import Waiting
from sessions_app.live.providers.upstream import Upstream
from sessions_app.live.voice_sample import NotRecorded, record
from sessions_app.process_names import own_name
from sessions_app.user_settings.terms import Rules
from sessions_app.voice_samples.in_hand import Busy, InHand
from sessions_app.voice_samples.rows import VoiceSample

logger = logging.getLogger(__name__)

AT_ONCE = 2
"""Recordings of one process."""

WAIT_S = 10.0

_in_hand = InHand(AT_ONCE, WAIT_S)


class CannotBeHeard(Exception):
    """There is no sample, and none could be made now; as a string why, for the log."""


def voices_to_hear(rules: Rules) -> tuple[str, ...]:
    """Those that can be listened to: none where the operator has it off, or lets nobody choose."""
    return rules.voices if settings.VOICE_SAMPLES and "voice" not in rules.locked else ()


def find(voice: str) -> VoiceSample | None:
    """The sample of the voice by the best model that there is one of."""
    models = ladder_of(Mode.CALL).live_models
    samples = {sample.model: sample for sample in VoiceSample.objects.filter(voice=voice, model__in=models)}
    return next((samples[model] for model in models if model in samples), None)


def make(voice: str, user_id: int, upstream: Upstream) -> VoiceSample:
    """Have a sample made by the best model that is not spent, which takes seconds; or find the one that somebody else
    had made meanwhile. To be used outside of transactions. Raises `CannotBeHeard`."""
    try:
        with _in_hand.take(voice):
            return find(voice) or _make(voice, user_id, upstream)
    except Busy:
        reason = "others are being recorded"
    except NotRecorded as error:
        reason = str(error)
    logger.warning("the voice %s cannot be heard: %s", voice, reason)
    raise CannotBeHeard(reason)


def _make(voice: str, user_id: int, upstream: Upstream) -> VoiceSample:
    model = _model_to_ask()
    with _place(user_id):
        sound = async_to_sync(record)(upstream, model, voice)
    # Another process may have been as quick.
    VoiceSample.objects.bulk_create([VoiceSample(model=model, voice=voice, sound=sound)], ignore_conflicts=True)
    logger.info("the voice %s was recorded with %s", voice, model)
    return VoiceSample.objects.get(model=model, voice=voice)


def _model_to_ask() -> str:
    models = ladder_of(Mode.CALL).live_models
    states = ledger.states_of(models)
    model = next((model for model in models if not states[model].is_spent), None)
    if model is None:
        raise NotRecorded("every model is spent")
    return model


@contextmanager
def _place(user_id: int) -> Iterator[None]:
    """A place among the project's live sessions, if there is one at once: nobody queues for a sample."""
    if not settings.LIVE_SESSIONS_MAX:
        yield
        return
    holder, owner = uuid.uuid4(), own_name()
    try:
        if isinstance(budget.ask(holder, user_id, Mode.CALL, owner, timezone.now()), Waiting):
            raise NotRecorded("all places for live sessions are taken")
        yield
    finally:
        budget.leave(holder, owner)
