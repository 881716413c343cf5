"""Workers that are gone, without waiting for their claims to run out."""

from __future__ import annotations

from django.utils import timezone

from summarization import cleanup
from summarization.attempts import CLAIM_VALID
from summarization.models import CallHistory, RollingSummary


def let_claims_run_out() -> int:
    """As if nobody had renewed a claim for long, and a cleanup came by; gives the number of claims."""
    for model in (CallHistory, RollingSummary):
        model._default_manager.filter(claimed_until__isnull=False).update(claimed_until=timezone.now() - CLAIM_VALID)
    return cleanup.take_back_lost()
