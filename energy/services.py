"""The energy bar: which model serves a conversation now, and the rows that say how it came to that."""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from energy import ledger
from energy.ladders import ladder_of
from energy.levels import Level, LevelChange, Mode, Reason, is_in_turns
from energy.models import EnergyChange, EnergyState, Notice, Persona
from energy.notices import FALLBACK_PERSONA, delivered_text, fill, key_of
from energy.prices import parse_prices
from energy.quota import PROBATION, Access, LimitKind, ModelState, Refusal, access_of
from energy.usage import TurnTokens

logger = logging.getLogger(__name__)

DETAIL_CHARACTERS = 300

UNUSABLE = frozenset({"unknown-model", "unfit-model"})
"""Reasons to leave a model that are nobody's quota and every session's business."""

_LEASED = (Access.SCOUT, Access.PROBE)

States = Mapping[str, ModelState]


class _Waiting(StrEnum):
    """What to do about a model of which another session is just finding out whether it answers."""

    ASK_AGAIN = "ask again"
    TAKE = "take"
    SKIP = "skip"
    PROVEN = "proven"
    """Take no model that has not just answered somebody."""


class _AskAgain(Exception):
    """Another session is just finding out."""


class EnergyBarService:
    """The level of one live session, per mode.

    The level is kept in memory. `get_…` read it, and the methods of the seeds, `handle_rate_limit_error` and
    `reset_energy_level`, move it there alone: both may be called on the event loop. The other methods ask the ledger
    and write rows: they are for the database thread. What could not be written, because the database was away, is
    written with the next change; a change is written once, however often its method is repeated.

    Args:
        user_id: whose levels are kept; without one nothing is stored.
        holder: the live session in the ledger's eyes, see `queue.holder_of`.
    """

    def __init__(self, user_id: int | None = None, holder: uuid.UUID | None = None) -> None:
        self.conversation_id: uuid.UUID | None = None
        """Named in the rows, once it is known."""
        self._user_id = user_id
        self._holder = holder or uuid.uuid4()
        self._ladders = {mode: ladder_of(mode) for mode in Mode}
        self._levels = {mode: ladder.top for mode, ladder in self._ladders.items()}
        self._resets_at: dict[Mode, datetime.datetime | None] = dict.fromkeys(Mode)
        self._avoided: dict[Mode, dict[str, datetime.datetime]] = {mode: {} for mode in Mode}
        self._unwritten: list[LevelChange] = []

    # -- in memory -----------------------------------------------------------------------------------------------------

    def get_level(self, mode: Mode) -> Level:
        return self._levels[mode]

    def get_top_level(self, mode: Mode) -> Level:
        return self._ladders[mode].top

    def has_refuge(self, mode: Mode) -> bool:
        """Whether there is a level below that needs no Live connection, as the present one does."""
        return bool(self._ladders[mode].refuges_below(self._levels[mode]))

    def has_other_place(self, mode: Mode) -> bool:
        """Whether a level below has a model at another place, where another account asks."""
        return self._ladders[mode].is_served_elsewhere_below(self._levels[mode])

    def get_current_model(self, mode: Mode) -> str:
        """The id of the model in use; empty when the ladder is exhausted."""
        return self._levels[mode].model

    def get_resets_at(self, mode: Mode) -> datetime.datetime | None:
        """When a model above the level is expected back; None when none is known to be spent."""
        return self._resets_at[mode]

    def handle_rate_limit_error(self, mode: Mode) -> Level:
        """One step down, whatever the ledger knows; gives the new level."""
        return self._step(self._ladders[mode].below(self._levels[mode]), Reason.RATE_LIMIT_EXCEEDED).level

    def reset_energy_level(self, mode: Mode, reason: Reason = Reason.MANUAL) -> Level:
        """Back to the top, whatever the ledger knows; gives the new level."""
        return self._step(self._ladders[mode].top, reason).level

    # -- with the ledger, in the database thread -----------------------------------------------------------------------

    def load(self, mode: Mode, *, patient: bool = False) -> Level | None:
        """The level that a new session gets: the highest whose model is not spent.

        Args:
            patient: give None while another session is finding out whether the model answers. Ask again in a moment,
                and without patience after two seconds: the model is then taken for usable.
        """
        self._unwritten = [change for change in self._unwritten if change.mode is not mode]
        self._levels[mode] = self._ladders[mode].top
        with OutageSurvived():
            self._levels[mode] = self._stored_level(mode)
        try:
            return self._go_to_best(mode, Reason.SESSION_RESET, _Waiting.ASK_AGAIN if patient else _Waiting.TAKE).level
        except _AskAgain:
            return None

    def restore(self, mode: Mode, reason: Reason) -> LevelChange:
        """To the highest level whose model is not spent, as a new call or somebody's wish calls for."""
        return self._go_to_best(mode, reason, _Waiting.TAKE)

    def lower(self, mode: Mode, refusal: Refusal, model: str) -> LevelChange:
        """A confirmed quota verdict: note it, and go to the next level whose model is not known to be spent.

        One live session too many is no reason to go: the level stays, and `resets_at` says when to dial again. Said
        twice of the same model, it counts once.
        """
        state: ModelState | None = None
        with OutageSurvived():
            state = ledger.note_refusal(model, refusal, timezone.now())
        if state is not None and state.kind is LimitKind.CONCURRENCY:
            level = self._levels[mode]
            return LevelChange(level, level, Reason.RATE_LIMIT_EXCEEDED, timezone.now(), state.resets_at)
        if state is None:
            self._avoid(mode, model)  # the ledger does not know: it would send the session back
        return self._leave(mode, model, Reason.RATE_LIMIT_EXCEEDED, refusal.text)

    def next_model(self, mode: Mode, model: str, reason: str) -> LevelChange:
        """Leave a model for a reason that is not quota; this session does not come back to it for a while.

        One that the project does not have, or that cannot do what is asked of it, is reported to the operator and
        tried by nobody for an hour. One in turns below which there is nothing stays, unless it is of that kind: where
        neither a line nor a request comes through, the model is not what is at fault.
        """
        current = self._levels[mode]
        if reason not in UNUSABLE and current.is_in_turns and current.model == model and not self._has_below(mode):
            return LevelChange(current, current, Reason.MANUAL, timezone.now())
        self._avoid(mode, model)
        if reason in UNUSABLE:
            with OutageSurvived():
                ledger.note_missing(model, reason, timezone.now())
        return self._leave(mode, model, Reason.MANUAL, reason)

    def leave_outage(self, mode: Mode, model: str, detail: str) -> LevelChange:
        """No Live connection is to be had: to the best level that needs none; where the ladder has none, the level
        stays.

        Which Live model is at fault, or whether all are, nobody knows: each is asked for again in the background, the
        best first, and none of them is dialled for a user before it has answered.
        """
        current, ladder = self._levels[mode], self._ladders[mode]
        refuges = ladder.refuges_below(current)
        if not refuges or current.model != model:
            return self._settle(current, Reason.OUTAGE, None, detail)
        level, states = refuges[0], None
        with OutageSurvived():
            ledger.note_outage(ladder.live_models, detail, timezone.now())
            level, states = self._pick(mode, refuges, _Waiting.TAKE, otherwise=current)
        return self._settle(level, Reason.OUTAGE, states, detail)

    def due_probe(self, mode: Mode) -> tuple[str, bool]:
        """The best Live model above the level that is to be asked for now, by this session alone, empty where nothing
        is due or somebody else is at it; and whether one above has just answered somebody.

        From a Live level only models are asked for that could not be reached: of the others a turn's end decides.
        """
        current, ladder = self._levels[mode], self._ladders[mode]
        has_line = not (current.is_in_turns or current.is_exhausted)
        with OutageSurvived():
            states, now = ledger.states_of(ladder.live_models), timezone.now()
            for level in self._candidates(mode, ladder.all_above(current)):
                if level.is_in_turns or (has_line and not states[level.model].is_out):
                    continue
                access = access_of(states[level.model], self._holder, now)
                if access is Access.OPEN:
                    return "", True
                if access in _LEASED and ledger.may_use(level.model, self._holder, now, states[level.model]) in _LEASED:
                    return level.model, False
        return "", False

    def probe_failed(self, model: str, refusal: Refusal, *, is_quota: bool) -> None:
        """What was asked for is not to be had yet."""
        with OutageSurvived():
            if is_quota:
                ledger.note_refusal(model, refusal, timezone.now(), costs_nobody=True)
            else:
                ledger.note_outage([model], refusal.text, timezone.now())

    def avoid_spent(self, mode: Mode) -> LevelChange | None:
        """Before a model is dialled again: leave it if others have found it spent meanwhile, or its end has come; None
        to dial it."""
        level, model = self._levels[mode], self._levels[mode].model
        access = Access.OPEN
        if model and model not in ladder_of(mode).models:
            return self._go_to_best(mode, Reason.MANUAL, _Waiting.TAKE)
        if model:
            with OutageSurvived():
                access = self._access_of(level, ledger.states_of([model])[model], timezone.now())
        if access is not Access.SPENT:
            return None
        return self._leave(mode, model, Reason.RATE_LIMIT_EXCEEDED, "known to be spent")

    def raise_if_possible(self, mode: Mode) -> LevelChange | None:
        """At a turn's end: to the highest level whose quota is back. After a reset one session probes for all.

        From a level in turns only to a model that has answered a probe: no sentence of a user's is tried on it. The
        turn is noted as well: a model that answers one session has not spent its day, whomever it refuses.
        """
        current = self._levels[mode]
        if current.is_exhausted:
            return None
        level: Level = current
        states: States | None = None
        with OutageSurvived():
            if current.is_in_turns:
                ledger.note_success(current.model, self._holder, timezone.now())
            ledger.note_answer(current.model, timezone.now())
            if above := self._ladders[mode].all_above(current):
                waiting = _Waiting.PROVEN if current.is_in_turns else _Waiting.SKIP
                level, states = self._pick(mode, above, waiting, otherwise=current)
        change = self._settle(level, Reason.QUOTA_RESET, states)
        return change if change.is_change else None

    def succeeded(self, model: str) -> None:
        """A set-up on that model went through: what was probed is back. In turns there is none: an answer counts."""
        with OutageSurvived():
            if not is_in_turns(model):
                ledger.note_success(model, self._holder, timezone.now())
            self._write()

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _go_to_best(self, mode: Mode, reason: Reason, waiting: _Waiting) -> LevelChange:
        """To the highest level that may be dialled. Raises `_AskAgain`."""
        ladder = self._ladders[mode]
        self._avoided[mode].clear()
        level, states = ladder.top, None
        with OutageSurvived():
            level, states = self._pick(mode, ladder.all_above(ladder.level(0)), waiting, otherwise=ladder.level(0))
        return self._settle(level, reason, states)

    def _leave(self, mode: Mode, model: str, reason: Reason, detail: str) -> LevelChange:
        """To the next level below that may be dialled, unless the model has been left already."""
        ladder, current = self._ladders[mode], self._levels[mode]
        if current.model != model:
            return self._settle(current, reason, None, detail)
        level, states = ladder.below(current), None
        with OutageSurvived():
            level, states = self._pick(mode, ladder.all_below(current), _Waiting.TAKE, otherwise=ladder.level(0))
        return self._settle(level, reason, states, detail)

    def _has_below(self, mode: Mode) -> bool:
        """Whether a level below may be dialled."""
        ladder = self._ladders[mode]
        level = nothing = ladder.level(0)
        with OutageSurvived():
            level, _ = self._pick(mode, ladder.all_below(self._levels[mode]), _Waiting.TAKE, otherwise=nothing)
        return not level.is_exhausted

    def _pick(
        self, mode: Mode, candidates: Iterable[Level], waiting: _Waiting, otherwise: Level
    ) -> tuple[Level, States]:
        """The first of these levels whose model may be dialled, and what is known of all models of the mode.

        Raises `_AskAgain`.
        """
        states = ledger.states_of(self._ladders[mode].models)
        now = timezone.now()
        for level in self._candidates(mode, candidates):
            state = states[level.model]
            if self._is_left_to_probes(level, state, waiting, now):
                continue
            access = self._access_of(level, state, now)
            if access is Access.WAIT and waiting is _Waiting.ASK_AGAIN:
                raise _AskAgain
            if access is not Access.SPENT and (access is not Access.WAIT or waiting is _Waiting.TAKE):
                return level, states
        return otherwise, states

    def _access_of(self, level: Level, state: ModelState, now: datetime.datetime) -> Access:
        """Whether the model of a level may be dialled; what that takes is claimed.

        A model in turns is not scouted, nor probed by one alone: each asks for itself, with its user's first turn.
        """
        if level.is_in_turns:
            return Access.SPENT if state.is_spent and not state.is_due(now) else Access.OPEN
        return ledger.may_use(level.model, self._holder, now, state)

    def _is_left_to_probes(self, level: Level, state: ModelState, waiting: _Waiting, now: datetime.datetime) -> bool:
        """Whether the model is asked for in the background, where there is something to go on with meanwhile."""
        if level.is_in_turns or not self._ladders[level.mode].refuges_below(level):
            return False
        if state.is_known_to_be_out(now):
            return True
        return waiting is _Waiting.PROVEN and access_of(state, self._holder, now) is not Access.OPEN

    def _avoid(self, mode: Mode, model: str) -> None:
        self._avoided[mode][model] = timezone.now() + PROBATION

    def _candidates(self, mode: Mode, levels: Iterable[Level]) -> Iterable[Level]:
        """Those that this session may come to; a model of its own ladder may have ended since it began."""
        now, here, avoided = timezone.now(), ladder_of(mode).models, self._avoided[mode]
        return [level for level in levels if avoided.get(level.model, now) <= now and level.model in here]

    def _settle(self, level: Level, reason: Reason, states: States | None, detail: str = "") -> LevelChange:
        """Go to a level and write that down. `states` is None when the ledger could not be asked."""
        change = self._step(level, reason, states, detail)
        with OutageSurvived():
            self._write()
        return change

    def _step(self, level: Level, reason: Reason, states: States | None = None, detail: str = "") -> LevelChange:
        """Go to a level in memory; to the one that it is at is no change.

        A job of the database thread is run again when another of its batch failed: then the change is in memory and
        not in the rows, and is the answer once more.
        """
        mode = level.mode
        previous = self._levels[mode]
        if level == previous:
            latest = next((change for change in reversed(self._unwritten) if change.mode is mode), None)
            if latest is not None and latest.reason is reason:
                return latest
        now = timezone.now()
        if states is not None or level != previous:
            self._resets_at[mode] = self._return_of_more(level, states or {}, now)
        text = detail.replace("\x00", "")[:DETAIL_CHARACTERS]
        change = LevelChange(previous, level, reason, now, self._resets_at[mode], text)
        if change.is_change:
            self._levels[mode] = level
            if self._user_id is not None:
                self._unwritten.append(change)
            logger.info("%s: level %d to %d, %s", mode, previous.number, level.number, reason)
        return change

    def _return_of_more(self, level: Level, states: States, now: datetime.datetime) -> datetime.datetime | None:
        """When the first of the spent models above a level is expected back; the end of an outage nobody knows."""
        above = [states[other.model] for other in self._ladders[level.mode].all_above(level) if other.model in states]
        moments = [
            moment
            for state in above
            if state.is_spent and not state.is_out
            for moment in (state.resets_at, state.probe_until)
        ]
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _stored_level(self, mode: Mode) -> Level:
        top = self._ladders[mode].top
        if self._user_id is None:
            return top
        row = EnergyState.objects.filter(user_id=self._user_id, mode=mode).first()
        return top if row is None else self._ladders[mode].level(row.level)

    def _write(self) -> None:
        """Write what is not written yet; writing it twice leaves it written once."""
        if self._user_id is None or not self._unwritten:
            return
        changes = tuple(self._unwritten)
        with transaction.atomic():
            record_changes(self._user_id, changes, self.conversation_id)
            transaction.on_commit(partial(self._forget_written, changes))

    def _forget_written(self, changes: tuple[LevelChange, ...]) -> None:
        self._unwritten = [change for change in self._unwritten if change not in changes]


class OutageSurvived:
    """`with OutageSurvived(): ...`. The conversation goes on without the rows while the database is away.

    Not within a transaction of somebody else, which would go on half-written: there the error is raised, and the
    database thread runs each job of the batch by itself.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, (OperationalError, InterfaceError)) or connection.in_atomic_block:
            return False
        logger.warning("the database is away, the energy bar goes on in memory: %s", str(error).strip())
        return True


@transaction.atomic
def record_changes(user_id: int, changes: Iterable[LevelChange], conversation_id: uuid.UUID | None = None) -> None:
    """Keep changes of a user's levels, oldest first, and the levels they led to. May be repeated."""
    rows = [_row_of(user_id, change, conversation_id) for change in changes]
    EnergyChange.objects.bulk_create(rows, ignore_conflicts=True)
    latest = {row.mode: row for row in rows}
    EnergyState.objects.bulk_create(
        [EnergyState(user_id=user_id, mode=row.mode, level=row.level, changed_at=row.at) for row in latest.values()],
        update_conflicts=True,
        unique_fields=["user", "mode"],
        update_fields=["level", "changed_at"],
    )


@transaction.atomic
def reset_energy(states: Iterable[EnergyState]) -> list[tuple[int, LevelChange]]:
    """An operator's wish: these go back to the top. Gives the users whose level changed, with the change.

    A live session hears of it by the announcement; the ledger still says which models are spent.
    """
    changes = []
    for state in states:
        ladder = ladder_of(Mode(state.mode))
        change = LevelChange(ladder.level(state.level), ladder.top, Reason.MANUAL, timezone.now())
        if change.is_change:
            record_changes(state.user_id, [change])
            changes.append((state.user_id, change))
    return changes


def notice_for(change: LevelChange, persona: str = "") -> str:
    """What a persona says about a change of level; without one, the persona that is the default.

    Texts are rows that the operator may edit; where there is none, those that come with Holdline.
    """
    mode, level, occasion = key_of(change)
    chosen = Persona.objects.filter(slug=persona) if persona else Persona.objects.filter(is_default=True)
    slug, text = persona, None
    with OutageSurvived():
        row = chosen.first()
        if row is not None:
            notice = Notice.objects.filter(persona=row, mode=mode, level=level, occasion=occasion).first()
            slug, text = row.slug, notice.text if notice is not None else None
    if text is None:
        text = delivered_text(slug or FALLBACK_PERSONA, (mode, level, occasion))
    return fill(text, change, settings.TIME_ZONE)


def cost_micro_usd(model: str, tokens: TurnTokens) -> int:
    """What these tokens cost by the price table of the settings, in millionths of a dollar."""
    return parse_prices(settings.TOKEN_PRICES).cost_micro_usd(model, tokens)


def _row_of(user_id: int, change: LevelChange, conversation_id: uuid.UUID | None) -> EnergyChange:
    return EnergyChange(
        id=change.id,
        user_id=user_id,
        mode=change.mode,
        previous=change.previous.number,
        level=change.level.number,
        word=change.level.word,
        model=change.level.model,
        reason=change.reason,
        at=change.at,
        resets_at=change.resets_at,
        conversation_id=conversation_id,
        detail=change.detail,
    )
