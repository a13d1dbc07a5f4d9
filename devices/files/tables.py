"""Delimited text with a header -> columns of numbers, a block at a time and never row by row in Python."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from devices.errors import UnknownFormat
from devices.types import FloatArray

# Bytes parsed in one go; bounds what the parser holds beside the result.
_BLOCK_BYTES = 32_000_000
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


def read_table(data: bytes, where: str, header: Header, wanted: Sequence[str]) -> Table:
    """Return the wanted columns. where: names the file in errors. Raises UnknownFormat.

    A decimal comma is understood where the separator is another sign. An incomplete last line is left out.
    """
    body = data[header.end :].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = body.rfind(b"\n") + 1
    last = body[end:].strip()
    # Whether a line without its end is whole cannot be told; it is kept if it has all its cells.
    whole = last.count(header.separator.encode()) >= len(header.cells) - 1 and not last.endswith(
        header.separator.encode()
    )
    body = body if whole else body[:end]
    if header.separator != ",":
        body = body.replace(b",", b".")
    if not body.strip():
        raise UnknownFormat(f"{where}: there is a header and no row below it.")
    places = [header.cells.index(name) for name in wanted]
    parts = [_numbers(block, where, header, places) for block in _blocks(body)]
    values = np.concatenate(parts)
    first = body[: body.index(b"\n")] if b"\n" in body else body
    cells = first.decode("utf-8", "replace").split(header.separator)
    return Table(
        {name: values[:, at] for at, name in enumerate(wanted)},
        header.preface,
        {name: cell.strip().strip('"') for name, cell in zip(header.cells, cells, strict=False)},
        bool(last) and not whole,
    )


def _blocks(body: bytes) -> list[bytes]:
    blocks, at = [], 0
    while at < len(body):
        end = body.find(b"\n", at + _BLOCK_BYTES)
        end = len(body) if end < 0 else end + 1
        if body[at:end].strip():
            blocks.append(body[at:end])
        at = end
    return blocks


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
    return values
