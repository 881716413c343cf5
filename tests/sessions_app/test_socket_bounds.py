"""How many sockets there may be: in whatever order they come and go, never more, and no place stays taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.gateway.socket_bounds import DoorBounds, UserBounds

IN_ALL, FROM_ADDRESS, OF_USER = 5, 3, 3

addresses = st.sampled_from(["203.0.113.7", "198.51.100.2", "2001:db8::/64"])


@given(st.lists(st.tuples(st.booleans(), addresses), max_size=60))
def test_the_door_never_holds_more_than_its_bounds_and_takes_back_every_place(steps: list[tuple[bool, str]]) -> None:
    bounds = DoorBounds(IN_ALL, FROM_ADDRESS)
    inside: list[str] = []
    for comes, address in steps:
        if comes:
            has_room = len(inside) < IN_ALL and inside.count(address) < FROM_ADDRESS
            assert bounds.enter(address) is has_room
            if has_room:
                inside.append(address)
        elif address in inside:
            inside.remove(address)
            bounds.leave(address)
    for address in inside:
        bounds.leave(address)
    assert vars(bounds) == vars(DoorBounds(IN_ALL, FROM_ADDRESS)), "nothing is left of those who have gone"


@given(st.lists(st.tuples(st.sampled_from(["comes", "starts", "leaves"]), st.integers(1, 2), st.integers(0, 9))))
def test_no_user_ever_has_more_sockets_than_the_bound_and_none_is_remembered(steps: list[tuple[str, int, int]]) -> None:
    bounds: UserBounds[int] = UserBounds(OF_USER)
    silent: dict[int, list[int]] = {1: [], 2: []}
    started: dict[int, list[int]] = {1: [], 2: []}
    for number, (step, user, choice) in enumerate(steps):
        mine = silent[user] + started[user]
        if step == "comes":
            displaced = bounds.enter(user, number)
            silent[user].append(number)
            assert (displaced is not None) == (len(mine) == OF_USER)
            if displaced is not None:
                assert displaced == silent[user].pop(0), "the oldest of those that have not started goes"
        elif step == "starts" and silent[user]:
            socket = silent[user].pop(choice % len(silent[user]))
            started[user].append(socket)
            bounds.started(user, socket)
        elif step == "leaves" and mine:
            socket = mine[choice % len(mine)]
            (silent if socket in silent[user] else started)[user].remove(socket)
            bounds.leave(user, socket)
        assert len(silent[user]) + len(started[user]) <= OF_USER
    for user in (1, 2):
        for socket in silent[user] + started[user]:
            bounds.leave(user, socket)
    assert vars(bounds) == vars(UserBounds(OF_USER))


def test_a_newcomer_goes_itself_where_all_others_have_started() -> None:
    bounds: UserBounds[str] = UserBounds(of_user=2)
    for socket in ("first", "second"):
        assert bounds.enter(1, socket) is None
        bounds.started(1, socket)
    assert bounds.enter(1, "third") == "third"
    bounds.leave(1, "first")
    assert bounds.enter(1, "fourth") is None


def test_who_has_lost_a_place_or_never_had_one_changes_nothing() -> None:
    bounds: UserBounds[str] = UserBounds(of_user=1)
    bounds.enter(1, "first")
    assert bounds.enter(1, "second") == "first"
    bounds.started(1, "first")
    bounds.leave(1, "first")
    bounds.leave(2, "nobody")
    assert bounds.enter(1, "third") == "second"
