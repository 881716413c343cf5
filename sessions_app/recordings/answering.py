"""Answers questions about recordings, for whoever has no live session; and who is asked, by the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from energy.places import place_of
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions.answering import Answering, Listeners, Manner
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import UpstreamFailed, UpstreamMessage, UsageReported
from sessions_app.live.questions import Question
from sessions_app.provider_accounts import account_at, has_account, version_at
from sessions_app.recordings.shelf import StoredRecordings

_NO_KEY = Failure(0, "API key not found: nobody can be asked about recordings", Phase.HANDSHAKE)


@dataclass(frozen=True, slots=True)
class Answered:
    """`refusal`: why it ends early, in the provider's word, or empty. `usages`: what it took, by model."""

    text: str
    model: str
    refusal: str = ""
    usages: tuple[UsageReported, ...] = field(default=())


def listeners() -> Listeners:
    """Who is asked, by the settings, from one event loop. Blocks, for the SDK loads slowly. Raises `UpstreamFailed`
    where there is no key."""
    places = {place_of(model) for model in (*settings.RECORDING_MODELS, *settings.TURNS_VOICE_MODELS)}
    known = [place for place in places if has_account(place)]
    models = [model for model in settings.RECORDING_MODELS if place_of(model) in known]
    if not models:
        raise UpstreamFailed(_NO_KEY)
    from sessions_app.live.providers.turns.by_place import GenerationByPlace
    from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration

    generation = GenerationByPlace({place: GeminiGeneration(account_at(place), version_at(place)) for place in known})
    return Listeners(generation, VoiceModels(models), VoiceModels(settings.TURNS_VOICE_MODELS), StoredRecordings())


async def answer(question: Question, to: Listeners) -> Answered:
    """Have a question answered, in writing; nothing is stored. The recordings have to be attached to its conversation.

    Waits for minutes where a recording has to come to the provider first. Raises `Unanswerable`.
    """
    usage = UsageAccount()
    answering = Answering(question, to, Manner(), _pass_over, usage)
    await answering.run()
    return Answered(answering.answer, answering.model, answering.refusal, tuple(usage.take("")))


def _pass_over(message: UpstreamMessage) -> None:
    """Nobody looks on."""
