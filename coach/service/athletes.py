"""Athletes and who coaches them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from coach.analysis.types import AnalysisParams
from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.service.accounts import checked_name
from coach.service.athlete_views import athlete_view
from coach.service.availability import EVERY_DAY, availability_of, checked, columns_of
from coach.service.consents import carry_over, is_minor
from coach.service.due import mark_judged
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.permission import require_athlete
from coach.service.profiles import analysis_params
from coach.service.roster import RosterRow, roster_of
from coach.service.secrets import fresh_token
from coach.service.types import AthleteView, Identity, Level, Purpose, Role
from coach.service.weeks import WeekChange, change_week
from coach.store import athletes, events, guardians, people
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from programs.types import Availability, Lock

# Nobody is older; a wrong century is. Own bound, 120 years.
_AGE_MAX_DAYS = 120 * 366


class Athletes:
    """Create athletes, list a coach's, answer whether one may be seen. `get` is the door: a page calls it first."""

    def __init__(self, ground: Ground, links: LinkBoard) -> None:
        self._ground = ground
        self._links = links

    def create(
        self,
        name: str,
        time_zone: str,
        coach_id: str | None = None,
        *,
        sport: str = "",
        profile_id: str | None = None,
        born_on: date | None = None,
        weekdays: Sequence[int] = EVERY_DAY,
        preferred: time = time(18, 30),
        wake: time = time(7, 0),
        simulated: bool = False,
    ) -> str:
        """Create an athlete, linked to a coach if one is named, and return the id.

        profile_id: what is looked for, by default what fits the sport. Raises InvalidInput: empty name, unknown time
        zone, no or wrong weekdays, unknown profile, impossible date of birth.
        """
        availability = Availability(time_zone, tuple(weekdays), preferred, wake)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete_id = insert_athlete(
                tx, self._ground, name, availability, sport, profile_id=profile_id, born_on=born_on, simulated=simulated
            )
            if coach_id is not None:
                self._link(tx, coach_id, athlete_id)
            carry_over(tx, athlete_id, Purpose.SENSING, now)
        return athlete_id

    def get(self, by: Identity, athlete_id: str) -> AthleteView:
        """Return an athlete that `by` may see: a coach the linked ones, an athlete only the own. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return athlete_view(require_athlete(tx, by, athlete_id))

    def roster(self, coach: Identity) -> list[RosterRow]:
        """Return the coach's athletes, who needs the coach first on top. Raises NotAllowed for who is no coach."""
        with self._ground.store.read() as tx:
            return roster_of(tx, self._ground, self._links, coach)

    def link_coach(self, coach_id: str, athlete_id: str) -> None:
        """Let a coach see and do all of an athlete, as the owner of the machine. Raises NoSuch, InvalidInput."""
        with self._ground.store.begin() as tx:
            if athletes.get(tx, athlete_id) is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            self._link(tx, coach_id, athlete_id)

    def _link(self, tx: Tx, coach_id: str, athlete_id: str) -> None:
        found = people.user(tx, coach_id)
        if found is None or found["role"] != Role.COACH.value:
            raise InvalidInput(f"There is no coach {coach_id}: name a user of role coach.")
        now = self._ground.now()
        athletes.link_coach(tx, coach_id, athlete_id, Level.FULL.value, now)
        carry_over(tx, athlete_id, Purpose.SHARING, now)
        events.record(tx, now, "service", "linked", "coach", coach_id, athlete_id)

    def set_profile(self, by: Identity, athlete_id: str, profile_id: str) -> None:
        """Choose what is looked for. Days that were judged are judged anew by it, from what was analysed then.

        Raises NoSuch, InvalidInput for an unknown profile.
        """
        profile = self._ground.profiles.get(profile_id)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if require_athlete(tx, by, athlete_id, Level.PLAN)["profile"] == profile.id:
                return
            athletes.change(tx, athlete_id, profile=profile.id)
            events.record(tx, now, by.user_id, "changed profile", "athlete", athlete_id, athlete_id, profile.id)
            mark_judged(tx, athlete_id, now)

    def set_born_on(self, by: Identity, athlete_id: str, born_on: date | None) -> None:
        """Keep the date of birth, or forget it. Raises NoSuch, NotAllowed, InvalidInput for an impossible date."""
        now = self._ground.now()
        checked = None if born_on is None else _born(born_on, now)
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id, Level.PLAN)
            if athlete["born_on"] == checked:
                return
            self._check_age_moves(tx, by, athlete, checked)
            athletes.change(tx, athlete_id, born_on=checked)
            events.record(tx, now, by.user_id, "changed date of birth", "athlete", athlete_id, athlete_id)
            mark_judged(tx, athlete_id, now)

    def _check_age_moves(self, tx: Tx, by: Identity, athlete: Row, born_on: date | None) -> None:
        """Raise NotAllowed where another date would change who agrees, and it is not theirs to say so.

        A minor's is the guardian's to change; that somebody grown up is a minor, or of no age, is theirs alone to say.
        """
        years, minor = self._ground.config.trust.consent_age_years, is_minor(self._ground, athlete)
        if minor and by.role is not Role.GUARDIAN and guardians.has_guardian(tx, athlete["id"]):
            raise NotAllowed(f"Under {years} years the guardian changes the date of birth.")
        grown_up = athlete["born_on"] is not None and not minor
        stays = born_on is not None and not is_minor(self._ground, {**athlete, "born_on": born_on})
        signs_in = people.user_of_athlete(tx, athlete["id"]) is not None
        if grown_up and not stays and signs_in and by.athlete_id != athlete["id"]:
            raise NotAllowed(f"Only the athlete says that they are under {years}, or takes the date of birth back.")

    def analysis_params(self, athlete_id: str) -> AnalysisParams:
        """Return what an athlete's samples are analysed with: the configuration and their profile. Raises NoSuch."""
        with self._ground.store.read() as tx:
            found = athletes.get(tx, athlete_id)
        if found is None:
            raise NoSuch(f"There is no athlete {athlete_id}.")
        return analysis_params(self._ground.config, self._ground.profiles.of_athlete(found))

    def availability(self, athlete_id: str) -> Availability:
        """Return when the athlete can train. Raises NoSuch."""
        with self._ground.store.read() as tx:
            found = athletes.get(tx, athlete_id)
            if found is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            return availability_of(tx, found)

    def set_availability(self, by: Identity, athlete_id: str, availability: Availability) -> WeekChange:
        """Change when, and in which time zone, the athlete can train. Quiet hours are set with the reminders.

        Sessions that are placed keep their local date and time, in the new zone: nobody trains at three in the morning
        because of a flight. One whose moment is past there, or skipped by the clock, is cancelled. With other days,
        times or journeys the sessions of the running program are placed anew, and the fewest are moved.
        Raises NoSuch, InvalidInput (also when the program finds no room; it says why).
        """
        with self._ground.store.begin() as tx:
            return change_week(tx, self._ground, by, athlete_id, availability)

    def look_at_availability(self, by: Identity, athlete_id: str, availability: Availability) -> WeekChange:
        """Return what `set_availability` would do; nothing is stored. Raises NoSuch, InvalidInput."""
        with self._ground.store.begin() as tx, tx.begin_nested() as looked:
            change = change_week(tx, self._ground, by, athlete_id, availability)
            looked.rollback()
        return change


def insert_athlete(
    tx: Tx,
    ground: Ground,
    name: str,
    availability: Availability,
    sport: str = "",
    *,
    profile_id: str | None = None,
    born_on: date | None = None,
    simulated: bool = False,
) -> str:
    """Insert an athlete in a transaction that goes on, with no consent to anything; return the id.

    Raises InvalidInput: see Athletes.create.
    """
    now, athlete_id, profiles = ground.now(), fresh_id(), ground.profiles
    values = {
        "id": athlete_id,
        "name": checked_name(name),
        "sport": sport.strip()[:100],
        "profile": profiles.for_sport(sport) if profile_id is None else profiles.get(profile_id).id,
        "born_on": None if born_on is None else _born(born_on, now),
        "simulated": simulated,
        "lock": Lock.NONE.value,
        "replan_wanted": False,
        "calendar_token": fresh_token(),
        "created_at": now,
    }
    athletes.add(tx, values | columns_of(checked(availability)))
    events.record(tx, now, "service", "created", "athlete", athlete_id, athlete_id)
    return athlete_id


def _born(born_on: date, now: datetime) -> date:
    if not 0 <= (now.date() - born_on).days <= _AGE_MAX_DAYS:
        raise InvalidInput(f"{born_on} cannot be a date of birth: give it as year, month and day.")
    return born_on
