"""The diary: check-ins and trainings. Plans, findings and reports read what is entered here; nobody keeps a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coach.errors import InvalidInput, NoSuch
from coach.service import due
from coach.service.ground import Ground
from coach.service.permission import may_read, may_see, require, require_athlete
from coach.service.progress import look_after
from coach.service.throwing import place_around_pitching
from coach.service.triage import hold_until_asked
from coach.service.types import Identity, Level, Purpose
from coach.store import days, diary, events, sessions
from coach.store.diary_tables import checkin, training
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.triage import ASK_AT_PAIN

# How long an answer may wait on a phone and still be dated by it. Own choice: as long as pages keep one.
TOLD_WITHIN = timedelta(days=7)
# Where it can hurt; the places of the body picture, back first.
SITES = ("lower_back", "upper_back", "neck", "hip_left", "hip_right", "leg_left", "leg_right", "other")
# Own words for what the founding text names as symptoms, id -> statement.
SYMPTOMS = {
    "sudden": "It came suddenly and is severe.",
    "stiff": "My back is tight, or I can hardly move it.",
    "worse_moving": "Moving makes it worse.",
    "eased_lying": "Lying down eases it.",
}
# A check-in before this local time tells of the night: it is the next morning of the day before. Own heuristic.
MORNING_UNTIL = time(11, 0)
# Own bounds of what can be entered, and how long ago a day may be that is entered late.
_NOTE_MAX, _WHAT_MAX, _KEY_MAX = 1000, 100, 100
_DURATION_MAX_MIN, _PITCHES_MAX = 1440, 500
_LATE = timedelta(days=56)


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What is told at one moment; None where nothing was said. Scales 0 to 10.

    pain_by_site: how strong it is at its worst, by place; no more than what was told of rest and motion.
    """

    pain_at_rest: int | None = None
    pain_in_motion: int | None = None
    soreness: int | None = None
    readiness: int | None = None
    sleep_h: float | None = None
    sites: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    note: str = ""
    pain_by_site: Mapping[str, int] = field(default_factory=dict)

    @property
    def worst_pain(self) -> int | None:
        told = [pain for pain in (self.pain_at_rest, self.pain_in_motion) if pain is not None]
        return max(told, default=None)


@dataclass(frozen=True, slots=True)
class CheckInView:
    checkin_id: str
    athlete_id: str
    at: datetime
    local_date: date
    morning: bool
    told: CheckIn


@dataclass(frozen=True, slots=True)
class TrainingView:
    """effort 0 to 10. load: effort x minutes. pitches: None where none were entered."""

    training_id: str
    athlete_id: str
    local_date: date
    what: str
    duration_min: int
    effort: int
    pitches: int | None

    @property
    def load(self) -> int:
        return self.effort * self.duration_min


class Diary:
    """Enter, correct, read."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def check_in(
        self, by: Identity, athlete_id: str, told: CheckIn, key: str, told_at: datetime | None = None
    ) -> CheckInView:
        """Store a check-in; the same key is the same check-in. Pain of 6 or more pauses until the safety questions.

        told_at: when it was told on a phone that had no network, aware; of the last week, else now counts. Strong pain
        counts from now, for the questions are asked when it becomes known.
        Raises NoSuch, InvalidInput.
        """
        now = self._ground.now()
        strong = told.worst_pain is not None and told.worst_pain >= ASK_AT_PAIN
        at = told_at if told_at is not None and not strong and now - TOLD_WITHIN <= told_at <= now else None
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.FULL)
            checkin_id, _ = store_checkin(tx, by, athlete, told, key, now, at)
            made = _checkin_view(_found(diary.checkin_of(tx, checkin_id)))
        look_after(self._ground, athlete_id)
        return made

    def complete(self, by: Identity, checkin_id: str, told: CheckIn) -> CheckInView:
        """Replace what a check-in tells; the second tap adds to the first. Raises NoSuch, InvalidInput."""
        _check(told)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _visible(tx, by, diary.checkin_of(tx, checkin_id), "check-in", Level.FULL)
            diary.change_checkin(tx, checkin_id, _columns(told))
            events.record(tx, now, by.user_id, "completed", "checkin", checkin_id, row["athlete_id"])
            _after(tx, row["athlete_id"], row["local_date"], told.worst_pain, now)
            made = _checkin_view(_found(diary.checkin_of(tx, checkin_id)))
        look_after(self._ground, made.athlete_id)
        return made

    def checkin(self, by: Identity, checkin_id: str) -> CheckInView:
        """Return one check-in. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return _shown(tx, by, _visible(tx, by, diary.checkin_of(tx, checkin_id), "check-in"))

    def drop_checkin(self, by: Identity, checkin_id: str) -> None:
        """Delete a check-in that was a mistake. A pause that it brought stays until the questions. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _visible(tx, by, diary.checkin_of(tx, checkin_id), "check-in", Level.FULL)
            diary.drop(tx, checkin, checkin_id)
            events.record(tx, now, by.user_id, "deleted", "checkin", checkin_id, row["athlete_id"])
            _mark(tx, row["athlete_id"], row["local_date"], now)
        look_after(self._ground, row["athlete_id"])

    def add_training(
        self,
        by: Identity,
        athlete_id: str,
        what: str,
        duration_min: int,
        effort: int,
        key: str,
        on: date | None = None,
        pitches: int | None = None,
    ) -> TrainingView:
        """Store a training of a local day, today by default. Raises NoSuch, InvalidInput."""
        what = what.strip()
        _check_training(what, duration_min, effort, pitches)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.FULL)
            today = now.astimezone(ZoneInfo(athlete["time_zone"])).date()
            day = on or today
            if not today - _LATE <= day <= today:
                raise InvalidInput(f"The day {day} is not between {today - _LATE} and today.")
            values = {
                "athlete_id": athlete_id,
                "key": _checked_key(key),
                "at": now,
                "local_date": day,
                "what": what,
                "duration_min": duration_min,
                "effort": effort,
                "pitches": pitches,
                "entered_by": by.user_id,
            }
            training_id, new = diary.add_training(tx, values)
            if new:
                events.record(tx, now, by.user_id, "entered", "training", training_id, athlete_id)
                _mark(tx, athlete_id, day, now)
                if pitches is not None:
                    place_around_pitching(tx, self._ground, athlete_id, now)
            return _training_view(_found(diary.training_of(tx, training_id)))

    def drop_training(self, by: Identity, training_id: str) -> None:
        """Delete a training that was a mistake. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _visible(tx, by, diary.training_of(tx, training_id), "training", Level.FULL)
            diary.drop(tx, training, training_id)
            events.record(tx, now, by.user_id, "deleted", "training", training_id, row["athlete_id"])
            _mark(tx, row["athlete_id"], row["local_date"], now)
            if row["pitches"] is not None:
                place_around_pitching(tx, self._ground, row["athlete_id"], now)

    def between(
        self, by: Identity, athlete_id: str, first: date, after: date
    ) -> tuple[tuple[CheckInView, ...], tuple[TrainingView, ...]]:
        """Return check-ins and trainings of local days in [first, after), in order of time. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            told = tuple(_shown(tx, by, row) for row in diary.checkins_between(tx, athlete_id, first, after))
            done = diary.trainings_between(tx, athlete_id, first, after)
        return told, tuple(map(_training_view, done))

    def asks_for_morning(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether a check-in now would say how yesterday's session or training went, and none has yet.

        Raises NoSuch.
        """
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            local = self._ground.now().astimezone(ZoneInfo(athlete["time_zone"]))
            today, yesterday = local.date(), local.date() - timedelta(days=1)
            if local.time() >= MORNING_UNTIL or diary.checkins_between(
                tx, athlete_id, today, today + timedelta(days=1)
            ):
                return False
            done = any(
                each["outcome"] == "done" for each in sessions.outcomes_between(tx, athlete_id, yesterday, today)
            )
            return done or diary.entered_between(tx, athlete_id, yesterday, today)


def store_checkin(
    tx: Tx, by: Identity, athlete: Row, told: CheckIn, key: str, now: datetime, at: datetime | None = None
) -> tuple[str, bool]:
    """Store a check-in in a transaction that goes on; return its id and whether it is new. Raises InvalidInput.

    at: when it was told, by default now.
    """
    _check(told)
    local = (at or now).astimezone(ZoneInfo(athlete["time_zone"]))
    values = {
        "athlete_id": athlete["id"],
        "key": _checked_key(key),
        "at": at or now,
        "local_date": local.date(),
        "morning": local.time() < MORNING_UNTIL,
        "entered_by": by.user_id,
        **_columns(told),
    }
    checkin_id, new = diary.add_checkin(tx, values)
    if new:
        events.record(tx, now, by.user_id, "checked in", "checkin", checkin_id, athlete["id"])
        _after(tx, athlete["id"], local.date(), told.worst_pain, now)
    return checkin_id, new


def _after(tx: Tx, athlete_id: str, day: date, pain: int | None, now: datetime) -> None:
    _mark(tx, athlete_id, day, now)
    if pain is not None and pain >= ASK_AT_PAIN:
        hold_until_asked(tx, athlete_id, now)


def _mark(tx: Tx, athlete_id: str, day: date, now: datetime) -> None:
    """Have the day judged anew, and the one before: a morning belongs to it."""
    for each in (day - timedelta(days=1), day):
        days.mark(tx, athlete_id, each, now + due.LOOK_EVERY)


def _check(told: CheckIn) -> None:
    for name in ("pain_at_rest", "pain_in_motion", "soreness", "readiness"):
        value = getattr(told, name)
        if value is not None:
            _in_range(name.replace("_", " "), value, 0, 10, "")
    if told.sleep_h is not None:
        _in_range("sleep", told.sleep_h, 0, 24, "hours")
    for names, known, what in ((told.sites, SITES, "place"), (told.symptoms, tuple(SYMPTOMS), "symptom")):
        unknown = next((each for each in names if each not in known), None)
        if unknown is not None:
            raise InvalidInput(f"'{unknown[:40]}' is no {what} of a check-in.")
    _check_by_site(told)
    if len(told.note) > _NOTE_MAX:
        raise InvalidInput(f"A note has at most {_NOTE_MAX} characters.")
    if told == CheckIn():
        raise InvalidInput("Nothing was told: tap at least one number.")


def _check_by_site(told: CheckIn) -> None:
    for site, pain in told.pain_by_site.items():
        if site not in told.sites:
            raise InvalidInput(f"'{site[:40]}' is no place that this check-in tells of.")
        name = site.replace("_", " ")
        _in_range(f"pain of {name}", pain, 0, 10, "")
        if pain > (told.worst_pain or 0):
            raise InvalidInput(
                f"At one place it is {pain} ({name}), more than at rest and when you move: tell one again."
            )


def _check_training(what: str, duration_min: int, effort: int, pitches: int | None) -> None:
    if not 1 <= len(what) <= _WHAT_MAX:
        raise InvalidInput(f"Say in 1 to {_WHAT_MAX} characters what you did.")
    _in_range("duration", duration_min, 0, _DURATION_MAX_MIN, "minutes")
    _in_range("effort", effort, 0, 10, "")
    if pitches is not None:
        _in_range("number of pitches", pitches, 0, _PITCHES_MAX, "")


def _in_range(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        span = f"{low:g} to {high:g} {unit}".rstrip()
        raise InvalidInput(f"The {name} of {value:g} cannot be: {span}.")


def _checked_key(key: str) -> str:
    if not 1 <= len(key) <= _KEY_MAX:
        raise InvalidInput("This form is incomplete: open it anew.")
    return key


def _columns(told: CheckIn) -> dict[str, Any]:
    return {
        "pain_at_rest": told.pain_at_rest,
        "pain_in_motion": told.pain_in_motion,
        "soreness": told.soreness,
        "readiness": told.readiness,
        "sleep_h": told.sleep_h,
        "sites": _once(told.sites),
        "symptoms": _once(told.symptoms),
        "note": told.note.strip() or None,
        "pain_by_site": dict(told.pain_by_site),
    }


def _once(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _visible(tx: Tx, by: Identity, row: Row | None, what: str, need: Level = Level.VIEW) -> Row:
    if row is None or not may_see(tx, by, row["athlete_id"]):
        raise NoSuch(f"There is no such {what} on your list.")
    require(tx, by, row["athlete_id"], need)
    return row


def _found(row: Row | None) -> Row:
    if row is None:
        raise NoSuch("This entry is gone.")
    return row


def _shown(tx: Tx, by: Identity, row: Row) -> CheckInView:
    """Return what a reader sees: who may not read health text the numbers, and the words of what they wrote down."""
    view = _checkin_view(row)
    if row["entered_by"] == by.user_id or may_read(tx, by, row["athlete_id"], Purpose.PAIN_TEXT):
        return view
    return replace(view, told=replace(view.told, sites=(), symptoms=(), note="", pain_by_site={}))


def _checkin_view(row: Row) -> CheckInView:
    told = CheckIn(
        row["pain_at_rest"],
        row["pain_in_motion"],
        row["soreness"],
        row["readiness"],
        row["sleep_h"],
        tuple(row["sites"]),
        tuple(row["symptoms"]),
        row["note"] or "",
        row["pain_by_site"],
    )
    return CheckInView(row["id"], row["athlete_id"], row["at"], row["local_date"], row["morning"], told)


def _training_view(row: Row) -> TrainingView:
    return TrainingView(
        row["id"],
        row["athlete_id"],
        row["local_date"],
        row["what"],
        row["duration_min"],
        row["effort"],
        row["pitches"],
    )
