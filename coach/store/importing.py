"""Queries: take the rows of one athlete's export in, all or none, and believe none of them whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Column, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from coach.errors import Conflict, InvalidInput
from coach.store.data_rules import RULES, exported_tables, of_athlete
from coach.store.engine import Tx
from coach.store.exporting import Plain, exported, value_of
from coach.store.numbering import number_of

# Rows of one statement. Own choice.
_ROWS_AT_ONCE = 500
# Above each number of a row: what comes behind it is to be numbered too. Own bound, that of whole numbers in JSON.
NUMBER_MAX = 2**53

# What the audit calls rows of numbered tables.
_SUBJECTS = {"chunk": "chunk", "doctor_plan": "doctor_plan", "triage": "triage_answer"}

# Column -> what makes a hidden value that a row cannot be without.
Fresh = Mapping[tuple[str, str], Callable[[], Any]]


class Taking:
    """Take tables one after the other, each after those that its rows name; then `check`.

    Text ids stay as they are. Numbers stay where the table is empty, else they go on behind its last, in their order.
    """

    def __init__(self, tx: Tx, athlete_id: str, fresh: Fresh, behind: Mapping[str, int]) -> None:
        """behind: where the numbers begin that were reserved for each table on a server (`numbering`); a file has one
        writer at a time, and nothing is to be reserved."""
        self._tx, self._athlete_id, self._fresh = tx, athlete_id, fresh
        self._tables = {table.name: table for table in exported_tables()}
        numbered = [table for table in self._tables.values() if number_of(table) is not None]
        on_server = tx.dialect.name == "postgresql"
        self._behind = {each.name: behind.get(each.name, 0) if on_server else self._newest(each) for each in numbered}
        self.taken: dict[str, int] = {}

    def take(self, name: str, rows: Iterable[Plain]) -> None:
        """Insert the rows of a table. Raises InvalidInput for a row that none of ours is, Conflict for a taken id."""
        table = self._tables[name]
        own = (self._row(table, row, number) for number, row in enumerate(rows, start=1))
        wanted = (row for row in own if self._is_new(table, row)) if RULES[name].named else own
        statement, count = insert(_with_sql_null(table)), 0
        while some := list(islice(wanted, _ROWS_AT_ONCE)):
            try:
                self._tx.execute(statement, some)
            except IntegrityError as error:
                raise Conflict(
                    f"Table {name} has a row whose id or name is taken here, or that names something which is not "
                    f"there ({error.orig}). Nothing was changed."
                ) from None
            count += len(some)
        self.taken[name] = count

    def check(self) -> None:
        """Raise InvalidInput when a row belongs to somebody else, or names something of somebody else's."""
        for name, table in self._tables.items():
            rule = RULES[name]
            if rule.path and not rule.named:
                statement = select(func.count()).select_from(table).where(of_athlete(table, self._athlete_id))
                if self._tx.execute(statement).scalar_one() != self.taken.get(name, 0):
                    raise _wrong(f"table {name} has rows of somebody else")
            for column in table.c:
                if rule.path[:1] != (column.name,) and self._names_a_stranger(table, column):
                    raise _wrong(f"{name}.{column.name} names something of somebody else")

    def _names_a_stranger(self, table: Table, column: Column[Any]) -> bool:
        for key in column.foreign_keys:
            there = key.column.table
            if not RULES[there.name].path:
                continue
            known = select(key.column).where(exported(there, self._athlete_id))
            if RULES[there.name].named:
                others = (there.c.athlete_id.is_not(None), there.c.athlete_id != self._athlete_id)
                condition = column.in_(select(key.column).where(*others))
            else:
                condition = column.not_in(known)
            statement = select(column).where(of_athlete(table, self._athlete_id), column.is_not(None), condition)
            if self._tx.execute(statement.limit(1)).first() is not None:
                return True
        return False

    def _row(self, table: Table, row: Plain, number: int) -> dict[str, Any]:
        hidden = RULES[table.name].hidden
        wanted = {column.name for column in table.c if column.name not in hidden}
        if odd := sorted(set(row) ^ wanted):
            what = "has a column that is not known" if odd[0] in row else "lacks a column"
            raise _wrong(f"row {number} of table {table.name} {what}: {odd[0][:60]}")
        own = "id" if table.name == "athlete" else "athlete_id"
        if own in row and row[own] != self._athlete_id and not (RULES[table.name].named and row[own] is None):
            raise _wrong(f"row {number} of table {table.name} is of another athlete")
        # Else a file would make its athlete an owner or a coach, at the next sign-in link.
        if table.name == "user_account" and (row[own] is not None) is not (row["role"] == "athlete"):
            raise _wrong(f"row {number} of table {table.name} has a role that is not theirs")
        values = {}
        for column in table.c:
            if column.name in hidden:
                fresh = self._fresh.get((table.name, column.name))
                values[column.name] = None if fresh is None else fresh()
                continue
            try:
                told = row[column.name]
                value = told if column.name in RULES[table.name].beside else value_of(column, told)
            except InvalidInput as error:
                raise _wrong(f"row {number} of table {table.name}, {column.name}: {error}") from None
            values[column.name] = self._moved(table, column, value)
        if table.name == "event":
            values["subject_id"] = self._moved_subject(str(values["subject"]), str(values["subject_id"]))
        return values

    def _moved(self, table: Table, column: Column[Any], value: Any) -> Any:
        """Return a number behind those that are here; anything else as it is."""
        if value is None:
            return None
        named = next((key.column.table.name for key in column.foreign_keys), table.name)
        if named not in self._behind or not (column.foreign_keys or column is number_of(table)):
            return value
        if not 0 < value < NUMBER_MAX:
            raise _wrong(f"table {table.name} has a row of number {value}")
        return value + self._behind[named]

    def _moved_subject(self, subject: str, subject_id: str) -> str:
        """Return the id of what the audit tells of, which is no foreign key, moved where it is a number."""
        behind = self._behind.get(_SUBJECTS.get(subject, ""), 0)
        return str(int(subject_id) + behind) if behind and subject_id.isascii() and subject_id.isdigit() else subject_id

    def _newest(self, table: Table) -> int:
        column = number_of(table)
        newest = 0 if column is None else self._tx.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
        return int(newest)

    def _is_new(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Tell whether a row that several athletes may name is to be inserted: it is not here yet."""
        found = self._tx.execute(select(table).where(table.c.id == row["id"])).mappings().first()
        if found is None:
            return True
        if row.get("athlete_id") is not None:
            raise Conflict("This person is here already: an import changes nothing that is here.")
        # Names change, and each Backstop made its row at another time; what somebody may do, and what an edition looks
        # for, must be the same.
        same = ("role",) if "role" in table.c else tuple(set(table.c.keys()) - {"created_at"})
        if any(found[name] != row[name] for name in same):
            raise Conflict(f"Table {table.name} has another {row['id']} here. Nothing was changed.")
        return False


def highest_numbers(rows_of: Callable[[str], Iterable[Plain]]) -> Iterator[tuple[Table, int]]:
    """Yield each numbered table and the highest number of its rows, 0 for none. rows_of: rows by name of a table."""
    for table in exported_tables():
        column = number_of(table)
        if column is not None:
            numbers = (row.get(column.name) for row in rows_of(table.name))
            yield table, max((each for each in numbers if type(each) is int and each > 0), default=0)


def _with_sql_null(table: Table) -> Table:
    """Return the table for inserting: a JSON column without a value is NULL, as where the column was left out."""
    copy = table.to_metadata(MetaData())
    for column in copy.c:
        if isinstance(column.type, JSON):
            column.type = JSON(none_as_null=True)
    return copy


def _wrong(what: str) -> InvalidInput:
    return InvalidInput(f"The export cannot be taken in: {what}. Nothing was changed.")


def with_blobs(rows: Iterable[Plain], next_of: Mapping[str, Callable[[Any], Any]]) -> Iterator[Plain]:
    """Yield rows with the bytes that lie beside them. next_of: column -> what returns its next bytes of a size."""
    for row in rows:
        yield {**row, **{name: take(row.get(name)) for name, take in next_of.items()}}
