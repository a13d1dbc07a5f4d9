"""The audit: one row per decision and change of state, never changed. No health text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from coach.store.engine import Tx
from coach.store.rows import Row, many
from coach.store.tables import event


def record(
    tx: Tx,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    subject_id: str,
    athlete_id: str | None = None,
    why: str = "",
) -> None:
    """Append who did what to which subject, and why. actor: a user's id, or "worker", "clock", "service"."""
    tx.execute(
        event.insert().values(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            subject_id=subject_id,
            athlete_id=athlete_id,
            why=why,
        )
    )


def newest_at(tx: Tx) -> datetime | None:
    """Return when the newest event was, by the clock of then."""
    return tx.execute(select(event.c.at).order_by(event.c.id.desc()).limit(1)).scalar()


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's events, oldest first."""
    return many(tx, select(event).where(event.c.athlete_id == athlete_id).order_by(event.c.id))
