"""CSV that a spreadsheet only shows: what a person typed is never computed there. Every CSV of ours is written here.

A text that begins like a formula gets an apostrophe before it, which spreadsheets take as "this is text"; so does one
that begins with an apostrophe, so that `plain` gives back exactly what was written. Numbers stay numbers.
Source: OWASP, CSV injection (the signs that begin a formula, also in full width, and tab and line ends before them).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import TextIO

# Blanks and line ends before the sign are skipped by some programs.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20']|[\t\r\n\0]")

Cell = str | int | float | bool | date | datetime | time | None


def neutral(text: str) -> str:
    """Return a text as a cell that no spreadsheet computes."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """Return the text that `neutral` made a cell of."""
    return cell[1:] if cell.startswith("'") else cell


def write_csv(out: TextIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table; out: opened with newline="". Texts are quoted, nothing is an empty cell, times are ISO 8601."""
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([neutral(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | time):
        return value.isoformat()
    return neutral(str(value)) if isinstance(value, str) else value
