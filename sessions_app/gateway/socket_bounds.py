"""How many sockets one worker process holds: in all, from one address, and of one user. Pure counting.

They bound the memory and the CPU of this process; other workers have as many again. What bounds a user's share of the
project is fair use and the budget of live sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar

OPEN_IN_ALL = 4_000
"""An idle live session takes up to 0.4 MB and two file descriptors; a few dozen that talk at once fill a core."""

OPEN_FROM_ADDRESS = 1_200
"""A company, a school or a mobile network behind one address: less than a third of what there is. Of one user it is the
bound below that counts, so that whoever is rude needs a hundred accounts to get here."""

OPEN_OF_USER = 12
"""Two of them can have a live session, one in each mode. The rest are pages that are only being opened, as when a
browser restores its windows, and connections that a phone has lost without a word."""

Socket = TypeVar("Socket", bound=Hashable)


class DoorBounds:
    """Sockets by address, whoever they are of.

    Args:
        in_all: so many at once.
        from_address: so many of them from one address.
    """

    def __init__(self, in_all: int = OPEN_IN_ALL, from_address: int = OPEN_FROM_ADDRESS) -> None:
        self._in_all = in_all
        self._from_address = from_address
        self._open = 0
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Take a place, to be given back by `leave`; False when there is none."""
        if self._open >= self._in_all or self._by_address[address] >= self._from_address:
            return False
        self._open += 1
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Give back a place that was taken."""
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class UserBounds(Generic[Socket]):
    """Sockets by user. A new one takes the place of the oldest that has not said `start`: a page that comes back is not
    locked out by what is left of its own connections.

    Args:
        of_user: so many at once for each.
    """

    def __init__(self, of_user: int = OPEN_OF_USER) -> None:
        self._of_user = of_user
        self._silent: dict[int, dict[Socket, None]] = {}
        self._started: dict[int, set[Socket]] = {}

    def enter(self, user_id: int, newcomer: Socket) -> Socket | None:
        """Take a place for a socket that owes its `start`. Gives the socket that has to go, which has lost its place
        with that: an older one, or the newcomer where all others have started."""
        silent = self._silent.setdefault(user_id, {})
        silent[newcomer] = None
        if len(silent) + len(self._started.get(user_id, ())) <= self._of_user:
            return None
        displaced = next(iter(silent))
        self.leave(user_id, displaced)
        return displaced

    def started(self, user_id: int, socket: Socket) -> None:
        """It has said `start`, and will not be sent away for a newer one. Nothing happens when it has no place."""
        if socket in self._silent.get(user_id, {}):
            self.leave(user_id, socket)
            self._started.setdefault(user_id, set()).add(socket)

    def leave(self, user_id: int, socket: Socket) -> None:
        """Give its place back. Nothing happens when it has none."""
        if silent := self._silent.get(user_id):
            silent.pop(socket, None)
        if started := self._started.get(user_id):
            started.discard(socket)
        for places in (self._silent, self._started):
            if not places.get(user_id, True):
                del places[user_id]
