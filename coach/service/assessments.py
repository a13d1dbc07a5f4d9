"""What an athlete's tests say, when the next ones are due, and results that were taken elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from coach.errors import InvalidInput, Locked, NoSuch
from coach.service.assessment_results import results_of
from coach.service.assessment_views import (
    AssessmentState,
    AssessmentView,
    Kind,
    Overview,
    Results,
    Retest,
    Source,
    view_of,
)
from coach.service.entered import Entered, entered_trial
from coach.service.ground import Ground
from coach.service.may_test import refuse_tests
from coach.service.permission import require_assessment, require_athlete
from coach.service.retests import retest_of
from coach.service.trial_rows import settled, trial_values
from coach.service.types import Identity, Level
from coach.store import assessments as table
from coach.store import athletes, events

# Assessments of an athlete that are listed. Own choice.
_SHOWN = 24


class Assessments:
    """Read assessments and enter results."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def overview(self, by: Identity, athlete_id: str) -> Overview:
        """Return the athlete's tests and whether one may begin. Raises NoSuch."""
        now, params = self._ground.now(), self._ground.config.assessment
        refused = None
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.FULL)
            past = tuple(view_of(tx, row) for row in table.of_athlete(tx, athlete_id, _SHOWN))
            retest = retest_of(tx, athlete, now, params.retest_weeks)
            try:
                refuse_tests(tx, by, athlete, now, params)
            except Locked as error:
                refused = str(error)
        running = next((each for each in past if each.state is AssessmentState.RUNNING), None)
        return Overview(running, refused, retest, tuple(each for each in past if each is not running))

    def get(self, by: Identity, assessment_id: str) -> AssessmentView:
        """Return one assessment. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return view_of(tx, require_assessment(tx, by, assessment_id))

    def results(self, by: Identity, assessment_id: str) -> Results:
        """Return what an assessment says against the rules, the tests' noise and the athlete's own. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return results_of(tx, view_of(tx, require_assessment(tx, by, assessment_id)))

    def retest(self, athlete_id: str) -> Retest | None:
        """Return when the next battery is due; None before the first one, and while the athlete is locked."""
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            return retest_of(tx, athlete, self._ground.now(), self._ground.config.assessment.retest_weeks)

    def record(self, by: Identity, athlete_id: str, told: Sequence[Entered], key: str) -> str:
        """Store results that were taken elsewhere, as an assessment of their own; return its id.

        key: of the form, so that sending it twice stores it once. Raises NoSuch, InvalidInput.
        """
        if not told:
            raise InvalidInput("Enter at least one result.")
        if len({each.test for each in told}) < len(told):
            raise InvalidInput("Enter each test once; its tries belong together.")
        trials, now = [entered_trial(each, "entered by hand") for each in told], self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            known = table.by_key(tx, athlete_id, key)
            if known is not None:
                return str(known["id"])
            values = {
                "athlete_id": athlete_id,
                "key": key,
                "kind": Kind.ENTERED.value,
                "state": AssessmentState.DONE.value,
                "seed": 0,
                "tests": [each.test.value for each in told],
                "asked": {},
                "started_by": by.user_id,
                "started_at": now,
                "finished_at": now,
            }
            assessment_id = table.add(tx, values)
            for trial in trials:
                row = trial_values(assessment_id, athlete_id, trial.test, trial.test.value, by, now)
                table.add_trial(tx, row | settled(trial, now) | {"source": Source.ENTERED.value, "ended_at": now})
            events.record(tx, now, by.user_id, "entered", "assessment", assessment_id, athlete_id)
            athletes.change(tx, athlete_id, replan_wanted=True)
        return assessment_id
