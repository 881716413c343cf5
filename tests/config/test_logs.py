"""What log lines look like and what never gets into them."""

import json
import logging
import sys
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from config.logs import ConsoleFormatter, JsonFormatter, without_rows
from sessions_app.models import Conversation, Turn
from tests.services.cast import create_account


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


@pytest.mark.django_db
@pytest.mark.parametrize("formatter", [ConsoleFormatter(), JsonFormatter()], ids=["console", "json"])
def test_a_traceback_of_the_database_does_not_quote_the_row_that_was_refused(formatter: logging.Formatter) -> None:
    said = "my code word\n\nis PLUM-42"
    talk = Conversation.objects.create(user=create_account("alice"), mode="text")
    try:
        Turn.objects.create(conversation=talk, number=1, role="nobody", text=said, status="complete", at=timezone.now())
    except IntegrityError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()
    line = formatter.format(failed)
    assert "IntegrityError" in line
    assert "PLUM-42" not in line
    assert ("DETAIL: left out" in line) is (connection.vendor == "postgresql")


def test_what_follows_the_row_in_a_chain_of_exceptions_is_kept() -> None:
    refused = "psycopg.errors.CheckViolation: no\nDETAIL:  Failing row contains (PLUM-42,\n\nPLUM-43).\n"
    chain = "\nThe above exception was the direct cause of the following exception:\n\nTraceback\n  line 7\n"
    told = without_rows(refused + chain + refused)
    assert "PLUM" not in told
    assert told.count("DETAIL: left out") == 2
    assert "line 7" in told
