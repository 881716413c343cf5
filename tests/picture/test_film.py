"""Which of the pictures that Chromium sent is seen at which tick of the film."""

from tests.picture.film import frames_of


def test_what_stands_still_is_seen_at_each_tick_until_something_changes() -> None:
    shots = [(100.0, b"lobby"), (100.25, b"call"), (100.26, b"call, a moment later"), (100.51, b"answer")]
    assert frames_of(shots, until_s=100.8) == [
        *(b"lobby", b"lobby", b"lobby"),
        *(b"call, a moment later", b"call, a moment later", b"call, a moment later"),
        *(b"answer",),
    ]
