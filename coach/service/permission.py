"""The one place that decides who may see and change an athlete."""

from __future__ import annotations

from coach.errors import NoSuch
from coach.service.types import Identity, Role
from coach.store import athletes
from coach.store.engine import Tx
from coach.store.rows import Row


def may_see(tx: Tx, by: Identity, athlete_id: str) -> bool:
    """Tell whether `by` may see an athlete: a coach the linked ones, an athlete only the own."""
    if by.role is Role.ATHLETE:
        return by.athlete_id == athlete_id
    return athletes.coached_by(tx, by.user_id, athlete_id)


def may_decide(tx: Tx, by: Identity, athlete_id: str) -> bool:
    """Tell whether `by` may accept or decline a program: a linked coach, or an athlete whom nobody coaches."""
    if not may_see(tx, by, athlete_id):
        return False
    return by.role is Role.COACH or not athletes.has_coach(tx, athlete_id)


def require_athlete(tx: Tx, by: Identity, athlete_id: str) -> Row:
    """Return an athlete that `by` may see. Raises NoSuch otherwise: that somebody exists is not told to strangers."""
    found = athletes.get(tx, athlete_id)
    if found is None or not may_see(tx, by, athlete_id):
        raise NoSuch(f"There is no athlete {athlete_id} on your list.")
    return found
