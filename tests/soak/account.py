"""The reckoning: what each swap cost, and everything that must not have happened."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.scenarios.page import FRAME_MS
from tests.soak.conversation import Conversation, Finding
from tests.soak.ends import Ends, ends_of
from tests.soak.page import Absence, Told
from tests.soak.provider import Hearing, Link

CLOCKS_S = 0.05
"""The emulator rounds its times, and what it logs the page is told a moment later."""

UNSURE_BEFORE_STALL_S = 0.7
"""When the provider stood still, it is not known to the moment since when."""

PROOF_OF_LIFE_S = 1.0
CERTAINLY_SHORT_S = 0.5
"""The page hears that a line stands later than the server knows, and of its end at once or later still: a life that was
shorter than this for the page was shorter than `PROOF_OF_LIFE_S` for the server, unless the machine stood still."""

IN_FLIGHT_S = 0.7
"""What was sent this short a time before a handle came may not be covered by it, and comes twice: what the provider
has not taken in (the soak's lag: up to 200 ms), the product's margin above that, or what was replayed at that moment;
more where the processor is busy."""

STILL_S = 3.0
"""After a standstill of the provider, so late a connection may still take the place of the one that stood still."""


@dataclass(frozen=True, slots=True)
class Swap:
    """One connection that took the place of another. `gap_ms`: from loss to live, None when the page was away too."""

    kind: str
    at: float
    gap_ms: float | None
    lost: int
    repeated: int


@dataclass
class Account:
    """What is known of one conversation in the end."""

    conversation: Conversation
    swaps: list[Swap] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    replies: int = 0
    replies_cut: int = 0
    announced_ms: int = 0
    toasts_at_most: int = 0
    ends: Ends = field(default_factory=Ends)
    needless_redials: int = 0

    @property
    def absences(self) -> list[Absence]:
        return self.conversation.page.absences


async def account_of(conversation: Conversation) -> Account:
    """Compare what a conversation's page said and heard with what the emulator took in and said."""
    links = conversation.provider.links(conversation.number)
    sessions = list(dict.fromkeys(link.session for link in links))
    heard = {session: await conversation.provider.hearing(session) for session in sessions}
    return reckon(conversation, links, heard)


def reckon(conversation: Conversation, links: list[Link], heard: dict[str, Hearing]) -> Account:
    """The same of what is known already: the connections in order, and what each session knows."""
    return _Reckoning(conversation, links, heard).account()


class _Reckoning:
    def __init__(self, conversation: Conversation, links: list[Link], heard: dict[str, Hearing]) -> None:
        self._conversation = conversation
        self._page = conversation.page
        self._links = links
        self._heard = heard
        self._ever_heard = {number for hearing in heard.values() for number in (*hearing.known, *hearing.forgotten)}
        self._ever_heard.discard(None)
        self._account = Account(conversation, findings=list(conversation.findings))
        self._stretches = self._stretches_of_links()

    def account(self) -> Account:
        announced = [told for told in self._page.story if told.message["type"] == "lost"]
        self._account.announced_ms = sum(told.message["ms"] for told in announced)
        self._count_swaps()
        self._check_last_words()
        self._check_replies()
        self._check_ends()
        self._check_claims()
        self._check_toasts()
        self._check_closes()
        self._account.findings.sort(key=lambda finding: finding.at)
        return self._account

    # -- audio -------------------------------------------------------------------------------------------------------

    def _count_swaps(self) -> None:
        for index, link in enumerate(self._links):
            lost, repeated, needlessly = self._loss_at(index)
            kind = self._kind_of(index)
            if kind == "?":
                self._account.needless_redials += 1
                self._find(link.opened_at, f"{link.id} took the place of {self._links[index - 1].id} for no reason")
            if index:
                self._account.swaps.append(Swap(kind, link.opened_at, self._gap_ms(index, kind), len(lost), repeated))
            if lost and len(lost) * FRAME_MS > self._account.announced_ms:
                self._find(link.opened_at, f"lost with {link.id} ({kind}): audio frames {_shown(lost)}")
            if needlessly:
                text = f"repeated with {link.id} ({kind}): audio frames {_shown(needlessly)}"
                # How long a frame is on its way, and so whether it counts as taken in, is a matter of the machine.
                self._find(link.opened_at, text, rests_on_speed=True)

    def _loss_at(self, index: int) -> tuple[list[int], int, list[int]]:
        """Frames that are missing where a connection begins or later on it; how many came again, and which of them
        had not been in flight."""
        link = self._links[index]
        taken = self._stretches.get(link.id)
        if not taken:
            return [], 0, []
        before = newest(self._heard[link.session].known[: link.chunks])
        settled = self._settled_by(link)
        skipped = range(before + 1, taken[0])
        lost = [number for number in skipped if number >= settled or number not in self._ever_heard]
        for number, following in itertools.pairwise(taken):
            if following <= number:
                self._find(link.opened_at, f"out of order on {link.id}: frame {following} after {number}")
            lost += range(number + 1, following)
        again = range(taken[0], before + 1)
        return lost, len(again), [number for number in again if not self._was_in_flight(number, link)]

    def _stretches_of_links(self) -> dict[str, list[int]]:
        """The frames that each connection brought to its session, as far as the session did not go back behind it."""
        stretches: dict[str, list[int]] = {}
        for session, hearing in self._heard.items():
            end = len(hearing.known)
            link: Link | None = [link for link in self._links if link.session == session][-1]
            while link is not None:
                stretches[link.id] = without_repeats(
                    hearing.known[link.chunks : end], newest(hearing.known[: link.chunks])
                )
                end = link.chunks
                link, _ = self._origin_of(link)
        return stretches

    def _origin_of(self, link: Link) -> tuple[Link | None, float]:
        """The connection on which the handle was issued that another one resumed with, and when."""
        issued = [
            (handle["at"], before)
            for before in self._links
            for handle in before.delivered_handles
            if before.session == link.session and handle["chunks"] == link.chunks and handle["at"] < link.opened_at
        ]
        if not issued or not link.resumed or link.is_forgotten:
            return None, 0.0
        at, origin = max(issued, key=lambda pair: pair[0])
        return origin, at

    def _was_in_flight(self, number: int, link: Link) -> bool:
        """Whether a frame was on its way when the handle came that a connection resumed with."""
        origin, issued_at = self._origin_of(link)
        if origin is None:
            return False
        on_its_way_since = max(self._page.sent_at[number], origin.opened_at)
        stall = origin.fault("stall")
        if stall and stall["at"] <= issued_at <= stall["at"] + stall["for_s"] + IN_FLIGHT_S:
            return on_its_way_since > stall["at"] - UNSURE_BEFORE_STALL_S
        return issued_at - on_its_way_since < IN_FLIGHT_S

    def _settled_by(self, link: Link) -> int:
        """The first frame that a connection still had to be sent: those before are answered.

        To a fresh session what was acknowledged need not be said again, either; what was acknowledged to it itself a
        resumed one has in its checkpoint.
        """
        remembers = link.resumed and not self._was_forgotten_by(link)
        began_at = next(other.opened_at for other in self._links if other.session == link.session)
        acknowledged = [
            told.message["audio" if told.message["type"] == "ack" else "ack"]
            for told in self._page.story
            if told.message["type"] in ("ack", "ready") and told.at <= (began_at if remembers else link.opened_at)
        ]
        live = self._live_after(link)
        live_at = live.at if live else link.opened_at + PROOF_OF_LIFE_S
        answered = [
            exchange.answers_frames_until
            for exchange in self._conversation.exchanges
            if exchange.ended_at is not None and exchange.ended_at <= live_at + 2 * CLOCKS_S
        ]
        return max([0, *acknowledged, *answered])

    def _was_forgotten_by(self, link: Link) -> bool:
        """Whether the session of a connection forgot all that it knew, then or before."""
        links = (other for other in self._links if other.session == link.session)
        return any(other.is_forgotten and other.opened_at <= link.opened_at for other in links)

    def _check_last_words(self) -> None:
        last = self._page.outbox.next_number - 1
        known = self._heard[self._links[-1].session].known if self._links else []
        heard = newest(known)
        if heard < last and (last - heard) * FRAME_MS > self._account.announced_ms:
            self._find(self._now(), f"never taken in: audio frames {_shown(list(range(heard + 1, last + 1)))}")
        if self._page.outbox.dropped:
            self._find(self._now(), f"the page had to drop {self._page.outbox.dropped} frames that nobody took")
        if self._page.typed:
            self._find(self._now(), f"never acknowledged: {', '.join(self._page.typed.values())}")

    # -- swaps -------------------------------------------------------------------------------------------------------

    def _kind_of(self, index: int) -> str:
        if not index:
            return "first"
        link, before = self._links[index], self._links[index - 1]
        if link.is_forgotten:
            return "forgot"
        if not link.resumed and before.fault("dead_handle"):
            return "dead handle"
        if before.closed_by == "cut":
            return "cut"
        if before.fault("close") and before.closed_by == "server":
            return "closed"
        if before.fault("go_away"):
            return "planned"
        if before.fault("black_hole") or self._stood_still_until(before) > link.opened_at - STILL_S:
            return "silent"
        if before.is_sick:
            return "sick"
        if not link.resumed and self._was_forgotten_by(before):
            return "repaired"
        return "?"

    def _stood_still_until(self, link: Link) -> float:
        stall = link.fault("stall")
        return float(stall["at"] + stall["for_s"]) if stall else 0.0

    def _gap_ms(self, index: int, kind: str) -> float | None:
        link, before = self._links[index], self._links[index - 1]
        live = self._live_after(link)
        lost_at = self._lost_at(before, link, kind)
        following = self._links[index + 1].opened_at if index + 1 < len(self._links) else float("inf")
        if live is None or lost_at is None or live.at > following + CLOCKS_S:
            return None
        away = any(absence.gone_at < live.at and absence.ready_at > lost_at for absence in self._page.absences)
        return None if away else (live.at - lost_at) * 1000

    def _lost_at(self, before: Link, link: Link, kind: str) -> float | None:
        if kind in ("planned", "repaired"):
            left = [told.at for told in self._states("handover") if told.at <= link.opened_at + CLOCKS_S]
            return left[-1] if left and left[-1] >= before.opened_at else before.closed_at
        fault = before.fault("black_hole", "stall") if kind == "silent" else None
        return float(fault["at"]) if fault else before.closed_at

    def _live_after(self, link: Link) -> Told | None:
        return next((told for told in self._states("live") if told.at >= link.opened_at - CLOCKS_S), None)

    def _states(self, *states: str) -> list[Told]:
        return [told for told in self._page.story if told.message.get("state") in states]

    # -- words -------------------------------------------------------------------------------------------------------

    def _check_replies(self) -> None:
        exchanges = self._conversation.exchanges
        ends = [exchange.after_turn for exchange in exchanges[1:]]
        turns = sorted(self._page.turns.values(), key=lambda turn: int(turn["turn"]))
        for exchange, end in zip(exchanges, [*ends, 1 << 31], strict=True):
            replies = [
                turn for turn in turns if turn["role"] == "model" and exchange.after_turn < int(turn["turn"]) <= end
            ]
            statuses = Counter(turn["status"] for turn in replies)
            self._account.replies += statuses["complete"]
            self._account.replies_cut += statuses["interrupted"]
            if statuses["partial"]:
                self._find(exchange.began_at, f"a reply was left unfinished: {exchange.what}")
        shown = Counter(turn["id"] for turn in turns if turn.get("id"))
        for id in (id for id, count in shown.items() if count > 1):
            self._find(self._now(), f"shown twice: {id}")

    def _check_ends(self) -> None:
        page = self._page
        turns = sorted(page.turns.values(), key=lambda turn: int(turn["turn"]))
        self._account.ends, found = ends_of(self._conversation.exchanges, turns, page.story, self._links)
        for at, text in found:
            self._find(at, text)

    # -- what the page was told --------------------------------------------------------------------------------------

    def _check_claims(self) -> None:
        opened_at = [link.opened_at for link in self._links]
        exchanges = self._conversation.exchanges
        for told in self._page.story:
            if told.message["type"] != "ready":
                continue
            action = told.message["action"]
            index = bisect_right(opened_at, told.at + CLOCKS_S) - 1
            if action == "new" and any((exchange.ended_at or told.at) < told.at for exchange in exchanges):
                self._find(told.at, "a new session without a word of what was before")
            if index >= 0 and action in ("resumed", "rebuilt") and (action == "resumed") != self._links[index].resumed:
                self._find(told.at, f"called {action}, which {self._links[index].id} was not")

    def _check_toasts(self) -> None:
        certain = {(at, text) for at, text, _ in self._toasts_said_twice(CERTAINLY_SHORT_S)}
        for at, text, toasts in self._toasts_said_twice(PROOF_OF_LIFE_S):
            self._account.toasts_at_most = max(self._account.toasts_at_most, toasts)
            if text:
                self._find(at, text, rests_on_speed=(at, text) not in certain)

    def _toasts_said_twice(self, proof_of_life_s: float) -> Iterator[tuple[float, str, int]]:
        """When each outage began to be told, what was told twice in it, if anything, and how many toasts it had."""
        for toasts in self._outages(proof_of_life_s):
            codes = Counter(told.message["code"] for told in toasts)
            twice = [f"{count} toasts {code} in one outage" for code, count in codes.items() if count > 1]
            if toasts:
                yield toasts[0].at, "; ".join(twice), len(toasts)

    def _outages(self, proof_of_life_s: float) -> Iterator[list[Told]]:
        """The toasts of each outage, which ends when a connection has lived for that long."""
        toasts: list[Told] = []
        live_at: float | None = None
        for told in self._page.story:
            if told.message["type"] == "toast":
                toasts.append(told)
            elif told.message.get("state") == "live":
                live_at = live_at or told.at
            elif told.message["type"] == "state":
                if live_at is not None and told.at - live_at >= proof_of_life_s:
                    yield toasts
                    toasts = []
                live_at = None
        yield toasts

    def _check_closes(self) -> None:
        for link in self._links:
            if link.closed_by == "server" and not link.fault("close", "go_away") and not link.close.startswith("1000"):
                self._find(link.closed_at or 0.0, f"the provider closed {link.id} by itself: {link.close}")
        for at, code in self._page.odd_closes:
            self._find(at, f"the server closed the page's socket with {code}")
        for told in self._page.story:
            if told.message["type"] == "error":
                self._find(told.at, f"error {told.message['code']}: {told.message['text']}")

    def _find(self, at: float, text: str, *, rests_on_speed: bool = False) -> None:
        self._account.findings.append(Finding(self._conversation.number, at, text, rests_on_speed))

    def _now(self) -> float:
        return self._page.story[-1].at if self._page.story else 0.0


def _shown(numbers: list[int]) -> str:
    return f"{numbers[0]} to {numbers[-1]} ({len(numbers)})"


def newest(known: Iterable[int | None]) -> int:
    """The highest number among what a session knows, or -1."""
    return max((number for number in known if number is not None), default=-1)


def without_repeats(known: Sequence[int | None], before: int = -1) -> list[int]:
    """What one connection was sent, without silence of the server's own and without what was said to it once more.

    That is a run of earlier frames with silence after it, unless the connection ended within; the first run of all only
    where there is silence, and nothing in it is new. `before`: the newest frame that the session knew when the
    connection began.
    """
    runs = list(_runs(known))
    following_runs: list[tuple[int, ...] | None] = [*runs[1:], None]
    kept: list[int] = []
    for run, following in zip(runs, following_runs, strict=False):
        if kept:
            is_said_again = bool(run) and run[0] <= kept[-1] and not following
        else:
            is_said_again = bool(run) and run[-1] <= before and following == ()
        kept += () if is_said_again else run
    return kept


def _runs(known: Sequence[int | None]) -> Iterator[tuple[int, ...]]:
    """The numbers that follow one another, each run by itself; an empty one for silence between them."""
    run: list[int] = []
    for number in known:
        if run and number != run[-1] + 1:
            yield tuple(run)
            run = []
        if number is None:
            yield ()
        else:
            run.append(number)
    if run:
        yield tuple(run)
