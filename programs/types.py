"""Values of the programs: what is needed, what answers it, when it is done. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum


class Plane(StrEnum):
    SAGITTAL = "sagittal"
    FRONTAL = "frontal"
    TRANSVERSE = "transverse"


@dataclass(frozen=True, slots=True)
class Dose:
    """How much of an exercise: sets of repetitions or of holds. `repetitions` has one entry per set (6, 4, 2).

    hold_s: length of one hold, None for exercises that are counted. per_side: each side does the dose.
    """

    repetitions: tuple[int, ...]
    hold_s: float | None
    rest_s: float
    per_side: bool


class Category(StrEnum):
    CORE = "core"
    HIP = "hip"
    THORACIC = "thoracic"
    SHOULDER = "shoulder"
    RECOVERY = "recovery"


class Phase(StrEnum):
    """Where somebody stands after an acute spasm, earliest first; without one it is STRENGTH. See phases.py."""

    ACUTE = "acute"
    EARLY = "early"
    REBUILD = "rebuild"
    STRENGTH = "strength"


class SeenAs(StrEnum):
    """What a wearable at the exercise's placement counts of it."""

    REPETITION = "repetition"
    HOLD = "hold"
    STEPS = "steps"
    NOT_SEEN = "none"


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of the library. `levels` are named from easiest to hardest; `source` cites dose and choice.

    flexion_loaded: bends the spine forward against a load. bends_forward: inclines or curls the trunk forward at all,
    even without a load; both keep away from the first hour after waking. each_side: done with one side at a time, the
    weaker one first. easier: id of the exercise to go back to, None for the easiest of its line; what is harder is the
    same link read backwards. phase: the earliest one in which it may be given. placement: where a wearable sees it,
    None where none does. drawn_as: id of the exercise whose drawing shows this one, too.
    """

    id: str
    name: str
    target: str
    plane: Plane
    answers: tuple[str, ...]  # kinds of need it is an answer to
    levels: tuple[str, ...]
    dose_by_level: tuple[Dose, ...]
    cues: tuple[str, ...]
    regression: str
    contraindications: tuple[str, ...]  # ids that triage or the athlete's profile may carry
    flexion_loaded: bool
    muscle_group: str
    source: str
    bends_forward: bool
    category: Category
    equipment: tuple[str, ...]
    each_side: bool
    easier: str | None
    phase: Phase
    placement: str | None
    seen_as: SeenAs
    drawn_as: str | None = None


class TriageLevel(StrEnum):
    """Most urgent first."""

    EMERGENCY = "EMERGENCY"
    URGENT = "URGENT"
    PROMPT = "PROMPT"
    ROUTINE = "ROUTINE"
    CLEAR = "CLEAR"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # not sure, or skipped


@dataclass(frozen=True, slots=True)
class TriageQuestion:
    id: str
    text: str
    level: TriageLevel


class Lock(StrEnum):
    """What is held back, mildest first. Source: decisions/0010.

    STARTING: no program begins and nothing goes up; what runs falls back to walking and relative rest. ALL: no session
    at all.
    """

    NONE = "none"
    STARTING = "starting"
    ALL = "all"


def strictest(*locks: Lock) -> Lock:
    """Return the lock that holds back most; NONE of no locks. Source: own heuristic."""
    return max(locks, key=list(Lock).index, default=Lock.NONE)


@dataclass(frozen=True, slots=True)
class TriageResult:
    """level: the most urgent of all answers. lock: what they hold back.

    messages: what to show, most urgent first. reasons: ids of the questions that decided, or that are still open.
    """

    level: TriageLevel
    lock: Lock
    messages: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def locked(self) -> bool:
        return self.lock is not Lock.NONE


@dataclass(frozen=True, slots=True)
class Need:
    """Why something should be done: a kind the library can answer, its weight 0..1, and the evidence as a sentence.

    finding_ids: what it rests on, for the page's way back to the signal.
    """

    kind: str
    weight: float
    because: str
    finding_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What prescribe must know of the athlete. level_by_exercise: index into Exercise.levels, absent = 0.

    dose_by_exercise: what the program that runs asks for at that level, absent = the level's own dose. equipment: what
    is at hand; None, not asked yet, is what most homes have (exercises.AT_HOME). phase: how far after an acute spasm.
    declined: ids of exercises that the athlete or the coach said no to. weaker_side: muscle group -> "left" or "right",
    from a test that found a difference beyond its own error. used_side: "left" or "right", with which the athlete
    swings, throws or lifts; None where nobody has said or it is both. session_max_min: the time for one session, None
    where nobody has said.
    """

    level_by_exercise: dict[str, int] = field(default_factory=dict)
    contraindications: tuple[str, ...] = ()
    equipment: frozenset[str] | None = None
    phase: Phase = Phase.STRENGTH
    declined: frozenset[str] = frozenset()
    weaker_side: dict[str, str] = field(default_factory=dict)
    used_side: str | None = None
    session_max_min: int | None = None
    dose_by_exercise: dict[str, Dose] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrescribedExercise:
    """first_side: "left" or "right", the side that begins. extra_set: it is the weaker one and does one set more.

    own: what the exercise is where no library has it, as it was when it was prescribed.
    """

    exercise_id: str
    level: int
    dose: Dose
    because: str
    first_side: str | None = None
    extra_set: bool = False
    own: Exercise | None = None


@dataclass(frozen=True, slots=True)
class RestRule:
    """Rest that belongs to the program. kind: tells one rule from another (programs/rest.py); text is for people.

    rest_min: how long one rest is; after_min, after_days: after how many minutes of work or heavy days in a row it is
    due. None where the rule has no such number.
    """

    kind: str
    text: str
    because: str
    source: str
    rest_min: int | None = None
    after_min: int | None = None
    after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Prescription:
    """Answer to needs: exercises, how often, for how many weeks, and the rest that goes with it.

    Without exercises it is rest only: no session is placed.
    """

    title: str
    exercises: tuple[PrescribedExercise, ...]
    sessions_per_week: int
    weeks: int
    session_duration_min: int
    rest: tuple[RestRule, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Stay:
    """Days on a journey, both ends in it, by the local calendar. time_zone: IANA name."""

    first: date
    last: date
    time_zone: str


@dataclass(frozen=True, slots=True)
class Availability:
    """When the athlete can train. time_zone: IANA name. weekdays: 0 Monday .. 6 Sunday.

    preferred: local time of day. times: weekdays with a time of their own in its place. wake: usual waking time, for
    the early-morning rule. quiet: local hours without sessions, over midnight where the end is earlier. travel:
    journeys; the one named last holds where they overlap.
    """

    time_zone: str
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    preferred: time = time(18, 30)
    wake: time = time(7, 0)
    quiet: tuple[time, time] | None = None
    travel: tuple[Stay, ...] = ()
    times: tuple[tuple[int, time], ...] = ()

    def time_on(self, weekday: int) -> time:
        """Return the local time that is wanted on a weekday."""
        return dict(self.times).get(weekday, self.preferred)


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session at a local time. slot: key of the occurrence, unique per athlete: the local date, ISO form.

    time_zone: where the athlete is on that day.
    """

    slot: str
    local_date: date
    local_time: time
    due_at: datetime  # aware, UTC
    duration_min: int
    exercises: tuple[PrescribedExercise, ...]
    because: str
    time_zone: str
