"""How log lines look. They carry ids, states and codes, never what was said.

Pass facts as `extra={...}`; only the names in `FACTS` are written, so that no line can carry the words of a
conversation by accident.
"""

import json
import logging
import re
import time
from typing import Any

FACTS = (
    *("conversation", "session", "mode", "throttle", "scope", "tries", "wait_s", "user", "token", "access_key"),
    *("tool", "outcome", "duration_ms"),
)
"""Names of facts a line may carry."""


ROW_QUOTED = re.compile(r"^DETAIL:.*?(?=^\n(?:The above exception|During handling)|\Z)", re.DOTALL | re.MULTILINE)
"""From `DETAIL:` to the end of one exception of a chain: the row may have lines of its own."""


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """The known facts of a record, each a number, a truth value or a short text."""
    facts = {name: record.__dict__[name] for name in FACTS if record.__dict__.get(name) is not None}
    return {name: fact if isinstance(fact, int | float) else str(fact)[:200] for name, fact in facts.items()}


def without_rows(traceback: str) -> str:
    """A traceback whose database errors do not quote the row that was refused, as PostgreSQL's do."""
    return ROW_QUOTED.sub("DETAIL: left out\n", traceback).rstrip("\n")


class ConsoleFormatter(logging.Formatter):
    """One line for people: time, level, where, what, and the facts behind it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={fact}" for name, fact in facts_of(record).items())
        return super().formatMessage(record) + facts

    def formatException(self, ei: Any) -> str:
        return without_rows(super().formatException(ei))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, times in UTC, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "at": f"{moment}.{int(record.msecs):03d}Z",
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        } | facts_of(record)
        if record.exc_info:
            line["traceback"] = without_rows(self.formatException(record.exc_info))
        return json.dumps(line)
