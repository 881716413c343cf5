"""The tables of a soak, and the story of a conversation that went wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.soak.account import Account, Swap
from tests.soak.conversation import Conversation, Finding
from tests.soak.ends import Ends

ORDER = ("planned", "cut", "closed", "dead handle", "silent", "sick", "forgot", "repaired", "?")
WINDOW_S = 12.0
LINES_SHOWN = 70
DULL = ("handle_issued", "handle_withheld")


def tables(accounts: Sequence[Account]) -> str:
    """The swaps by kind, how the exchanges ended, and the words."""
    return "\n".join([swap_table(accounts), "", *_end_table(accounts), "", *_word_table(accounts)])


def swap_table(accounts: Sequence[Account]) -> str:
    """The swaps by kind, what each cost and how long it took."""
    swaps = [swap for account in accounts for swap in account.swaps]
    lines = [
        "| swap | count | gap p50 ms | p95 ms | p99 ms | frames lost | repeated | most repeated in one |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in ORDER:
        of_kind = [swap for swap in swaps if swap.kind == kind]
        if of_kind:
            lines.append(_swap_row(kind, of_kind))
    gaps = [1000 * (absence.ready_at - absence.back_at) for account in accounts for absence in account.absences]
    lines.append(f"| page | {len(gaps)} | {_percentiles(gaps)} | | | |")
    return "\n".join(lines)


def _swap_row(kind: str, swaps: Sequence[Swap]) -> str:
    gaps = [swap.gap_ms for swap in swaps if swap.gap_ms is not None]
    repeated = [swap.repeated for swap in swaps]
    lost = sum(swap.lost for swap in swaps)
    return f"| {kind} | {len(swaps)} | {_percentiles(gaps)} | {lost} | {sum(repeated)} | {max(repeated)} |"


def _percentiles(values: Iterable[float]) -> str:
    ordered = sorted(values)
    if not ordered:
        return "- | - | -"
    return " | ".join(f"{ordered[min(len(ordered) - 1, int(len(ordered) * part))]:.0f}" for part in (0.5, 0.95, 0.99))


def _word_table(accounts: Sequence[Account]) -> list[str]:
    def total(of: Callable[[Account], int]) -> int:
        return sum(map(of, accounts))

    rows = {
        "conversations": len(accounts),
        "things said and answered": total(lambda account: account.replies),
        "audio frames": total(lambda account: account.conversation.page.outbox.next_number),
        "replies cut off, each given again whole": total(lambda account: account.replies_cut),
        "announced as lost, ms": total(lambda account: account.announced_ms),
        "toasts in one outage, at most": max((account.toasts_at_most for account in accounts), default=0),
        "findings": total(lambda account: len(account.findings)),
    }
    return _table(rows)


def _end_table(accounts: Sequence[Account]) -> list[str]:
    ends = sum((account.ends for account in accounts), Ends())
    links = [link for account in accounts for link in account.conversation.provider.links(account.conversation.number)]
    happened = Counter(entry["kind"] for link in links for entry in link.turns)
    rows = {
        "exchanges": ends.exchanges,
        "without an end": ends.without_end,
        "answered twice": ends.answered_twice,
        "ended twice in other ways": ends.ended_twice,
        "given or heard twice on one connection": ends.sent_twice,
        "connections left though they lived": sum(account.needless_redials for account in accounts),
        "with something that the provider missed": ends.swallowed,
        "- missed once, and the second time heard": ends.swallowed - ends.missed_twice,
        "- answered in the end": ends.heard_later,
        "- said to be not heard": ends.marked,
        "- thought about, said again, and said to have no answer": ends.broken_off,
        "- nothing of that": ends.forsaken,
        "said to be not heard, and not missed twice": ends.false_marks,
        "that the provider did not answer": ends.empty,
        "that the provider refused": ends.refused,
        "- and nobody was told of either": ends.untold,
        "told of either for nothing": ends.false_words,
        "spoken into a reply that a connection took, and not judged": ends.doubtful,
        "late words": happened["late_words"],
        "slow answers": happened["slow_thinking"],
        "calls of functions nobody declared": happened["undeclared_tool_call"],
    }
    return _table(rows)


def _table(rows: Mapping[str, int]) -> list[str]:
    return ["| | |", "| --- | ---: |", *(f"| {name} | {value:,} |" for name, value in rows.items())]


def write_stories(accounts: Iterable[Account], directory: Path) -> None:
    """A file for each conversation with all that happened to it."""
    for account in accounts:
        path = directory / f"conversation-{account.conversation.number}.log"
        path.write_text("\n".join(story(account.conversation)) + "\n", encoding="utf-8")


def story(conversation: Conversation, around: Finding | None = None) -> list[str]:
    """What happened, as the page, the emulator and the plan tell it, in order; with a finding only what is near it."""
    lines = [
        *((told.at, f"page      {_brief(told.message)}") for told in conversation.page.story),
        *((entry["at"], f"provider  {_brief(entry)}") for entry in conversation.provider.story(conversation.number)),
        *((at, f"plan      {trouble.kind} {trouble.params}") for at, trouble in conversation.struck),
        *((absence.gone_at, "page      is gone") for absence in conversation.page.absences),
        *((absence.back_at, "page      dials") for absence in conversation.page.absences),
        *((exchange.began_at, f"person    {exchange.what}") for exchange in conversation.exchanges),
        *((finding.at, f"FINDING   {finding.text}") for finding in conversation.findings),
    ]
    dull = tuple(f"provider  {kind}" for kind in DULL)
    chosen = [
        (at, text)
        for at, text in sorted(lines)
        if around is None or (abs(at - around.at) <= WINDOW_S and not text.startswith(dull))
    ]
    if around is not None:
        chosen = sorted(sorted(chosen, key=lambda line: abs(line[0] - around.at))[:LINES_SHOWN])
    return [f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03d}  {text}" for at, text in chosen]


def _brief(message: dict[str, Any]) -> str:
    kind = message.get("kind") or message.get("type")
    dull = ("kind", "type", "n", "at", "session", "mode", "energy", "transcript", "conversation", "summary", "usage")
    facts = {name: value for name, value in message.items() if name not in dull and value not in (None, "", [])}
    return f"{kind} " + " ".join(f"{name}={value}" for name, value in facts.items())
