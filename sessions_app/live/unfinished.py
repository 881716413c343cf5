"""What of a stored conversation is not over when a session is opened: pure."""

from __future__ import annotations

from sessions_app.live.page import Opening
from sessions_app.live.transcript import Role, Turn


def last_settled_turn(opening: Opening) -> int:
    """The last turn that no page sends again: of a known page life, the last reply, or the word that there is none."""
    settled = (turn for turn in opening.turns if _is_settling(turn) or not opening.same_page)
    return max((turn.number for turn in settled), default=opening.earlier.last_reply)


def _is_settling(turn: Turn) -> bool:
    return turn.role is Role.MODEL or turn.ends_exchange


def typed_unanswered(opening: Opening) -> frozenset[str]:
    """Typed messages of this page life whose exchanges did not end: their replies were cut off with the process.

    A question about recordings is answered beside the others, and its answer ends none of theirs.
    """
    ordinary = [turn for turn in opening.turns if not turn.recordings and not turn.withdrawn]
    last_end = max((turn.number for turn in ordinary if turn.ends_exchange), default=opening.earlier.last_whole_reply)
    numbers = {**opening.earlier.typed, **{turn.id: turn.number for turn in ordinary if turn.id}}
    return frozenset({id for id, number in numbers.items() if number > last_end} | _questions_unanswered(opening))


def _questions_unanswered(opening: Opening) -> set[str]:
    """They are answered one after the other, and each answer is about the recordings of its question."""
    waiting: list[Turn] = []
    for turn in opening.turns:
        if turn.recordings and turn.role is Role.USER and not turn.withdrawn:
            waiting.append(turn)
        elif turn.recordings and turn.ends_exchange:
            answered = next((each for each in waiting if each.recordings == turn.recordings), None)
            waiting = [each for each in waiting if each is not answered]
    return {turn.id for turn in waiting if turn.id}


def left_unanswered(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """What the user said in page lives that are over, and that has no answer, not even one that broke off. Of what is
    about no recordings only the last: a later line ends all of that."""
    waiting: list[Turn] = []
    for turn in turns:
        is_end = turn.role is Role.MODEL or turn.ends_exchange
        if turn.role is Role.USER:
            others = [each for each in waiting if each.recordings] if not turn.recordings else waiting
            waiting = [*others, turn]
        elif is_end:
            ended = next((each for each in waiting if each.recordings == turn.recordings), None)
            waiting = [each for each in waiting if each is not ended]
    return tuple(waiting)


def spoken_unanswered(opening: Opening) -> int | None:
    """The last turn that this page life spoke, if its exchange did not end: the page may send its sound again."""
    for turn in reversed(opening.turns if opening.same_page else ()):
        if turn.ends_exchange:
            return None
        if turn.role is Role.USER and not turn.id:
            return turn.number
    return None
