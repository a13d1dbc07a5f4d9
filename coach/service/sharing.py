"""Who sees an athlete and at which level; the athlete changes it, and it holds for the next request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.service.consents import is_minor, may_agree, require_agreeing, require_own
from coach.service.ground import Ground
from coach.service.permission import coaches
from coach.service.types import Identity, Level, Role
from coach.store import athletes, events, groups, guardians, invitations, people
from coach.store.rows import Row


@dataclass(frozen=True, slots=True)
class CoachView:
    """A coach whom an athlete shares with, while sharing stands."""

    user_id: str
    name: str
    level: Level
    since: datetime


@dataclass(frozen=True, slots=True)
class GuardianView:
    """Somebody who stands in for an athlete."""

    user_id: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SharingView:
    """minor: too young to agree alone. may_agree: whether whoever looks may share more; less anybody may."""

    coaches: tuple[CoachView, ...]
    guardians: tuple[GuardianView, ...]
    minor: bool
    may_agree: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody who can sign in, as the owner sees them: nothing of what they do."""

    user_id: str
    name: str
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True)
class ChildView:
    """An athlete whom a guardian stands in for."""

    athlete_id: str
    name: str


class Sharing:
    """Show and change who sees whom."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_athlete(self, by: Identity, athlete_id: str) -> SharingView:
        """Return who sees an athlete. Raises NoSuch, NotAllowed (a coach)."""
        with self._ground.store.read() as tx:
            athlete = require_own(tx, by, athlete_id)
            may = may_agree(tx, self._ground, by, athlete)
            seen_by = tuple(map(_coach_view, athletes.coaches(tx, athlete_id)))
            standing_in = tuple(
                GuardianView(row["id"], row["name"], row["created_at"]) for row in guardians.of_athlete(tx, athlete_id)
            )
        return SharingView(seen_by, standing_in, is_minor(self._ground, athlete), may)

    def set_level(self, by: Identity, athlete_id: str, coach_id: str, level: Level) -> None:
        """Change how much a coach sees. Raises NoSuch, NotAllowed (a coach; or a minor who shares more)."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            before = next((row for row in athletes.coaches(tx, athlete_id) if row["id"] == coach_id), None)
            if before is None:
                raise NoSuch("That coach is not on your list any more.")
            if not Level(before["level"]).covers(level):
                require_agreeing(tx, self._ground, by, athlete_id)
            athletes.set_level(tx, coach_id, athlete_id, level.value)
            why = f"{before['level']} to {level.value}"
            events.record(tx, now, by.user_id, "changed a level", "coach", coach_id, athlete_id, why)

    def end(self, by: Identity, athlete_id: str, coach_id: str) -> None:
        """End what a coach sees: the athlete does, a guardian, or the coach. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not (coaches(by) and by.user_id == coach_id):
                require_own(tx, by, athlete_id)
            if not athletes.unlink_coach(tx, coach_id, athlete_id):
                raise NoSuch("That coach is not on the list any more.")
            groups.leave_all(tx, coach_id, athlete_id)
            events.record(tx, now, by.user_id, "ended sharing", "coach", coach_id, athlete_id)

    def end_guardian(self, by: Identity, athlete_id: str, guardian_id: str) -> None:
        """End that a guardian stands in: the guardian does, or the athlete who is of age. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = require_own(tx, by, athlete_id)
            if by.user_id != guardian_id and (by.role is not Role.ATHLETE or is_minor(self._ground, athlete)):
                raise NotAllowed("A guardian ends this, or the athlete once they are of age.")
            if not guardians.unlink(tx, guardian_id, athlete_id):
                raise NoSuch("That guardian is not on the list any more.")
            # Else one of them would let the guardian in again, by another name.
            invitations.end_of_maker(tx, guardian_id, athlete_id, now)
            events.record(tx, now, by.user_id, "ended standing in", "guardian", guardian_id, athlete_id)

    def appoint(self, guardian_id: str, athlete_id: str) -> None:
        """Let a guardian stand in for an athlete, as the owner of the machine. Raises NoSuch, InvalidInput."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            found = people.user(tx, guardian_id)
            if found is None or found["role"] != Role.GUARDIAN.value:
                raise InvalidInput(f"There is no guardian {guardian_id}: name a user of role guardian.")
            if athletes.get(tx, athlete_id) is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            guardians.link(tx, guardian_id, athlete_id, now)
            events.record(tx, now, "service", "stands in", "guardian", guardian_id, athlete_id)

    def children(self, by: Identity) -> tuple[ChildView, ...]:
        """Return whom a guardian stands in for; nobody for anybody else."""
        with self._ground.store.read() as tx:
            return tuple(ChildView(row["id"], row["name"]) for row in guardians.children(tx, by.user_id))

    def seen(self, by: Identity) -> tuple[tuple[ChildView, Level], ...]:
        """Return whom a coach sees, and how much. Raises NotAllowed for who is no coach."""
        if not coaches(by):
            raise NotAllowed("Only a coach has a list of athletes.")
        with self._ground.store.read() as tx:
            rows = athletes.seen_by(tx, by.user_id)
        return tuple((ChildView(row["id"], row["name"]), Level(row["level"])) for row in rows)

    def everybody(self, by: Identity) -> tuple[PersonView, ...]:
        """Return all who can sign in, by name. Raises NotAllowed for who is no owner."""
        if by.role is not Role.OWNER:
            raise NotAllowed("Only the owner of this Backstop sees the list of people.")
        with self._ground.store.read() as tx:
            return tuple(
                PersonView(row["id"], row["name"], Role(row["role"]), row["created_at"]) for row in people.users(tx)
            )


def _coach_view(row: Row) -> CoachView:
    return CoachView(row["id"], row["name"], Level(row["level"]), row["created_at"])
