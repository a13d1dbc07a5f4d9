"""CSV files of the Movella (Xsens) DOT app: one wearable a file, preceded by lines that describe it.

Source: files as the app writes them; vendor document XD0506P for the units (m/s^2, deg/s, us).
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from devices.errors import UnknownFormat
from devices.files.recording import RecordingFile
from devices.files.source import Member, Source
from devices.files.tables import Cells, Header, find_header, read_table
from devices.files.timeline import Stream, on_grid
from devices.types import FloatArray

FORMAT = "Movella DOT CSV"
_ACC, _GYR = ("Acc_X", "Acc_Y", "Acc_Z"), ("Gyr_X", "Gyr_Y", "Gyr_Z")
_US_PER_S, _WRAP_US = 1e6, 2.0**32
_START = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{2}:\d{2}:\d{2})_(\d{1,3})")


def recognise(source: Source) -> bool:
    """Tell whether any file has the app's header."""
    return any(find_header(member.head(), _is_dot) is not None for member in source.members.values())


def read(source: Source) -> tuple[RecordingFile, ...]:
    """Return one recording for each wearable. Raises UnknownFormat."""
    return tuple(
        _read_one(source, name, member, header)
        for name, member in source.members.items()
        if (header := find_header(member.head(), _is_dot)) is not None
    )


def _is_dot(cells: Cells) -> bool:
    return {"PacketCounter", "SampleTimeFine"} <= set(cells)


def _read_one(source: Source, name: str, member: Member, header: Header) -> RecordingFile:
    where = str(source.path) if len(source.members) == 1 else f"{source.path} ({name})"
    told = _described(header.preface)
    if not set(_ACC) <= set(header.cells):
        raise UnknownFormat(
            f"{where}: it holds no acceleration with gravity (its mode is {told.get('measurement mode', 'unknown')}); "
            "choose a mode with rate quantities, or custom mode 5, in the app."
        )
    has_gyr = set(_GYR) <= set(header.cells)
    columns = ("PacketCounter", "SampleTimeFine", *_ACC, *(_GYR if has_gyr else ()))
    timed = _has_times(member, header)
    table = read_table(member, where, header, columns if timed else (columns[0], *columns[2:]))
    rate_told = re.search(r"[\d.]+", told.get("outputrate", ""))
    if timed:
        t_s = _unwrapped_s(table.columns["SampleTimeFine"])
    elif rate_told is not None:
        t_s = table.columns["PacketCounter"] / float(rate_told.group())
    else:
        raise UnknownFormat(f"{where}: neither SampleTimeFine nor OutputRate tells the time of a row; export it again.")
    notes = (
        [] if has_gyr else ["There is no angular rate in it: choose a mode with rate quantities for a smaller error."]
    )
    gyr = Stream(t_s.copy(), np.radians(table.xyz(_GYR))) if has_gyr else None
    place = re.sub(r"[^0-9A-Za-z]+", "_", told.get("devicetag", "")).strip("_").lower() or "dot"
    grid = on_grid(where, place, Stream(t_s, table.xyz(_ACC)), gyr)
    if table.cut_off:
        notes.append("The last row is cut off and was left out.")
    return RecordingFile(
        source.path,
        grid.rate_hz,
        grid.samples,
        {place: grid.sensor},
        grid.t_s,
        grid.row_index,
        FORMAT,
        start_local=_start(told.get("starttime", "")),
        device=told.get("devicetag", ""),
        notes=(*notes, *grid.notes),
    )


def _described(preface: tuple[str, ...]) -> dict[str, str]:
    """Return the lines before the header as name in small letters -> value."""
    pairs = (line.partition(":") for line in preface if ":" in line)
    return {name.strip().lower(): value.strip(" ,\t") for name, _, value in pairs}


def _has_times(member: Member, header: Header) -> bool:
    row = member.head()[header.end :].decode("utf-8", "replace").splitlines()[:1]
    cells = row[0].split(header.separator) if row else []
    at = header.cells.index("SampleTimeFine")
    return len(cells) > at and bool(cells[at].strip())


def _unwrapped_s(ticks_us: FloatArray) -> FloatArray:
    """Return s from the first row; a step back by about 2^32 us is a counter that wrapped."""
    steps = np.diff(ticks_us, prepend=ticks_us[:1])
    wraps = np.cumsum(steps < -_WRAP_US / 2)
    since_s: FloatArray = (ticks_us + wraps * _WRAP_US - ticks_us[0]) / _US_PER_S
    return since_s


def _start(text: str) -> datetime | None:
    found = _START.search(text)
    if found is None:
        return None
    day, clock, milliseconds = found.groups()
    try:
        # The app writes an abbreviated zone that names no place; what it shows is local time.
        return datetime.fromisoformat(f"{day}T{clock}.{milliseconds.ljust(3, '0')}")
    except ValueError:
        return None
