"""The one place that decides who may see and change an athlete.

Whatever is named by an id of its own (a finding, a plan, a session, a wearable) is asked for with `by`, and so is every
change. Reading by athlete id comes after `Athletes.get`, the door of every page; a test holds the services to this.
"""

from __future__ import annotations

from coach.errors import NoSuch
from coach.service.types import Identity, Role
from coach.store import assessments, athletes, findings, jobs, plans, program_changes, recordings, sessions, wearables
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


def require_finding(tx: Tx, by: Identity, finding_id: str) -> Row:
    """Return a finding of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, findings.get(tx, finding_id), f"finding {finding_id}")


def require_plan(tx: Tx, by: Identity, plan_id: str) -> Row:
    """Return a plan of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, plans.get(tx, plan_id), f"plan {plan_id}")


def require_change(tx: Tx, by: Identity, change_id: str) -> Row:
    """Return a change of a program of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, program_changes.get(tx, change_id), f"step {change_id}")


def require_session(tx: Tx, by: Identity, session_id: str) -> Row:
    """Return a session of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, sessions.get(tx, session_id), f"session {session_id}")


def require_wearable(tx: Tx, by: Identity, wearable_id: str) -> Row:
    """Return a wearable of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, wearables.get(tx, wearable_id), f"wearable {wearable_id}")


def require_recording(tx: Tx, by: Identity, stream_id: str) -> Row:
    """Return a recording of an athlete that `by` may see, with its state. Raises NoSuch otherwise."""
    return _visible(tx, by, recordings.get_stream(tx, stream_id), f"recording {stream_id}")


def require_assessment(tx: Tx, by: Identity, assessment_id: str) -> Row:
    """Return an assessment of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, assessments.get(tx, assessment_id), f"assessment {assessment_id}")


def require_trial(tx: Tx, by: Identity, trial_id: str) -> Row:
    """Return a trial of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, assessments.trial(tx, trial_id), f"trial {trial_id}")


def require_job(tx: Tx, by: Identity, job_id: str) -> Row:
    """Return a job of an athlete that `by` may see. Raises NoSuch otherwise."""
    return _visible(tx, by, jobs.get(tx, job_id), f"job {job_id}")


def _visible(tx: Tx, by: Identity, found: Row | None, what: str) -> Row:
    if found is None or not may_see(tx, by, found["athlete_id"]):
        raise NoSuch(f"There is no {what} on your list.")
    return found
