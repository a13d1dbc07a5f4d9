"""Programs that change while they run: down by themselves, up only after a yes, one thing at a time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from coach.errors import Conflict, NotAllowed
from coach.logs import about
from coach.service import planning
from coach.service.change_views import NEEDS_YES, ChangeKind, ChangeState, ChangeView, change_view
from coach.service.ground import Ground
from coach.service.histories import history_of
from coach.service.permission import may_decide, require_athlete, require_change
from coach.service.plain import exercises_from_plain, prescription_from_plain, prescription_to_plain
from coach.service.progressing import Proposed, against, course_of, fall_of, rise_of
from coach.service.replacing import replace_planned
from coach.service.session_pains import usual_pain
from coach.service.throwing import rest_until
from coach.service.triage import refuse_locked
from coach.service.types import Identity, PlanState, SessionState
from coach.store import athletes, events, outcomes, plans, program_changes, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.dose import session_duration_min
from programs.errors import ProgramError
from programs.pain import may_load
from programs.types import Prescription

_RELEASED = (SessionState.DUE.value,)
_log = logging.getLogger(__name__)
# Changes that pages show. Own choice: until about the third session after.
_SHOWN = timedelta(days=7)
# Falls of one look: walking, a red session, a break and strain exclude or follow each other. Own bound.
_FALLS_MAX = 3


class Progress:
    """Look at running programs, propose, decide."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def look(self, athlete_id: str) -> bool:
        """Make what falls by itself, propose what may rise, withdraw what holds no more; tell whether anything changed.

        Nothing happens without a running program. Again is harmless.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athletes.lock(tx, athlete_id)
            athlete = athletes.get(tx, athlete_id)
            return athlete is not None and _look(tx, self._ground, athlete, now)

    def look_daily(self, now: datetime) -> tuple[str, ...]:
        """Look at every running program that was not looked at today; return the athletes whose one changed."""
        with self._ground.store.read() as tx:
            waiting = outcomes.unlooked(tx, now)
        return tuple(athlete_id for athlete_id in waiting if look_after(self._ground, athlete_id))

    def proposed(self, athlete_id: str) -> ChangeView | None:
        """Return the change that waits for a yes."""
        with self._ground.store.read() as tx:
            row = program_changes.proposed(tx, athlete_id)
        return change_view(row) if row is not None else None

    def lately(self, athlete_id: str) -> tuple[ChangeView, ...]:
        """Return what has changed in the last seven days, newest first."""
        with self._ground.store.read() as tx:
            rows = program_changes.made_since(tx, athlete_id, self._ground.now() - _SHOWN)
        return tuple(map(change_view, rows))

    def get(self, by: Identity, change_id: str) -> ChangeView:
        """Return one change in any state. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return change_view(require_change(tx, by, change_id))

    def accept(self, change_id: str, by: Identity) -> ChangeView:
        """Make a proposed change; sessions that are planned take it over and stay on their days where they can.

        What it rests on is looked at again: a yes from before a red session or a lock makes nothing.
        Raises NoSuch, NotAllowed, Conflict (it holds no more, or there is no time for it), Locked.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _require_decidable(tx, by, change_id)
            athletes.lock(tx, row["athlete_id"])
            athlete = require_athlete(tx, by, row["athlete_id"])
            refuse_locked(tx, by, athlete, now)
            plan = planning.has_running(tx, athlete, now)
            rise = rise_of(tx, course_of(tx, athlete, plan, now), now) if plan is not None else None
            if (
                plan is None
                or rise is None
                or rise.after != prescription_from_plain(row["after"])
                or plan["id"] != row["plan_id"]
            ):
                raise Conflict("What this step rests on has changed since: nothing was changed. Look at your program.")
            values = {"state": ChangeState.MADE.value, "decided_at": now, "decided_by": by.user_id}
            program_changes.move(tx, change_id, ChangeState.PROPOSED.value, **values)
            _run(tx, self._ground, athlete, plan, rise, now, strict=True)
            events.record(tx, now, by.user_id, "accepted", "program change", change_id, athlete["id"], row["kind"])
            return change_view(require_change(tx, by, change_id))

    def decline(self, change_id: str, by: Identity) -> ChangeView:
        """Decline a proposed change: none is offered for a week. Raises NoSuch, NotAllowed, Conflict."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _require_decidable(tx, by, change_id)
            values = {"state": ChangeState.DECLINED.value, "decided_at": now, "decided_by": by.user_id}
            program_changes.move(tx, change_id, ChangeState.PROPOSED.value, **values)
            events.record(tx, now, by.user_id, "declined", "program change", change_id, row["athlete_id"], row["kind"])
            return change_view(require_change(tx, by, change_id))


def refuse_loading(tx: Tx, athlete: Row, plan: Row, now: datetime) -> None:
    """Raise Conflict where a program must not begin: with a usual pain of 5 or more, or what was said no to since.

    Rest alone may always begin.
    """
    asked = {item["exercise_id"] for item in plan["prescription"]["exercises"]}
    usual = usual_pain(tx, athlete, now)
    if asked and usual is not None and not may_load(usual):
        raise Conflict(
            f"The usual pain is {usual:g} of 10: from 5 on no program that loads the back begins. Take the report to a "
            "doctor; walking and positions of ease go on."
        )
    if asked & set(program_changes.declined(tx, athlete["id"])):
        raise Conflict("This proposal has an exercise that was said no to since: decline it, and a new one follows.")
    if against(prescription_from_plain(plan["prescription"]), history_of(tx, athlete, now)):
        raise Conflict(
            "What a doctor ruled out or what hurts now speaks against this proposal: a new one follows within a minute."
        )


def look_after(ground: Ground, athlete_id: str) -> bool:
    """Look at a program after something was entered; a failure keeps nobody from entering it and is tried again."""
    try:
        return Progress(ground).look(athlete_id)
    except Exception:  # noqa: BLE001 - see above; the daily look comes by
        with about(athlete=athlete_id):
            _log.exception("the program of athlete %s could not be looked at", athlete_id)
        return False


def make(tx: Tx, ground: Ground, athlete: Row, plan: Row, change: Proposed, now: datetime, by: str | None) -> None:
    """Store a change that needs no yes as made, and have the plan and its planned sessions follow. by: a user's id.

    A program of which no exercise is left ends, and another one is thought of.
    """
    values = _values(athlete, plan, change, now) | {"state": ChangeState.MADE.value, "decided_at": now}
    change_id = program_changes.add(tx, values | {"decided_by": by})
    why = change.kind.value
    events.record(tx, now, by or "service", "made easier", "program change", change_id, athlete["id"], why)
    if change.kind in (ChangeKind.LEFT_OUT, ChangeKind.RULED_OUT):
        _leave_out_of_released(tx, plan, change.after, now)
    if change.after.exercises:
        _run(tx, ground, athlete, plan, change, now, strict=False)
        return
    athletes.change(tx, athlete["id"], replan_wanted=True)
    plans.move(tx, plan["id"], PlanState.ACCEPTED.value, state=PlanState.SUPERSEDED.value)
    events.record(tx, now, by or "service", "superseded", "plan", plan["id"], athlete["id"], "nothing is left of it")
    for session_id in sessions.cancel_planned(tx, athlete["id"], now):
        events.record(tx, now, "service", "cancelled", "session", session_id, athlete["id"], why)


def _leave_out_of_released(tx: Tx, plan: Row, after: Prescription, now: datetime) -> None:
    """Take what is left out away from released sessions without an answer; one of nothing else is cancelled."""
    goes_on = {item.exercise_id for item in after.exercises}
    for row in sessions.of_plan(tx, plan["id"]):
        kept = [each for each in row["exercises"] if each["exercise_id"] in goes_on]
        if row["state"] != SessionState.DUE.value or len(kept) == len(row["exercises"]):
            continue
        if kept:
            duration_min = session_duration_min(item.dose for item in exercises_from_plain(kept))
            sessions.move(tx, row["id"], _RELEASED, exercises=kept, duration_min=duration_min, updated_at=now)
        else:
            sessions.move(tx, row["id"], _RELEASED, state=SessionState.CANCELLED.value, updated_at=now)
            events.record(tx, now, "service", "cancelled", "session", row["id"], row["athlete_id"], "left out")


def withdraw(tx: Tx, athlete_id: str, now: datetime) -> bool:
    """Take a proposed change back; tell whether there was one."""
    row = program_changes.proposed(tx, athlete_id)
    if row is None:
        return False
    program_changes.move(tx, row["id"], ChangeState.PROPOSED.value, state=ChangeState.WITHDRAWN.value, decided_at=now)
    events.record(tx, now, "service", "withdrew", "program change", row["id"], athlete_id, row["kind"])
    return True


def _look(tx: Tx, ground: Ground, athlete: Row, now: datetime) -> bool:
    plan = planning.has_running(tx, athlete, now)
    if plan is None:
        return withdraw(tx, athlete["id"], now)
    plans.move(tx, plan["id"], PlanState.ACCEPTED.value, looked_on=now.date())
    changed = False
    course = course_of(tx, athlete, plan, now)
    for _ in range(_FALLS_MAX):
        fall = fall_of(tx, course, now)
        if fall is None:
            break
        changed = True
        withdraw(tx, athlete["id"], now)
        make(tx, ground, athlete, plan, fall, now, None)
        if not fall.after.exercises:
            return True
        plan = plans.get(tx, plan["id"]) or plan
        course = course_of(tx, athlete, plan, now)
    return _offer(tx, athlete, plan, rise_of(tx, course, now), now) or changed


def _offer(tx: Tx, athlete: Row, plan: Row, rise: Proposed | None, now: datetime) -> bool:
    """Have the proposal be the one that may rise now; tell whether that changed anything."""
    waiting = program_changes.proposed(tx, athlete["id"])
    if (
        waiting is not None
        and rise is not None
        and prescription_from_plain(waiting["after"]) == rise.after
        and waiting["plan_id"] == plan["id"]
    ):
        return False
    changed = withdraw(tx, athlete["id"], now)
    if rise is None:
        return changed
    change_id = program_changes.add(tx, _values(athlete, plan, rise, now) | {"state": ChangeState.PROPOSED.value})
    events.record(tx, now, "service", "proposed", "program change", change_id, athlete["id"], rise.kind.value)
    return True


def _values(athlete: Row, plan: Row, change: Proposed, now: datetime) -> dict[str, object]:
    first_on, last_on = change.days or (None, None)
    return {
        "athlete_id": athlete["id"],
        "plan_id": plan["id"],
        "kind": change.kind.value,
        "exercise_id": change.exercise_id,
        "before": plan["prescription"],
        "after": prescription_to_plain(change.after),
        "because": change.because,
        "first_on": first_on,
        "last_on": last_on,
        "created_at": now,
    }


def _run(tx: Tx, ground: Ground, athlete: Row, plan: Row, change: Proposed, now: datetime, strict: bool) -> None:
    """Have a running plan ask for what the change says. strict: raise Conflict where its sessions find no time."""
    plans.move(tx, plan["id"], PlanState.ACCEPTED.value, prescription=prescription_to_plain(change.after))
    not_before = rest_until(tx, ground, athlete, change.after, now)
    ahead, why = ground.config.program.plan_ahead_days, f"a change: {change.kind.value}"
    try:
        replace_planned(tx, athlete, plan["id"], change.after, plan["starts_on"], now, ahead, why, not_before)
    except ProgramError as error:
        if strict:
            raise Conflict(str(error)) from None
        # Nothing keeps a program from getting easier: what finds no time is left free.
        for session_id in sessions.cancel_planned(tx, athlete["id"], now):
            events.record(tx, now, "service", "cancelled", "session", session_id, athlete["id"], why)


def _require_decidable(tx: Tx, by: Identity, change_id: str) -> Row:
    row = require_change(tx, by, change_id)
    if not may_decide(tx, by, row["athlete_id"]):
        raise NotAllowed("Your coach decides on this step: ask them.")
    if row["state"] != ChangeState.PROPOSED.value or ChangeKind(row["kind"]) not in NEEDS_YES:
        raise Conflict("This step is not open any more: look at the newest one.")
    return row
