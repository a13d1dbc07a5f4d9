"""The wearable's own clock: how long it has been on, and when each sample of its grid is taken."""

from __future__ import annotations

import numpy as np

from devices.hostclock import HostClock
from devices.types import FloatArray, IntArray

# Rates are exact to a thousandth of a hertz, 12.5 Hz among them.
_RATE_UNITS = 1000


class DeviceTime:
    """Time since power-on by a clock that runs `1 + drift_ppm / 10^6` times as fast as the host's.

    uptime_s: what the counter already showed at power-on. Sample k of a rate is taken k / rate after power-on.
    """

    def __init__(self, clock: HostClock, drift_ppm: float, uptime_s: float) -> None:
        self._clock = clock
        self._speed = 1 + drift_ppm * 1e-6
        # The clock ran from this moment on with the present speed, when it showed _anchor_s.
        self._anchor_utc_s, self._anchor_s = clock.utc_s(), 0.0
        self.uptime_us = round(uptime_s * 1e6)

    @property
    def drift_ppm(self) -> float:
        """Return how much faster than the host's clock it runs."""
        return (self._speed - 1) * 1e6

    def set_drift(self, drift_ppm: float) -> None:
        """Run faster or slower from now on."""
        utc_s = self._clock.utc_s()
        self._anchor_s, self._anchor_utc_s = self._seconds(utc_s), utc_s
        self._speed = 1 + drift_ppm * 1e-6

    def restart(self, uptime_s: float) -> None:
        """Begin at zero, as after a power-off."""
        self._anchor_utc_s, self._anchor_s = self._clock.utc_s(), 0.0
        self.uptime_us = round(uptime_s * 1e6)

    def now_s(self) -> float:
        """Return the time since power-on."""
        return self._seconds(self._clock.utc_s())

    def utc_s(self) -> float:
        """Return the host's time."""
        return self._clock.utc_s()

    def now_us(self) -> int:
        """Return what the counter shows."""
        return self.uptime_us + int(self.now_s() * 1e6)

    def utc_at(self, device_s: FloatArray) -> FloatArray:
        """Return the host's time (n,) at which the clock shows `device_s` (n,) since power-on."""
        return self._anchor_utc_s + (device_s - self._anchor_s) / self._speed

    def us_at_utc(self, utc_s: FloatArray) -> IntArray:
        """Return what the counter shows at times (n,) of the host."""
        device_s = self._anchor_s + (utc_s - self._anchor_utc_s) * self._speed
        return np.asarray(np.rint(device_s * 1e6).astype(np.int64) + self.uptime_us)

    def due(self, rate_hz: float) -> int:
        """Return the number of the newest sample that has been taken."""
        return int(self.now_s() * rate_hz)

    def us_at(self, indices: IntArray, rate_hz: float) -> IntArray:
        """Return what the counter shows at samples (n,) of the grid."""
        return us_at(indices, rate_hz, self.uptime_us)

    def _seconds(self, utc_s: float) -> float:
        return max(0.0, self._anchor_s + (utc_s - self._anchor_utc_s) * self._speed)


def us_at(indices: IntArray, rate_hz: float, uptime_us: int) -> IntArray:
    """Return the us counter (n,) at grid samples `indices` (n,), rounded to a whole number."""
    # Whole numbers all the way: the rounding must not drift over days.
    units = round(rate_hz * _RATE_UNITS)
    since = (np.asarray(indices, dtype=np.int64) * (2_000_000 * _RATE_UNITS) + units) // (2 * units)
    return np.asarray(uptime_us + since, dtype=np.int64)
