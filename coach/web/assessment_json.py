"""The results of an assessment as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from coach.service.assessment_views import Results, TrialView, trial_to_plain
from programs.notice import NOTICE


def results_json(results: Results) -> dict[str, Any]:
    """Return the results: the trials that count, comparisons, changes, and the question of relative strength."""
    assessment = results.assessment
    return {
        "notice": NOTICE,
        "assessment": {
            "id": assessment.assessment_id,
            "kind": assessment.kind.value,
            "state": assessment.state.value,
            "started_at": assessment.started_at.isoformat(),
            "finished_at": assessment.finished_at.isoformat() if assessment.finished_at else None,
            "order": [test.value for test in assessment.tests],
        },
        "trials": [_trial(each) for each in assessment.trials],
        "comparisons": [_plain(each) for each in results.comparisons],
        "changes": [_plain(each.change) | {"since": each.since.isoformat()} for each in results.changes],
        "relative_strength": [_plain(each) for each in results.strength],
    }


def _trial(trial: TrialView) -> dict[str, Any]:
    return {
        "id": trial.trial_id,
        "test": trial.test.value,
        "source": trial.source.value,
        "state": trial.state.value,
        "skipped": trial.skipped,
        "reason": trial.reason,
        "live": trial_to_plain(trial.live) if trial.live else None,
        "result": trial_to_plain(trial.result) if trial.result else None,
    }


def _plain(value: Any) -> Any:
    """Return JSON values of a result: dataclasses and mappings as objects, tuples as lists."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
