"""Moving a session to another day of its week: where it may go, and that it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coach.errors import Conflict, Locked, NoSuch
from coach.language import N_
from coach.language import gettext as _
from coach.service import planning
from coach.service.availability import availability_of
from coach.service.change_views import ChangeKind
from coach.service.ground import Ground
from coach.service.permission import require_athlete, require_session
from coach.service.plain import prescription_from_plain
from coach.service.throwing import rest_until
from coach.service.types import Identity, Level, SessionState, SessionView
from coach.store import athletes, events, plans, program_changes, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.moving import Against, DayChoice, Week, days_for
from programs.place import zone_on
from programs.types import Lock

_OPEN = (SessionState.PLANNED.value, SessionState.DUE.value)
# Beside a day's name.
AGAINST_WORDS: Mapping[Against, str] = {
    Against.PAST: N_("that time is past"),
    Against.HELD: N_("has a session"),
    Against.CLOSE: N_("too near to another session, the same muscles rest 48 hours"),
    Against.HALF: N_("the other half of the program belongs there"),
    Against.RESTING: N_("a day of rest"),
    Against.LIGHTER: N_("a lighter day"),
    Against.CLOCK: N_("no time is left"),
}


class Moving:
    """Say where, and move."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def choices(self, by: Identity, athlete_id: str, shown: Iterable[str]) -> dict[str, tuple[DayChoice, ...]]:
        """Return the other days of the week of each open session among those ids. Nothing while all is locked.

        Raises NoSuch.
        """
        now = self._ground.now()
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            if athlete["lock"] == Lock.ALL:
                return {}
            rows = [row for each in shown if (row := sessions.get(tx, each)) is not None and _is_open(row, athlete_id)]
            return {row["id"]: _days(tx, self._ground, athlete, row, now) for row in rows}

    def move(self, by: Identity, session_id: str, to: date) -> SessionView:
        """Move a planned or released session to another day of its week; to the day it is on changes nothing.

        It waits there to be released, and its reminders come along.
        Raises NoSuch, Conflict (over, or the day is not free for it), Locked.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_session(tx, by, session_id, Level.PLAN)
            if row["local_date"] == to:
                return planning.session_view(row)
            athlete = athletes.get(tx, row["athlete_id"])
            if athlete is None or not _is_open(row, row["athlete_id"]):
                raise Conflict(_("This session was answered or cancelled already, so it stays where it was."))
            if athlete["lock"] == Lock.ALL:
                raise Locked(_("The program is paused, so nothing is moved: the safety questions come first."))
            choice = next((each for each in _days(tx, self._ground, athlete, row, now) if each.day == to), None)
            if choice is None:
                raise Conflict(
                    _("A session stays in its week, so %(day)s cannot have it: choose a day of the same week.", day=to)
                )
            if choice.due_at is None or choice.against is not None:
                why = _(AGAINST_WORDS[choice.against or Against.CLOCK])
                raise Conflict(_("The session stays where it is. %(day)s: %(why)s.", day=to, why=why))
            self._write_all(tx, athlete, row, choice, by, now)
            return planning.session_view(require_session(tx, by, session_id))

    def _write_all(self, tx: Tx, athlete: Row, row: Row, choice: DayChoice, by: Identity, now: datetime) -> None:
        availability = availability_of(tx, athlete)
        by_day = {each["local_date"]: each for each in sessions.planned(tx, athlete["id"])}
        moves = [(by_day[from_day], to, at) for from_day, to, at in choice.along]
        # The last one first: a day has one session at a time.
        for each, to, at in sorted([(row, choice.day, choice.due_at), *moves], key=lambda move: move[1], reverse=True):
            _write(tx, each, to, at, zone_on(availability, to), now)
            events.record(tx, now, by.user_id, "moved", "session", each["id"], athlete["id"], f"to {to}")


def _is_open(row: Row, athlete_id: str) -> bool:
    return row["state"] in _OPEN and row["athlete_id"] == athlete_id


def _write(tx: Tx, row: Row, day: date, due_at: datetime | None, time_zone: str, now: datetime) -> None:
    if due_at is None:
        raise Conflict(_("On %(day)s no time is left for the session.", day=day))
    changes = {
        "slot": day.isoformat(),
        "local_date": day,
        "local_time": due_at.astimezone(ZoneInfo(time_zone)).time(),
        "time_zone": time_zone,
        "due_at": due_at,
        # Released for the day that it had; the clock releases it anew on the day that it has now.
        "state": SessionState.PLANNED.value,
        "released_at": None,
        "updated_at": now,
    }
    if not sessions.move(tx, row["id"], _OPEN, **changes):
        raise Conflict(_("This session was answered or cancelled already, so it stays where it was."))


def _days(tx: Tx, ground: Ground, athlete: Row, row: Row, now: datetime) -> tuple[DayChoice, ...]:
    plan = plans.get(tx, row["plan_id"])
    if plan is None or plan["starts_on"] is None:
        raise NoSuch(_("The program of this session is gone."))
    program = prescription_from_plain(plan["prescription"])
    moments = sessions.taken_moments(tx, athlete["id"])
    held = {date.fromisoformat(slot): moment for slot, moment in moments.items() if slot != row["slot"]}
    planned = sessions.planned(tx, athlete["id"])
    changes = program_changes.with_days(tx, athlete["id"], planning.local_day(athlete, now))
    free = [each["last_on"] + timedelta(days=1) for each in changes if each["kind"] == ChangeKind.BACK]
    rested = rest_until(tx, ground, athlete, program, now)
    week = Week(
        prescription=program,
        availability=availability_of(tx, athlete),
        starts_on=plan["starts_on"],
        held=held,
        movable=[each["local_date"] for each in planned if each["due_at"] > now and each["id"] != row["id"]],
        not_before=max([*free, *([rested] if rested is not None else [])], default=None),
        lighter=[(each["first_on"], each["last_on"]) for each in changes if each["kind"] == ChangeKind.DELOAD],
    )
    return days_for(row["local_date"], week, now)
