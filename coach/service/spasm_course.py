"""From what was told and done since a spasm to the course that the rules for its phases take."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import takewhile

from coach.analysis.assessment_types import ChangeVerdict
from coach.service import planning
from coach.service.assessment_results import results_of
from coach.service.assessment_views import Kind, view_of
from coach.service.local_days import day_of
from coach.service.session_pains import judged_sessions
from coach.service.triage import questions_due, stands
from coach.store import assessments, diary, spasms
from coach.store import triage as answers_table
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.pain import Zone
from programs.phases import REBUILD_PAIN_MAX, Course

# Own heuristic: an older number is not how it is now, and opens no next phase.
PAIN_HOLDS = timedelta(hours=24)


def course_of(tx: Tx, athlete: Row, row: Row, now: datetime) -> Course:
    """Return what is known of an athlete since a spasm of theirs, a row, began."""
    running = planning.has_running(tx, athlete, now)
    told = [_worst(each) for each in spasms.pain_since(tx, row["athlete_id"], row["begun_at"])]
    return Course(
        since=max(timedelta(0), now - row["begun_at"]),
        pain_now=_pain_now(tx, row, now),
        pain_at_start=told[0] if told else None,
        clear=is_clear(tx, row, now),
        walked_10_min=row["walked_10_min"],
        greens=_greens(tx, row, running) if running is not None else 0,
        easy_days=_easy_days(tx, row, athlete) if running is None else None,
        full_motion=row["full_motion"],
        tests_better=_tests_better(tx, row),
        recurred=row["recurred"],
    )


def is_clear(tx: Tx, row: Row, now: datetime) -> bool:
    """Tell whether the safety questions were answered for this spasm, are not due again, and nothing is locked."""
    answers = answers_table.newest(tx, row["athlete_id"])
    return answers is not None and not stands(answers) and not questions_due(tx, row["athlete_id"], answers, now)


def _worst(told: Row) -> int:
    return max(int(told[name]) for name in ("pain_at_rest", "pain_in_motion") if told[name] is not None)


def _pain_now(tx: Tx, row: Row, now: datetime) -> int | None:
    latest = diary.latest_pain(tx, row["athlete_id"])
    fresh = latest is not None and latest["at"] >= max(row["begun_at"], now - PAIN_HOLDS)
    return int(latest["pain"]) if latest is not None and fresh else None


def _greens(tx: Tx, row: Row, running: Row) -> int:
    """Return how many sessions of the program since this phase began were green in a row, the newest backwards."""
    judged = judged_sessions(tx, row["athlete_id"], running["id"], row["phase_since"])
    return len(list(takewhile(lambda each: each.zone is Zone.GREEN, reversed(judged))))


def _easy_days(tx: Tx, row: Row, athlete: Row) -> int:
    """Return how many local days since this phase began were told of as easy in a row, the newest backwards.

    A day is easy when no pain told on it is above what the next phase may have. A day that nobody tells of says
    nothing: it neither counts nor ends the row. What was told as worse leads back to the first days anyway.
    """
    easy: dict[date, bool] = {}
    for told in spasms.pain_since(tx, row["athlete_id"], row["phase_since"]):
        day = day_of(athlete, told["at"].timestamp())
        easy[day] = easy.get(day, True) and _worst(told) <= REBUILD_PAIN_MAX
    return len(list(takewhile(lambda day: easy[day], sorted(easy, reverse=True))))


def _tests_better(tx: Tx, row: Row) -> bool | None:
    """Tell how the newest endurance tests since the spasm are against those before; None where nothing compares."""
    newest = assessments.newest(tx, row["athlete_id"], (Kind.TRUNK_ENDURANCE,), ("done", "left"))
    if newest is None or newest["started_at"] < row["begun_at"]:
        return None
    verdicts = {each.change.verdict for each in results_of(tx, view_of(tx, newest)).changes}
    if ChangeVerdict.WORSE in verdicts:
        return False
    return True if verdicts - {ChangeVerdict.NOT_COMPARABLE} else None
