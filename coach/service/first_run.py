"""The first run: what somebody new goes through, how far they are, and what they put off.

What is done is asked of the parts themselves (consents, safety questions, wearables, tests), so that whoever does a
step elsewhere has done it here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from coach.service.assessment_views import AssessmentState
from coach.service.consents import require_own
from coach.service.ground import Ground
from coach.service.permission import require_athlete
from coach.service.types import Identity, Role
from coach.store import assessments, consents, people, pocket, triage, wearables
from coach.store.engine import Tx
from coach.store.rows import Row


class Step(StrEnum):
    """In the order in which they are asked."""

    CONSENT = "consent"
    BODY = "body"  # sport, sides, earlier injuries
    SAFETY = "safety"
    PAIR = "pair"
    CALIBRATE = "calibrate"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. done: its part says so. put_off: it was skipped."""

    step: Step
    done: bool
    put_off: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """How far somebody is. seen: they were shown it. begun: that, or they did something of it before it was asked.

    ended: nothing is asked any more.
    """

    seen: bool
    begun: bool
    ended: bool
    steps: tuple[StepView, ...]

    @property
    def done(self) -> int:
        """Return how many steps are done."""
        return sum(each.done for each in self.steps)

    @property
    def next(self) -> Step | None:
        """Return the first step that is neither done nor put off, None when there is none."""
        return next((each.step for each in self.steps if not each.done and not each.put_off), None)

    def is_done(self, step: Step) -> bool:
        """Tell whether a step is done."""
        return next(each.done for each in self.steps if each.step is step)


class FirstRun:
    """Look at it, put steps off, end it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def view(self, by: Identity, athlete_id: str) -> RunView:
        """Return how far an athlete is. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            return _view(tx, athlete_id)

    def begin(self, by: Identity, athlete_id: str) -> None:
        """Note that it was seen. Raises NoSuch, NotAllowed."""
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            pocket.change_run(tx, athlete_id, self._ground.now())

    def put_off(self, by: Identity, athlete_id: str, step: Step) -> None:
        """Skip a step; it can be done at any time. Raises NoSuch, NotAllowed."""
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            row = pocket.run_of(tx, athlete_id)
            before = row["put_off"] if row is not None else []
            pocket.change_run(tx, athlete_id, self._ground.now(), put_off=sorted({*before, step.value}))

    def end(self, by: Identity, athlete_id: str) -> None:
        """Ask for nothing any more. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            pocket.change_run(tx, athlete_id, now, ended_at=now)


def _view(tx: Tx, athlete_id: str) -> RunView:
    row = pocket.run_of(tx, athlete_id)
    worn = wearables.of_athlete(tx, athlete_id)
    done = {
        Step.CONSENT: any(_agreed_themselves(tx, each) for each in consents.of_athlete(tx, athlete_id)),
        Step.BODY: row is not None and row["told_at"] is not None,
        Step.SAFETY: triage.newest(tx, athlete_id) is not None,
        Step.PAIR: bool(worn),
        Step.CALIBRATE: any(each["calibrated_at"] is not None for each in worn),
        Step.TEST: any(each["state"] == AssessmentState.DONE for each in assessments.of_athlete(tx, athlete_id, 10)),
    }
    put_off = set(row["put_off"]) if row is not None else set()
    steps = tuple(StepView(step, done[step], step.value in put_off) for step in Step)
    # What was agreed to when joining is no run that was begun.
    begun = row is not None or any(done[step] for step in Step if step is not Step.CONSENT)
    return RunView(row is not None, begun, row is not None and row["ended_at"] is not None, steps)


def _agreed_themselves(tx: Tx, consent: Row) -> bool:
    """Tell whether the athlete or a guardian agreed: what a coach took down at first is asked for once more."""
    person = people.user(tx, consent["given_by"]) if consent["given_by"] else None
    return person is not None and person["role"] in {Role.ATHLETE, Role.GUARDIAN}
