"""Numbers for samples of products without a clock: from when they arrived, lost ones included.

The product counts nothing and says nothing; what is known is the order of the samples, that they are taken at a steady
rate within a few per cent of the promised one, and that none arrives before it was taken. So sample k lies at
offset + k * period, under all arrivals. Late samples either come back to that line (they had waited) or stay off it
(some never came): a pause is held for a second to see which, and what stays off becomes a gap of that many samples.

Cannot be told, by anybody: a sample that came twice from one that was taken; a loss shorter than the usual lateness
from lateness; which of the samples around a pause were lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.arrivalline import ArrivalLine, LineParams
from devices.types import FloatArray, IntArray

# Sensors without a crystal are off by up to 3 % and wander with temperature (vendors' data sheets of MEMS sensors).
SENSOR_LINE = LineParams(
    window_s=0.5,
    windows=240,
    span_min_s=1.5,
    prior_ppm=15_000.0,
    max_ppm=50_000.0,
    wander_ppm=50.0,
    certain_ppm=1000.0,
)
# Real time from here on. The first samples wait so long, and for so many, to show the true rate (own heuristic).
_SETTLE_S, _SETTLE_SAMPLES = 3.0, 5
# A notification this late, and by six times the usual scatter, may have lost predecessors (own heuristic).
_LATE_S, _LATE_SCATTERS, _LATE_SAMPLES = 0.1, 6.0, 2.5
# So long, on the host's clock, is waited whether samples come back to the line (own heuristic).
_HELD_S = 1.0


@dataclass(frozen=True, slots=True)
class Numbered:
    """Samples with their numbers. number (n,) rising, lost ones counted; values (n, c); arrival_utc_s (n,)."""

    number: IntArray
    values: FloatArray
    arrival_utc_s: FloatArray


class ArrivalClock:
    """One sensor's samples across link losses. All in order; nothing is dropped, some wait for those behind them."""

    def __init__(self, rate_hz: float, host_speed: float = 1.0, columns: int = 6) -> None:
        """rate_hz: as promised. host_speed: of the host's clock against real time. columns: of the values."""
        self._period_s, self._speed = 1.0 / rate_hz, host_speed
        self._line = ArrivalLine(SENSOR_LINE.scaled(host_speed))
        self._origin_utc_s: float | None = None
        self._next = 0
        self._empty = np.empty((0, columns))
        self._values = self._empty
        self._arrivals = np.empty(0)
        self._settled = False
        # Held since a pause, or since the link was made anew: then even a short pause is looked at.
        self._suspect = self._reconnected = False
        self.lost = 0

    @property
    def rate_hz(self) -> float:
        """Return samples per second of UTC, as measured so far."""
        return 1.0 / (self._period_s * (1 + self._line.line.slope))

    @property
    def settled(self) -> bool:
        """Tell whether the first seconds are over, so that samples have times."""
        return self._settled

    def utc_s(self, number: IntArray) -> FloatArray:
        """Return the Unix time (n,) of numbers, by the line as it is now."""
        t_s = number.astype(np.float64) * self._period_s
        return (self._origin_utc_s or 0.0) + t_s * (1 + self._line.line.slope) + self._line.line.offset_s

    def number_at(self, utc_s: FloatArray) -> FloatArray:
        """Return which number (n,), with fractions, would have been taken at a Unix time."""
        return (utc_s - (self._origin_utc_s or 0.0) - self._line.line.offset_s) * self.rate_hz

    def begin_session(self) -> None:
        """Say that the link was made anew: samples between the sessions are missing."""
        self._reconnected = self._settled

    def take(self, values: FloatArray, arrival_utc_s: FloatArray) -> Numbered:
        """Take samples, values (n, c), arrivals (n,) in order; return those whose number is known now."""
        if len(arrival_utc_s):
            self._values = np.concatenate([self._values, values]) if len(self._values) else values
            self._arrivals = np.concatenate([self._arrivals, arrival_utc_s]) if len(self._arrivals) else arrival_utc_s
        if not len(self._arrivals):
            return self._told(0)
        if not self._settled:
            waited_s = self._arrivals[-1] - self._arrivals[0]
            if waited_s < _SETTLE_S * self._speed or len(self._arrivals) < _SETTLE_SAMPLES:
                return self._told(0)
            return self._settle()
        return self._released(final=False)

    def flush(self) -> Numbered:
        """Return all that waits, numbered as well as can be."""
        if not len(self._arrivals):
            return self._told(0)
        return self._released(final=True) if self._settled else self._settle()

    def _settle(self) -> Numbered:
        """Find the line through the first seconds; no loss can be seen within them."""
        self._settled = True
        self._origin_utc_s = float(self._arrivals[0])
        self._learn(len(self._arrivals))
        return self._told(len(self._arrivals))

    def _times(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return the stream's own time (count,) of waiting samples, and how much later than it they came."""
        t_s: FloatArray = (self._next + np.arange(count, dtype=np.float64)) * self._period_s
        return t_s, self._arrivals[:count] - (self._origin_utc_s or 0.0) - t_s

    def _learn(self, count: int) -> None:
        self._line.add(*self._times(count))

    def _off_s(self) -> tuple[FloatArray, IntArray]:
        """Return how far above the line each waiting notification's last sample lies, and the number behind it."""
        t_s, late_s = self._times(len(self._arrivals))
        ends = np.flatnonzero(np.diff(self._arrivals, append=np.inf))
        off_s: FloatArray = (late_s - self._line.line.offset_s - self._line.line.slope * t_s)[ends]
        return off_s, ends + 1

    def _limit_s(self) -> float:
        return max(_LATE_S * self._speed, _LATE_SCATTERS * self._line.scatter_s, _LATE_SAMPLES * self._period_s)

    def _released(self, final: bool) -> Numbered:
        """Number what waits, up to a pause that is not understood yet."""
        parts = []
        while len(self._arrivals):
            if not (self._suspect or self._reconnected):
                off_s, ends = self._off_s()
                late = np.flatnonzero(off_s > self._limit_s())
                ready = int(ends[-1] if not late.size else ends[late[0] - 1] if late[0] else 0)
                self._learn(ready)
                parts.append(self._told(ready))
                if not len(self._arrivals):
                    break
                self._suspect = True
            count = self._understood(final)
            if not count:
                break
            self._learn(count)
            parts.append(self._told(count))
        return _joined(parts) if parts else self._told(0)

    def _understood(self, final: bool) -> int:
        """Decide about the pause before the first waiting sample; return how many that settles, 0 to wait on."""
        off_s, ends = self._off_s()
        back = off_s <= self._limit_s() / 2
        returned = bool(back.any()) and not self._reconnected
        enough = self._arrivals[-1] - self._arrivals[0] >= _HELD_S * self._speed
        if not (returned or final or enough):
            return 0
        self._suspect = False
        if returned:
            # Another pause may hide behind what was only a delay.
            return int(ends[np.argmax(back)])
        if not (enough or self._reconnected):
            # Too few to say; if some are missing, those that follow will show it.
            return len(self._arrivals)
        self._reconnected = False
        lost = max(round(float(off_s.min()) * self.rate_hz), 0)
        self.lost += lost
        self._next += lost
        return len(self._arrivals)

    def _told(self, count: int) -> Numbered:
        """Take the first `count` waiting samples out."""
        number = self._next + np.arange(count, dtype=np.int64)
        told = Numbered(number, self._values[:count], self._arrivals[:count])
        self._next += count
        self._values, self._arrivals = self._values[count:], self._arrivals[count:]
        if not len(self._arrivals):
            self._values = self._empty
        return told


def _joined(parts: list[Numbered]) -> Numbered:
    if len(parts) == 1:
        return parts[0]
    return Numbered(
        np.concatenate([part.number for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.arrival_utc_s for part in parts]),
    )
