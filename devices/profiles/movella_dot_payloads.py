"""The payload modes of a Movella DOT: one table of layouts, and the decoder of a stream of any of them.

Source: vendor document XD0506P (28 October 2021), section 3.5; mode 26 from a public client of later firmware.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket, Refused
from devices.profiles import movella_dot_uuids as dot
from devices.profiles.types import Decoded
from devices.types import FloatArray, IntArray, SampleBlock

# Full scale of the DOT's sensors: 16 g and 2000 deg/s (user manual, sensor components).
ACC_FULL_MPS2 = 16 * 9.80665
GYR_FULL_DEGPS = 2000.0
# A tenth on top, because the factory calibration may scale a full-scale reading up (own heuristic).
_ACC_LIMIT_MPS2 = 1.1 * ACC_FULL_MPS2
_GYR_LIMIT_DEGPS = 1.1 * GYR_FULL_DEGPS
# The rotation between two samples has norm 1; float32 and the fusion leave less than this (own heuristic).
_QUATERNION_SLACK = 0.05
# Delta velocity is the integral over one sample, at most a second at 1 Hz.
_DV_LIMIT_MPS = _ACC_LIMIT_MPS2
# Notifications are padded with zeros to the size of their characteristic. Source: the same document.
_PADDED_BYTES = {dot.SHORT_PAYLOAD: 20, dot.MEDIUM_PAYLOAD: 40, dot.LONG_PAYLOAD: 63}

# A field: how it is written, and the largest absolute value that can be true (None: any number, or checked as a norm).
_FIELDS: dict[str, tuple[Any, float | None]] = {
    "quaternion_wxyz": (("<f4", 4), None),
    "euler_deg": (("<f4", 3), 360.0),
    "free_acc_mps2": (("<f4", 3), _ACC_LIMIT_MPS2 + 9.80665),
    "acc_mps2": (("<f4", 3), _ACC_LIMIT_MPS2),
    "gyr_degps": (("<f4", 3), _GYR_LIMIT_DEGPS),
    "delta_quaternion_wxyz": (("<f4", 4), None),
    "delta_velocity_mps": (("<f4", 3), _DV_LIMIT_MPS),
    "mag_counts": (("<i2", 3), None),
    # Bits 0-2 acc clipped in x, y, z; 3-5 gyr; 6-8 mag; 9 mag is new.
    "status": ("<u2", None),
    "acc_clips": ("u1", None),
    "gyr_clips": ("u1", None),
}
_SAID = {
    "quaternion_wxyz": "its quaternion has not the length 1",
    "delta_quaternion_wxyz": "its turn has not the length 1",
    "acc_mps2": "its acceleration is no number within 16 g",
    "gyr_degps": "its angular rate is no number within 2000 deg/s",
}


@dataclass(frozen=True, slots=True)
class PayloadMode:
    """One measurement mode: number, name, where it is notified, its fields behind the time stamp, their layout."""

    number: int
    title: str
    uuid: str
    fields: tuple[str, ...]
    layout: np.dtype[Any]

    @property
    def used_bytes(self) -> int:
        """Return the size without padding."""
        return 4 + sum(int(np.dtype(_FIELDS[name][0]).itemsize) for name in self.fields)


def _mode(number: int, title: str, uuid: str, *fields: str) -> PayloadMode:
    formats = ["<u4", *(_FIELDS[name][0] for name in fields)]
    sizes = [np.dtype(one).itemsize for one in formats]
    offsets = [sum(sizes[:i]) for i in range(len(sizes))]
    layout = np.dtype(
        {"names": ["ticks", *fields], "formats": formats, "offsets": offsets, "itemsize": _PADDED_BYTES[uuid]}
    )
    return PayloadMode(number, title, uuid, fields, layout)


_SHORT, _MEDIUM, _LONG = dot.SHORT_PAYLOAD, dot.MEDIUM_PAYLOAD, dot.LONG_PAYLOAD
_Q, _E, _FREE, _CLIPS = "quaternion_wxyz", "euler_deg", "free_acc_mps2", ("status", "acc_clips", "gyr_clips")
_DQ, _DV, _MAG = "delta_quaternion_wxyz", "delta_velocity_mps", "mag_counts"
# Modes 1, 17 and 25 are closed encodings that only the maker's library reads.
MODES: dict[int, PayloadMode] = {
    mode.number: mode
    for mode in (
        _mode(2, "extended quaternion", _MEDIUM, _Q, _FREE, *_CLIPS),
        _mode(3, "complete quaternion", _MEDIUM, _Q, _FREE),
        _mode(4, "orientation as Euler angles", _SHORT, _E),
        _mode(5, "orientation as quaternion", _SHORT, _Q),
        _mode(6, "free acceleration", _SHORT, _FREE),
        _mode(7, "extended Euler angles", _MEDIUM, _E, _FREE, *_CLIPS),
        _mode(16, "complete Euler angles", _MEDIUM, _E, _FREE),
        _mode(18, "delta quantities with magnetometer", _MEDIUM, _DQ, _DV, _MAG),
        _mode(19, "delta quantities", _MEDIUM, _DQ, _DV),
        _mode(20, "rate quantities with magnetometer", _MEDIUM, "acc_mps2", "gyr_degps", _MAG),
        _mode(21, "rate quantities", _MEDIUM, "acc_mps2", "gyr_degps"),
        _mode(22, "custom 1", _MEDIUM, _E, _FREE, "gyr_degps"),
        _mode(23, "custom 2", _MEDIUM, _E, _FREE, _MAG),
        _mode(24, "custom 3", _MEDIUM, _Q, "gyr_degps"),
        # Unconfirmed: one public client calls its acceleration "acceleration", another "free acceleration".
        _mode(26, "custom 5", _LONG, _Q, "acc_mps2", "gyr_degps"),
    )
}

RowsSink = Callable[[NDArray[np.void]], None]


def mode_of(number: int) -> PayloadMode:
    """Return a mode by its number. Raises Refused, naming the known ones."""
    if number not in MODES:
        known = ", ".join(str(one) for one in MODES)
        raise Refused(f"Backstop reads no payload mode {number} of a Movella DOT; choose one of {known}.")
    return MODES[number]


def decode_payload(mode: PayloadMode, data: bytes) -> NDArray[np.void]:
    """Return the fields of concatenated notifications of one mode as a structured array (n,).

    data: n notifications of the mode's padded size, end to end. Raises BadPacket for another length.
    """
    size = mode.layout.itemsize
    if not data or len(data) % size:
        raise BadPacket(
            f"{len(data)} bytes are no notification of payload mode {mode.number} ({size} bytes); not used."
        )
    return np.frombuffer(data, dtype=mode.layout)


class PayloadDecoder:
    """Reads one mode: one sample in each notification, nothing kept between them.

    specific_force: whether `acc_mps2` of the mode includes gravity. Only then are there samples in the block; what the
    fused modes tell goes to on_rows, the valid rows of each call as a structured array with the fields of the mode.
    """

    def __init__(self, mode: PayloadMode, specific_force: bool = True, on_rows: RowsSink | None = None) -> None:
        self._mode = mode
        self._has_samples = specific_force and "acc_mps2" in mode.fields
        self._on_rows = on_rows

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return one sample per valid notification, in order; the others are named in `bad`."""
        size = self._mode.layout.itemsize
        sized = [i for i, frame in enumerate(frames) if len(frame) == size]
        reason = None
        if len(sized) < len(frames):
            odd = next(len(frame) for frame in frames if len(frame) != size)
            reason = f"A notification of a Movella DOT has {odd} bytes, not {size}; not used."
        rows = np.frombuffer(b"".join(frames[i] for i in sized), dtype=self._mode.layout)
        frame_of = np.array(sized, dtype=np.int64)
        faults = _faults(self._mode, rows)
        wrong = np.logical_or.reduce(list(faults.values()))
        if wrong.any():
            what = next(name for name, where in faults.items() if where.any())
            reason = reason or f"A notification of a Movella DOT is damaged or foreign: {what}; not used."
            rows, frame_of = rows[~wrong], frame_of[~wrong]
        good = set(frame_of.tolist())
        bad = () if len(good) == len(frames) else tuple(i for i in range(len(frames)) if i not in good)
        if self._on_rows is not None and len(rows):
            self._on_rows(rows)
        if not self._has_samples:
            rows, frame_of = rows[:0], frame_of[:0]
        return Decoded(self._block(rows), frame_of, bad, reason)

    def _block(self, rows: NDArray[np.void]) -> SampleBlock:
        ticks: IntArray = rows["ticks"].astype(np.int64)
        acc: FloatArray = rows["acc_mps2"].astype(np.float64) if self._has_samples else np.empty((0, 3))
        gyr: FloatArray = np.radians(rows["gyr_degps"].astype(np.float64)) if self._has_samples else np.empty((0, 3))
        return SampleBlock(ticks, acc, gyr)


def _faults(mode: PayloadMode, rows: NDArray[np.void]) -> dict[str, NDArray[np.bool_]]:
    """Return for each way a notification can be wrong which rows are so."""
    raw = rows.view(np.uint8).reshape(len(rows), mode.layout.itemsize)
    padded: NDArray[np.bool_] = np.any(raw[:, mode.used_bytes :], axis=1)
    faults = {"its padding is not zero": padded}
    # NaN and infinity fail every comparison with a limit, so that "not within" finds them too.
    with np.errstate(invalid="ignore", over="ignore"):
        for name in mode.fields:
            limit = _FIELDS[name][1]
            if name.endswith("quaternion_wxyz"):
                norm = np.linalg.norm(rows[name].astype(np.float64), axis=1)
                fits = np.abs(norm - 1) <= _QUATERNION_SLACK
            elif limit is not None:
                fits = (np.abs(rows[name]) <= limit).all(axis=1)
            else:
                continue
            faults[_SAID.get(name, f"its {name} is beyond what can be")] = ~fits
    return faults
