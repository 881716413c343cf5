"""How the provider's count of our messages is read, wherever it begins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.providers.consumed import Consumed, Counting

SENT = st.integers(0, 1_000)


@given(sent=SENT, consumed=SENT)
def test_a_provider_that_counts_the_set_up_as_0_is_taken_at_its_word(sent: int, consumed: int) -> None:
    consumed = min(sent, consumed)
    assert Consumed(Counting()).read(consumed, sent) == consumed


@given(sent=SENT, consumed=SENT)
def test_of_one_that_counts_the_first_message_as_0_one_comes_twice_and_none_is_lost(sent: int, consumed: int) -> None:
    consumed = min(sent, consumed)
    read = Consumed(Counting()).read(consumed - 1, sent)
    assert read == (consumed - 1 if consumed else None)


@given(later=st.lists(st.tuples(SENT, SENT)))
def test_one_that_counts_the_set_up_as_1_gives_itself_away_when_nothing_is_on_its_way(
    later: list[tuple[int, int]],
) -> None:
    counting = Counting()
    assert Consumed(counting).read(1, 0) == 0
    for sent, consumed in later:
        assert Consumed(counting).read(min(sent, consumed) + 1, sent) == min(sent, consumed)


def test_a_number_that_is_missing_says_nothing_and_costs_no_trust() -> None:
    consumed = Consumed(Counting())
    assert [consumed.read(None, 5), consumed.read(4, 5)] == [None, 4]


def test_a_connection_that_once_told_a_number_of_no_message_is_not_believed_any_more() -> None:
    """It may be that of the connection before, and would become possible as time goes by."""
    counting = Counting()
    consumed = Consumed(counting)
    assert [consumed.read(500, 20), consumed.read(500, 600)] == [None, None]
    assert Consumed(counting).read(20, 20) == 20
