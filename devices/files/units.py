"""Tell units apart that a file does not name: what gravity and the turning of its direction must look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from devices.errors import UnknownFormat
from devices.types import FloatArray

# Gravity is 9.81 m/s^2. In g a recording has a median length about 1; clear of both is neither.
GRAVITY_RANGE_MPS2 = (4.0, 25.0)
G_RANGE = (0.4, 2.5)
# Own bounds, beyond any sensor: a value further off is damage, not motion.
ACC_MAX_MPS2, GYR_MAX_RADPS = 1e5, 1e3
# Gyroscopes of wearables end at +-2000 deg/s, which is 34.9 rad/s.
MAX_GYR_RADPS = 35.0
# Own heuristics, from 299 real sensor recordings in rad/s: where the turning that the accelerometer shows follows the
# gyroscope this closely, it is never less than 0.12 of it; in deg/s it would be at most 0.03 of it.
WINDOW_S = 0.5
# Own choice: so many rows, spread over the recording, tell lengths and rates; more would only take memory.
ENOUGH_ROWS = 500_000
FOLLOWS_R = 0.8
DEGREES_RATIO = 0.05
# Own heuristic: below this the sensor hardly moves (in either unit), and nothing can be told.
MOVES_RMS = 2.0


def check_units(path: Path | str, place: str, acc: FloatArray, gyr: FloatArray, rate_hz: float) -> None:
    """Refuse acceleration in g and angular rate in deg/s. acc, gyr: (n, 3), finite; gyr all NaN without a gyroscope.

    Raises UnknownFormat with one sentence that names the array and the remedy.
    """
    some = slice(None, None, max(len(acc) // ENOUGH_ROWS, 1))
    length = float(np.median(np.linalg.norm(acc[some], axis=1)))
    if G_RANGE[0] <= length <= G_RANGE[1]:
        raise UnknownFormat(
            f"{path}: the array '{place}_acc' looks like g (median length {length:.2f}); "
            "multiply it by 9.81 to get m/s^2."
        )
    if not GRAVITY_RANGE_MPS2[0] <= length <= GRAVITY_RANGE_MPS2[1]:
        raise UnknownFormat(
            f"{path}: the array '{place}_acc' is not in m/s^2 with gravity: "
            f"its median length is {length:.4g}, not near 9.81."
        )
    if np.isnan(gyr[0, 0]):
        return
    fast = float(np.percentile(np.abs(gyr[some]), 99.9, overwrite_input=True))
    if fast > MAX_GYR_RADPS:
        raise UnknownFormat(
            f"{path}: the array '{place}_gyr' reaches {fast:.4g}, which is more than 2000 deg/s in rad/s; "
            "divide degrees by 57.296."
        )
    if _looks_like_degrees(acc, gyr, rate_hz):
        raise UnknownFormat(
            f"{path}: the array '{place}_gyr' turns far more than '{place}_acc' does, as if it were in deg/s; "
            "divide degrees by 57.296."
        )


def _looks_like_degrees(acc: FloatArray, gyr: FloatArray, rate_hz: float) -> bool:
    """Compare how the direction of gravity turns in the accelerometer with what the gyroscope says.

    The up direction u in sensor axes obeys du/dt = -w x u; both sides are averaged over half a second, so that
    linear acceleration of either sign counts little.
    """
    count = max(round(WINDOW_S * rate_hz), 2)
    power = float(np.einsum("ij,ij->", gyr, gyr, dtype=np.float64))
    if len(acc) < 6 * count or (power / len(gyr)) ** 0.5 < MOVES_RMS:
        return False
    # A few minutes tell the unit; a day would tell nothing more.
    rows = slice(0, min(len(acc), round(1200 * rate_hz)))
    up = acc[rows].astype(np.float64)
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    seen = _mean_over(up, count)
    seen = seen[count:] - seen[:-count]
    said = _mean_over(_mean_over(-np.cross(gyr[rows].astype(np.float64), up), count), count)[: len(seen)]
    said *= count / rate_hz
    seen = seen[: len(said)]
    both, said_power, seen_power = (float(np.sum(part)) for part in (seen * said, said * said, seen * seen))
    if said_power <= 0.0 or seen_power <= 0.0:
        return False
    return abs(both) > FOLLOWS_R * (said_power * seen_power) ** 0.5 and abs(both) < DEGREES_RATIO * said_power


def _mean_over(values: FloatArray, count: int) -> FloatArray:
    sums = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    means: FloatArray = (sums[count:] - sums[:-count]) / count
    return means
