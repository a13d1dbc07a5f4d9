"""Any recording as a motion source: read, repeated to a length, resampled to a rate the product offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from devices.errors import UnknownFormat
from devices.files.npz import read_npz
from devices.sim.resample import resampled
from devices.types import FloatArray

# Own heuristic: long enough that the turn between two poses is slower than a bend, short against a recording.
JOIN_S = 2.0
# Own heuristic: no movement of the trunk fits into a tenth of a second.
BRIDGE_S = 0.1


class RecordingMotion:
    """A recorded motion, from its first sample to its last; a wearable that has sent it all goes off.

    acc_mps2, gyr_radps: (n, 3) at rate_hz. Where a recording is repeated, the last 2 s of one copy and the first 2 s
    of the next overlap: both signals cross-fade, and the angular rate of the turn from the one pose of gravity to the
    other is added, so that gyroscope and accelerometer tell the same story. `joins_s` says where; nothing else of the
    recording is touched.
    """

    def __init__(
        self, acc_mps2: FloatArray, gyr_radps: FloatArray, rate_hz: float, repeat_to_s: float | None = None
    ) -> None:
        both = np.concatenate([acc_mps2, gyr_radps], axis=1).astype(np.float64)
        self.recorded_rate_hz = rate_hz
        self.joins_s: tuple[float, ...] = ()
        if repeat_to_s is not None and repeat_to_s > len(both) / rate_hz:
            both = self._repeated(both, round(repeat_to_s * rate_hz))
        self._both = both
        self._at_rate: dict[float, FloatArray] = {}

    @classmethod
    def from_npz(cls, path: Path, place: str | None = None, repeat_to_s: float | None = None) -> RecordingMotion:
        """Read the sensor at `place` (may be left out when there is only one). Raises UnknownFormat."""
        acc, gyr, rate_hz = _read(Path(path), place)
        if repeat_to_s is not None and len(acc) / rate_hz < 2 * JOIN_S:
            raise UnknownFormat(f"{path} lasts under {2 * JOIN_S:g} s, too short to be repeated; replay it once.")
        return cls(acc, gyr, rate_hz, repeat_to_s)

    @property
    def duration_s(self) -> float | None:
        """Return the length of the motion, repeats included."""
        return len(self._both) / self.recorded_rate_hz

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s, (count, 3) each; fewer only past the end."""
        if rate_hz not in self._at_rate:
            self._at_rate[rate_hz] = resampled(self._both, self.recorded_rate_hz, rate_hz)
        part = self._at_rate[rate_hz][start_index : start_index + count]
        return part[:, :3], part[:, 3:]

    def nearest_rate_hz(self, offered_hz: Sequence[float]) -> float:
        """Return the lowest offered rate that loses nothing of the recording, else the highest offered."""
        return min((rate for rate in offered_hz if rate >= self.recorded_rate_hz), default=max(offered_hz))

    def _repeated(self, one: FloatArray, count: int) -> FloatArray:
        overlap = round(JOIN_S * self.recorded_rate_hz)
        join = self._join(one[-overlap:], one[:overlap])
        period = len(one) - overlap
        copies = -(-(count - overlap) // period)
        whole = np.concatenate([one[:period]] + [np.concatenate([join, one[overlap:period]])] * (copies - 1) + [join])
        # The last join stands where the recording's own end would be; put that back.
        whole[-overlap:] = one[-overlap:]
        self.joins_s = tuple(number * period / self.recorded_rate_hz for number in range(1, copies))
        return whole[:count]

    def _join(self, ending: FloatArray, beginning: FloatArray) -> FloatArray:
        share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(len(ending)) + 0.5) / len(ending))
        joined = (1 - share[:, None]) * ending + share[:, None] * beginning
        up = (1 - share[:, None]) * ending[:, :3].mean(axis=0) + share[:, None] * beginning[:, :3].mean(axis=0)
        up /= np.linalg.norm(up, axis=1, keepdims=True)
        # A fixed direction u seen from a turning sensor moves by u' = u x w; the least such w is u' x u.
        joined[:, 3:] += np.cross(np.gradient(up, 1 / self.recorded_rate_hz, axis=0), up)
        return np.asarray(joined)


def _read(path: Path, place: str | None) -> tuple[FloatArray, FloatArray, float]:
    recording = read_npz(path)
    if place is None and len(recording.places) == 1:
        place = recording.places[0]
    if place not in recording.places:
        asked = "no place was named" if place is None else f"there is no {place!r}"
        raise UnknownFormat(f"{path}: the file has {', '.join(recording.places)}, and {asked}; name one with --place.")
    sensor = recording.sensors[place]
    both = np.concatenate([sensor.acc_mps2, sensor.gyr_radps], axis=1).astype(np.float64)
    missing = np.isnan(both[:, 0])
    if missing.any():
        _bridge(path, both, missing, recording.rate_hz)
    return both[:, :3], both[:, 3:], recording.rate_hz


def _bridge(path: Path, both: FloatArray, missing: np.ndarray[tuple[int], np.dtype[np.bool_]], rate_hz: float) -> None:
    """Fill short gaps in place with a straight line: a wearable has no way to send a missing sample."""
    known = np.flatnonzero(~missing)
    longest = int(np.max(np.diff(known, prepend=-1, append=len(both)))) - 1
    if longest > max(1.0, BRIDGE_S * rate_hz):
        raise UnknownFormat(f"{path}: {longest} samples in a row are missing; a replay bridges {BRIDGE_S:g} s at most.")
    for column in both.T:
        column[missing] = np.interp(np.flatnonzero(missing), known, column[known])
