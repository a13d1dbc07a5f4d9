"""Delimited text with a header -> columns of numbers, a block at a time and never row by row in Python."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from devices.errors import UnknownFormat
from devices.files.source import Member
from devices.types import FloatArray

# Own bound: nanoseconds since 1970 are below it, and nothing that is measured comes near.
_LARGEST = 1e19
# A header stands among the first lines.
_HEADER_LINES = 60
_SEPARATORS = ",;\t"

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """columns: by header cell, (n,) each. preface: the lines before the header. first: the first row's cells as text.

    cut_off: the last line was not complete and is left out.
    """

    columns: dict[str, FloatArray]
    preface: tuple[str, ...]
    first: dict[str, str]
    cut_off: bool

    def xyz(self, names: Sequence[str]) -> FloatArray:
        """Return three columns as (n, 3)."""
        return np.stack([self.columns[name] for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class Header:
    """line: its number. cells: stripped of quotes and blanks. separator. end: where the data begin, in bytes."""

    line: int
    cells: Cells
    separator: str
    end: int
    preface: tuple[str, ...]


def find_header(head: bytes, known: Callable[[Cells], bool]) -> Header | None:
    """Return the first line among the first ones whose cells are `known`, in any of the three separators."""
    text = head.decode("utf-8-sig", "replace")
    shift = len(head) - len(head.removeprefix(b"\xef\xbb\xbf"))
    at = shift
    preface: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True)[:_HEADER_LINES]):
        at += len(line.encode("utf-8", "replace"))
        for separator in _SEPARATORS:
            cells = tuple(cell.strip().strip('"').strip() for cell in line.strip("\r\n").split(separator))
            if known(cells):
                return Header(number, cells, separator, at, tuple(preface))
        preface.append(line.strip())
    return None


def read_table(member: Member, where: str, header: Header, wanted: Sequence[str]) -> Table:
    """Return the wanted columns. where: names the file in errors. Raises UnknownFormat.

    A decimal comma is understood where the separator is another sign. An incomplete last line is left out.
    """
    if missing := [name for name in wanted if name not in header.cells]:
        raise UnknownFormat(f"{where}: the column {missing[0]} is missing; export it again.")
    places = [header.cells.index(name) for name in wanted]
    first: bytes | None = None
    parts = []
    rows = _Rows(member, header)
    for block in rows:
        if first is None:
            first = block.partition(b"\n")[0]
        parts.append(_numbers(block, where, header, places))
    if first is None:
        raise UnknownFormat(f"{where}: there is a header and no row below it.")
    values = np.concatenate(parts)
    parts.clear()
    cells = first.decode("utf-8", "replace").split(header.separator)
    return Table(
        {name: values[:, at] for at, name in enumerate(wanted)},
        header.preface,
        {name: cell.strip().strip('"') for name, cell in zip(header.cells, cells, strict=False)},
        rows.cut_off,
    )


class _Rows:
    """The rows below a header, many at a time, each block whole lines with plain ends. cut_off: known at the end."""

    def __init__(self, member: Member, header: Header) -> None:
        self._member, self._header = member, header
        self.cut_off = False

    def __iter__(self) -> Iterator[bytes]:
        skip, carry = self._header.end, b""
        for block in self._member.blocks():
            block, skip = block[skip:], max(0, skip - len(block))
            text = carry + block
            # The two signs of a line's end may lie on both sides of a cut.
            held = text[-1:] if text.endswith(b"\r") else b""
            text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            end = text.rfind(b"\n") + 1
            carry = text[end:] + held
            if text[:end].strip():
                yield self._plain(text[:end])
        last = carry.strip()
        # Whether a line without its end is whole cannot be told; it is kept if it has all its cells.
        separator = self._header.separator.encode()
        whole = last.count(separator) >= len(self._header.cells) - 1 and not last.endswith(separator)
        self.cut_off = bool(last) and not whole
        if last and whole:
            yield self._plain(carry)

    def _plain(self, text: bytes) -> bytes:
        return text if self._header.separator == "," else text.replace(b",", b".")


def _numbers(block: bytes, where: str, header: Header, places: list[int]) -> FloatArray:
    try:
        values: FloatArray = np.loadtxt(
            io.BytesIO(block),
            delimiter=header.separator,
            usecols=places,
            ndmin=2,
            comments=None,
            quotechar='"',
            encoding="utf-8",
        )
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        told = re.sub(r"\s+", " ", str(error)).strip()
        raise UnknownFormat(f"{where}: a row does not fit its header ({told[:120]}); export it again.") from None
    values[np.abs(values) > _LARGEST] = np.nan
    return values
