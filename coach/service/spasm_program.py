"""What becomes of a running program at a spasm: it gives way, and comes back phase by phase, a step easier."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from coach.errors import Conflict
from coach.service import planning
from coach.service.ground import Ground
from coach.service.histories import history_of
from coach.service.plain import prescription_from_plain, prescription_to_plain
from coach.service.replacing import replace_planned
from coach.service.spasm_rows import OPEN_STATES
from coach.service.throwing import rest_until
from coach.store import athletes, events, plans, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.acute import FOLLOW_UPS_H, come_back_to, within
from programs.errors import ProgramError
from programs.progress import RESTART_DAYS, after_break
from programs.types import History, Phase, Prescription

# Days that stay free where the acute plan is switched off: until the last question would have been asked.
_FREE = timedelta(hours=FOLLOW_UPS_H[-1])


def program_after(tx: Tx, athlete: Row, open_one: Row | None, now: datetime) -> dict[str, Any]:
    """Return the columns of a spasm that keep which program gives way, and what it comes back to.

    open_one: a spasm that another one follows; what it would have come back to then goes one more step back.
    """
    running = planning.has_running(tx, athlete, now)
    if running is None:
        return {"plan_id": None, "program": None}
    same = open_one is not None and open_one["program"] and open_one["plan_id"] == running["id"]
    before = prescription_from_plain(open_one["program"] if open_one is not None and same else running["prescription"])
    eased = come_back_to(before, _in(tx, athlete, Phase.STRENGTH, now))
    return {"plan_id": running["id"], "program": prescription_to_plain(eased)}


def bring_back(tx: Tx, ground: Ground, athlete: Row, row: Row, phase: Phase, now: datetime) -> None:
    """Place what of the program belongs to a phase, in place of walking and rest.

    row: the spasm as it was before this step. Three weeks of first days, and the program begins at its first levels.
    Raises Conflict when the week has no time for it.
    """
    athletes.change(tx, athlete["id"], replan_wanted=True)
    plan = planning.has_running(tx, athlete, now)
    if plan is None or plan["id"] != row["plan_id"]:
        sessions.stand_in(tx, athlete["id"], now, False, ("planned",))
        return
    program = prescription_from_plain(row["program"])
    if row["phase"] == Phase.ACUTE and (now - row["phase_since"]).days >= RESTART_DAYS:
        program = after_break(program, (now - row["phase_since"]).days)
    _run(tx, ground, athlete, plan, within(program, _in(tx, athlete, phase, now)), now)


def stop_for_now(tx: Tx, ground: Ground, athlete: Row, row: Row, now: datetime) -> None:
    """Leave the next three days free and run the program a step easier: where the acute plan is switched off."""
    plan = planning.has_running(tx, athlete, now)
    if plan is not None and plan["id"] == row["plan_id"]:
        try:
            _run(tx, ground, athlete, plan, prescription_from_plain(row["program"]), now)
        except Conflict:
            # A press is never refused: what finds no time is left free.
            sessions.cancel_planned(tx, athlete["id"], now)
    for each in sessions.between(tx, athlete["id"], now.date() - timedelta(days=1), (now + 2 * _FREE).date()):
        if each["state"] in OPEN_STATES and each["due_at"] <= now + _FREE:
            sessions.move(tx, each["id"], OPEN_STATES, state="cancelled", updated_at=now)
            events.record(tx, now, "service", "cancelled", "session", each["id"], athlete["id"], "a spasm")


def _run(tx: Tx, ground: Ground, athlete: Row, plan: Row, program: Prescription, now: datetime) -> None:
    """Have a running plan ask for another prescription from now on."""
    plans.move(tx, plan["id"], "accepted", prescription=prescription_to_plain(program))
    sessions.stand_in(tx, athlete["id"], now, False, ("planned",))
    not_before = rest_until(tx, ground, athlete, program, now)
    horizon_days = ground.config.program.plan_ahead_days
    try:
        replace_planned(
            tx, athlete, plan["id"], program, plan["starts_on"], now, horizon_days, "a phase after a spasm", not_before
        )
    except ProgramError as error:
        raise Conflict(str(error)) from None


def _in(tx: Tx, athlete: Row, phase: Phase, now: datetime) -> History:
    return replace(history_of(tx, athlete, now), phase=phase)
