"""What an assessment says: its trials against the rules, the tests' own noise, and the athlete's own earlier ones."""

from __future__ import annotations

from coach.analysis.assessment_types import AssessmentTest
from coach.service.assessment_views import AssessmentView, Results, TrialView
from coach.store.engine import Tx


def results_of(tx: Tx, assessment: AssessmentView) -> Results:
    """Return what an assessment says."""
    return Results(assessment, counting(assessment), (), (), None, (), ())


def counting(assessment: AssessmentView) -> dict[AssessmentTest, TrialView]:
    """Return the newest try of each test that gave a result which may be compared."""
    return {
        each.test: each
        for each in assessment.trials
        if not each.skipped and each.known is not None and each.known.counts
    }
