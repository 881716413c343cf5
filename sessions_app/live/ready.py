"""What a page is told when a live session is open."""

from __future__ import annotations

from sessions_app.live.exchanges import Exchanges
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.events import Action
from sessions_app.live.page import Opening, Ready
from sessions_app.live.turn_window import newest_window


def ready_of(action: Action, opening: Opening, levels: LevelKeeper, exchanges: Exchanges) -> Ready:
    """The `ready` that holds now, with the newest turns."""
    recap = exchanges.recap
    window = newest_window(reversed(exchanges.transcript.turns))
    return Ready(
        action=action,
        conversation=opening.conversation,
        session=opening.session,
        level=levels.level,
        top_level=levels.top_level,
        resets_at=levels.resets_at,
        summary=recap.text if recap is not None else "",
        ack=exchanges.acknowledged_number,
        next_number=exchanges.next_number,
        turns=window.turns,
        more=window.more or opening.earlier.exist,
        earlier_call=recap.earlier_call if recap is not None else None,
    )
