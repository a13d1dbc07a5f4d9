"""Recordings of the phone app Sensor Logger: a zip or folder with one CSV a sensor, or one of these files.

Source: the app's public reference of units, coordinates and platform differences (tszheichoi/awesome-sensor-logger).
The kind of sensor stands in the file's name only; the header is the same for all.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from devices.errors import UnknownFormat
from devices.files.recording import RecordingFile
from devices.files.source import Member, Source
from devices.files.tables import Cells, Header, Table, find_header, read_table
from devices.files.timeline import Stream, in_mps2, on_grid
from devices.types import FloatArray

FORMAT = "Sensor Logger"
_XYZ = ("x", "y", "z")
_WATCH = tuple(f"{what}{axis}" for what in ("rotationRate", "acceleration", "gravity") for axis in "XYZ")
_WITH_GRAVITY = ("totalacceleration", "accelerometeruncalibrated")
_TURNING = ("gyroscope", "gyroscopeuncalibrated")
_NS_PER_S = 1e9
_SIGN_ASSUMED = "The phone's system is not told: its axes are taken as Android's (upside down if it was an iPhone)."


def recognise(source: Source) -> bool:
    """Tell whether any file has the app's header."""
    return any(find_header(member.head(), _is_sensor) is not None for member in source.members.values())


def read(source: Source) -> tuple[RecordingFile, ...]:
    """Return the phone's recording and the watch's, as far as there are any. Raises UnknownFormat."""
    found = {_kind(name): member for name, member in source.members.items()}
    sensors = {
        kind: (member, header)
        for kind, member in found.items()
        if (header := find_header(member.head(), _is_sensor)) is not None
    }
    platform, standardised = _metadata(found.get("metadata"))
    recordings = []
    if any(kind in sensors for kind in (*_WITH_GRAVITY, "accelerometer")):
        recordings.append(_phone(source, sensors, platform, standardised))
    if "wristmotion" in sensors:
        recordings.append(_watch(source, *sensors["wristmotion"], standardised))
    if not recordings:
        raise UnknownFormat(
            f"{source.path}: no accelerometer in it (there is {', '.join(sorted(sensors))}); switch on Total "
            "Acceleration, or Accelerometer with Gravity, and Gyroscope in the app."
        )
    return tuple(recordings)


def _is_sensor(cells: Cells) -> bool:
    return {"time", "seconds_elapsed"} <= set(cells) and (set(_XYZ) <= set(cells) or set(_WATCH) <= set(cells))


def _kind(name: str) -> str:
    return PurePosixPath(name).stem.replace(" ", "").replace("_", "").lower()


def _metadata(member: Member | None) -> tuple[str | None, bool]:
    """Return the platform in small letters, None if it is not told, and whether units and frames were standardised."""
    if member is None:
        return None, False
    lines = member.head().decode("utf-8-sig", "replace").splitlines()
    if len(lines) < 2:
        return None, False
    row = dict(zip((cell.strip().lower() for cell in lines[0].split(",")), lines[1].split(","), strict=False))
    platform = row.get("platform", "").strip().lower() or None
    return platform, row.get("standardisation", "").strip().lower() in ("true", "1", "yes")


def _table(source: Source, kind: str, entry: tuple[Member, Header], columns: tuple[str, ...] = _XYZ) -> Table:
    member, header = entry
    return read_table(member, f"{source.path} ({kind})", header, ("time", *columns))


def _phone(
    source: Source, sensors: dict[str, tuple[Member, Header]], platform: str | None, standardised: bool
) -> RecordingFile:
    notes: list[str] = []
    stream = _accelerometer(source, sensors, notes)
    stream.values, converted = in_mps2(stream.values)
    if converted is not None:
        notes.append(converted)
    if platform == "ios" and not standardised:
        # Apple states acceleration with the opposite sign in all axes; specific force points up at rest.
        stream.values = -stream.values
        notes.append("An iPhone's acceleration was turned round, so that it points up at rest.")
    elif platform is None:
        notes.append(_SIGN_ASSUMED)
    turning = next((kind for kind in _TURNING if kind in sensors), None)
    gyr = None
    if turning is not None:
        table = _table(source, turning, sensors[turning])
        gyr = Stream(table.columns["time"] / _NS_PER_S, table.xyz(_XYZ))
    else:
        notes.append("There is no gyroscope in it: switch it on in the app for a smaller error.")
    return _recording(source, "phone", stream, gyr, notes)


def _accelerometer(source: Source, sensors: dict[str, tuple[Member, Header]], notes: list[str]) -> Stream:
    """Return acceleration with gravity, from whatever of the app's sensors has it."""
    whole = next((kind for kind in _WITH_GRAVITY if kind in sensors), None)
    if whole is not None:
        table = _table(source, whole, sensors[whole])
        return Stream(table.columns["time"] / _NS_PER_S, table.xyz(_XYZ))
    if "gravity" not in sensors:
        raise UnknownFormat(
            f"{source.path}: its Accelerometer is without gravity; switch on Total Acceleration or Gravity in the app."
        )
    moving, still = (_table(source, kind, sensors[kind]) for kind in ("accelerometer", "gravity"))
    t_s = moving.columns["time"] / _NS_PER_S
    gravity_t_s, gravity = still.columns["time"] / _NS_PER_S, still.xyz(_XYZ)
    order = np.argsort(gravity_t_s, kind="stable")
    # Gravity turns no faster than the body, and both are told at the same rate.
    added = np.stack([np.interp(t_s, gravity_t_s[order], gravity[order, axis]) for axis in range(3)], axis=1)
    notes.append("Acceleration is the sum of the app's Accelerometer and Gravity.")
    return Stream(t_s, moving.xyz(_XYZ) + added)


def _watch(source: Source, member: Member, header: Header, standardised: bool) -> RecordingFile:
    table = _table(source, "wristmotion", (member, header), _WATCH)
    turning, moving, still = (table.xyz(_WATCH[at : at + 3]) for at in (0, 3, 6))
    acc, converted = in_mps2(moving + still)
    notes = [converted] if converted is not None else []
    t_s = table.columns["time"] / _NS_PER_S
    if not standardised:
        acc = -acc
        notes.append("The watch's acceleration was turned round, so that it points up at rest.")
    return _recording(source, "watch", Stream(t_s, acc), Stream(t_s.copy(), turning), notes)


def _recording(source: Source, place: str, acc: Stream, gyr: Stream | None, notes: list[str]) -> RecordingFile:
    base_s = float(np.floor(acc.t_s[0])) if len(acc.t_s) else 0.0
    grid = on_grid(str(source.path), place, _since(acc, base_s), None if gyr is None else _since(gyr, base_s))
    return RecordingFile(
        source.path,
        grid.rate_hz,
        grid.samples,
        {place: grid.sensor},
        grid.t_s,
        grid.row_index,
        FORMAT,
        base_s + grid.first_s,
        notes=(*notes, *grid.notes),
    )


def _since(stream: Stream, base_s: float) -> Stream:
    # Seconds of an epoch leave few digits for the fraction.
    t_s: FloatArray = stream.t_s - base_s
    return Stream(t_s, stream.values)
