"""Recordings on disk: `read_recordings` tells the format by what is in a file, never by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from devices.errors import UnknownFormat
from devices.files import phyphox, polar_sensor_logger, sensor_logger, xsens_dot
from devices.files.npz import is_npz, read_npz
from devices.files.recording import RecordingFile
from devices.files.source import Source, open_source

_Reader = Callable[[Source], tuple[RecordingFile, ...]]
# Each knows its own header; the order does not matter, since no header is another's.
_FORMATS: tuple[tuple[str, Callable[[Source], bool], _Reader], ...] = tuple(
    (each.FORMAT, each.recognise, each.read) for each in (sensor_logger, xsens_dot, polar_sensor_logger, phyphox)
)
KNOWN = ", ".join(("Backstop .npz", *(name for name, _, _ in _FORMATS)))


def read_recordings(path: Path | str) -> tuple[RecordingFile, ...]:
    """Return the recordings of a file, a folder or a zip: one for each wearable in it. Raises UnknownFormat."""
    path = Path(path)
    if is_npz(path):
        return (read_npz(path),)
    source = open_source(path)
    for _, recognise, read in _FORMATS:
        if recognise(source):
            return read(source)
    raise UnknownFormat(f"{path}: this is no recording that Backstop knows ({KNOWN}); name one of these.")
