"""What an assessment says: its trials against the rules, the tests' own noise, and the athlete's own earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from coach.analysis.assessment_change import compare_change
from coach.analysis.assessment_errors import COHORTS
from coach.analysis.assessment_types import AssessmentTest, Comparison, Trial
from coach.analysis.assessment_types import Results as Counting
from coach.analysis.imbalance import compare
from coach.analysis.weakness import weakness_relative
from coach.service.assessment_views import AssessmentView, Changed, Kind, Results, TrialView, view_of
from coach.service.battery import GUIDED
from coach.store import assessments as table
from coach.store.engine import Tx

# Assessments before this one that make the athlete's own history: four years of one every four weeks. Own choice.
_HISTORY = 52
# Assessments that began within this are one sitting: a hip is measured with the sensor at its own ankle, so that left
# and right are two of them. Own choice.
_SITTING = timedelta(hours=12)
# How far back a force may have been measured to be held against another one. Own heuristic: a re-test's interval.
_FORCES_HOLD = timedelta(weeks=4)


def results_of(tx: Tx, assessment: AssessmentView) -> Results:
    """Return what an assessment says."""
    before = earlier_than(tx, assessment)
    mine, past = counting(assessment), [counting(each) for each in before]
    guided = assessment.kind is Kind.TRUNK_ENDURANCE
    now, *earlier = _sittings([assessment, *before])
    compared = compare(now, earlier)
    return Results(
        assessment=assessment,
        trials=mine,
        # Of an assessment of another kind, a ratio of the battery that lacks both its tests says nothing.
        comparisons=tuple(each for each in compared if guided or each.first in mine or each.second in mine),
        changes=_changes(mine, before, past),
        history=_history(assessment, mine, before, past),
        cohorts=tuple(each for each in COHORTS if each.test in mine),
        strength=weakness_relative(_forces(assessment, before), earlier),
    )


def newest_comparisons(tx: Tx, athlete_id: str, since: datetime) -> list[tuple[str, Comparison]]:
    """Return what the newest ended assessment of each guided kind compares, with its id; none older than `since`."""
    compared: list[tuple[str, Comparison]] = []
    for kind in GUIDED:
        row = table.newest(tx, athlete_id, (kind,), ("done", "left"))
        if row is not None and row["started_at"] >= since:
            compared += [(row["id"], each) for each in results_of(tx, view_of(tx, row)).comparisons]
    return compared


def earlier_than(tx: Tx, assessment: AssessmentView) -> list[AssessmentView]:
    """Return the athlete's assessments before this one, newest first."""
    rows = table.before(tx, assessment.athlete_id, assessment.started_at, _HISTORY)
    return [view_of(tx, row) for row in rows if row["id"] != assessment.assessment_id]


def counting(assessment: AssessmentView) -> dict[AssessmentTest, TrialView]:
    """Return the newest try of each test that gave a result which may be compared."""
    return {
        each.test: each
        for each in assessment.trials
        if not each.skipped and each.known is not None and each.known.counts
    }


def values(trials: dict[AssessmentTest, TrialView]) -> Counting:
    """Return the trials as the analysis takes them."""
    return {test: each.known for test, each in trials.items() if each.known is not None}


def _sittings(newest_first: Sequence[AssessmentView]) -> list[Counting]:
    """Return what counts of each sitting, newest first; in one, the newest result of a test."""
    sittings: list[tuple[datetime, Counting]] = []
    for view in newest_first:
        found = values(counting(view))
        if sittings and sittings[-1][0] - view.started_at <= _SITTING:
            sittings[-1] = (sittings[-1][0], {**found, **sittings[-1][1]})
        else:
            sittings.append((view.started_at, found))
    return [found for _, found in sittings]


def _changes(
    mine: dict[AssessmentTest, TrialView],
    before: Sequence[AssessmentView],
    past: Sequence[dict[AssessmentTest, TrialView]],
) -> tuple[Changed, ...]:
    """Return each test against the last time it was measured."""
    changes = []
    for test, trial in values(mine).items():
        found = next(((view, each[test].known) for view, each in zip(before, past, strict=True) if test in each), None)
        if found is not None and found[1] is not None:
            changes.append(Changed(compare_change(found[1], trial), found[0].started_at))
    return tuple(changes)


def _history(
    assessment: AssessmentView,
    mine: dict[AssessmentTest, TrialView],
    before: Sequence[AssessmentView],
    past: Sequence[dict[AssessmentTest, TrialView]],
) -> dict[AssessmentTest, tuple[tuple[datetime, Trial], ...]]:
    """Return what was measured when, of the tests of this assessment, oldest first."""
    all_of_them = [(assessment, mine), *zip(before, past, strict=True)]
    return {
        test: tuple(
            (view.started_at, known)
            for view, each in reversed(all_of_them)
            if test in each and (known := each[test].known) is not None
        )
        for test in assessment.tests
    }


def _forces(assessment: AssessmentView, before: Sequence[AssessmentView]) -> Counting:
    """Return the newest value of every test of the last weeks: forces are seldom all measured in one sitting."""
    recent = [each for each in before if assessment.started_at - each.started_at <= _FORCES_HOLD]
    merged: dict[AssessmentTest, Trial] = {}
    for each in [*reversed(recent), assessment]:
        merged |= values(counting(each))
    return merged
