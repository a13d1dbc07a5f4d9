"""What a person would open in a spreadsheet: findings, pain, sessions, tests. Rows of the tables, the words first."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coach.csv_text import Cell, write_csv
from coach.exports.archive import Member

Plain = Mapping[str, Any]

FINDINGS = (
    "kind",
    "statement",
    "grade",
    "state",
    "opened_at",
    "changed_at",
    "closed_at",
    "started_at",
    "ended_at",
    "coverage_share",
    "placement",
    "edition",
    "superseded_by",
    "id",
)
PAIN = (
    "at",
    "local_date",
    "morning",
    "pain_at_rest",
    "pain_in_motion",
    "soreness",
    "readiness",
    "sleep_h",
    "sites",
    "symptoms",
    "note",
    "id",
)
SESSIONS = (
    "local_date",
    "local_time",
    "time_zone",
    "state",
    "outcome",
    "effort",
    "pain_during",
    "pain_after",
    "reason",
    "duration_min",
    "exercises",
    "because",
    "due_at",
    "recorded_at",
    "id",
)
TESTS = (
    "started_at",
    "test",
    "state",
    "outcome",
    "value",
    "unit",
    "source",
    "reason",
    "algorithm_name",
    "algorithm_version",
    "id",
)


def write_sheet(member: Member, columns: Sequence[str], rows: Iterable[Plain]) -> None:
    """Write rows as CSV that no spreadsheet computes; a list is told with commas."""
    text = io.TextIOWrapper(member, encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[type-var]
    write_csv(text, columns, ([_cell(row.get(name)) for name in columns] for row in rows))
    text.flush()
    text.detach()


def _cell(value: Any) -> Cell:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
