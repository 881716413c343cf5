"""The emulator as the soak sees it: which of its connections carries which conversation, and what happened to each."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.services.emulator import Emulator
from tests.soak.stamps import read_stamp

LOOK_EVERY_S = 0.1

FAULTS_OF_TURNS = ("empty_turn", "late_words", "undeclared_tool_call", "slow_thinking", "speech_missed")
"""Entries of the emulator's log by which a fault of a turn tells that it happened."""
OF_TURNS = (*FAULTS_OF_TURNS, "text_in", "speech_in", "reply", "reply_interrupted")

Entry = dict[str, Any]


@dataclass
class Link:
    """A connection that was set up, its times as Unix times.

    `chunks`: of audio that its session knew when it began. `is_forgotten`: of all that it had known before.
    """

    id: str
    session: str
    opened_at: float
    resumed: bool
    chunks: int
    is_forgotten: bool
    faults: list[Entry] = field(default_factory=list)
    handles: list[Entry] = field(default_factory=list)
    turns: list[Entry] = field(default_factory=list)
    closed_at: float | None = None
    closed_by: str = ""
    close: str = ""

    @property
    def faults_of_turns(self) -> int:
        """How many faults happened to turns on it."""
        return sum(entry["kind"] in FAULTS_OF_TURNS for entry in self.turns)

    @property
    def delivered_handles(self) -> list[Entry]:
        """Those of its handles that were not held back for good."""
        hole = self.fault("black_hole")
        return [handle for handle in self.handles if hole is None or handle["at"] < hole["at"]]

    @property
    def is_sick(self) -> bool:
        """Whether two turns in a row ended without a word, and without a reason."""
        ends = [entry for entry in self.turns if entry["kind"] in ("empty_turn", "reply")]
        return any(
            all(entry["kind"] == "empty_turn" and not entry["reason"] for entry in pair) for pair in pairwise(ends)
        )

    def fault(self, *kinds: str) -> Entry | None:
        """The last fault of one of these kinds that happened to it."""
        return next((entry for entry in reversed(self.faults) if entry["fault"] in kinds), None)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a session knows of a conversation's audio, as numbers of frames, and what it took in once and forgot.

    None stands for silence of the server's own.
    """

    known: list[int | None]
    forgotten: list[int | None]


class Provider:
    """Follows the emulator's log, and lets things go wrong for one conversation at a time."""

    def __init__(self, emulator: Emulator) -> None:
        self.entries: list[Entry] = []
        self._emulator = emulator
        self._links: dict[str, Link] = {}
        self._conversations: dict[str, int] = {}
        self._forgotten: set[str] = set()

    async def set_climate(self, climate: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Let faults stand for every connection, until `disarm`."""
        for fault, params in climate:
            await asyncio.to_thread(self._emulator.fault, fault, connection="all", **params)

    async def watch(self) -> None:
        """Follow the log until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Take in what has happened since the last time."""
        after = self.entries[-1]["n"] if self.entries else 0
        for entry in await asyncio.to_thread(self._emulator.log, after):
            self._note(entry)
        for session in {link.session for link in self._links.values()} - self._conversations.keys():
            await self._recognise(session)

    def links(self, conversation: int) -> list[Link]:
        """The connections of a conversation, in order."""
        return [link for link in self._links.values() if self._conversations.get(link.session) == conversation]

    def story(self, conversation: int) -> list[Entry]:
        """What the emulator's log says of a conversation."""
        ids = {link.id for link in self.links(conversation)}
        return [entry for entry in self.entries if entry["connection"] in ids]

    async def strike(self, conversation: int, fault: str, **params: Any) -> bool:
        """Let a fault happen to the connection of a conversation; False when it has none at the moment."""
        links = self.links(conversation)
        if not links or links[-1].closed_at is not None:
            return False
        given = {name: value for name, value in params.items() if value is not None}
        try:
            await asyncio.to_thread(self._emulator.fault, fault, connection=links[-1].id, **given)
        except (ValueError, TimeoutError):  # it has gone meanwhile, or stands still so that nothing reaches it
            return False
        return True

    async def strike_next(self, fault: str, **params: Any) -> None:
        """Let a fault happen to the next connection that it fits, whoever's that is."""
        await asyncio.to_thread(self._emulator.fault, fault, connection="all", **params)

    async def disarm(self) -> None:
        """Take back what waits to happen."""
        await asyncio.to_thread(self._emulator.disarm)

    async def hearing(self, session: str) -> Hearing:
        """What a session knows of the audio."""
        answer = await asyncio.to_thread(self._ask_heard, session)
        return Hearing(*([_number_of(mark) for mark in answer[name]] for name in ("chunks", "forgotten")))

    def _note(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry["kind"] == "forgotten":
            self._forgotten.add(entry["connection"])
        elif entry["kind"] == "opened":
            id, forgotten = entry["connection"], entry["connection"] in self._forgotten
            self._links[id] = Link(id, entry["session"], entry["at"], entry["resumed"], entry["chunks"], forgotten)
        link_of_entry = self._links.get(entry["connection"])
        if link_of_entry is None:
            return
        if entry["kind"] == "fault":
            link_of_entry.faults.append(entry)
        elif entry["kind"] == "handle_issued":
            link_of_entry.handles.append(entry)
        elif entry["kind"] in OF_TURNS:
            link_of_entry.turns.append(entry)
        elif entry["kind"] == "closed":
            link_of_entry.closed_at = entry["at"]
            link_of_entry.closed_by = entry["by"]
            link_of_entry.close = f"{entry['code']} {entry['reason']}".strip()

    async def _recognise(self, session: str) -> None:
        """Its audio says whose session it is, as soon as some has come."""
        answer = await asyncio.to_thread(self._ask_heard, session)
        stamps = [stamp for mark in (*answer["forgotten"], *answer["chunks"]) if (stamp := read_stamp(mark))]
        if stamps:
            self._conversations[session] = stamps[-1][0]

    def _ask_heard(self, session: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._emulator.control_url}/api/heard?session={session}", timeout=10) as answer:
            heard: dict[str, Any] = json.load(answer)
            return heard


def _number_of(mark: str) -> int | None:
    stamp = read_stamp(mark)
    return None if stamp is None else stamp[1]
