"""Queries: treatments, questionnaires, the doctor's plan and imaging."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Table, select, update

from coach.store.care_tables import doctor_plan, imaging, questionnaire, treatment
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one


def add_treatment(tx: Tx, values: dict[str, Any]) -> tuple[str, bool]:
    """Insert a treatment; return its id and whether it is new: the same key is the same treatment."""
    return _add(tx, treatment, values)


def treatment_of(tx: Tx, treatment_id: str) -> Row | None:
    """Return a treatment."""
    return one(tx, select(treatment).where(treatment.c.id == treatment_id))


def change_treatment(tx: Tx, treatment_id: str, **values: Any) -> None:
    """Change columns of a treatment."""
    tx.execute(update(treatment).where(treatment.c.id == treatment_id).values(**values))


def drop_treatment(tx: Tx, treatment_id: str) -> None:
    """Delete a treatment that was entered by mistake."""
    tx.execute(treatment.delete().where(treatment.c.id == treatment_id))


def treatments(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's treatments in the order in which they began."""
    columns = treatment.c
    statement = select(treatment).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.started_on, columns.created_at, columns.id))


def medicine_within(tx: Tx, athlete_id: str, first: date, last: date) -> bool:
    """Tell whether medicine was said to be taken on one of some local days, both ends in."""
    columns = treatment.c
    statement = select(columns.id).where(
        columns.athlete_id == athlete_id,
        columns.kind == "medicine",
        columns.started_on <= last,
        columns.ended_on.is_(None) | (columns.ended_on >= first),
    )
    return tx.execute(statement.limit(1)).first() is not None


def add_questionnaire(tx: Tx, values: dict[str, Any]) -> tuple[str, bool]:
    """Insert answers; return their id and whether they are new."""
    return _add(tx, questionnaire, values)


def questionnaires(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's answers, oldest first."""
    columns = questionnaire.c
    statement = select(questionnaire).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.local_date, columns.answered_at, columns.id))


def add_plan(tx: Tx, values: dict[str, Any]) -> int:
    """Insert a doctor's plan, which stands from now on; return its id."""
    return int(tx.execute(doctor_plan.insert().values(**values).returning(doctor_plan.c.id)).scalar_one())


def plan(tx: Tx, athlete_id: str) -> Row | None:
    """Return the doctor's plan that stands: the newest."""
    statement = select(doctor_plan).where(doctor_plan.c.athlete_id == athlete_id)
    return one(tx, statement.order_by(doctor_plan.c.id.desc()).limit(1))


def contraindications(tx: Tx, athlete_id: str) -> tuple[str, ...]:
    """Return what the doctor's plan that stands rules out: ids of programs.exercises.CONTRAINDICATIONS."""
    found = plan(tx, athlete_id)
    return tuple(found["contraindications"]) if found else ()


# Everything but the file itself: a list must not read megabytes.
_WITHOUT_FILE = [column for column in imaging.c if column.name != "file"]


def add_imaging(tx: Tx, values: dict[str, Any]) -> tuple[str, bool]:
    """Insert an examination; return its id and whether it is new."""
    return _add(tx, imaging, values)


def imaging_of(tx: Tx, imaging_id: str) -> Row | None:
    """Return an examination with its file."""
    return one(tx, select(imaging).where(imaging.c.id == imaging_id))


def drop_imaging(tx: Tx, imaging_id: str) -> None:
    """Delete an examination with its file."""
    tx.execute(imaging.delete().where(imaging.c.id == imaging_id))


def imagings(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's examinations without their files, newest first."""
    statement = select(*_WITHOUT_FILE).where(imaging.c.athlete_id == athlete_id)
    return many(tx, statement.order_by(imaging.c.taken_on.desc(), imaging.c.created_at.desc(), imaging.c.id))


def _add(tx: Tx, table: Table, values: dict[str, Any]) -> tuple[str, bool]:
    same = select(table.c.id).where(table.c.athlete_id == values["athlete_id"], table.c.key == values["key"])
    known = one(tx, same)
    if known is not None:
        return str(known["id"]), False
    new_id = fresh_id()
    tx.execute(table.insert().values(id=new_id, **values))
    return new_id, True
