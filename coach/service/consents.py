"""What an athlete has agreed to. Asked anew with every request: a withdrawal holds for the next one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from coach.errors import Conflict, NotAllowed
from coach.service.consent_texts import ConsentText, texts
from coach.service.day_entries import age_years
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.local_days import day_of
from coach.service.permission import require_athlete, speaks_for
from coach.service.types import Identity, Purpose, Role
from coach.store import consents, events, invitations, people, wearables
from coach.store.engine import Tx
from coach.store.rows import Row


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One purpose. version: what was agreed to and stands, None for nothing; 0: before consent was asked.

    asks: the text is a newer one than what was agreed to, or that was never asked.
    """

    text: ConsentText
    version: int | None
    given_at: datetime | None
    given_by: str | None

    @property
    def stands(self) -> bool:
        return self.version is not None

    @property
    def asks(self) -> bool:
        return self.version is not None and self.version < self.text.version


@dataclass(frozen=True, slots=True)
class ConsentPast:
    """One line of the history."""

    purpose: Purpose
    version: int
    given_at: datetime
    given_by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentsView:
    """may_agree: whether whoever looks may give consent: a minor may not, their guardian may."""

    now: tuple[ConsentView, ...]
    past: tuple[ConsentPast, ...]
    may_agree: bool


class Consents:
    """Show, agree, withdraw."""

    def __init__(self, ground: Ground, links: LinkBoard) -> None:
        self._ground, self._links = ground, links

    def of_athlete(self, by: Identity, athlete_id: str) -> ConsentsView:
        """Return what stands and what was. Raises NoSuch, NotAllowed (a coach)."""
        with self._ground.store.read() as tx:
            athlete = require_own(tx, by, athlete_id)
            rows = consents.of_athlete(tx, athlete_id)
            names = {row["given_by"]: (people.user(tx, row["given_by"]) or {}).get("name") for row in rows}
            may = may_agree(tx, self._ground, by, athlete)
        past = tuple(
            ConsentPast(
                Purpose(row["purpose"]), row["version"], row["given_at"], names[row["given_by"]], row["withdrawn_at"]
            )
            for row in rows
        )
        return ConsentsView(tuple(_standing(text, past) for text in texts().values()), past, may)

    def agree(self, by: Identity, athlete_id: str, purpose: Purpose, version: int | None = None) -> None:
        """Agree to the newest text of a purpose. version: of the text that was shown, by default the newest.

        Raises NoSuch, NotAllowed (a coach, or a minor: their guardian does), Conflict (the text is a newer one by now).
        """
        newest, now = texts()[purpose].version, self._ground.now()
        if version not in (None, newest):
            raise Conflict("This text has changed meanwhile: read it anew.")
        with self._ground.store.begin() as tx:
            require_agreeing(tx, self._ground, by, athlete_id)
            give(tx, athlete_id, (purpose,), by, now)
        self._sensing_changed(athlete_id, purpose)

    def withdraw(self, by: Identity, athlete_id: str, purpose: Purpose) -> None:
        """End a consent; it holds for the next request. Raises NoSuch, NotAllowed (a coach)."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            if purpose is Purpose.SHARING:
                invitations.end_offers(tx, athlete_id, now)
            if consents.withdraw(tx, athlete_id, purpose.value, by.user_id, now):
                events.record(tx, now, by.user_id, "withdrew consent", "consent", purpose.value, athlete_id)
        self._sensing_changed(athlete_id, purpose)

    def in_research(self) -> tuple[str, ...]:
        """Return the athletes whose recordings may be counted in now; whatever puts some together asks here."""
        with self._ground.store.read() as tx:
            return tuple(consents.athletes_with(tx, Purpose.RESEARCH.value))

    def _sensing_changed(self, athlete_id: str, purpose: Purpose) -> None:
        if purpose is not Purpose.SENSING:
            return
        with self._ground.store.read() as tx:
            worn = [row["id"] for row in wearables.of_athlete(tx, athlete_id)]
        for wearable_id in worn:
            self._links.changed(wearable_id)


def require_own(tx: Tx, by: Identity, athlete_id: str) -> Row:
    """Return an athlete whose own matters `by` settles. Raises NoSuch, NotAllowed (a coach)."""
    athlete = require_athlete(tx, by, athlete_id)
    if not speaks_for(tx, by, athlete_id):
        raise NotAllowed("Only the athlete decides what is shared, or their guardian.")
    return athlete


def may_agree(tx: Tx, ground: Ground, by: Identity, athlete: Row) -> bool:
    """Tell whether `by`, whose own matter it is, may agree to something: a minor may not, the guardian may.

    From the birthday on the athlete may, alone. A guardian goes on for who never said when they were born, and for who
    has no sign-in.
    """
    minor = is_minor(ground, athlete)
    if by.role is not Role.GUARDIAN:
        return not minor
    return minor or athlete["born_on"] is None or people.user_of_athlete(tx, athlete["id"]) is None


def is_minor(ground: Ground, athlete: Row) -> bool:
    """Tell whether an athlete is too young to agree by themselves, as far as they have said when they were born."""
    today = day_of(athlete, ground.now().timestamp())
    return under_age(athlete["born_on"], today, ground.config.trust.consent_age_years)


def require_agreeing(tx: Tx, ground: Ground, by: Identity, athlete_id: str) -> Row:
    """Return an athlete for whom `by` may agree to something.

    Raises NoSuch, NotAllowed (a coach, a minor, or the guardian of who is one no more).
    """
    athlete = require_own(tx, by, athlete_id)
    if not may_agree(tx, ground, by, athlete):
        years = ground.config.trust.consent_age_years
        if by.role is Role.GUARDIAN:
            raise NotAllowed(f"From {years} years on the athlete settles this alone.")
        raise NotAllowed(f"Under {years} years a guardian agrees: make a code for yours on the page “Who sees what”.")
    return athlete


def give(tx: Tx, athlete_id: str, purposes: Collection[Purpose], by: Identity, now: datetime) -> None:
    """Store that the newest texts were agreed to, in a transaction that goes on."""
    for purpose in purposes:
        version = texts()[purpose].version
        if consents.give(tx, athlete_id, purpose.value, version, by.user_id, now):
            events.record(tx, now, by.user_id, f"agreed to version {version}", "consent", purpose.value, athlete_id)


def carry_over(tx: Tx, athlete_id: str, purpose: Purpose, now: datetime) -> None:
    """Note what the owner of the machine set up without asking: version 0, which the pages ask to confirm."""
    if consents.standing(tx, athlete_id, purpose.value) is None:
        consents.give(tx, athlete_id, purpose.value, 0, None, now)


def under_age(born_on: date | None, today: date, limit_years: int) -> bool:
    """Tell whether somebody is younger than that on a day; not for who never said when they were born."""
    years = age_years(born_on, today)
    return years is not None and years < limit_years


def _standing(text: ConsentText, past: tuple[ConsentPast, ...]) -> ConsentView:
    stands = [each for each in past if each.purpose is text.purpose and each.withdrawn_at is None]
    newest = max(stands, key=lambda each: each.version, default=None)
    if newest is None:
        return ConsentView(text, None, None, None)
    return ConsentView(text, newest.version, newest.given_at, newest.given_by)
