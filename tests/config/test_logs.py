"""What log lines look like and what never gets into them."""

import json
import logging
import sys
from typing import Any

from config.logs import ConsoleFormatter, JsonFormatter


def record(message: str = "went live", **extra: Any) -> logging.LogRecord:
    return logging.getLogger("sessions_app").makeRecord(
        "sessions_app", logging.INFO, __file__, 1, message, (), None, extra=extra
    )


def test_a_json_line_carries_ids_and_states() -> None:
    line = json.loads(JsonFormatter().format(record(conversation="c1", mode="call", session=2)))
    assert line["message"] == "went live"
    assert line["severity"] == "INFO"
    assert line["at"].endswith("Z")
    assert (line["conversation"], line["mode"], line["session"]) == ("c1", "call", 2)


def test_a_console_line_carries_them_as_well() -> None:
    line = ConsoleFormatter().format(record(conversation="c1", mode="call"))
    assert line.endswith("INFO    sessions_app: went live conversation=c1 mode=call")


def test_what_was_said_is_not_written_whatever_it_is_called() -> None:
    said = record(text="my code word is PLUM-42", transcript=["PLUM-42"], handle="PLUM-42")
    assert "PLUM-42" not in JsonFormatter().format(said)
    assert "PLUM-42" not in ConsoleFormatter().format(said)


def test_a_traceback_is_part_of_the_json_line() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()
    line = JsonFormatter().format(failed)
    assert "\n" not in line
    assert json.loads(line)["traceback"].endswith("ValueError: no")
