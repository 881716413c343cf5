"""Which models may be asked to speak now: pure."""

from __future__ import annotations

from collections.abc import Sequence

from energy.quota import LONGEST_WAIT, MINUTE_WAIT, OPERATOR_WAIT, SHORTEST_WAIT
from sessions_app.live.machine.failures import Failure, History, Verdict, judge

_GONE = ("unknown-model", "unfit-model")


class VoiceModels:
    """The models that speak, best first, and which of them have refused: for all conversations of a process.

    Args:
        models: as the settings have them.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self._models = tuple(models)
        self._refused_until_s: dict[str, float] = {}

    def available(self, now_s: float) -> tuple[str, ...]:
        """Those that may be asked, in order. Moments are of the clock that `refused` is told."""
        return tuple(model for model in self._models if self._refused_until_s.get(model, now_s) <= now_s)

    def refused(self, model: str, failure: Failure, now_s: float) -> bool:
        """A model has failed. Whether it is to be left alone for a while: it has no quota, or it is not there."""
        wait_s = _wait_s(failure)
        if wait_s is None or model not in self._models:
            return False
        self._refused_until_s[model] = now_s + wait_s
        return True


def _wait_s(failure: Failure) -> float | None:
    """How long a failure says that a model is of no use; None where the next try may go through."""
    judgement = judge(failure, History())
    longest_s = LONGEST_WAIT.total_seconds()
    if judgement.quota or failure.code == 429:
        wait_s = MINUTE_WAIT.total_seconds() if failure.retry_after_ms is None else failure.retry_after_ms / 1000
        is_of_a_day = any("PerDay" in quota for quota in failure.quotas)
        at_least_s = (OPERATOR_WAIT if is_of_a_day else SHORTEST_WAIT).total_seconds()
        return min(max(wait_s, at_least_s), longest_s)
    is_refused = judgement.verdict is Verdict.STOP or judgement.reason in _GONE
    return OPERATOR_WAIT.total_seconds() if is_refused else None
