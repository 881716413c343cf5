"""What programs ask for in a user's name, noted while it is done: the only writer of `ToolCall`.

A row is written before the call and completed after it, so that one whose process was killed stands there as well.
"""

from __future__ import annotations

import datetime
import logging

from django.utils import timezone

from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import ToolCall

logger = logging.getLogger(__name__)

KEPT_FOR = datetime.timedelta(days=90)
BATCH = 1000


def begin(caller: Caller, transport: str, tool: str) -> int:
    """Note that a call has begun; gives its number, to be told to `end`."""
    row = ToolCall.objects.create(
        user=caller.user,
        access_key=caller.key,
        key_name=caller.key.name if caller.key else "",
        transport=transport,
        tool=tool,
    )
    return row.pk


def end(number: int, caller: Caller, tool: str, outcome: ToolCall.Outcome, duration_ms: int) -> None:
    """Note what came of a call. Its row may be gone, with the account."""
    ToolCall.objects.filter(pk=number).update(outcome=outcome, duration_ms=duration_ms)
    facts = {"tool": tool, "outcome": str(outcome), "duration_ms": duration_ms, "user": caller.user.pk}
    logger.info("a call by MCP", extra=facts | ({"access_key": caller.key.pk} if caller.key else {}))


def prune() -> int:
    """Forget what is older than 90 days; gives the number."""
    count = 0
    while ids := list(ToolCall.objects.filter(at__lt=timezone.now() - KEPT_FOR).values_list("pk", flat=True)[:BATCH]):
        count += ToolCall.objects.filter(pk__in=ids).delete()[0]
    return count
