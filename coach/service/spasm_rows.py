"""What an acute spasm means for triage, programs and reminders: over rows, asked by the services around it."""

from __future__ import annotations

from datetime import datetime, timedelta

from coach.store import events, sessions, spasms
from coach.store.engine import Tx
from programs.acute import FOLLOW_UPS_H
from programs.types import Phase

OPEN_STATES = ("planned", "due")
WAITS = "A spasm comes first: nothing new begins and nothing goes up in its first days."


def phase_of(tx: Tx, athlete_id: str) -> Phase:
    """Return where the athlete stands after a spasm; without one it is STRENGTH."""
    row = spasms.going_on(tx, athlete_id)
    return Phase(row["phase"]) if row is not None else Phase.STRENGTH


def in_first_days(tx: Tx, athlete_id: str) -> bool:
    """Tell whether walking and relative rest stand in for every session."""
    return phase_of(tx, athlete_id) is Phase.ACUTE


def asked_anew(tx: Tx, athlete_id: str, answered_at: datetime) -> bool:
    """Tell whether a spasm, or an answer after it, asks for the safety questions that were answered before it."""
    since = spasms.asked_since(tx, athlete_id)
    return since is not None and answered_at < since


def link_answers(tx: Tx, athlete_id: str, triage_id: int) -> None:
    """Note that the safety questions were answered for the spasm that goes on."""
    row = spasms.going_on(tx, athlete_id)
    if row is not None:
        spasms.change(tx, row["id"], triage_id=triage_id)


def fall_back(tx: Tx, athlete_id: str, now: datetime) -> None:
    """Return to the first days, if a spasm goes on and was past them: much pain was told."""
    row = spasms.going_on(tx, athlete_id)
    if row is None or row["phase"] == Phase.ACUTE:
        return
    spasms.change(tx, row["id"], phase=Phase.ACUTE.value, phase_since=now, walked_10_min=None, full_motion=None)
    ask_later(tx, athlete_id, row["id"], now)
    give_way(tx, athlete_id, now)
    events.record(tx, now, "service", "went back to the first days", "spasm", row["id"], athlete_id, "pain")


def give_way(tx: Tx, athlete_id: str, now: datetime) -> None:
    """Let walking and rest stand in for whatever is planned or released: calendars and pages show it at once."""
    changed = sessions.stand_in(tx, athlete_id, now, True, OPEN_STATES)
    events.record(tx, now, "service", "gave way", "athlete", athlete_id, athlete_id, f"{changed} sessions")


def ask_later(tx: Tx, athlete_id: str, spasm_id: str, now: datetime) -> None:
    """Ask how it goes after a day and after three, in place of what was still to be asked."""
    spasms.drop_unasked(tx, spasm_id)
    for hours in FOLLOW_UPS_H:
        values = {"athlete_id": athlete_id, "spasm_id": spasm_id, "after_h": hours}
        spasms.add_follow_up(tx, {**values, "due_at": now + timedelta(hours=hours)})
