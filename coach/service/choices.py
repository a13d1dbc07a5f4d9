"""What an athlete has at hand, has time for and does not want: programs are made within it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from coach.errors import InvalidInput
from coach.exercise_texts import in_words
from coach.service import planning
from coach.service.change_views import ChangeKind
from coach.service.ground import Ground
from coach.service.permission import require_athlete
from coach.service.plain import prescription_from_plain
from coach.service.progress import look_after, make, withdraw
from coach.service.progressing import Proposed
from coach.service.types import Identity, Level
from coach.store import athletes, events, own_exercises, people, program_changes
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.exercises import AT_HOME, EQUIPMENT, known, library
from programs.progress import without

# Shortest and longest time for a session that can be chosen. Own bounds.
TIME_MIN, TIME_MAX = 8, 60
LEFT_OUT = "Left out, because you said no to it: {name}. It is not prescribed again until you take that back."
LEFT_OUT_BY_COACH = "Left out, because your coach said no to it: {name}. It is not prescribed again meanwhile."


@dataclass(frozen=True, slots=True)
class DeclinedView:
    """An exercise that was said no to. by: name of who did."""

    exercise_id: str
    name: str
    declined_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class LackingView:
    """An exercise of the program that runs which needs things that are not at hand. things: in words."""

    exercise_id: str
    name: str
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """equipment: what is at hand; what most homes have until somebody says. session_max_min: None while not said.

    lacking: of the program that runs, which was chosen before.
    """

    equipment: frozenset[str]
    equipment_said: bool
    session_max_min: int | None
    declined: tuple[DeclinedView, ...]
    lacking: tuple[LackingView, ...]


class Choices:
    """Read, choose, say no, take a no back."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_athlete(self, by: Identity, athlete_id: str) -> ChoicesView:
        """Return what was chosen so far. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            rows = program_changes.declines(tx, athlete_id)
            declined = tuple(_declined_view(tx, row) for row in rows)
            plan = planning.has_running(tx, athlete, self._ground.now())
        said = athlete["equipment"] is not None
        equipment = frozenset(athlete["equipment"]) if said else AT_HOME
        return ChoicesView(equipment, said, athlete["session_max_min"], declined, _lacking(plan, equipment))

    def choose(
        self, by: Identity, athlete_id: str, equipment: Collection[str], session_max_min: int | None = None
    ) -> None:
        """Keep what is at hand and how long a session may be. A program that runs stays; the next one obeys it.

        Raises NoSuch, InvalidInput.
        """
        unknown = sorted(set(equipment) - set(EQUIPMENT))
        if unknown:
            raise InvalidInput(f"'{unknown[0][:40]}' is no equipment that an exercise needs.")
        if session_max_min is not None and not TIME_MIN <= session_max_min <= TIME_MAX:
            raise InvalidInput(f"A session of {session_max_min} minutes cannot be: {TIME_MIN} to {TIME_MAX} minutes.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.PLAN)
            kept = {"equipment": sorted(set(equipment)), "session_max_min": session_max_min}
            athletes.change(tx, athlete_id, **kept, replan_wanted=True)
            events.record(tx, now, by.user_id, "changed equipment or time", "athlete", athlete_id, athlete_id)
        look_after(self._ground, athlete_id)

    def say_no(self, by: Identity, athlete_id: str, exercise_id: str) -> None:
        """Leave an exercise out from now on: of the running program at once, and of whatever is prescribed later.

        A program of nothing else ends, and a new one is proposed. Raises NoSuch, InvalidInput.
        """
        in_library = exercise_id in library()
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.PLAN)
            plan = planning.has_running(tx, athlete, now)
            asked = {item["exercise_id"] for item in plan["prescription"]["exercises"]} if plan is not None else set()
            if not in_library and exercise_id not in asked:
                raise InvalidInput(f"'{exercise_id[:40]}' is no exercise of the library.")
            program_changes.decline(tx, athlete_id, exercise_id, by.user_id, now)
            athletes.change(tx, athlete_id, replan_wanted=True)
            events.record(tx, now, by.user_id, "said no", "exercise", exercise_id, athlete_id)
            if plan is not None and exercise_id in asked:
                withdraw(tx, athlete_id, now)
                self._leave_out(tx, athlete, plan, exercise_id, by, now)
        look_after(self._ground, athlete_id)

    def _leave_out(self, tx: Tx, athlete: Row, plan: Row, exercise_id: str, by: Identity, now: datetime) -> None:
        after = without(prescription_from_plain(plan["prescription"]), exercise_id)
        words = LEFT_OUT if by.athlete_id == athlete["id"] else LEFT_OUT_BY_COACH
        because = words.format(name=_name(tx, exercise_id).lower())
        make(
            tx, self._ground, athlete, plan, Proposed(ChangeKind.LEFT_OUT, after, because, exercise_id), now, by.user_id
        )

    def take_back(self, by: Identity, athlete_id: str, exercise_id: str) -> None:
        """Let an exercise be prescribed again; it comes back with a new program only. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.PLAN)
            if program_changes.take_back(tx, athlete_id, exercise_id):
                athletes.change(tx, athlete_id, replan_wanted=True)
                events.record(tx, now, by.user_id, "took a no back", "exercise", exercise_id, athlete_id)
        look_after(self._ground, athlete_id)


def _lacking(plan: Row | None, equipment: frozenset[str]) -> tuple[LackingView, ...]:
    if plan is None:
        return ()
    found = map(known, prescription_from_plain(plan["prescription"]).exercises)
    missing = [(one, set(one.equipment) - equipment - {"none"}) for one in found if one is not None]
    return tuple(
        LackingView(one.id, in_words(one).name, tuple(EQUIPMENT[each] for each in EQUIPMENT if each in things))
        for one, things in missing
        if things
    )


def _declined_view(tx: Tx, row: Row) -> DeclinedView:
    user = people.user(tx, row["declined_by"])
    name = _name(tx, row["exercise_id"])
    return DeclinedView(row["exercise_id"], name, row["declined_at"], user["name"] if user else "")


def _name(tx: Tx, exercise_id: str) -> str:
    one = library().get(exercise_id)
    return in_words(one).name if one is not None else own_exercises.name_of(tx, exercise_id) or exercise_id
