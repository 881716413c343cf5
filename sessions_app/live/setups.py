"""How a connection is set up for what the session machine wishes: pure."""

from __future__ import annotations

from dataclasses import replace

from energy.levels import ModelProfile, Seeding, profile_of
from energy.places import place_of
from sessions_app.live.context import Context, instruction_with
from sessions_app.live.machine.events import Connect
from sessions_app.live.machine.failures import (
    COMPRESSION_FIGURES_FIELD,
    INITIAL_HISTORY_FIELD,
    LANGUAGE_HINT_FIELD,
    SPEECH_FIELD,
    TURN_TAKING_FIELD,
)
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import Compression, Setup, TurnTaking

PROBE_INSTRUCTION = "You are asked whether you are there. Answer with one word."

TRIGGER_SHARE = 0.8
"""Of the context window: where the provider cuts the context unless it is told otherwise."""


def setup_for(wish: Connect, model: str, assistant: Assistant, context: Context, left_out: frozenset[str]) -> Setup:
    """The set-up of a connection to `model`.

    Args:
        wish: what is wished of it.
        model: an id that a profile describes. Raises `UnknownModel` for another one.
        assistant: how the model is to behave.
        context: what it is given of the past where the wish is to seed it.
        left_out: fields that this provider refused before.
    """
    profile = profile_of(model)
    in_history = gives_history(wish, model, left_out) and bool(context.turns)
    instruction = assistant.instruction
    if context:
        instruction = instruction_with(context, instruction, turns_in_history=in_history)
    return Setup(
        model=model,
        instruction=instruction,
        voice=assistant.voice,
        handle=wish.handle,
        history=context.turns if in_history else (),
        expects_history=in_history,
        left_out=left_out,
        typed_as_content=profile.typed_as_content,
        thinking_level=profile.thinking_level,
        silence_before_end_ms=_silence_before_end_ms(profile, assistant),
        intake_margin_ms=profile.intake_margin_ms,
        whole_input_transcript=profile.whole_input_transcript,
        language=assistant.language,
        turn_taking=assistant.turn_taking,
        compression=_compression(profile, assistant),
        resumes=assistant.resumes,
        is_on_agent_platform=place_of(model).is_agent_platform,
    )


def probe_setup(model: str, assistant: Assistant, timeout_ms: int) -> Setup:
    """The set-up of a session in which a model shows that it can be talked with. Nothing of it is kept."""
    setup = setup_for(Connect(), model, assistant, Context(), frozenset())
    return replace(setup, instruction=PROBE_INSTRUCTION, compression=None, resumes=False, timeout_ms=timeout_ms)


def chosen_in(assistant: Assistant) -> dict[str, object]:
    """What a set-up says for the user, by the field that says it; the most suspect first where one is refused.

    Nothing where the model is left to do it by itself; its voice it must be told.
    """
    figures = (assistant.trigger_tokens, assistant.compression_ratio) if assistant.compresses else (0, 0.0)
    said = {
        COMPRESSION_FIGURES_FIELD: figures if any(figures) else None,
        LANGUAGE_HINT_FIELD: assistant.language or None,
        TURN_TAKING_FIELD: assistant.turn_taking if assistant.turn_taking != TurnTaking() else None,
        SPEECH_FIELD: assistant.voice,
    }
    return {field: value for field, value in said.items() if value is not None}


def gives_history(wish: Connect, model: str, left_out: frozenset[str]) -> bool:
    """Whether the past is given as turns, and not in the instruction."""
    takes_history = profile_of(model).seeding is Seeding.HISTORY
    return wish.seed and takes_history and INITIAL_HISTORY_FIELD not in left_out


def _silence_before_end_ms(profile: ModelProfile, assistant: Assistant) -> int:
    """A model that ends a turn by silence alone must be sent as much as it was told to wait for."""
    own_ms = profile.silence_before_end_ms
    return max(own_ms, assistant.turn_taking.silence_ms) if own_ms else 0


def _compression(profile: ModelProfile, assistant: Assistant) -> Compression | None:
    if not (assistant.compresses and profile.compresses):
        return None
    if not assistant.compression_ratio:
        return Compression(assistant.trigger_tokens)
    trigger = assistant.trigger_tokens or int(profile.context_window_tokens * TRIGGER_SHARE)
    return Compression(trigger, int(trigger * assistant.compression_ratio))
