"""The number of each sample on the device's own sample sequence, whatever its true rate is.

A product that promises 104 Hz may take 101 or 107 samples a second: its sensor has a clock of its own. Placing samples
by the promised rate would drop or invent one every few seconds. So the grid follows the samples: the distance between
two of them is measured over the first second, then corrected from group to group. Splitting calls anywhere changes
nothing: groups are counted in order of arrival. Why: docs/decisions/0005-grid.md.
"""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray, IntArray

# The distance of two samples is corrected after so many; half a per cent of error is a third of a sample by then.
_GROUP = 64
# Share of a group's error that goes into the distance (own heuristic: settles in a few groups, smooths ms time stamps).
_GAIN = 0.25
# Sensors stay within a few per cent of their promise; anything further is a gap or a wrong promise (own heuristic).
_OFF_MAX_SHARE = 0.1
# Steps that the distance is measured by: up to so many samples, so far from a whole number of promised ones.
_STEP_SAMPLES_MAX = 8
_STEP_OFF_SHARE, _STEP_OFF_SAMPLES = 0.06, 0.25
# Nearer than this to the promised rate, the promised rate is told: 25 ms over a chunk of 5 s (own choice).
_SNAP_SHARE = 0.005


class SampleGrid:
    """Tick -> number of the sample. period: ticks between two samples, as measured so far."""

    def __init__(self, rate_hz: float, ticks_per_s: int) -> None:
        self._promised_hz, self._ticks_per_s = rate_hz, ticks_per_s
        self._promised = self.period = ticks_per_s / rate_hz
        # The sample at tick _anchor_tick has the number _anchor_index; _followed: a whole group put it there.
        self._anchor_tick, self._anchor_index, self._followed = 0.0, 0, False
        self._steps: list[FloatArray] = []
        self._phases: list[FloatArray] = []
        self._count = 0

    @property
    def sampling_rate_hz(self) -> float:
        """Return samples per second of the device's clock, as measured so far."""
        return self._ticks_per_s / self.period

    def told_rate_hz(self, measured_hz: float | None = None) -> float:
        """Return the rate for a recording that begins now: the promised one, or the measured one if it is off."""
        measured_hz = measured_hz or self.sampling_rate_hz
        off = abs(measured_hz / self._promised_hz - 1)
        return self._promised_hz if off < _SNAP_SHARE else round(measured_hz, 3)

    def settle(self, ticks: IntArray) -> None:
        """Measure the distance from the first samples, ticks (n,); without any usable step the promised one stays."""
        steps = np.diff(np.unique(ticks)).astype(np.float64)
        counts = np.rint(steps / self._promised)
        off = np.abs(steps - counts * self._promised) / self._promised
        usable = (counts >= 1) & (counts <= _STEP_SAMPLES_MAX) & (off <= _STEP_OFF_SAMPLES + _STEP_OFF_SHARE * counts)
        if usable.any():
            self._set_period(float(steps[usable].sum() / counts[usable].sum()))

    def begin(self, tick: int, index: int) -> None:
        """Hold on to one sample: the first one, or the first behind a long gap or a restart."""
        self._anchor_tick, self._anchor_index, self._followed = float(tick), index, False
        self._steps, self._phases, self._count = [], [], 0

    def index_of(self, ticks: IntArray) -> IntArray:
        """Return the number (n,) of each sample, in order of arrival."""
        index = np.empty(len(ticks), dtype=np.int64)
        at = 0
        while at < len(ticks):
            end = min(at + _GROUP - self._count, len(ticks))
            exact = (ticks[at:end] - self._anchor_tick) / self.period
            nearest = np.rint(exact)
            index[at:end] = nearest
            index[at:end] += self._anchor_index
            self._steps.append(nearest)
            self._phases.append(exact - nearest)
            self._count += end - at
            if self._count == _GROUP:
                self._follow()
            at = end
        return index

    def _follow(self) -> None:
        """Move the anchor into the middle of a full group, and mend the distance by what it was off."""
        middle = int(np.median(np.concatenate(self._steps)))
        phase = float(np.median(np.concatenate(self._phases)))
        tick, index = self._anchor_tick + (middle + phase) * self.period, self._anchor_index + middle
        if self._followed and middle > 0:
            self._set_period(self.period * (1 + _GAIN * phase / middle))
        self.begin(0, index)
        self._anchor_tick, self._followed = tick, True

    def _set_period(self, period: float) -> None:
        least, most = self._promised * (1 - _OFF_MAX_SHARE), self._promised * (1 + _OFF_MAX_SHARE)
        self.period = min(max(period, least), most)
