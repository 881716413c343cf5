"""Token counts as the service reports them: the prompt is the whole context, so it grows with every turn."""

from __future__ import annotations

from emulator.memory import AUDIO_TOKENS_PER_S, IMAGE_TOKENS, Memory, text_tokens
from emulator.models import Profile
from emulator.wire import Json

_THOUGHT_TOKENS = 24
_CALL_TOKENS = 5


def usage_of_call(profile: Profile, context: Memory) -> Json:
    """`usageMetadata` of a turn in which a function was called, where that is a turn of its own."""
    usage = live_usage(profile, context, 0, spoke=False)
    output = "candidates" if profile.counts_candidates else "response"
    usage[f"{output}TokenCount"] = _CALL_TOKENS
    usage[f"{output}TokensDetails"] = [{"modality": "TEXT", "tokenCount": _CALL_TOKENS}]
    usage["totalTokenCount"] += _CALL_TOKENS
    return usage


def live_usage(profile: Profile, context: Memory, reply_ms: int, *, spoke: bool = True) -> Json:
    """`usageMetadata` of one turn: `context` is what the model was given, `reply_ms` how long it spoke.

    A reply that was never spoken has no response counts at all.
    """
    prompt = {
        "TEXT": profile.overhead_tokens
        + text_tokens(context.instruction)
        + sum(turn.text_tokens for turn in context.turns),
        "AUDIO": sum(turn.audio_tokens for turn in context.turns),
        "IMAGE": sum(turn.images for turn in context.turns) * IMAGE_TOKENS,
    }
    prompt_total = sum(prompt.values())
    response = max(1, reply_ms * AUDIO_TOKENS_PER_S // 1000) if spoke else 0
    output = "candidates" if profile.counts_candidates else "response"
    usage: Json = {"promptTokenCount": prompt_total}
    if response:
        usage[f"{output}TokenCount"] = response
    usage["totalTokenCount"] = prompt_total + response
    usage["promptTokensDetails"] = [
        {"modality": modality, "tokenCount": count} for modality, count in prompt.items() if count
    ]
    if response:
        usage[f"{output}TokensDetails"] = [{"modality": profile.modality, "tokenCount": response}]
        if profile.counts_thoughts:
            usage["thoughtsTokenCount"] = _THOUGHT_TOKENS + response % 17
    return usage
