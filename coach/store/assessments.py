"""Queries: assessments and their trials, and the stored signal of a trial."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from coach.store.assessment_tables import assessment, assessment_trial
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import chunk, stream

# Chunks read at once, newest first, until the trial's begin: 16 min of signal at 5 s each. Own choice.
_PAGE = 192


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert an assessment; return its id. Raises Conflict when one runs already."""
    assessment_id = fresh_id()
    tx.execute(assessment.insert().values(id=assessment_id, **values))
    return assessment_id


def get(tx: Tx, assessment_id: str) -> Row | None:
    """Return an assessment."""
    return one(tx, select(assessment).where(assessment.c.id == assessment_id))


def by_key(tx: Tx, athlete_id: str, key: str) -> Row | None:
    """Return the assessment that a request with this key began."""
    columns = assessment.c
    return one(tx, select(assessment).where(columns.athlete_id == athlete_id, columns.key == key))


def running(tx: Tx, athlete_id: str) -> Row | None:
    """Return the assessment that goes on."""
    columns = assessment.c
    return one(tx, select(assessment).where(columns.athlete_id == athlete_id, columns.state == "running"))


def of_athlete(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return an athlete's assessments, newest first."""
    columns = assessment.c
    statement = select(assessment).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.started_at.desc(), columns.id).limit(limit))


def newest(tx: Tx, athlete_id: str, kinds: Collection[str], states: tuple[str, ...]) -> Row | None:
    """Return the athlete's newest assessment of these kinds that ended in one of the states."""
    columns = assessment.c
    mine = columns.athlete_id == athlete_id, columns.kind.in_(kinds), columns.state.in_(states)
    return one(tx, select(assessment).where(*mine).order_by(columns.finished_at.desc(), columns.id).limit(1))


def running_since(tx: Tx, before: datetime) -> list[Row]:
    """Return assessments that go on and were started before a time."""
    columns = assessment.c
    return many(tx, select(assessment).where(columns.state == "running", columns.started_at < before))


def before(tx: Tx, athlete_id: str, started_at: datetime, limit: int) -> list[Row]:
    """Return an athlete's assessments that were started before a time, or then, newest first."""
    columns = assessment.c
    statement = select(assessment).where(columns.athlete_id == athlete_id, columns.started_at <= started_at)
    return many(tx, statement.order_by(columns.started_at.desc(), columns.id).limit(limit))


def change(tx: Tx, assessment_id: str, from_state: str, **values: Any) -> bool:
    """Change an assessment if it is still in that state; tell whether it was."""
    statement = update(assessment).where(assessment.c.id == assessment_id, assessment.c.state == from_state)
    return tx.execute(statement.values(**values)).rowcount == 1


def add_trial(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a trial; return its id. Raises Conflict when its key is known or another one runs."""
    trial_id, columns = fresh_id(), assessment_trial.c
    before = select(func.count()).where(columns.assessment_id == values["assessment_id"])
    tx.execute(assessment_trial.insert().values(id=trial_id, number=before.scalar_subquery(), **values))
    return trial_id


def trial(tx: Tx, trial_id: str) -> Row | None:
    """Return a trial."""
    return one(tx, select(assessment_trial).where(assessment_trial.c.id == trial_id))


def trial_by_key(tx: Tx, assessment_id: str, key: str) -> Row | None:
    """Return the trial that a request with this key began."""
    columns = assessment_trial.c
    return one(tx, select(assessment_trial).where(columns.assessment_id == assessment_id, columns.key == key))


def trials(tx: Tx, assessment_id: str) -> list[Row]:
    """Return the trials of an assessment in the order in which they began."""
    columns = assessment_trial.c
    statement = select(assessment_trial).where(columns.assessment_id == assessment_id)
    return many(tx, statement.order_by(columns.number))


def move_trial(tx: Tx, trial_id: str, from_states: tuple[str, ...], **values: Any) -> bool:
    """Change a trial if it is still in one of those states; tell whether it was."""
    columns = assessment_trial.c
    statement = update(assessment_trial).where(columns.id == trial_id, columns.state.in_(from_states))
    return tx.execute(statement.values(**values)).rowcount == 1


def in_state(tx: Tx, state: str, limit: int = 50) -> list[Row]:
    """Return trials in a state, the one that ended first comes first."""
    columns = assessment_trial.c
    statement = select(assessment_trial).where(columns.state == state)
    return many(tx, statement.order_by(columns.ended_at, columns.id).limit(limit))


def signal(
    tx: Tx, wearable_id: str, since: datetime, start_utc_s: float, end_utc_s: float, recording_id: str | None = None
) -> list[Row]:
    """Return the stored chunks of a wearable from the one that holds the start to the first that begins after the end.

    Of the newest stream that has any, in order. since: no stream that got nothing after it is looked at. Columns: seq,
    start_utc_s, blob.
    """
    columns = stream.c
    newest_first = (
        select(columns.id)
        .where(columns.wearable_id == wearable_id, columns.last_received_at >= since)
        .order_by(columns.created_at.desc(), columns.id)
    )
    if recording_id is not None:
        newest_first = newest_first.where(columns.recording_id == recording_id)
    windows = (_window(tx, each, start_utc_s, end_utc_s) for each in list(tx.execute(newest_first).scalars()))
    return next(filter(None, windows), [])


def _window(tx: Tx, stream_id: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    # From the newest back: a trial is at the end of a recording that may be a day long.
    rows: list[Row] = []
    before: int | None = None
    while not rows or rows[-1]["start_utc_s"] > start_utc_s:
        columns = chunk.c
        statement = select(columns.seq, columns.start_utc_s, columns.blob).where(columns.stream_id == stream_id)
        if before is not None:
            statement = statement.where(columns.seq < before)
        page = many(tx, statement.order_by(columns.seq.desc()).limit(_PAGE))
        rows += page
        if len(page) < _PAGE:
            break
        before = page[-1]["seq"]
    rows.reverse()
    first = max((at for at, row in enumerate(rows) if row["start_utc_s"] <= start_utc_s), default=0)
    after = next((at for at, row in enumerate(rows) if row["start_utc_s"] > end_utc_s), len(rows))
    return rows[first : after + 1] if after > first else []
