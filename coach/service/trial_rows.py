"""The columns of a trial: when it is begun, when its result is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coach.analysis.assessment_types import SPECS, AssessmentTest, Trial, TrialOutcome
from coach.service.assessment_views import TrialState, trial_to_plain
from coach.service.types import Identity


def trial_values(
    assessment_id: str, athlete_id: str, test: AssessmentTest, key: str, by: Identity, now: datetime
) -> dict[str, Any]:
    """Return the columns that every trial has from the start."""
    return {
        "assessment_id": assessment_id,
        "athlete_id": athlete_id,
        "key": key,
        "test": test.value,
        "unit": SPECS[test].unit,
        "limit_reached": False,
        "started_at": now,
        "recorded_by": by.user_id,
    }


def settled(trial: Trial, now: datetime) -> dict[str, Any]:
    """Return the columns of a result that counts from now on."""
    return {
        "state": TrialState.SETTLED.value,
        "outcome": trial.outcome.value,
        "value": trial.value if trial.counts else None,
        "limit_reached": trial.outcome is TrialOutcome.STOPPED_AT_LIMIT,
        "result": trial_to_plain(trial),
        "algorithm_name": trial.algorithm,
        "algorithm_version": trial.version,
        "settled_at": now,
    }
