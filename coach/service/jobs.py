"""Jobs and drills that a coach describes, and what the ergonomic models say of them.

Load, reach and effort are entered. Repetitions may be what a wearable counted on a day: of the hours it was worn, never
stretched to those it was not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from coach.analysis.detectors.assemble import choose_trunk
from coach.analysis.detectors.types import Minutes
from coach.errors import InvalidInput, NotAllowed
from coach.service.day_rows import minutes_by_place
from coach.service.ground import Ground
from coach.service.job_models import COUNTABLE, MODELS, Answer, answer_of, fields_of, model_named, task_of
from coach.service.local_days import bounds_of
from coach.service.permission import coaches, require_athlete, require_job
from coach.service.types import Identity, Level
from coach.store import events, exposures, jobs
from coach.store.engine import Tx
from coach.store.rows import Row

# Own bounds: a workday of more than a dozen tasks is described in parts.
TASKS_MAX, _NAME_MAX, _TEXT_MAX = 12, 200, 40


class Count(StrEnum):
    """What a wearable can count for a job."""

    BENDS = "bends"  # of the trunk
    REPETITIONS = "repetitions"  # of exercise, at the place that counted most
    STROKES = "strokes"  # swings and throws


@dataclass(frozen=True, slots=True)
class Counted:
    """What a wearable counted on a day, worn for so long; count is None where nothing was worn for it."""

    what: Count
    count: int | None
    covered_s: float


@dataclass(frozen=True, slots=True)
class JobView:
    """One job. tasks: inputs as entered; counted: per task, input -> what is counted for it. answer: of the day.

    counts: what the wearable counted on that day, for the kinds that the job asks for.
    """

    job_id: str
    athlete_id: str
    name: str
    model: str
    title: str
    tasks: tuple[dict[str, str], ...]
    counted: tuple[dict[str, str], ...]
    day: date
    counts: tuple[Counted, ...]
    answer: Answer


class Jobs:
    """Describe, ask, remove."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(
        self,
        by: Identity,
        athlete_id: str,
        name: str,
        model: str,
        tasks: Sequence[Mapping[str, str]],
        counted: Sequence[Mapping[str, str]],
    ) -> str:
        """Store a job; return its id. Raises NoSuch, NotAllowed, InvalidInput (also for an impossible input)."""
        if not coaches(by):
            raise NotAllowed("A job is described by the coach: ask yours.")
        name = name.strip()
        if not 1 <= len(name) <= _NAME_MAX:
            raise InvalidInput(f"A job needs a name of 1 to {_NAME_MAX} characters.")
        if not 1 <= len(tasks) <= TASKS_MAX or len(tasks) != len(counted):
            raise InvalidInput(f"A job has 1 to {TASKS_MAX} tasks.")
        known = {each.name for each in fields_of(model_named(model))}
        kept = [{field: _bounded(field, text) for field, text in task.items() if text.strip()} for task in tasks]
        counts = [_counts_of(task, known) for task in counted]
        # Asked once with any number counted, so that what is impossible is refused now and not when it is read.
        answer_of(
            model, [task_of(model, task, dict.fromkeys(wants, 1.0)) for task, wants in zip(kept, counts, strict=True)]
        )
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.PLAN)
            values = {
                "athlete_id": athlete_id,
                "name": name,
                "model": model,
                "tasks": kept,
                "counted": counts,
                "created_by": by.user_id,
                "created_at": now,
                "updated_at": now,
            }
            job_id = jobs.add(tx, values)
            events.record(tx, now, by.user_id, "described", "job", job_id, athlete_id)
        return job_id

    def remove(self, by: Identity, job_id: str) -> str:
        """Take a job off the lists; return whose it was. Raises NoSuch, NotAllowed."""
        if not coaches(by):
            raise NotAllowed("A job is removed by the coach: ask yours.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_job(tx, by, job_id, Level.PLAN)
            jobs.remove(tx, job_id, now)
            events.record(tx, now, by.user_id, "removed", "job", job_id, row["athlete_id"])
        return str(row["athlete_id"])

    def of_athlete(self, by: Identity, athlete_id: str, day: date) -> tuple[JobView, ...]:
        """Return the athlete's jobs, newest first, each with what its model says of that local day. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            return tuple(_view(tx, row, athlete, day) for row in jobs.of_athlete(tx, athlete_id))

    def get(self, by: Identity, job_id: str, day: date) -> JobView:
        """Return one job with what its model says of that local day. Raises NoSuch."""
        with self._ground.store.read() as tx:
            row = require_job(tx, by, job_id)
            return _view(tx, row, require_athlete(tx, by, row["athlete_id"]), day)


def _bounded(field: str, text: str) -> str:
    if len(text) > _TEXT_MAX:
        raise InvalidInput(f"{field}: write at most {_TEXT_MAX} characters.")
    return text.strip()


def _counts_of(task: Mapping[str, str], known: set[str]) -> dict[str, str]:
    for field, what in task.items():
        if field not in known or field not in COUNTABLE:
            raise InvalidInput(f"'{field}' cannot come from a wearable: enter it.")
        if what not in set(Count):
            raise InvalidInput(f"{field}: a wearable counts {', '.join(Count)}.")
    return dict(task)


def _view(tx: Tx, row: Row, athlete: Row, day: date) -> JobView:
    start, end = bounds_of(athlete, day)
    wanted = sorted({what for task in row["counted"] for what in task.values()})
    places = minutes_by_place(exposures.minutes_between(tx, row["athlete_id"], start, end)) if wanted else {}
    counts = {what: _counted(Count(what), places) for what in wanted}
    tasks = [
        task_of(row["model"], task, {field: _number(field, counts[what]) for field, what in wants.items()})
        for task, wants in zip(row["tasks"], row["counted"], strict=True)
    ]
    return JobView(
        job_id=row["id"],
        athlete_id=row["athlete_id"],
        name=row["name"],
        model=row["model"],
        title=MODELS[row["model"]].title,
        tasks=tuple(row["tasks"]),
        counted=tuple(row["counted"]),
        day=day,
        counts=tuple(counts.values()),
        answer=answer_of(row["model"], tasks),
    )


def _counted(what: Count, places: Mapping[str, Minutes]) -> Counted:
    """Return the day's count at the place that can tell: the trunk for bends, else the one that counted most."""
    if what is Count.BENDS:
        chosen = choose_trunk(places)
        worn = [] if chosen is None else [chosen[1]]
    else:
        worn = [minutes for _, minutes in sorted(places.items())]
    best = max((each for each in worn if each.covered_s.any()), key=lambda each: _count(what, each), default=None)
    return Counted(what, None, 0.0) if best is None else Counted(what, _count(what, best), float(best.covered_s.sum()))


def _count(what: Count, minutes: Minutes) -> int:
    counts = {
        Count.BENDS: minutes.bends,
        Count.REPETITIONS: minutes.repetitions,
        Count.STROKES: minutes.strokes_left + minutes.strokes_right + minutes.strokes_unknown,
    }
    return int(counts[what].sum())


def _number(field: str, counted: Counted) -> float | None:
    """Return what the model takes: a number a day, or a number per worn minute."""
    if counted.count is None:
        return None
    return counted.count / (counted.covered_s / 60.0) if COUNTABLE[field] else float(counted.count)
