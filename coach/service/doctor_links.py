"""A link by which a doctor reads one report, without a sign-in. It ends by itself, or when it is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from coach.errors import Conflict, InvalidInput, NoSuch
from coach.service.consents import require_agreeing, require_own
from coach.service.ground import Ground
from coach.service.ledger import Reader, ReaderKind
from coach.service.report_views import Report
from coach.service.reports import report_of
from coach.service.secrets import fresh_token, hash_token
from coach.service.types import Identity
from coach.store import athletes, doctor_links, events
from coach.store.rows import Row, fresh_id

# Own bounds: more doctors than one back sees in two weeks; a name that fits a line.
_AT_ONCE, _LABEL_MAX = 10, 60


@dataclass(frozen=True, slots=True)
class DoctorLinkView:
    """A link as the athlete sees it. label: for whom it is."""

    link_id: str
    label: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link shows, and who reads by it."""

    report: Report
    reader: Reader
    expires_at: datetime


class DoctorLinks:
    """Make, list, end, open. The secret is shown once and kept only as a hash."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def make(self, by: Identity, athlete_id: str, label: str) -> str:
        """Return the secret of `/doctor/<secret>`. label: for whom, such as the doctor's name.

        Raises NoSuch, NotAllowed (a coach, or a minor), InvalidInput (label), Conflict (too many).
        """
        label = " ".join(label.split())
        if not 1 <= len(label) <= _LABEL_MAX:
            raise InvalidInput(f"Say in 1 to {_LABEL_MAX} characters for whom the link is.")
        link_id, secret, now = fresh_id(), fresh_token(), self._ground.now()
        days = self._ground.config.trust.doctor_link_days
        with self._ground.store.begin() as tx:
            require_agreeing(tx, self._ground, by, athlete_id)
            if len(doctor_links.working(tx, athlete_id, now)) >= _AT_ONCE:
                raise Conflict(f"{_AT_ONCE} links work already: end one first.")
            values = {
                "id": link_id,
                "athlete_id": athlete_id,
                "token_hash": hash_token(secret),
                "label": label,
                "made_by": by.user_id,
                "created_at": now,
                "expires_at": now + timedelta(days=days),
            }
            doctor_links.add(tx, values)
            events.record(tx, now, by.user_id, "made a link for a doctor", "doctor_link", link_id, athlete_id)
        return secret

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[DoctorLinkView, ...]:
        """Return the links that work. Raises NoSuch, NotAllowed (a coach)."""
        with self._ground.store.read() as tx:
            require_own(tx, by, athlete_id)
            return tuple(map(_view, doctor_links.working(tx, athlete_id, self._ground.now())))

    def end(self, by: Identity, link_id: str) -> str:
        """End a link at once; return whose it was. Raises NoSuch, NotAllowed (a coach)."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            found = doctor_links.get(tx, link_id)
            if found is None:
                raise NoSuch(f"There is no link {link_id} on your list.")
            require_own(tx, by, found["athlete_id"])
            doctor_links.end(tx, link_id, now)
            events.record(tx, now, by.user_id, "ended a link for a doctor", "doctor_link", link_id, found["athlete_id"])
        return str(found["athlete_id"])

    def open(self, secret: str) -> Opened:
        """Return the report of this moment for whoever has the link. Raises NoSuch: unknown, ended or over."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            found = doctor_links.by_hash(tx, hash_token(secret), now)
            athlete = athletes.get(tx, found["athlete_id"]) if found is not None else None
            if found is None or athlete is None:
                raise NoSuch("This link is not known here, or has ended: ask whoever gave it to you for a new one.")
            report = report_of(tx, athlete, now)
        return Opened(report, Reader(ReaderKind.DOCTOR, found["id"], found["label"]), found["expires_at"])


def _view(row: Row) -> DoctorLinkView:
    return DoctorLinkView(row["id"], row["label"], row["created_at"], row["expires_at"])
