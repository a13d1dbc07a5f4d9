"""Invitations by a one-time code. Making or entering one is the consent to what it says."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service.accounts import add_person
from coach.service.athletes import insert_athlete
from coach.service.availability import EVERY_DAY
from coach.service.consents import give, require_agreeing, require_own, under_age
from coach.service.ground import Ground
from coach.service.permission import coaches
from coach.service.secrets import hash_token
from coach.service.types import Identity, Level, Purpose, Role
from coach.store import athletes, events, guardians, invitations, people
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from programs.types import Availability

# Crockford's base 32: no sign that is taken for another when it is read aloud. Source: crockford.com/base32.html
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")
# Two groups of five: 50 bits, which at ten tries a minute nobody guesses within the days that a code lives.
_GROUPS, _GROUP = 2, 5
# Own bound: more codes than a coach hands out in a week.
_OPEN_MAX = 50
_UNKNOWN = "This code is not known, was used, or has ended: ask for a new one."


class InvitationKind(StrEnum):
    """What a code is for."""

    COACH = "coach"  # an owner lets somebody become a coach here
    ATHLETE = "athlete"  # a coach asks an athlete, new here or not
    OFFER = "offer"  # an athlete, or the guardian, lets a coach see
    GUARDIAN = "guardian"  # a minor names who stands in for them


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation. by: who made it. athlete_name: whom an offer or a guardian's code is about."""

    invitation_id: str
    kind: InvitationKind
    by: str
    athlete_id: str | None
    athlete_name: str | None
    level: Level | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewAthlete:
    """Who joins. guardian: name of who stands in, and is the one who agrees; needed under the age of consent."""

    name: str
    time_zone: str
    born_on: date
    guardian: str = ""
    sport: str = ""


class Invitations:
    """Make codes, look at what one says, use it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def make(
        self, by: Identity, kind: InvitationKind, level: Level | None = None, athlete_id: str | None = None
    ) -> str:
        """Return a fresh code, which is shown once.

        level: asked for or offered, of kinds ATHLETE and OFFER. athlete_id: of kinds OFFER and GUARDIAN.
        Raises NoSuch, NotAllowed (not theirs to invite), InvalidInput, Conflict (too many).
        """
        code, now, invitation_id = fresh_code(), self._ground.now(), fresh_id()
        shares = kind in {InvitationKind.ATHLETE, InvitationKind.OFFER}
        if shares is (level is None):
            raise InvalidInput("Say which level is shared, for what shares something and for nothing else.")
        with self._ground.store.begin() as tx:
            self._check_maker(tx, by, kind, athlete_id)
            if len(invitations.open_of(tx, by.user_id, now)) >= _OPEN_MAX:
                raise Conflict(f"{_OPEN_MAX} codes of yours wait already: take one back first.")
            values = {
                "id": invitation_id,
                "kind": kind.value,
                "code_hash": hash_token(_plain(code)),
                "made_by": by.user_id,
                "athlete_id": athlete_id,
                "level": level.value if level is not None else None,
                "created_at": now,
                "expires_at": now + timedelta(days=self._ground.config.trust.invitation_days),
            }
            invitations.add(tx, values)
            if kind is InvitationKind.OFFER and athlete_id is not None:
                give(tx, athlete_id, (Purpose.SHARING,), by, now)
            events.record(tx, now, by.user_id, f"made a code: {kind.value}", "invitation", invitation_id, athlete_id)
        return code

    def mine(self, by: Identity) -> tuple[InvitationView, ...]:
        """Return one's own codes that nobody has used yet, newest first."""
        with self._ground.store.read() as tx:
            return tuple(_view(tx, row) for row in invitations.open_of(tx, by.user_id, self._ground.now()))

    def end(self, by: Identity, invitation_id: str) -> None:
        """Take one's own code back. Raises NoSuch: there is none, or it was used."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not invitations.end(tx, invitation_id, by.user_id, now):
                raise NoSuch("There is no such code of yours any more: it was used, or has ended.")
            events.record(tx, now, by.user_id, "took a code back", "invitation", invitation_id)

    def look(self, code: str) -> InvitationView:
        """Return what a code says; it stays unused. Raises NoSuch, the same for every code that does not work."""
        with self._ground.store.read() as tx:
            return _view(tx, self._found(tx, code))

    def agree(self, by: Identity, code: str, athlete_id: str, level: Level) -> None:
        """Let the coach who made a code see an athlete who is here already, at that level or a lower one.

        Raises NoSuch (the code, the athlete), NotAllowed (not theirs to share), InvalidInput (more than was asked).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = self._use(tx, code, InvitationKind.ATHLETE, by.user_id, now)
            require_agreeing(tx, self._ground, by, athlete_id)
            self._share(tx, row, by, athlete_id, level, now)

    def accept(self, by: Identity, code: str) -> str:
        """Use an offer as the coach it is for, or a guardian's code; return whose it is.

        Raises NoSuch, NotAllowed (for another role).
        """
        now = self._ground.now()
        wanted = InvitationKind.OFFER if coaches(by) else InvitationKind.GUARDIAN
        if not coaches(by) and by.role is not Role.GUARDIAN:
            raise NotAllowed("This code is for somebody else: an athlete or an owner has no use for it.")
        with self._ground.store.begin() as tx:
            row = self._use(tx, code, wanted, by.user_id, now)
            if wanted is InvitationKind.GUARDIAN:
                self._stand_in(tx, row["athlete_id"], by.user_id, now)
            else:
                athletes.link_coach(tx, by.user_id, row["athlete_id"], row["level"], now)
                events.record(tx, now, by.user_id, "linked", "coach", by.user_id, row["athlete_id"], row["level"])
        return str(row["athlete_id"])

    def join_as_athlete(
        self, code: str, who: NewAthlete, level: Level, purposes: Collection[Purpose]
    ) -> tuple[str, str | None]:
        """Make an athlete who agrees to be seen by the coach who made a code; return who agreed, and a child's user.

        Under the age of consent that is the guardian, and the child has a user of their own besides. purposes: what
        else is agreed to. Raises NoSuch (the code), InvalidInput (a name, the time zone, the level, no guardian).
        """
        now = self._ground.now()
        availability = Availability(who.time_zone, tuple(EVERY_DAY), time(18, 30), time(7, 0))
        with self._ground.store.begin() as tx:
            athlete_id = insert_athlete(tx, self._ground, who.name, availability, who.sport, born_on=who.born_on)
            user_id = add_person(tx, who.name, Role.ATHLETE, now, athlete_id)
            child_id = None
            agreeing = Identity(user_id, Role.ATHLETE, who.name, athlete_id)
            if under_age(who.born_on, now.date(), self._ground.config.trust.consent_age_years):
                child_id, user_id = user_id, self._guardian(tx, who.guardian, athlete_id, now)
                agreeing = Identity(user_id, Role.GUARDIAN, who.guardian, None)
            row = self._use(tx, code, InvitationKind.ATHLETE, user_id, now)
            give(tx, athlete_id, set(purposes) - {Purpose.SHARING}, agreeing, now)
            self._share(tx, row, agreeing, athlete_id, level, now)
        return user_id, child_id

    def join(self, code: str, name: str) -> str:
        """Make a coach whom an owner invited, or a guardian whom a minor named; return the user's id.

        Raises NoSuch (the code), InvalidInput (the name).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            kind = InvitationKind(self._found(tx, code)["kind"])
            if kind is InvitationKind.COACH:
                user_id = add_person(tx, name, Role.COACH, now)
                self._use(tx, code, kind, user_id, now)
            elif kind is InvitationKind.GUARDIAN:
                user_id = add_person(tx, name, Role.GUARDIAN, now)
                self._stand_in(tx, self._use(tx, code, kind, user_id, now)["athlete_id"], user_id, now)
            else:
                raise NoSuch(_UNKNOWN)
        return user_id

    def _check_maker(self, tx: Tx, by: Identity, kind: InvitationKind, athlete_id: str | None) -> None:
        about = kind in {InvitationKind.OFFER, InvitationKind.GUARDIAN}
        if about is (athlete_id is None):
            raise InvalidInput("Say which athlete the code is about, for what is about one and for nothing else.")
        if kind is InvitationKind.COACH and by.role is not Role.OWNER:
            raise NotAllowed("Coaches are invited by the owner of this Backstop.")
        if kind is InvitationKind.ATHLETE and not coaches(by):
            raise NotAllowed("A coach asks athletes; an athlete makes a code for a coach instead.")
        if kind is InvitationKind.OFFER and athlete_id is not None:
            require_agreeing(tx, self._ground, by, athlete_id)
        if kind is InvitationKind.GUARDIAN and athlete_id is not None:
            require_own(tx, by, athlete_id)
            if by.role is Role.GUARDIAN:
                require_agreeing(tx, self._ground, by, athlete_id)

    def _found(self, tx: Tx, code: str) -> Row:
        found = invitations.by_hash(tx, hash_token(_plain(code)), self._ground.now())
        if found is None:
            raise NoSuch(_UNKNOWN)
        return found

    def _use(self, tx: Tx, code: str, kind: InvitationKind, by: str, now: datetime) -> Row:
        """Use a code up; of two who try, one does. Raises NoSuch."""
        row = self._found(tx, code)
        if row["kind"] != kind.value or not invitations.use(tx, row["id"], by, now):
            raise NoSuch(_UNKNOWN)
        events.record(tx, now, by, "used a code", "invitation", row["id"], row["athlete_id"], kind.value)
        return row

    def _share(self, tx: Tx, row: Row, by: Identity, athlete_id: str, level: Level, now: datetime) -> None:
        if not Level(row["level"]).covers(level):
            raise InvalidInput(f"The coach asks for “{row['level']}”: agree to that or to less.")
        give(tx, athlete_id, (Purpose.SHARING,), by, now)
        athletes.link_coach(tx, row["made_by"], athlete_id, level.value, now)
        events.record(tx, now, by.user_id, "linked", "coach", row["made_by"], athlete_id, level.value)

    def _guardian(self, tx: Tx, name: str, athlete_id: str, now: datetime) -> str:
        years = self._ground.config.trust.consent_age_years
        if not name.strip():
            raise InvalidInput(f"Under {years} years a guardian agrees: let yours fill this in, and write their name.")
        user_id = add_person(tx, name, Role.GUARDIAN, now)
        self._stand_in(tx, athlete_id, user_id, now)
        return user_id

    def _stand_in(self, tx: Tx, athlete_id: str, guardian_id: str, now: datetime) -> None:
        guardians.link(tx, guardian_id, athlete_id, now)
        events.record(tx, now, guardian_id, "stands in", "guardian", guardian_id, athlete_id)


def fresh_code() -> str:
    """Return a code that is easily read aloud, such as 7KQ2M-9XW4T."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _plain(code: str) -> str:
    """Return a code as it is compared: however it was typed."""
    typed = "".join(sign for sign in code[:50].upper() if sign.isascii() and sign.isalnum())
    return typed.translate(_READ_AS)


def _view(tx: Tx, row: Row) -> InvitationView:
    maker = people.user(tx, row["made_by"])
    athlete = athletes.get(tx, row["athlete_id"]) if row["athlete_id"] else None
    return InvitationView(
        row["id"],
        InvitationKind(row["kind"]),
        maker["name"] if maker is not None else "",
        row["athlete_id"],
        athlete["name"] if athlete is not None else None,
        Level(row["level"]) if row["level"] else None,
        row["expires_at"],
    )
