"""What goes with a session to another process arrives as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.parcel import Parcel, unpack

frames = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=64)), max_size=5).map(tuple)
ids = st.lists(st.text(max_size=4), max_size=2).map(tuple)
typed = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20), ids), max_size=3).map(tuple)


@given(st.builds(Parcel, st.integers(0, 2**32), frames, st.booleans(), st.integers(0, 2**32), frames, typed))
def test_a_parcel_is_unpacked_as_it_was_packed(parcel: Parcel) -> None:
    assert unpack(parcel.pack()) == parcel


def test_a_parcel_with_nothing_but_a_number_that_the_page_knows_is_missed_by_nobody() -> None:
    assert Parcel(next_down=7).is_empty
    assert not Parcel(next_up=7).is_empty
    assert not Parcel(owes_flush=True).is_empty
    assert not Parcel(typed=(("1", "Hello", ()),)).is_empty
