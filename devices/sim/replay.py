"""Any recording as a motion source: read, repeated to a length, resampled to a rate the product offers."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from devices.errors import UnknownFormat
from devices.sim.resample import resampled
from devices.types import FloatArray

# Own heuristic: long enough that the turn between two poses is slower than a bend, short against a recording.
JOIN_S = 2.0


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

    def nearest_rate_hz(self, offered_hz: Sequence[int]) -> int:
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
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise UnknownFormat(f"There is no file {path}.") from error
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnknownFormat(f"{path} cannot be read as an .npz recording; see their form in the README.") from error
    places = sorted(name[:-4] for name in arrays if name.endswith("_acc") and f"{name[:-4]}_gyr" in arrays)
    if "fs" not in arrays or not places:
        raise UnknownFormat(f"{path} lacks `fs` or a pair of <place>_acc and <place>_gyr; see the form in the README.")
    if place is None and len(places) == 1:
        place = places[0]
    if place not in places:
        asked = "no place was named" if place is None else f"there is no {place!r}"
        raise UnknownFormat(f"{path} has {', '.join(places)}, and {asked}; name one with --place.")
    acc, gyr, rate_hz = arrays[f"{place}_acc"], arrays[f"{place}_gyr"], float(arrays["fs"])
    if acc.ndim != 2 or acc.shape[1] != 3 or acc.shape != gyr.shape or not len(acc) or not rate_hz > 0:
        raise UnknownFormat(f"{path}: {place}_acc {acc.shape} and {place}_gyr {gyr.shape} are not both (n, 3).")
    if not (np.isfinite(acc).all() and np.isfinite(gyr).all()):
        raise UnknownFormat(f"{path}: {place} has samples that are no numbers; a wearable cannot send those.")
    if "t" in arrays and np.any(np.abs(np.diff(arrays["t"]) * rate_hz - 1) > 0.5):
        raise UnknownFormat(f"{path}: the times in `t` leave the even {rate_hz:g} Hz grid; cut the file at the gaps.")
    return acc.astype(np.float64), gyr.astype(np.float64), rate_hz
