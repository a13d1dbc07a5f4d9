"""Exports of the phone app phyphox: a zip, a folder or one CSV, with times from the start of the experiment.

Source: files as the app writes them (header cells with units; meta/time.csv with the system time of each start).
"""

from __future__ import annotations

import csv
import io

from devices.errors import UnknownFormat
from devices.files.recording import RecordingFile
from devices.files.source import Member, Source
from devices.files.tables import Cells, Header, find_header, read_table
from devices.files.timeline import Stream, on_grid

FORMAT = "phyphox"
_TIME = "Time (s)"


def recognise(source: Source) -> bool:
    """Tell whether any file is one of the app's motion sensors."""
    return any(find_header(member.head(), _is_motion) is not None for member in source.members.values())


def read(source: Source) -> tuple[RecordingFile, ...]:
    """Return the phone's recording. Raises UnknownFormat, also for acceleration without gravity."""
    acc = gyr = None
    linear = False
    for name, member in source.members.items():
        header = find_header(member.head(), _is_motion)
        if header is None:
            continue
        found = _columns(header.cells, "acceleration")
        if found and acc is None:
            acc = _stream(source, name, member, header, found)
        turning = _columns(header.cells, "gyroscope")
        if turning and gyr is None:
            gyr = _stream(source, name, member, header, turning)
        linear |= bool(_columns(header.cells, "linear acceleration"))
    if acc is None:
        what = "its acceleration is without gravity" if linear else "it holds no acceleration"
        raise UnknownFormat(
            f"{source.path}: {what}; record 'Acceleration with g' and 'Gyroscope', for example in one own experiment."
        )
    grid = on_grid(str(source.path), "phone", acc, gyr)
    started_s = _started_utc_s(source.members.get("time.csv"))
    notes = [] if gyr is not None else ["There is no gyroscope in it: record 'Gyroscope' too for a smaller error."]
    return (
        RecordingFile(
            source.path,
            grid.rate_hz,
            grid.samples,
            {"phone": grid.sensor},
            grid.t_s,
            grid.row_index,
            FORMAT,
            None if started_s is None else started_s + grid.first_s,
            notes=(*notes, *grid.notes),
        ),
    )


def _columns(cells: Cells, what: str) -> tuple[str, ...]:
    """Return the three header cells of a sensor, empty if they are not there. Units are part of the cell."""
    found = []
    for axis in "xyz":
        wanted = f"{what} {axis} ("
        found += [cell for cell in cells if cell.lower().startswith(wanted)][:1]
    return tuple(found) if len(found) == 3 else ()


def _is_motion(cells: Cells) -> bool:
    return _TIME in cells and any(
        _columns(cells, what) for what in ("acceleration", "gyroscope", "linear acceleration")
    )


def _stream(source: Source, name: str, member: Member, header: Header, columns: tuple[str, ...]) -> Stream:
    table = read_table(member, f"{source.path} ({name})", header, (_TIME, *columns))
    return Stream(table.columns[_TIME], table.xyz(columns))


def _started_utc_s(member: Member | None) -> float | None:
    """Return the Unix time of the first start, None where the export does not tell."""
    if member is None:
        return None
    text = member.head().decode("utf-8-sig", "replace")
    try:
        for row in csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","):
            if row.get("event", "").strip().upper() == "START":
                return float(str(row["system time"]).replace(",", "."))
    except (KeyError, ValueError, IndexError, csv.Error):
        return None
    return None
