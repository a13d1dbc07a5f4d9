"""The team: everybody's sessions, tests and appointments in one calendar, and a week or block of each as one value."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coach.analysis.assessment_change import compare_change
from coach.errors import InvalidInput, NotAllowed
from coach.language import gettext as _
from coach.service.assessment_views import RETESTED
from coach.service.athlete_views import athlete_view
from coach.service.ground import Ground
from coach.service.permission import coaches, level_of, may_read, require_athlete
from coach.service.planning import has_running
from coach.service.report_lines import tried_of
from coach.service.team_views import DayLine, Entry, EntryKind, FoundLine, Period, TestShown
from coach.service.types import AthleteView, Identity, Level, Purpose, SessionState
from coach.store import athletes, days, diary, findings, sessions, team
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.types import Lock

_WEEK, _DAY = timedelta(weeks=1), timedelta(days=1)
# Own bounds: a block is some weeks; a page of the calendar is a month with the ends of its weeks.
WEEKS_MAX, CALENDAR_DAYS_MAX = 12, 42
# Weeks of a block where no program says when it began. Own choice: the usual length of one.
BLOCK_WEEKS = 4


class Team:
    """Read only: nothing here decides anything."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def calendar(self, by: Identity, first: date, after: date) -> tuple[Entry, ...]:
        """Return what lies on local days in [first, after), in order. Raises NotAllowed for who is no coach.

        Tests that were done and appointments only of whom the coach may read them.
        """
        if not coaches(by):
            raise NotAllowed(_("Only a coach has a team."))
        if not _DAY <= after - first <= CALENDAR_DAYS_MAX * _DAY:
            raise InvalidInput(_("A calendar shows %(days)s days at most.", days=CALENDAR_DAYS_MAX))
        with self._ground.store.read() as tx:
            rows = {row["id"]: row for row in _shared(tx, by)}
            views = {athlete_id: athlete_view(row) for athlete_id, row in rows.items()}
            entries = _sessions(tx, by, views, first, after)
            entries += _tests_done(tx, by, views, first, after)
            weeks = self._ground.config.assessment.retest_weeks
            entries += _tests_due(tx, by, views, rows, first, after, weeks)
            entries += _appointments(tx, by, views, first, after)
        return tuple(sorted(entries, key=lambda each: (each.day, each.at or time.min, each.athlete.name)))

    def period(self, by: Identity, athlete_id: str, first: date, weeks: int) -> Period:
        """Return so many weeks from a day on. Raises NoSuch, NotAllowed, InvalidInput (more than twelve)."""
        with self._ground.store.read() as tx:
            return self._period(tx, by, require_athlete(tx, by, athlete_id), first, weeks)

    def block(self, by: Identity, athlete_id: str, until: date) -> Period:
        """Return the weeks since the running program began, up to the one with `until`; four where none runs."""
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            running = has_running(tx, athlete, self._ground.now())
            monday = monday_of(until)
            began = monday_of(running["starts_on"]) if running else monday - (BLOCK_WEEKS - 1) * _WEEK
            weeks = min(max((monday - began) // _WEEK + 1, 1), WEEKS_MAX)
            return self._period(tx, by, athlete, monday - (weeks - 1) * _WEEK, weeks)

    def table(self, by: Identity, first: date, weeks: int) -> tuple[Period, ...]:
        """Return the same weeks of everybody, by name. Raises NotAllowed, InvalidInput."""
        if not coaches(by):
            raise NotAllowed(_("Only a coach has a team."))
        with self._ground.store.read() as tx:
            return tuple(self._period(tx, by, row, first, weeks) for row in _shared(tx, by))

    def members(self, by: Identity) -> tuple[AthleteView, ...]:
        """Return the coach's athletes by name. Raises NotAllowed."""
        if not coaches(by):
            raise NotAllowed(_("Only a coach has a team."))
        with self._ground.store.read() as tx:
            return tuple(athlete_view(row) for row in _shared(tx, by))

    def _period(self, tx: Tx, by: Identity, athlete: Row, first: date, weeks: int) -> Period:
        if not 1 <= weeks <= WEEKS_MAX:
            raise InvalidInput(_("A report covers 1 to %(weeks)s weeks.", weeks=WEEKS_MAX))
        after, level = first + weeks * _WEEK, level_of(tx, by, athlete["id"])
        running = has_running(tx, athlete, self._ground.now())
        prescribed = running["prescription"] if running else {}
        return Period(
            athlete=athlete_view(athlete),
            first=first,
            last=after - _DAY,
            days=_days(tx, athlete["id"], first, after),
            findings=_found(tx, athlete, first, after),
            tests=_tests(tx, athlete) if level is not None and level.covers(Level.FULL) else None,
            program_since=running["starts_on"] if running else None,
            per_week=prescribed.get("sessions_per_week", 0),
            exercises=tuple(each["exercise_id"] for each in prescribed.get("exercises", ())),
            locked=athlete["lock"] != Lock.NONE,
            today=self._ground.now().astimezone(ZoneInfo(athlete["time_zone"])).date(),
        )


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _shared(tx: Tx, by: Identity) -> list[Row]:
    return [row for each in athletes.seen_by(tx, by.user_id) if (row := athletes.get(tx, each["id"])) is not None]


def _days(tx: Tx, athlete_id: str, first: date, after: date) -> tuple[DayLine, ...]:
    """Return a line for each day, also for one of which nothing is known."""
    values = {row["local_date"]: row["values"] for row in days.newest_values(tx, athlete_id, first, after)}
    states: dict[date, list[str]] = {}
    for row in sessions.between(tx, athlete_id, first, after):
        states.setdefault(row["local_date"], []).append(row["state"])
    pains: dict[date, int] = {}
    for row in diary.checkins_between(tx, athlete_id, first, after):
        told = [row[name] for name in ("pain_at_rest", "pain_in_motion") if row[name] is not None]
        if told:
            pains[row["local_date"]] = max(*told, pains.get(row["local_date"], 0))
    minutes: dict[date, list[tuple[int, int]]] = {}
    for row in diary.trainings_between(tx, athlete_id, first, after):
        minutes.setdefault(row["local_date"], []).append((row["duration_min"], row["effort"]))
    lines = []
    for day in (first + number * _DAY for number in range((after - first).days)):
        known, there, trained = values.get(day, {}), states.get(day, []), minutes.get(day, [])
        worn = bool(known.get("valid"))
        lines.append(
            DayLine(
                day=day,
                planned=len(there),
                done=there.count(SessionState.DONE.value),
                skipped=there.count(SessionState.SKIPPED.value),
                worn=worn,
                bends_per_h=known.get("bends_per_h") if worn else None,
                training_min=sum(length for length, _ in trained),
                load=float(sum(length * effort for length, effort in trained)) if trained else None,
                pain=pains.get(day),
            )
        )
    return tuple(lines)


def _found(tx: Tx, athlete: Row, first: date, after: date) -> tuple[FoundLine, ...]:
    zone = ZoneInfo(athlete["time_zone"])
    begin, end = (datetime.combine(day, time.min, zone) for day in (first, after))
    return tuple(
        FoundLine(
            row["id"], row["kind"], row["grade"], row["started_at"].astimezone(zone).date(),
            row["ended_at"].astimezone(zone).date(), row["state"] == "open",
        )
        for row in findings.since(tx, athlete["id"], begin)
        if row["started_at"] < end
    )  # fmt: skip


def _tests(tx: Tx, athlete: Row) -> tuple[TestShown, ...]:
    zone, shown = ZoneInfo(athlete["time_zone"]), []
    for test, trials in tried_of(tx, athlete["id"]).items():
        newest, before = trials[0].known, trials[1].known if len(trials) > 1 else None
        if newest is None or newest.value is None:
            continue
        on = trials[0].started_at.astimezone(zone).date()
        change = compare_change(before, newest) if before is not None else None
        shown.append(TestShown(test, newest.value, newest.unit, newest.at_least, on, change))
    return tuple(shown)


def _sessions(tx: Tx, by: Identity, views: dict[str, AthleteView], first: date, after: date) -> list[Entry]:
    return [
        Entry(
            EntryKind.SESSION, views[row["athlete_id"]], row["local_date"], row["local_time"],
            SessionState(row["state"]), row["id"],
        )
        for row in team.sessions_between(tx, by.user_id, first, after)
        if row["athlete_id"] in views
    ]  # fmt: skip


def _tests_done(tx: Tx, by: Identity, views: dict[str, AthleteView], first: date, after: date) -> list[Entry]:
    # Local days begin up to 14 hours before and end up to 12 hours after those of UTC.
    start, end = (datetime.combine(day, time.min, UTC) + shift for day, shift in ((first, -_DAY), (after, _DAY)))
    entries = []
    for row in team.tests_between(tx, by.user_id, start, end):
        view, level = views.get(row["athlete_id"]), level_of(tx, by, row["athlete_id"])
        if view is None or level is None or not level.covers(Level.FULL):
            continue
        there = row["finished_at"].astimezone(ZoneInfo(view.time_zone))
        if first <= there.date() < after:
            entries.append(Entry(EntryKind.TEST, view, there.date(), there.time(), None, row["id"]))
    return entries


def _tests_due(
    tx: Tx, by: Identity, views: dict[str, AthleteView], rows: dict[str, Row], first: date, after: date, weeks: int
) -> list[Entry]:
    """Return when batteries are due again; of nobody who is locked."""
    entries = []
    for athlete_id, finished_at in team.last_tested(tx, by.user_id, RETESTED).items():
        view = views.get(athlete_id)
        if view is None or rows[athlete_id]["lock"] != Lock.NONE:
            continue
        due_on = finished_at.astimezone(ZoneInfo(view.time_zone)).date() + weeks * _WEEK
        if first <= due_on < after:
            entries.append(Entry(EntryKind.TEST_DUE, view, due_on))
    return entries


def _appointments(tx: Tx, by: Identity, views: dict[str, AthleteView], first: date, after: date) -> list[Entry]:
    """Return appointments of whom the coach may read the papers of: level full, and health text shared."""
    entries = []
    for row in team.appointments_between(tx, by.user_id, first, after):
        athlete_id, level = row["athlete_id"], level_of(tx, by, row["athlete_id"])
        if level is None or not level.covers(Level.FULL) or not may_read(tx, by, athlete_id, Purpose.PAIN_TEXT):
            continue
        if athlete_id in views:
            entries.append(Entry(EntryKind.APPOINTMENT, views[athlete_id], row["next_on"]))
    return entries
