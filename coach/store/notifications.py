"""Queries: who wants to be reminded, what is planned to be sent, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from coach.store.assessment_tables import assessment
from coach.store.engine import Tx
from coach.store.meeting import insert_or_leave
from coach.store.notification_tables import delivery, push_subscription, reminder, reminder_settings, webhook_target
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import athlete, planned_session

# Rows claimed in one statement. Own choice: with four at once and half a minute each at worst, well within a claim.
_CLAIM = 20
_ADD = insert_or_leave(reminder)


def settings(tx: Tx, athlete_id: str) -> Row | None:
    """Return an athlete's settings, None before the first choice."""
    return one(tx, select(reminder_settings).where(reminder_settings.c.athlete_id == athlete_id))


def save_settings(tx: Tx, athlete_id: str, values: dict[str, Any]) -> None:
    """Keep an athlete's settings."""
    changed = tx.execute(update(reminder_settings).where(reminder_settings.c.athlete_id == athlete_id).values(**values))
    if changed.rowcount == 0:
        tx.execute(reminder_settings.insert().values(athlete_id=athlete_id, **values))


def reminded(tx: Tx) -> list[Row]:
    """Return the settings of athletes who want to be reminded and are not wholly locked, with time_zone and lock."""
    columns = reminder_settings.c
    return many(
        tx,
        select(reminder_settings, athlete.c.time_zone, athlete.c.lock)
        .join(athlete, athlete.c.id == columns.athlete_id)
        .where(or_(columns.mail_on, columns.push_on, columns.webhook_on), athlete.c.lock != "all"),
    )


def sessions_between(tx: Tx, first: datetime, last: datetime) -> list[Row]:
    """Return planned and released sessions due in [first, last] of athletes who have chosen how to be reminded."""
    columns = planned_session.c
    return many(
        tx,
        select(columns.id, columns.athlete_id, columns.state, columns.due_at, columns.time_zone, columns.updated_at)
        .join(reminder_settings, reminder_settings.c.athlete_id == columns.athlete_id)
        .where(columns.state.in_(("planned", "due")), columns.due_at.between(first, last)),
    )


def last_done(tx: Tx, kinds: Collection[str]) -> dict[str, datetime]:
    """Return when each athlete who has chosen how to be reminded last did tests of these kinds, by athlete."""
    columns = assessment.c
    statement = (
        select(columns.athlete_id, func.max(columns.finished_at).label("at"))
        .join(reminder_settings, reminder_settings.c.athlete_id == columns.athlete_id)
        .where(columns.kind.in_(kinds), columns.state == "done")
        .group_by(columns.athlete_id)
    )
    return {row["athlete_id"]: row["at"] for row in many(tx, statement)}


def subscriptions(tx: Tx, athlete_id: str | None = None) -> list[Row]:
    """Return the browsers that take pushes, of one athlete or of all, oldest first."""
    statement = select(push_subscription).order_by(push_subscription.c.created_at, push_subscription.c.id)
    return many(tx, statement if athlete_id is None else statement.where(push_subscription.c.athlete_id == athlete_id))


def subscription(tx: Tx, subscription_id: str) -> Row | None:
    """Return one browser."""
    return one(tx, select(push_subscription).where(push_subscription.c.id == subscription_id))


def add_subscription(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a browser in place of whoever had its endpoint; return the id."""
    tx.execute(push_subscription.delete().where(push_subscription.c.endpoint == values["endpoint"]))
    subscription_id = fresh_id()
    tx.execute(push_subscription.insert().values(id=subscription_id, **values))
    return subscription_id


def drop_subscription(tx: Tx, subscription_id: str) -> None:
    """Delete a browser."""
    tx.execute(push_subscription.delete().where(push_subscription.c.id == subscription_id))


def webhook(tx: Tx, athlete_id: str) -> Row | None:
    """Return an athlete's webhook."""
    return one(tx, select(webhook_target).where(webhook_target.c.athlete_id == athlete_id))


def webhooks(tx: Tx) -> set[str]:
    """Return the athletes who have a webhook."""
    return set(tx.execute(select(webhook_target.c.athlete_id)).scalars())


def set_webhook(tx: Tx, athlete_id: str, values: dict[str, Any] | None) -> None:
    """Replace an athlete's webhook; None takes it away."""
    tx.execute(webhook_target.delete().where(webhook_target.c.athlete_id == athlete_id))
    if values is not None:
        tx.execute(webhook_target.insert().values(athlete_id=athlete_id, **values))


def known_since(tx: Tx, first: datetime) -> list[Row]:
    """Return reminders, tests of a channel left out, of what is at or after a time."""
    columns = reminder.c
    return many(tx, select(reminder).where(columns.event_at >= first, columns.occurrence.not_like("test:%")))


def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert reminders; one that is there already stays as it is."""
    if rows:
        tx.execute(_ADD[tx.dialect.name], [{"id": fresh_id(), **row} for row in rows])


def change(tx: Tx, reminder_id: str, from_state: str, **values: Any) -> bool:
    """Change a reminder if it is still in that state; tell whether it was."""
    columns = reminder.c
    statement = update(reminder).where(columns.id == reminder_id, columns.state == from_state).values(**values)
    return tx.execute(statement).rowcount == 1


def claim_due(tx: Tx, now: datetime, claim: str) -> list[Row]:
    """Claim reminders whose time has come, at most 20, in one statement; return them. None where all is locked.

    As with sessions, PostgreSQL passes over rows that another clock holds; SQLite has one writer at a time.
    """
    columns = reminder.c
    locked = select(athlete.c.id).where(athlete.c.lock == "all")
    due = (
        select(columns.id)
        .where(
            columns.state == "planned",
            columns.try_at <= now,
            or_(columns.athlete_id.not_in(locked), columns.occurrence.like("test:%")),
        )
        .order_by(columns.try_at, columns.id)
        .limit(_CLAIM)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(reminder)
        .where(columns.state == "planned", columns.id.in_(due))
        .values(state="claimed", claim=claim, claimed_at=now, updated_at=now)
        .returning(*columns)
    )
    return many(tx, statement)


def claimed_before(tx: Tx, before: datetime) -> list[Row]:
    """Return reminders that a clock claimed before a time and never finished."""
    columns = reminder.c
    return many(tx, select(reminder).where(columns.state == "claimed", columns.claimed_at < before))


def finish(tx: Tx, reminder_id: str, held: str, **values: Any) -> bool:
    """Change a reminder if the claim `held` still holds it; tell whether it does."""
    columns = reminder.c
    mine = and_(columns.id == reminder_id, columns.state == "claimed", columns.claim == held)
    return tx.execute(update(reminder).where(mine).values(**values)).rowcount == 1


def hand_over(tx: Tx, reminder_id: str, claim: str, now: datetime) -> bool:
    """Note that a reminder goes out now; False when the claim is gone, or it went out before."""
    columns = reminder.c
    mine = and_(columns.id == reminder_id, columns.state == "claimed", columns.claim == claim)
    statement = update(reminder).where(mine, columns.handed_at.is_(None)).values(handed_at=now)
    return tx.execute(statement).rowcount == 1


def log(tx: Tx, row: Row, now: datetime, outcome: str, said: str) -> None:
    """Keep what became of one try. said: a sentence without secrets and health."""
    values = {"reminder_id": row["id"], "athlete_id": row["athlete_id"], "channel": row["channel"]}
    tx.execute(delivery.insert().values(id=fresh_id(), at=now, outcome=outcome, said=said, **values))


def deliveries(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return what became of an athlete's reminders, newest first, with event_at and occurrence."""
    columns = delivery.c
    return many(
        tx,
        select(delivery, reminder.c.event_at, reminder.c.occurrence)
        .join(reminder, reminder.c.id == columns.reminder_id)
        .where(columns.athlete_id == athlete_id)
        .order_by(columns.at.desc(), columns.id)
        .limit(limit),
    )


def prune(tx: Tx, before: datetime) -> int:
    """Delete reminders of what was before a time, with what became of them; return how many."""
    old = select(reminder.c.id).where(reminder.c.event_at < before)
    tx.execute(delivery.delete().where(delivery.c.reminder_id.in_(old)))
    return tx.execute(reminder.delete().where(reminder.c.event_at < before)).rowcount


def newest_test(tx: Tx, athlete_id: str) -> datetime | None:
    """Return when an athlete last asked for a test."""
    columns = reminder.c
    mine = columns.athlete_id == athlete_id, columns.occurrence.like("test:%")
    found: datetime | None = tx.execute(select(func.max(columns.created_at)).where(*mine)).scalar_one()
    return found
