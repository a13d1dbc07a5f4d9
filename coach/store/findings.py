"""Queries: editions, answers of days, and the findings folded from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update

from coach.store.engine import Tx
from coach.store.finding_tables import answer, edition, finding
from coach.store.meeting import insert_or_leave, insert_or_replace
from coach.store.rows import Row, many, one

_ADD_EDITION = insert_or_leave(edition)
_PUT_ANSWERS = insert_or_replace(answer)
_SAID = ("local_date", "kind", "outcome", "grade", "day_over", "start_utc_s", "end_utc_s")
_OF_KIND = (
    select(*(answer.c[name] for name in _SAID))
    .where(
        answer.c.athlete_id == bindparam("athlete"),
        answer.c.kind == bindparam("of_kind"),
        answer.c.edition == bindparam("of_edition"),
        answer.c.local_date >= bindparam("first"),
    )
    .order_by(answer.c.local_date)
)
_FINDINGS = select(finding).where(
    finding.c.athlete_id == bindparam("athlete"),
    finding.c.kind == bindparam("of_kind"),
    finding.c.edition == bindparam("of_edition"),
)
_FROM_KEY = _FINDINGS.where(finding.c.key >= bindparam("of_key")).order_by(finding.c.key)
_BEFORE_KEY = _FINDINGS.where(finding.c.key < bindparam("of_key")).order_by(finding.c.key.desc()).limit(1)
_OF_DAY_BY = (
    select(answer)
    .where(
        answer.c.athlete_id == bindparam("athlete"),
        answer.c.local_date == bindparam("on"),
        answer.c.edition == bindparam("of_edition"),
    )
    .order_by(answer.c.kind)
)
_OF_DAY_AND_KIND = select(answer).where(
    answer.c.athlete_id == bindparam("athlete"),
    answer.c.local_date == bindparam("on"),
    answer.c.kind == bindparam("of_kind"),
    answer.c.edition == bindparam("of_edition"),
)
_FOLDED_OR_FOUND = (
    select(finding.c.kind)
    .where(finding.c.athlete_id == bindparam("athlete"), finding.c.edition == bindparam("of_edition"))
    .union(
        select(answer.c.kind).where(
            answer.c.athlete_id == bindparam("athlete"),
            answer.c.edition == bindparam("of_edition"),
            answer.c.local_date >= bindparam("first"),
            answer.c.outcome == "found",
        )
    )
)


def add_edition(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an edition unless it is known."""
    tx.execute(_ADD_EDITION[tx.dialect.name], values)


def get_edition(tx: Tx, edition_id: str) -> Row | None:
    """Return an edition."""
    return one(tx, select(edition).where(edition.c.id == edition_id))


def put_answers(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Save answers with all their columns, each in place of what was said before."""
    if rows:
        tx.execute(_PUT_ANSWERS[tx.dialect.name], list(rows))


def answers_of_day(tx: Tx, athlete_id: str, local_date: date) -> list[Row]:
    """Return the answers of a day by every edition that has judged it, in order of kind; newest edition first.

    Columns: those of answer, edition_created_at.
    """
    statement = (
        select(answer, edition.c.created_at.label("edition_created_at"))
        .join(edition, edition.c.id == answer.c.edition)
        .where(answer.c.athlete_id == athlete_id, answer.c.local_date == local_date)
        .order_by(answer.c.kind, edition.c.created_at.desc(), edition.c.id)
    )
    return many(tx, statement)


def answers_of_day_by(tx: Tx, athlete_id: str, local_date: date, edition_id: str) -> list[Row]:
    """Return an edition's answers of a day, with their evidence."""
    return many(tx, _OF_DAY_BY, {"athlete": athlete_id, "on": local_date, "of_edition": edition_id})


def answers_of_kind(tx: Tx, athlete_id: str, kind: str, edition_id: str, first: date) -> list[Row]:
    """Return when an edition said what of a kind, from a day on, in order; without the evidence."""
    return many(tx, _OF_KIND, {"athlete": athlete_id, "of_kind": kind, "of_edition": edition_id, "first": first})


def answer_of(tx: Tx, athlete_id: str, local_date: date, kind: str, edition_id: str) -> Row | None:
    """Return an answer with its evidence."""
    whose = {"athlete": athlete_id, "on": local_date, "of_kind": kind, "of_edition": edition_id}
    return one(tx, _OF_DAY_AND_KIND, whose)


def kinds_folded_or_found(tx: Tx, athlete_id: str, edition_id: str, first: date) -> set[str]:
    """Return the kinds of which an edition has findings, or answers from a day on that found something."""
    whose = {"athlete": athlete_id, "of_edition": edition_id, "first": first}
    return set(tx.execute(_FOLDED_OR_FOUND, whose).scalars())


def said_since(tx: Tx, athlete_id: str, first: date) -> list[Row]:
    """Return what every edition answered from a day on, without the evidence.

    Columns: edition, edition_created_at, local_date, kind, outcome, grade, statement.
    """
    columns = answer.c
    statement = (
        select(
            columns.edition,
            edition.c.created_at.label("edition_created_at"),
            columns.local_date,
            columns.kind,
            columns.outcome,
            columns.grade,
            columns.statement,
        )
        .join(edition, edition.c.id == columns.edition)
        .where(columns.athlete_id == athlete_id, columns.local_date >= first)
        .order_by(columns.local_date, columns.kind)
    )
    return many(tx, statement)


def without_answers(tx: Tx, athlete_id: str) -> list[Row]:
    """Return the findings of editions that have answered nothing: those of before there were answers.

    Columns: those of finding, edition_created_at.
    """
    answered = select(answer.c.edition).where(answer.c.athlete_id == athlete_id)
    statement = (
        select(finding, edition.c.created_at.label("edition_created_at"))
        .join(edition, edition.c.id == finding.c.edition)
        .where(finding.c.athlete_id == athlete_id, finding.c.edition.not_in(answered))
        .order_by(finding.c.opened_at, finding.c.id)
    )
    return many(tx, statement)


def on_day(tx: Tx, athlete_id: str, edition_id: str, local_date: date) -> list[Row]:
    """Return an edition's findings that opened on a day or before and were not closed long before it."""
    columns = finding.c
    moment = datetime.combine(local_date, time(), UTC)
    statement = select(finding).where(
        columns.athlete_id == athlete_id,
        columns.edition == edition_id,
        columns.opened_at < moment + timedelta(days=2),
        or_(columns.closed_at.is_(None), columns.closed_at >= moment - timedelta(days=1)),
    )
    return many(tx, statement.order_by(columns.opened_at, columns.id))


def of_athlete(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return current findings, newest first."""
    order = (finding.c.started_at.desc(), finding.c.id)
    return many(tx, select(finding).where(*_current(athlete_id)).order_by(*order).limit(limit))


def of_every_edition(tx: Tx, athlete_id: str) -> list[Row]:
    """Return all findings, current and superseded, oldest first."""
    return many(tx, select(finding).where(finding.c.athlete_id == athlete_id).order_by(finding.c.started_at))


def since(tx: Tx, athlete_id: str, moment: datetime) -> list[Row]:
    """Return current findings that are open or ended since then, oldest first."""
    statement = (
        select(finding)
        .where(*_current(athlete_id), (finding.c.state == "open") | (finding.c.ended_at >= moment))
        .order_by(finding.c.started_at, finding.c.id)
    )
    return many(tx, statement)


def get(tx: Tx, finding_id: str) -> Row | None:
    """Return a finding, current or superseded."""
    return one(tx, select(finding).where(finding.c.id == finding_id))


def of_kind(tx: Tx, athlete_id: str, kind: str, edition_id: str, first_key: str) -> list[Row]:
    """Return an edition's findings of a kind from a key on, in order; keys are kind and local date."""
    whose = {"athlete": athlete_id, "of_kind": kind, "of_edition": edition_id, "of_key": first_key}
    return many(tx, _FROM_KEY, whose)


def newest_before(tx: Tx, athlete_id: str, kind: str, edition_id: str, key: str) -> Row | None:
    """Return the newest finding of a kind whose key comes before that one."""
    return one(tx, _BEFORE_KEY, {"athlete": athlete_id, "of_kind": kind, "of_edition": edition_id, "of_key": key})


def add(tx: Tx, finding_id: str, values: dict[str, Any], now: datetime) -> None:
    """Insert a finding."""
    tx.execute(finding.insert().values(id=finding_id, created_at=now, updated_at=now, **values))


def change(tx: Tx, finding_id: str, values: dict[str, Any], now: datetime) -> None:
    """Replace columns of a finding."""
    tx.execute(update(finding).where(finding.c.id == finding_id).values(**values, updated_at=now))


def drop(tx: Tx, finding_id: str) -> None:
    """Delete a finding that its own edition, asked anew, does not make any more."""
    tx.execute(delete(finding).where(finding.c.id == finding_id))


def supersede(tx: Tx, athlete_id: str, by_edition: str, start: datetime, end: datetime, now: datetime) -> list[str]:
    """Mark findings of other editions that went on at a time in [start, end); return their ids."""
    statement = (
        update(finding)
        .where(*_current(athlete_id), finding.c.edition != by_edition, *_went_on(start, end))
        .values(superseded_by=by_edition, updated_at=now)
        .returning(finding.c.id)
    )
    return list(tx.execute(statement).scalars())


def kinds_superseded(tx: Tx, athlete_id: str, edition_id: str, start: datetime, end: datetime) -> list[str]:
    """Return the kinds of an edition's findings that went on at a time in [start, end) and count as judged anew."""
    columns = finding.c
    mine = columns.athlete_id == athlete_id, columns.edition == edition_id, columns.superseded_by.is_not(None)
    statement = select(columns.kind).where(*mine, *_went_on(start, end)).distinct().order_by(columns.kind)
    return list(tx.execute(statement).scalars())


def _went_on(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    columns = finding.c
    return columns.opened_at < end, or_(
        columns.closed_at.is_(None), columns.closed_at > start, columns.opened_at >= start
    )


def _current(athlete_id: str) -> tuple[ColumnElement[bool], ...]:
    return finding.c.athlete_id == athlete_id, finding.c.superseded_by.is_(None)
