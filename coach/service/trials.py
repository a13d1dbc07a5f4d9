"""Guided tests: begun when nothing stands against it, one try at a time, watched live, judged from what is stored."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from coach.analysis.assessment_types import SPECS, AssessmentTest, Calibration, HoldParams, Method
from coach.analysis.guided import Side
from coach.errors import Conflict, InvalidInput, NotAllowed
from coach.service.assessment_views import (
    SKIPPED,
    AssessmentState,
    Kind,
    Source,
    Stage,
    Step,
    TrialState,
    trial_to_plain,
    view_of,
)
from coach.service.battery import STRAINING, draw_order, next_step
from coach.service.entered import Entered, entered_trial, stopped_trial
from coach.service.ground import Ground
from coach.service.holding import Holding, Over
from coach.service.may_test import checked_answers, questions_before, refuse_tests
from coach.service.permission import (
    require_assessment,
    require_athlete,
    require_trial,
    require_wearable,
    speaks_for,
)
from coach.service.stored_trials import judge_stored
from coach.service.trial_rows import settled, trial_values
from coach.service.types import Identity, Level
from coach.store import assessments as table
from coach.store import athletes, events, pocket, wearables
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.types import Chunk

# Seeds that fit every database's integer. Own choice.
_SEEDS = 2**31
# A try that nobody ends is ended, an assessment that nobody closes is closed; a signal that never comes is waited for
# no longer: a gateway away may bring it a day late. Own choices.
_RUNS_AT_MOST, _OPEN_AT_MOST, _AWAITED_AT_MOST = timedelta(minutes=15), timedelta(hours=6), timedelta(hours=48)
# The page's own stopwatch ends where a hold does.
_BY_HAND_AT_MOST = timedelta(seconds=HoldParams().cap_s)
_RUNNING = (TrialState.RUNNING.value,)


class Trials:
    """Start, try, stop, enter, skip, finish. What is watched live is in memory; everything else is rows."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._params = ground.config.assessment
        self._rest = timedelta(seconds=self._params.rest_s)
        self.holding = Holding(ground.clock)

    def start(
        self,
        by: Identity,
        athlete_id: str,
        kind: Kind,
        wearable_id: str | None,
        answers: Mapping[str, str],
        pain_now: int,
        key: str,
    ) -> str:
        """Start an assessment and return its id; the order of what tires is drawn, and its seed stored.

        answers, pain_now: to the questions of may_test, before what tires. key: of the form; sent twice it starts once.
        Raises NoSuch, NotAllowed (not the athlete), InvalidInput (no such kind, a question without an answer), Locked
        (its message is what to show), Conflict (one goes on, or the wearable cannot measure these tests).
        """
        if kind is Kind.ENTERED:
            raise InvalidInput("Results that were taken elsewhere need no start: enter them.")
        now, seed = self._ground.now(), secrets.randbelow(_SEEDS)
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.FULL)
            _only_the_athlete(tx, by, athlete_id)
            known = table.by_key(tx, athlete_id, key)
            if known is not None:
                return str(known["id"])
            refuse_tests(tx, by, athlete, now, self._params)
            asked = checked_answers(questions_before(kind in STRAINING), answers, pain_now, self._params)
            if table.running(tx, athlete_id) is not None:
                raise Conflict("An assessment goes on already: go on with it, or end it.")
            tests = draw_order(kind, seed, _side_of(tx, athlete_id))
            if wearable_id is not None:
                _require_fit(require_wearable(tx, by, wearable_id), tests)
            drawn = {"seed": seed, "tests": [each.value for each in tests], "asked": asked}
            begun = {"state": AssessmentState.RUNNING.value, "started_by": by.user_id, "started_at": now}
            named = {"athlete_id": athlete_id, "key": key, "kind": kind.value, "wearable_id": wearable_id}
            assessment_id = table.add(tx, {**named, **drawn, **begun})
            events.record(tx, now, by.user_id, "started", "assessment", assessment_id, athlete_id)
        return assessment_id

    def step(self, by: Identity, assessment_id: str) -> Step:
        """Return the one thing to do now, with what the live view sees. Raises NoSuch."""
        with self._ground.store.read() as tx:
            view = view_of(tx, require_assessment(tx, by, assessment_id))
        step = next_step(view, self._ground.now(), self._rest)
        if step.stage is not Stage.RUNNING or step.trial is None:
            return step
        if self.holding.knows_others:
            with self._ground.store.read() as tx:
                self._watch_here(tx, step.trial.trial_id)
        return replace(step, seen=self.holding.seen(step.trial.trial_id))

    def begin(
        self, by: Identity, assessment_id: str, test: AssessmentTest, key: str, setup: Mapping[str, Any] | None = None
    ) -> None:
        """Begin a try. key: of the button; pressed twice it begins once. setup: exercise and load_kg, for the speed.

        Raises NoSuch, NotAllowed, Locked, Conflict (another step is next: a rest, another test).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _require_running(tx, by, assessment_id)
            if table.trial_by_key(tx, assessment_id, key) is not None:
                return
            refuse_tests(tx, by, require_athlete(tx, by, row["athlete_id"]), now, self._params)
            step = next_step(view_of(tx, row), now, self._rest)
            if step.stage not in {Stage.READY, Stage.AGAIN} or step.test != test:
                raise Conflict("Another step is next: look at the page again.")
            # One that was forgotten meanwhile measures nothing: by hand, then.
            wearable = wearables.get(tx, row["wearable_id"]) if row["wearable_id"] else None
            values = trial_values(assessment_id, row["athlete_id"], test, key, by, now) | {
                "state": TrialState.RUNNING.value,
                "source": (Source.MEASURED if wearable is not None else Source.ENTERED).value,
                "wearable_id": wearable["id"] if wearable is not None else None,
                "setup": dict(setup) if setup else None,
            }
            trial_id = table.add_trial(tx, values)
        if wearable is not None and SPECS[test].method is Method.HOLD:
            self.holding.begin(trial_id, test, wearable)

    def stop(self, by: Identity, trial_id: str) -> str:
        """End a try that runs; by stopwatch, the time since `begin` is the result. Return the assessment's id.

        Raises NoSuch, NotAllowed.
        """
        now = self._ground.now()
        with self._ground.store.read() as tx:
            trial = require_trial(tx, by, trial_id)
            _only_the_athlete(tx, by, trial["athlete_id"])
            self._watch_here(tx, trial_id)
        over = self.holding.end(trial_id)
        with self._ground.store.begin() as tx:
            row = require_trial(tx, by, trial_id)
            self._end(tx, row, over, now)
        return str(row["assessment_id"])

    def enter(self, by: Identity, assessment_id: str, told: Entered, key: str) -> None:
        """Enter the result of the test that is next or runs. Raises NoSuch, NotAllowed, InvalidInput, Conflict."""
        now = self._ground.now()
        changes = settled(entered_trial(told, "entered by hand"), now)
        self._instead(by, assessment_id, told.test, key, now, changes)

    def skip(self, by: Identity, assessment_id: str, test: AssessmentTest, reason: str, key: str) -> None:
        """Leave a test out, with the reason. Raises NoSuch, NotAllowed, InvalidInput (no reason), Conflict."""
        reason, now = reason.strip()[:200], self._ground.now()
        if not reason:
            raise InvalidInput("Say in a few words why the test is left out: it stands beside the results.")
        changes = {"state": TrialState.SETTLED.value, "outcome": SKIPPED, "reason": reason, "settled_at": now}
        self._instead(by, assessment_id, test, key, now, changes)

    def finish(self, by: Identity, assessment_id: str) -> None:
        """Close an assessment: done when every test is closed and one gave a result, else left. Raises NoSuch."""
        with self._ground.store.begin() as tx:
            row = require_assessment(tx, by, assessment_id)
            _only_the_athlete(tx, by, row["athlete_id"])
            self._close(tx, row, by.user_id, self._ground.now())

    # What the roles call

    def watch(self) -> frozenset[str]:
        """Look at what has arrived for the tries that run; end those that are over. Return whose pages have changed."""
        changed, over = self.holding.work()
        now = self._ground.now()
        for trial_id, each in over.items():
            with self._ground.store.begin() as tx:
                row = table.trial(tx, trial_id)
                if row is not None:
                    self._end(tx, row, each, now)
        return changed

    def settle(self, now: datetime) -> tuple[str, ...]:
        """Judge ended tries from their stored signal, end what nobody ended; return whose results have changed."""
        with self._ground.store.read() as tx:
            ended, running = table.in_state(tx, TrialState.ENDED.value), table.in_state(tx, TrialState.RUNNING.value)
            left = table.running_since(tx, now - _OPEN_AT_MOST)
        athletes_told = dict.fromkeys(row["athlete_id"] for row in ended if self._settle(row, now))
        with self._ground.store.begin() as tx:
            for row in running:
                by_hand = row["source"] == Source.ENTERED.value
                if now - row["started_at"] > (_BY_HAND_AT_MOST if by_hand else _RUNS_AT_MOST):
                    self._end(tx, row, self.holding.end(row["id"]), now)
            for row in left:
                self._close(tx, row, "clock", now)
        return tuple(athletes_told)

    def wanted(self, wearable_id: str) -> bool:
        """Tell whether a try waits for live blocks of this wearable."""
        return self.holding.wanted(wearable_id)

    def take(self, wearable_id: str, block: Chunk) -> None:
        """Bring a live block; only enqueues."""
        self.holding.take(wearable_id, block)

    # Within a transaction

    def _watch_here(self, tx: Tx, trial_id: str) -> None:
        """See to it that a hold that goes on is watched here, wherever it was begun."""
        if not self.holding.knows_others or self.holding.watches(trial_id):
            return
        trial = table.trial(tx, trial_id)
        if trial is None or trial["state"] != TrialState.RUNNING.value or not trial["wearable_id"]:
            return
        wearable = wearables.get(tx, trial["wearable_id"])
        if wearable is not None and SPECS[AssessmentTest(trial["test"])].method is Method.HOLD:
            self.holding.resume(trial, wearable)

    def _end(self, tx: Tx, row: Row, over: Over | None, now: datetime) -> None:
        """Note that a try has ended, and what the live view said of it; a stopwatch's time is its result."""
        if row["source"] == Source.ENTERED.value:
            trial = stopped_trial(AssessmentTest(row["test"]), (now - row["started_at"]).total_seconds())
            table.move_trial(tx, row["id"], _RUNNING, ended_at=now, **settled(trial, now))
            return
        seen: dict[str, Any] = {}
        if over is not None:
            seen = {
                "provisional": trial_to_plain(over.trial) if over.trial is not None else None,
                "recording_id": over.recording_id,
                "signal_start_utc_s": over.start_utc_s,
                "signal_end_utc_s": over.end_utc_s,
            }
        table.move_trial(tx, row["id"], _RUNNING, state=TrialState.ENDED.value, ended_at=now, **seen)

    def _settle(self, row: Row, now: datetime) -> bool:
        with self._ground.store.read() as tx:
            trial = judge_stored(tx, row, give_up=now - row["ended_at"] > _AWAITED_AT_MOST)
        if trial is None:
            return False
        with self._ground.store.begin() as tx:
            moved = table.move_trial(tx, row["id"], (TrialState.ENDED.value,), **settled(trial, now))
            athletes.change(tx, row["athlete_id"], replan_wanted=True)
        return moved

    def _instead(
        self, by: Identity, assessment_id: str, test: AssessmentTest, key: str, now: datetime, changes: dict[str, Any]
    ) -> None:
        """Store a result that no try of the wearable gave, for the test that is next or runs now."""
        with self._ground.store.begin() as tx:
            row = _require_running(tx, by, assessment_id)
            if table.trial_by_key(tx, assessment_id, key) is not None:
                return
            step = next_step(view_of(tx, row), now, self._rest)
            if step.test != test:
                raise Conflict("Another test is next: look at the page again.")
            if step.stage is Stage.RUNNING and step.trial is not None:
                self.holding.end(step.trial.trial_id)
                given_up = {"state": TrialState.SETTLED.value, "ended_at": now, "settled_at": now}
                table.move_trial(tx, step.trial.trial_id, _RUNNING, **given_up)
            values = trial_values(assessment_id, row["athlete_id"], test, key, by, now)
            table.add_trial(tx, values | changes | {"source": Source.ENTERED.value, "ended_at": now})

    def _close(self, tx: Tx, row: Row, by: str, now: datetime) -> None:
        for trial in table.trials(tx, row["id"]):
            if trial["state"] == TrialState.RUNNING.value:
                self._watch_here(tx, trial["id"])
                self._end(tx, trial, self.holding.end(trial["id"]), now)
        view = view_of(tx, row)
        over = next_step(view, now, self._rest).stage is Stage.OVER
        gave = any(each.closes and not each.skipped for each in view.trials)
        state = AssessmentState.DONE if over and gave else AssessmentState.LEFT
        if table.change(tx, row["id"], AssessmentState.RUNNING.value, state=state.value, finished_at=now):
            events.record(tx, now, by, state.value, "assessment", row["id"], row["athlete_id"])
            athletes.change(tx, row["athlete_id"], replan_wanted=True)


def _require_running(tx: Tx, by: Identity, assessment_id: str) -> Row:
    row = require_assessment(tx, by, assessment_id)
    _only_the_athlete(tx, by, row["athlete_id"])
    if row["state"] != AssessmentState.RUNNING.value:
        raise Conflict("This assessment is over: start another one.")
    return row


def _side_of(tx: Tx, athlete_id: str) -> Side | None:
    side = pocket.side_of(tx, athlete_id)
    return Side(side) if side is not None else None


def _only_the_athlete(tx: Tx, by: Identity, athlete_id: str) -> None:
    if not speaks_for(tx, by, athlete_id):
        raise NotAllowed("The athlete does the guided tests; a coach enters results that were taken elsewhere.")


def _require_fit(wearable: Row, tests: tuple[AssessmentTest, ...]) -> None:
    """Raise Conflict when a wearable cannot measure one of the tests where it is worn, or as it is calibrated."""
    for test in tests:
        spec = SPECS[test]
        if spec.places and wearable["placement"] not in spec.places:
            places = ", ".join(place.replace("_", " ") for place in spec.places)
            raise Conflict(f"{wearable['name']} is worn elsewhere: these tests need it at one of {places}.")
        if spec.calibration is not Calibration.NONE and wearable["upright"] is None:
            raise Conflict(f"{wearable['name']} needs its upright pose first: take it on the Wearables page.")
        if spec.calibration is Calibration.UPRIGHT_AND_BOW and wearable["forward"] is None:
            raise Conflict(f"{wearable['name']} needs a bow after its upright pose: take both on the Wearables page.")
