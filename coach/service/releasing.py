"""Sessions of running programs: placed ahead, released when due, answered or closed. The clock calls; people answer."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coach.errors import Conflict, InvalidInput, Locked
from coach.logs import about
from coach.service import due, planning
from coach.service.ground import Ground
from coach.service.missed import asleep, give_way
from coach.service.permission import require_session
from coach.service.plain import prescription_from_plain
from coach.service.throwing import rest_until
from coach.service.triage import hold_until_asked
from coach.service.types import Identity, Level, PlanState, SessionState, SessionView
from coach.store import athletes, days, events, plans, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.errors import ProgramError
from programs.triage import ASK_AT_PAIN
from programs.types import Lock

_log = logging.getLogger(__name__)
_OPEN = (SessionState.PLANNED.value, SessionState.DUE.value)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a session, None where nothing was said. effort, pain_during, pain_after: 0 to 10."""

    effort: int | None = None
    pain_during: int | None = None
    pain_after: int | None = None
    reason: str | None = None

    def checked(self) -> Told:
        """Return it. Raises InvalidInput for a number off its scale."""
        numbers = (("effort", self.effort), ("pain", self.pain_during), ("pain afterwards", self.pain_after))
        for name, value in numbers:
            if value is not None and not 0 <= value <= 10:
                raise InvalidInput(f"The {name} is a number from 0 to 10, not {value}.")
        return self

    @property
    def worst_pain(self) -> int | None:
        return max((pain for pain in (self.pain_during, self.pain_after) if pain is not None), default=None)


def record_outcome(ground: Ground, by: Identity, session_id: str, outcome: SessionState, told: Told) -> SessionView:
    """Record once that a session was done or skipped; pain of 6 or more pauses until the safety questions.

    What was not released yet can be told as done from its day on, and not while the athlete is locked.
    Raises NoSuch, InvalidInput, Conflict (already recorded or cancelled, or too early), Locked.
    """
    if outcome not in (SessionState.DONE, SessionState.SKIPPED):
        raise InvalidInput("A session was done or skipped; nothing else can be recorded.")
    now, columns = ground.now(), asdict(told.checked())
    with ground.store.begin() as tx:
        row = require_session(tx, by, session_id, Level.PLAN)
        if outcome is SessionState.DONE and row["state"] == SessionState.PLANNED.value:
            _refuse_early(row, now)
        fallback = row["fallback"] or row["lock"] == Lock.STARTING
        if not sessions.move(tx, session_id, _OPEN, state=outcome.value, fallback=fallback, updated_at=now):
            raise Conflict(f"This session is {row['state']} already.")
        values = {"session_id": session_id, "outcome": outcome.value, "recorded_by": by.user_id, "recorded_at": now}
        sessions.add_outcome(tx, {**values, **columns})
        events.record(tx, now, by.user_id, outcome.value, "session", session_id, row["athlete_id"])
        _mark(tx, row, now)
        if told.worst_pain is not None and told.worst_pain >= ASK_AT_PAIN:
            hold_until_asked(tx, row["athlete_id"], now)
        return planning.session_view(require_session(tx, by, session_id))


def _refuse_early(row: Row, now: datetime) -> None:
    """Raise Conflict or Locked for a planned session that cannot be done yet: its mornings are counted by its day."""
    if row["local_date"] > now.astimezone(ZoneInfo(row["time_zone"])).date():
        raise Conflict(f"This session is planned for {row['local_date']}: it can be told as done from that day on.")
    if row["lock"] == Lock.ALL:
        raise Locked("The program is paused, so this session waits too: the safety questions come first.")


def release_due(ground: Ground, now: datetime) -> tuple[SessionView, ...]:
    """Release the sessions that are due, each exactly once; see `Plans.release_due`."""
    released: list[SessionView] = []
    with ground.store.begin() as tx:
        give_way(tx, now, ground.config.sessions)
    while True:
        with ground.store.begin() as tx:
            waiting = asleep(tx, now)
            rows = [row for each in sessions.claim_due(tx, now, waiting) if (row := sessions.get(tx, each)) is not None]
            for row in rows:
                events.record(tx, now, "clock", "released", "session", row["id"], row["athlete_id"])
        if not rows:
            return tuple(sorted(released, key=lambda each: (each.due_at, each.session_id)))
        released.extend(planning.session_view(row) for row in rows)


def place_ahead(ground: Ground, now: datetime) -> int:
    """Place sessions of running programs up to the horizon; return how many."""
    # Somewhere on earth it is still yesterday.
    with ground.store.read() as tx:
        running = plans.running(tx, (now - timedelta(days=1)).date())
    placed = 0
    for row in running:
        try:
            placed += _place_more(ground, row["id"], now)
        except Conflict as error:
            with about(athlete=row["athlete_id"]):
                _log.warning("no more sessions of plan %s: %s", row["id"], error)
    return placed


def close_stale(ground: Ground, now: datetime) -> int:
    """Mark released sessions that nobody answered in time as skipped; return how many."""
    closed = 0
    with ground.store.begin() as tx:
        for row in sessions.unanswered(tx, now - timedelta(hours=ground.config.sessions.answer_h)):
            if not sessions.move(tx, row["id"], ("due",), state=SessionState.SKIPPED.value, updated_at=now):
                continue
            values = {"session_id": row["id"], "outcome": SessionState.SKIPPED.value, "recorded_at": now}
            sessions.add_outcome(tx, values)
            _mark(tx, row, now)
            events.record(tx, now, "clock", "skipped", "session", row["id"], row["athlete_id"], "not answered")
            closed += 1
    return closed


def _mark(tx: Tx, session: Row, now: datetime) -> None:
    """Have the session's day judged: what became of the session is its load."""
    days.mark(tx, session["athlete_id"], session["local_date"], now + due.LOOK_EVERY)


def _place_more(ground: Ground, plan_id: str, now: datetime) -> int:
    """Insert the plan's sessions that are not placed yet; return how many. Raises Conflict."""
    with ground.store.begin() as tx:
        plan = plans.get(tx, plan_id)
        if plan is not None:
            athletes.lock(tx, plan["athlete_id"])
            plan = plans.get(tx, plan_id)
        athlete = athletes.get(tx, plan["athlete_id"]) if plan is not None else None
        if plan is None or athlete is None or athlete["lock"] == Lock.ALL or plan["state"] != PlanState.ACCEPTED.value:
            return 0
        placed_on = [row["local_date"] for row in sessions.of_plan(tx, plan["id"])]
        taken = sessions.taken_slots(tx, athlete["id"])
        prescription = prescription_from_plain(plan["prescription"])
        not_before = rest_until(tx, ground, athlete, prescription, now)
        ahead = ground.config.program.plan_ahead_days
        try:
            placed = planning.sessions_to_place(
                tx, athlete, prescription, plan["starts_on"], now, taken, ahead, not_before=not_before
            )
        except ProgramError as error:
            raise Conflict(str(error)) from None
        # What was placed stays, also when it was cancelled since, or the availability has changed.
        new = [session for session in placed if not placed_on or session.local_date > max(placed_on)]
        planning.add_sessions(tx, new, athlete, plan["id"], now)
        return len(new)
