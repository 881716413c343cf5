"""What the provider counts of the present turn, and whether that shows that it has forgotten the past: pure."""

from __future__ import annotations

from sessions_app.live.memory import MemoryProof
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.tokens import estimate_tokens


class TurnUsage:
    """Follows one turn after the other, over all connections."""

    def __init__(self) -> None:
        self._memory = MemoryProof()
        self._reported: UsageReported | None = None
        self._of_others: dict[str, UsageReported] = {}
        self._typed_tokens = 0

    def typed(self, text: str) -> None:
        """This goes into the prompt of the turn."""
        self._typed_tokens += estimate_tokens(text)

    def began_afresh(self) -> None:
        """The session remembers nothing, and need not."""
        self._memory = MemoryProof()

    def resumed(self) -> None:
        """The session must remember everything."""
        self._memory.resumed()

    def reported(self, usage: UsageReported) -> None:
        """The provider's count; a later one of the same turn and model replaces it."""
        if usage.model:
            self._of_others[usage.model] = usage
        else:
            self._reported = usage

    def take(self) -> UsageReported | None:
        """The count of the turn that ends here, if there was one."""
        usage, self._reported = self._reported, None
        return usage

    def take_others(self) -> tuple[UsageReported, ...]:
        """The counts of other models that had a part in the turn that ends here."""
        others = tuple(self._of_others.values())
        self._of_others.clear()
        return others

    def is_memory_lost(self, usage: UsageReported) -> bool:
        """Whether the count of the turn that has ended shows that what was before it is forgotten."""
        typed_tokens, self._typed_tokens = self._typed_tokens, 0
        if usage.prompt_tokens is None:
            return False
        return self._memory.is_lost(usage.prompt_tokens, usage.response_tokens or 0, typed_tokens)
