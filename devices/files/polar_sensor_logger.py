"""Text files of the app Polar Sensor Logger: one stream a file, in mg and deg/s, on the wearable's own clock.

Source: files as the app writes them; the two streams of one wearable differ in the last word of their names.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

import numpy as np

from devices.errors import UnknownFormat
from devices.files.recording import RecordingFile
from devices.files.source import Member, Source
from devices.files.tables import Cells, Header, Table, find_header, read_table
from devices.files.timeline import STANDARD_GRAVITY_MPS2, Stream, on_grid

FORMAT = "Polar Sensor Logger"
_ACC, _GYR = ("X [mg]", "Y [mg]", "Z [mg]"), ("X [dps]", "Y [dps]", "Z [dps]")
_TIME, _PHONE = "sensor timestamp [ns]", "Phone timestamp"
_STREAM_WORD = re.compile(r"[ _-]?(acc|gyro|gyr)(data)?$", re.IGNORECASE)
_Entry = tuple[Member, Header]


def recognise(source: Source) -> bool:
    """Tell whether any file is one of the app's motion streams."""
    return any(find_header(member.head(), _is_motion) is not None for member in source.members.values())


def read(source: Source) -> tuple[RecordingFile, ...]:
    """Return one recording for each accelerometer stream, with the gyroscope of the same name. Raises UnknownFormat."""
    acc: dict[str, _Entry] = {}
    gyr: dict[str, _Entry] = {}
    for name, member in source.members.items():
        header = find_header(member.head(), _is_motion)
        if header is not None:
            kind = acc if set(_ACC) <= set(header.cells) else gyr
            kind[_STREAM_WORD.sub("", PurePosixPath(name).stem)] = (member, header)
    if not acc:
        raise UnknownFormat(f"{source.path}: only the gyroscope's stream; add the file that ends in _ACC to it.")
    return tuple(_read_one(source, name, entry, gyr.get(name)) for name, entry in acc.items())


def _is_motion(cells: Cells) -> bool:
    return {_PHONE, _TIME} <= set(cells) and (set(_ACC) <= set(cells) or set(_GYR) <= set(cells))


def _read_one(source: Source, name: str, acc: _Entry, gyr: _Entry | None) -> RecordingFile:
    where = str(source.path) if len(source.members) == 1 else f"{source.path} ({name})"
    table = _table(where, acc, _ACC)
    notes = []
    base_ns = float(table.columns[_TIME][0])
    turning = None
    if gyr is None:
        notes.append("There is no gyroscope with it: put its _GYRO file into the same folder or zip if there is one.")
    else:
        rates = _table(where, gyr, _GYR)
        turning = Stream((rates.columns[_TIME] - base_ns) / 1e9, np.radians(rates.xyz(_GYR)))
    moving = Stream((table.columns[_TIME] - base_ns) / 1e9, table.xyz(_ACC) * (STANDARD_GRAVITY_MPS2 / 1000))
    grid = on_grid(where, "polar", moving, turning)
    if table.cut_off:
        notes.append("The last row is cut off and was left out.")
    return RecordingFile(
        source.path,
        grid.rate_hz,
        grid.samples,
        {"polar": grid.sensor},
        grid.t_s,
        grid.row_index,
        FORMAT,
        start_local=_phone_time(table.first.get(_PHONE, "")),
        device=name,
        notes=(*notes, *grid.notes),
    )


def _table(where: str, entry: _Entry, columns: tuple[str, str, str]) -> Table:
    member, header = entry
    return read_table(member, where, header, (_TIME, *columns))


def _phone_time(text: str) -> datetime | None:
    try:
        # The phone's clock without a zone: local time where the recording was made.
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
