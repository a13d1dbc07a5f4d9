"""Recordings as `.npz`: `fs`, `<place>_acc`, `<place>_gyr`, and `t` where the samples are not simply k / fs.

Everything else in the file is left alone; reference arrays (`truth_…`) are never read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import UnknownFormat
from devices.files.recording import MAX_SAMPLES, RATE_RANGE_HZ, RecordingFile, SensorSamples
from devices.files.source import MAX_MEMBERS, MAX_RATIO
from devices.files.units import ACC_MAX_MPS2, GYR_MAX_RADPS, check_units
from devices.files.zips import open_zip
from devices.types import FloatArray, IntArray

MAX_ARRAY_BYTES = MAX_SAMPLES * 3 * 8
MAX_SENSORS = 64
# Own bounds. Of all arrays together; below the second one, arrays of one value, a thousand times smaller, are let in.
MAX_TOTAL_BYTES, SMALL_BYTES = 2 * MAX_ARRAY_BYTES, 100_000_000


def is_npz(path: Path) -> bool:
    """Tell whether a file is a zip of numpy arrays, whatever it is called; a damaged .npz is still meant as one."""
    if path.suffix == ".npz" or not zipfile.is_zipfile(path):
        return path.suffix == ".npz"
    try:
        with open_zip(path, MAX_MEMBERS) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False  # a name that is no text, a version of zip that is not read


def read_npz(path: Path | str) -> RecordingFile:
    """Read a recording. Raises UnknownFormat with one sentence that names the file, the array and the reason."""
    path = Path(path)
    arrays = _load(path)
    if "fs" not in arrays:
        raise UnknownFormat(f"{path}: the array 'fs' is missing; it holds the samples per second.")
    rate_hz = _rate(path, arrays["fs"])
    places = _places(path, arrays)
    length = arrays[f"{places[0]}_acc"].shape[0] if arrays[f"{places[0]}_acc"].ndim else 0
    t_s, grid = _grid(path, arrays.pop("t"), length, rate_hz) if "t" in arrays else _even(length, rate_hz)
    sensors = {}
    for place in places:
        acc, gyr = arrays.pop(f"{place}_acc"), arrays.pop(f"{place}_gyr")
        _check_shapes(path, place, acc, gyr, length, places[0])
        sensors[place] = _sensor(path, place, acc, gyr, grid, rate_hz)
    if not any(sensor.covered for sensor in sensors.values()):
        raise UnknownFormat(f"{path}: no sensor has a single sample without NaN ({', '.join(places)}).")
    return RecordingFile(path, rate_hz, int(grid[-1]) + 1, sensors, t_s, grid)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    """Load the arrays that matter, after a look at their headers: a small file may promise terabytes."""
    if not path.is_file():
        what = "this is not a file" if path.exists() else "there is no such file"
        raise UnknownFormat(f"{path}: {what}; name a recording (.npz).")
    if not zipfile.is_zipfile(path):
        raise UnknownFormat(f"{path}: this is not an .npz file (a zip archive of numpy arrays).")
    try:
        with open_zip(path, MAX_MEMBERS) as archive:
            wanted = [item for item in archive.infolist() if _wanted(item.filename)]
            _check_sizes(path, wanted)
            for item in wanted:
                _check_header(path, archive, item)
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in (item.filename.removesuffix(".npy") for item in wanted)}
    except UnknownFormat:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged archive fails in as many ways as there are bytes
        raise UnknownFormat(f"{path}: the file is damaged or incomplete ({_first_line(error)}).") from None


def _wanted(filename: str) -> bool:
    name = filename.removesuffix(".npy")
    return (
        filename.endswith(".npy")
        and not name.startswith("truth_")
        and (name in ("fs", "t") or (name.endswith(("_acc", "_gyr")) and len(name) > len("_acc")))
    )


def _check_sizes(path: Path, wanted: list[zipfile.ZipInfo]) -> None:
    size, packed = (sum(getattr(item, name) for item in wanted) for name in ("file_size", "compress_size"))
    if len(wanted) > 2 * MAX_SENSORS + 2:
        raise UnknownFormat(f"{path}: {len(wanted)} arrays in one file; {MAX_SENSORS} sensors are the limit.")
    if size > MAX_TOTAL_BYTES or size > SMALL_BYTES + MAX_RATIO * packed:
        raise UnknownFormat(f"{path}: its arrays unpack to {size:,} bytes, far more than it is; not read.")


def _check_header(path: Path, archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> None:
    name = item.filename.removesuffix(".npy")
    with archive.open(item) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    if dtype.hasobject or dtype.kind not in "fiu":
        raise UnknownFormat(f"{path}: the array '{name}' holds {dtype}, not numbers.")
    if (shape and shape[0] > MAX_SAMPLES) or int(np.prod(shape, dtype=object)) * dtype.itemsize > MAX_ARRAY_BYTES:
        raise UnknownFormat(f"{path}: the array '{name}' has the shape {shape}; {MAX_SAMPLES:,} samples is the limit.")


def _rate(path: Path, fs: NDArray[Any]) -> float:
    if fs.size != 1:
        raise UnknownFormat(
            f"{path}: the array 'fs' has {fs.size} values; it must be one number, the samples per second."
        )
    rate_hz = float(fs.reshape(()))
    if not RATE_RANGE_HZ[0] <= rate_hz <= RATE_RANGE_HZ[1]:
        low, high = RATE_RANGE_HZ
        raise UnknownFormat(f"{path}: the array 'fs' says {rate_hz:g} Hz; it must lie between {low:g} and {high:g} Hz.")
    return rate_hz


def _places(path: Path, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    places = [name.removesuffix("_acc") for name in arrays if name.endswith("_acc")]
    lonely = [name for name in arrays if name.endswith("_gyr") and f"{name.removesuffix('_gyr')}_acc" not in arrays]
    for place in places:
        if f"{place}_gyr" not in arrays:
            raise UnknownFormat(f"{path}: the array '{place}_gyr' is missing; '{place}_acc' needs its gyroscope.")
    if lonely:
        raise UnknownFormat(
            f"{path}: the array '{lonely[0].removesuffix('_gyr')}_acc' is missing beside '{lonely[0]}'."
        )
    if not places:
        raise UnknownFormat(f"{path}: no sensor found; each needs the arrays '<place>_acc' and '<place>_gyr'.")
    if len(places) > MAX_SENSORS:
        raise UnknownFormat(f"{path}: {len(places)} sensors in one file; {MAX_SENSORS} is the limit.")
    return places


def _check_shapes(path: Path, place: str, acc: NDArray[Any], gyr: NDArray[Any], length: int, first: str) -> None:
    for name, array in ((f"{place}_acc", acc), (f"{place}_gyr", gyr)):
        if array.ndim != 2 or array.shape[1] != 3:
            raise UnknownFormat(f"{path}: the array '{name}' has the shape {array.shape}; it must be (samples, 3).")
        if len(array) != length:
            raise UnknownFormat(
                f"{path}: the array '{name}' has {len(array)} samples, '{first}_acc' has {length}; they must agree."
            )
    if not length:
        raise UnknownFormat(f"{path}: the array '{place}_acc' is empty.")


def _even(length: int, rate_hz: float) -> tuple[FloatArray, IntArray]:
    """Return the time in s and the grid number of each sample where they are simply k / fs."""
    index = np.arange(length, dtype=np.int64)
    return index / rate_hz, index


def _grid(path: Path, t: NDArray[Any], length: int, rate_hz: float) -> tuple[FloatArray, IntArray]:
    """Return the time in s from the first sample and the grid number of each sample. t: (n,) s, rising."""
    if t.shape != (length,):
        raise UnknownFormat(
            f"{path}: the array 't' has the shape {t.shape}; it must have one time per sample, ({length},)."
        )
    t = t.astype(np.float64)
    if not np.isfinite(t).all():
        raise UnknownFormat(
            f"{path}: the array 't' holds NaN at sample {int(np.argmin(np.isfinite(t)))}; each sample needs its time."
        )
    steps = np.diff(t)
    if steps.size and steps.min() <= 0:
        raise UnknownFormat(
            f"{path}: the array 't' goes back or stands still after sample {int(np.argmin(steps > 0))}."
        )
    if steps.size and not 0.75 < float(np.median(steps)) * rate_hz < 1.5:
        raise UnknownFormat(
            f"{path}: the array 't' shows {1.0 / float(np.median(steps)):.4g} samples a second, 'fs' says {rate_hz:g}; "
            "'t' must be in seconds and agree with 'fs'."
        )
    if float(t[-1] - t[0]) * rate_hz >= MAX_SAMPLES if length else False:
        raise UnknownFormat(
            f"{path}: the array 't' spans {float(t[-1] - t[0]):.3g} s; {MAX_SAMPLES:,} samples is the limit."
        )
    t_s: FloatArray = t - t[0]
    return t_s, np.rint(t_s * rate_hz).astype(np.int64)


def _sensor(
    path: Path, place: str, acc: NDArray[Any], gyr: NDArray[Any], grid: IntArray, rate_hz: float
) -> SensorSamples:
    with np.errstate(over="ignore", invalid="ignore"):
        acc, gyr = acc.astype(np.float32, copy=False), gyr.astype(np.float32, copy=False)
    valid = (np.abs(acc) <= ACC_MAX_MPS2).all(axis=1)
    turning = (np.abs(gyr) <= GYR_MAX_RADPS).all(axis=1)
    if turning.any():
        valid &= turning  # a file without a single angular rate is one of a sensor without a gyroscope
    whole, even = bool(valid.all()), bool((np.diff(grid) == 1).all())
    if whole:
        check_units(path, place, acc, gyr, rate_hz)
    elif valid.any():
        check_units(path, place, acc[valid], gyr[valid], rate_hz)
    if whole and even:
        return SensorSamples(acc, gyr)
    size = int(grid[-1]) + 1
    placed = SensorSamples(np.full((size, 3), np.nan, np.float32), np.full((size, 3), np.nan, np.float32))
    # Of two samples nearest to one place of the grid the later one stays.
    placed.acc_mps2[grid[valid]], placed.gyr_radps[grid[valid]] = acc[valid], gyr[valid]
    return placed


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
