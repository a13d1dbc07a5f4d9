"""The one place that decides who may see and change an athlete: (who, which athlete, which level, what for).

Whatever is named by an id of its own (a finding, a plan, a session, a wearable) is asked for with `by`, and so is every
change. Reading by athlete id comes after `Athletes.get`, the door of every page; a test holds the services to this.
Nothing is remembered: what is withdrawn holds for the next question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from coach.errors import NoSuch, NotAllowed
from coach.service.types import Identity, Level, Purpose, Role
from coach.store import (
    assessments,
    athletes,
    care,
    connection_logs,
    consents,
    diary,
    doctor_links,
    findings,
    guardians,
    jobs,
    people,
    plans,
    program_changes,
    recordings,
    sessions,
    tokens,
    wearables,
)
from coach.store.engine import Tx, writes
from coach.store.rows import Row

NOT_SHARED = "This is not shared with you: the athlete decides that on their page “Who sees what”."
SENSING_ENDED = "The athlete does not agree to measuring, so that signal is refused and none of it is kept."
# What a level is called on pages.
LEVEL_WORDS = {
    Level.VIEW: "view: findings, program, signal",
    Level.PLAN: "plan: also change the program, jobs and the profile",
    Level.FULL: "full: also wearables, tests, imports and answering for the athlete",
}


def level_of(tx: Tx, by: Identity, athlete_id: str) -> Level | None:
    """Return how much `by` may see and do of an athlete now, None for nothing.

    An athlete all of themselves, a guardian all of their child, a coach what was agreed to while `sharing` stands. An
    owner keeps the machine and sees nobody. Whoever asks in order to change something holds the athlete from here on:
    what is read next stays so until it is written.
    """
    if writes(tx):
        athletes.lock(tx, athlete_id)
    if by.role is Role.ATHLETE:
        return Level.FULL if by.athlete_id == athlete_id else None
    if by.role is Role.GUARDIAN:
        return Level.FULL if guardians.stands_in(tx, by.user_id, athlete_id) else None
    if by.role is Role.COACH:
        found = athletes.level_shared(tx, by.user_id, athlete_id)
        return Level(found) if found is not None else None
    return None


def may_see(tx: Tx, by: Identity, athlete_id: str, need: Level = Level.VIEW) -> bool:
    """Tell whether `by` may see an athlete, and do what a level is needed for."""
    level = level_of(tx, by, athlete_id)
    return level is not None and level.covers(need)


def speaks_for(tx: Tx, by: Identity, athlete_id: str) -> bool:
    """Tell whether `by` is the athlete or the guardian: whose own matter it is, and not a coach's."""
    return by.role in {Role.ATHLETE, Role.GUARDIAN} and may_see(tx, by, athlete_id)


def coaches(by: Identity) -> bool:
    """Tell whether `by` works with athletes of theirs; which ones, `may_see` tells."""
    return by.role is Role.COACH


def may_decide(tx: Tx, by: Identity, athlete_id: str) -> bool:
    """Tell whether `by` may accept or decline a program: a coach at level plan, or an athlete who has no such coach."""
    if not may_see(tx, by, athlete_id, Level.PLAN):
        return False
    return coaches(by) or not has_planning_coach(tx, athlete_id)


def has_planning_coach(tx: Tx, athlete_id: str) -> bool:
    """Tell whether a coach decides on this athlete's program."""
    return any(Level(each).covers(Level.PLAN) for each in athletes.levels_shared(tx, athlete_id))


def answers_for_themselves(tx: Tx, athlete_id: str) -> bool:
    """Tell whether the athlete or a guardian can sign in; for nobody else a coach takes down what is told."""
    return people.user_of_athlete(tx, athlete_id) is not None or guardians.has_guardian(tx, athlete_id)


def may_answer(tx: Tx, by: Identity, athlete_id: str) -> bool:
    """Tell whether `by` answers health questions: whose own it is, or a coach at full for who never signs in."""
    if speaks_for(tx, by, athlete_id):
        return True
    return may_see(tx, by, athlete_id, Level.FULL) and not answers_for_themselves(tx, athlete_id)


def may_read(tx: Tx, by: Identity, athlete_id: str, purpose: Purpose) -> bool:
    """Tell whether `by`, who may see the athlete, may read what a purpose is asked for, such as health text.

    Whose own it is always may, and so may a coach who takes down what is told for an athlete who never signs in.
    """
    if speaks_for(tx, by, athlete_id):
        return True
    return consents.standing(tx, athlete_id, purpose.value) is not None or not answers_for_themselves(tx, athlete_id)


def may_send(tx: Tx, athlete_id: str) -> bool:
    """Tell whether signal of an athlete is taken: while `sensing` stands."""
    return consents.standing(tx, athlete_id, Purpose.SENSING.value) is not None


def who_may_send(tx: Tx, athlete_ids: Collection[str]) -> set[str]:
    """Return of whom signal is taken, as `may_send` for each."""
    return consents.with_standing(tx, athlete_ids, Purpose.SENSING.value)


def require(tx: Tx, by: Identity, athlete_id: str, need: Level = Level.VIEW, purpose: Purpose | None = None) -> None:
    """Let `by` pass. Raises NoSuch for who may see nothing: that somebody exists is not told to strangers.

    Raises NotAllowed for who may see, at a lower level than the need, or without the consent that the purpose asks for.
    """
    level = level_of(tx, by, athlete_id)
    if level is None:
        raise NoSuch(f"There is no athlete {athlete_id} on your list.")
    if not level.covers(need):
        raise NotAllowed(
            f"This needs the level “{need.value}”, and “{level.value}” is what you have: the athlete decides that."
        )
    if purpose is not None and not may_read(tx, by, athlete_id, purpose):
        raise NotAllowed(NOT_SHARED)


def require_athlete(tx: Tx, by: Identity, athlete_id: str, need: Level = Level.VIEW) -> Row:
    """Return an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed (a lower level)."""
    require(tx, by, athlete_id, need)
    found = athletes.get(tx, athlete_id)
    if found is None:
        raise NoSuch(f"There is no athlete {athlete_id} on your list.")
    return found


def require_finding(tx: Tx, by: Identity, finding_id: str) -> Row:
    """Return a finding of an athlete that `by` may see. Raises NoSuch otherwise."""
    return require_row(tx, by, findings.get(tx, finding_id), f"finding {finding_id}")


def require_plan(tx: Tx, by: Identity, plan_id: str) -> Row:
    """Return a plan of an athlete that `by` may see. Raises NoSuch otherwise."""
    return require_row(tx, by, plans.get(tx, plan_id), f"plan {plan_id}")


def require_change(tx: Tx, by: Identity, change_id: str) -> Row:
    """Return a change of a program of an athlete that `by` may see. Raises NoSuch otherwise."""
    return require_row(tx, by, program_changes.get(tx, change_id), f"step {change_id}")


def require_session(tx: Tx, by: Identity, session_id: str, need: Level = Level.VIEW) -> Row:
    """Return a session of an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    return require_row(tx, by, sessions.get(tx, session_id), f"session {session_id}", need)


def require_wearable(tx: Tx, by: Identity, wearable_id: str, need: Level = Level.FULL) -> Row:
    """Return a wearable of an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    return require_row(tx, by, wearables.get(tx, wearable_id), f"wearable {wearable_id}", need)


def require_recording(tx: Tx, by: Identity, stream_id: str) -> Row:
    """Return a recording of an athlete that `by` may see, with its state. Raises NoSuch otherwise."""
    return require_row(tx, by, recordings.get_stream(tx, stream_id), f"recording {stream_id}")


def require_assessment(tx: Tx, by: Identity, assessment_id: str, need: Level = Level.FULL) -> Row:
    """Return an assessment of an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    return require_row(tx, by, assessments.get(tx, assessment_id), f"assessment {assessment_id}", need)


def require_trial(tx: Tx, by: Identity, trial_id: str, need: Level = Level.FULL) -> Row:
    """Return a trial of an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    return require_row(tx, by, assessments.trial(tx, trial_id), f"trial {trial_id}", need)


def require_job(tx: Tx, by: Identity, job_id: str, need: Level = Level.VIEW) -> Row:
    """Return a job of an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    return require_row(tx, by, jobs.get(tx, job_id), f"job {job_id}", need)


def require_row(tx: Tx, by: Identity, found: Row | None, what: str, need: Level = Level.VIEW) -> Row:
    """Return a row that belongs to an athlete of whom `by` may see and do that much. Raises NoSuch, NotAllowed."""
    if found is None or not may_see(tx, by, found["athlete_id"]):
        raise NoSuch(f"There is no {what} on your list.")
    require(tx, by, found["athlete_id"], need)
    return found


# What an id in an address names, so that a rule of a route can be asked before the route is called.
_NAMED: dict[str, Callable[[Tx, str], Row | None]] = {
    "stream_id": recordings.get_stream,
    "finding_id": findings.get,
    "plan_id": plans.get,
    "change_id": program_changes.get,
    "session_id": sessions.get,
    "wearable_id": wearables.get,
    "assessment_id": assessments.get,
    "trial_id": assessments.trial,
    "job_id": jobs.get,
    "treatment_id": care.treatment_of,
    "imaging_id": care.imaging_of,
    "checkin_id": diary.checkin_of,
    "training_id": diary.training_of,
    "token_id": tokens.get,
    "log_id": connection_logs.get,
    "link_id": doctor_links.get,
}
NAMES_AN_ATHLETE = frozenset({"athlete_id", *_NAMED})


def athlete_named(tx: Tx, name: str, value: str) -> str | None:
    """Return whose a thing is that an address names, such as ("finding_id", id); None where there is none."""
    if name == "athlete_id":
        return value
    found = _NAMED[name](tx, value)
    return str(found["athlete_id"]) if found is not None else None
