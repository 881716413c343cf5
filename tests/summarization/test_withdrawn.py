"""What was withdrawn counts for nothing: it can be read and taken away, and that is all."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from sessions_app.live.transcript import Role, Turn, TurnStatus
from sessions_app.models import Turn as Row
from summarization import export, history, rolling, services
from summarization.history import Filters
from summarization.models import CallHistory
from summarization.summarizing import SummarizationService
from tests.summarization.talk import Talk, past_call, spoken, turns

pytestmark = pytest.mark.django_db

OLD, NEW = "When is high tide in Hamburg, please?", "When is high tide in Husum, please?"


def withdrawn(turn: Turn) -> Turn:
    return replace(turn, withdrawn=True)


def rewritten(first: int = 0) -> tuple[Turn, ...]:
    return (
        withdrawn(spoken(first, OLD)),
        withdrawn(spoken(first + 1, "In Hamburg at nine.")),
        replace(spoken(first + 2, NEW), replaces=first),
        spoken(first + 3, "At ten."),
    )


def test_title_and_summary_are_of_what_counts(alice: User) -> None:
    talk = past_call(alice, rewritten())
    services.write_call_history(talk.id)
    entry = CallHistory.objects.get(conversation_id=talk.id)
    assert "Husum" in entry.title
    assert "Hamburg" not in entry.title + entry.summary + entry.search_text


def test_the_title_of_a_conversation_that_goes_on_is_of_what_counts(alice: User) -> None:
    talk = Talk(alice)
    talk.say(rewritten())
    assert "Husum" in history.read(alice, talk.id).title
    assert "Husum" in history.recent(alice, 1)[0].title


@pytest.mark.parametrize("is_over", [True, False])
def test_a_search_does_not_find_it(alice: User, is_over: bool) -> None:
    talk = Talk(alice)
    talk.say(rewritten())
    if is_over:
        talk.hang_up()
        services.write_call_history(talk.id)
    assert len(history.find(alice, Filters(words=("Hamburg",)))) == 0
    assert len(history.find(alice, Filters(words=("Husum",)))) == 1


def test_both_exports_have_it_and_say_so(alice: User) -> None:
    talk = past_call(alice, rewritten())
    record = history.read(alice, talk.id)
    told = json.loads(export.as_json(record))["turns"]
    assert [turn.get("withdrawn", False) for turn in told] == [True, True, False, False]
    assert [turn.get("replaces") for turn in told] == [None, None, 0, None]
    assert export.as_markdown(record).count("earlier version: withdrawn") == 2


def test_what_was_condensed_before_is_condensed_anew_without_it(alice: User, service: SummarizationService) -> None:
    """The recap of a session without memory would tell it otherwise."""
    talk = Talk(alice)
    talk.say((*turns(6), spoken(6, OLD), spoken(7, "In Hamburg at nine.")))
    rolling.request_rolling_summary_if_due(talk.id)
    rolling.write_rolling_summary(talk.id, service)
    recap = rolling.latest_recap(talk.id)
    assert recap is not None
    assert "Hamburg" in recap.text
    talk.say(rewritten(6))
    assert rolling.latest_recap(talk.id) is None
    assert "Hamburg" not in str(talk.context)
    rolling.request_rolling_summary_if_due(talk.id)
    rolling.write_rolling_summary(talk.id, service)
    recap = rolling.latest_recap(talk.id)
    assert recap is not None
    assert "Hamburg" not in recap.text
    assert recap.until_turn == 9


def test_the_summary_of_a_chat_that_was_opened_again_does_not_tell_it_to_a_new_session(alice: User) -> None:
    talk = past_call(alice, (spoken(0, OLD), spoken(1, "In Hamburg at nine.")))
    services.write_call_history(talk.id)
    assert "Hamburg" in str(rolling.latest_recap(talk.id))
    talk.say(rewritten())
    assert rolling.latest_recap(talk.id) is None


@pytest.mark.parametrize(
    ("role", "replaces"), [(Role.MODEL, 0), (Role.USER, 5), (Role.USER, 6)], ids=["a reply", "itself", "a later one"]
)
def test_the_database_takes_nothing_that_replaces_no_earlier_question(alice: User, role: Role, replaces: int) -> None:
    talk = Talk(alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        talk.say((replace(spoken(5, "No.", role), replaces=replaces),))


def test_a_row_of_the_version_before_counts(alice: User) -> None:
    """It does not know of the columns."""
    talk = Talk(alice)
    talk.say((spoken(0, OLD),))
    row = Row.objects.get(conversation_id=talk.id)
    assert (row.replaces, row.withdrawn) == (None, False)


def test_what_is_stored_is_read_again(alice: User) -> None:
    page_id = uuid.uuid4()
    talk = Talk(alice, page_id=page_id)
    talk.say((spoken(0, OLD), spoken(1, "At nine.", status=TurnStatus.INTERRUPTED)))
    talk.say(rewritten())
    again = talk.come_back()
    assert [(turn.replaces, turn.withdrawn) for turn in again.opening.turns] == [
        (None, True),
        (None, True),
        (0, False),
        (None, False),
    ]
