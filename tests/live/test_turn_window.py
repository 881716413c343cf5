"""How many turns go into one message to a page."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sessions_app.gateway import wire
from sessions_app.live.transcript import Role, Turn
from sessions_app.live.turn_window import BYTES_AT_ONCE, TURNS_AT_ONCE, TurnWindow, newest_window
from tests.live.stage import a_turn

SOCKET_LIMIT_BYTES = 1024 * 1024
"""Daphne's."""


def talk(count: int, text: str = "So it is.") -> tuple[Turn, ...]:
    return tuple(a_turn(number, text, Role(("user", "model")[number % 2]), id="i" * 64) for number in range(count))


def window(turns: tuple[Turn, ...]) -> TurnWindow:
    return newest_window(reversed(turns))


def size_bytes(window: TurnWindow) -> int:
    return len(json.dumps(wire.turns(window), ensure_ascii=False).encode())


def test_of_no_turns_there_are_none_and_none_before_them() -> None:
    assert window(()) == TurnWindow((), more=False)


def test_a_window_holds_a_number_of_turns_and_says_whether_there_are_more() -> None:
    turns = talk(TURNS_AT_ONCE + 1)
    assert window(turns[1:]) == TurnWindow(turns[1:], more=False)
    assert window(turns) == TurnWindow(turns[1:], more=True)


@pytest.mark.parametrize("character", ["x", '"', "好", "\N{GRINNING FACE}", "\n", "\x01"])
def test_a_window_of_the_longest_messages_stays_below_what_a_socket_takes(character: str) -> None:
    shown = window(talk(TURNS_AT_ONCE, character * 32_000))
    assert shown.more
    assert shown.turns[-1].number == TURNS_AT_ONCE - 1
    assert BYTES_AT_ONCE / 2 < size_bytes(shown) <= BYTES_AT_ONCE + 100 < SOCKET_LIMIT_BYTES


def test_a_turn_too_long_for_a_window_has_one_for_itself() -> None:
    turns = (*talk(2), a_turn(2, "x" * 2 * BYTES_AT_ONCE), a_turn(3, "And?"))
    assert [turn.number for turn in window(turns).turns] == [3]
    assert [turn.number for turn in window(turns[:3]).turns] == [2]
    assert window(turns[:3]).more


def test_no_more_turns_are_read_than_a_window_needs() -> None:
    read = 0

    def endless() -> Iterator[Turn]:
        nonlocal read
        while True:
            read += 1
            yield a_turn(10_000 - read, "Yes.")

    assert len(newest_window(endless()).turns) == TURNS_AT_ONCE
    assert read == TURNS_AT_ONCE + 1
