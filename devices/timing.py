"""Rows of a decoder -> rows with unwrapped ticks, one for each accelerometer sample, whatever the product sends.

Three kinds of products meet here: those with a clock in their frames, those without one (numbered by arrival), and
those whose sensors come in frames of their own (joined). Behind it all rows look the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from devices.arrival import SENSOR_LINE, ArrivalClock, Numbered
from devices.clock import INTERVAL_MAX_S, ClockParams, DeviceClock
from devices.joining import Joiner, JoinerParams
from devices.rows import Rows
from devices.types import FloatArray

# Device and host may disagree this long in real time, e.g. when the program was stopped (own heuristic).
_TOLERANCE_S = 5.0
# A pause of this many samples, or of a second, is unusual enough to ask the next sample whether it is true.
_STEP_MAX_SAMPLES = 4
# Frames of two sensors that hold up to two seconds each come this far out of order (Polar's largest frames).
_STEP_MAX_SEPARATE_S = 5.0
# Ticks per sample where samples are only numbered: room for a gyroscope's samples between them (own choice).
TICKS_PER_SAMPLE = 1000
_NO_WRAP = 2**62


@dataclass(frozen=True, slots=True)
class TimingParams:
    """rate_hz: as promised. ticks_per_s: None for a product without a clock. separate: rows of one sensor each.

    host_speed: how many times faster than real time the host's clock runs at most.
    """

    rate_hz: float
    ticks_per_s: int | None
    tick_wrap: int
    separate: bool = False
    host_speed: float = 1.0

    @property
    def unwrapped_ticks_per_s(self) -> int:
        """Return what the ticks behind the timing count."""
        return self.ticks_per_s or round(self.rate_hz * TICKS_PER_SAMPLE)


class SampleTiming:
    """One wearable's rows across link losses. damaged: rows dropped for a time stamp that no neighbour agrees with."""

    def __init__(self, params: TimingParams) -> None:
        self._ticks_per_s = params.unwrapped_ticks_per_s
        self.clock = DeviceClock(_clock_params(params))
        counted = params.ticks_per_s is None
        self._numbers = ArrivalClock(params.rate_hz, params.host_speed) if counted else None
        self._gyr_numbers = ArrivalClock(params.rate_hz, params.host_speed) if counted and params.separate else None
        self._joiner = Joiner(JoinerParams.of(params.rate_hz, self._ticks_per_s)) if params.separate else None
        # A row whose time stamp waits for the next one to confirm it, and its arrival.
        self._undecided: tuple[Rows, FloatArray] = (Rows.none(), np.empty(0))
        # Gyroscope samples whose times wait for the accelerometer's; and a restart whose first row is not out yet.
        self._gyr_waiting: list[Numbered] = []
        self._restart_due = False
        self.damaged = 0

    @property
    def unjoined(self) -> int:
        """Return how many rows are without an angular rate that should have one."""
        return self._joiner.unjoined if self._joiner else 0

    def measured_rate_hz(self) -> float | None:
        """Return samples per second of UTC of a product without a clock, None for others."""
        return self._numbers.rate_hz if self._numbers else None

    def begin_session(self, joined: bool) -> None:
        """Say that the link was made anew. joined: there is a gyroscope, so that rows wait for it."""
        if not joined:
            self._joiner = None
        for numbers in (self._numbers, self._gyr_numbers):
            if numbers is not None:
                numbers.begin_session()

    def end_session(self) -> Rows:
        """Say that the link is gone; return samples that waited for those behind them to get their number."""
        if self._numbers is None:
            return Rows.none()
        timed = self._numbered(self._numbers, Rows.none(), np.empty(0), final=True)
        return self._one_of_two(self._joiner, timed) if self._joiner else timed

    def take(self, rows: Rows, arrival_utc_s: FloatArray) -> Rows:
        """Take decoded rows and their arrivals (n,), in order; return those that are ready, with unwrapped ticks."""
        if self._numbers is None:
            timed = self._unwrapped(rows, arrival_utc_s)
        else:
            timed = self._numbered(self._numbers, rows, arrival_utc_s)
        return self._one_of_two(self._joiner, timed) if self._joiner else timed

    def flush(self) -> Rows:
        """Return all that waits; a row whose time stamp nothing has confirmed is dropped."""
        self.damaged += len(self._undecided[0])
        self._undecided = (Rows.none(), np.empty(0))
        ready = self.end_session()
        return Rows.joined([ready, self._ready(self._joiner.flush())]) if self._joiner else ready

    def _unwrapped(self, rows: Rows, arrival_utc_s: FloatArray) -> Rows:
        waited, arrived = self._undecided
        rows, arrival_utc_s = Rows.joined([waited, rows]), np.concatenate([arrived, arrival_utc_s])
        timed = self.clock.take(rows.ticks, arrival_utc_s)
        self.damaged += timed.damaged
        last = slice(-1, None) if timed.undecided else slice(0, 0)
        self._undecided = (rows.part(last), arrival_utc_s[last])
        kept = rows if len(timed.kept) == len(rows) else rows.part(timed.kept)
        return Rows(timed.ticks, kept.acc_mps2, kept.gyr_radps, timed.restarts)

    def _numbered(self, numbers: ArrivalClock, rows: Rows, arrival_utc_s: FloatArray, final: bool = False) -> Rows:
        """Number the samples; those of a gyroscope that comes apart are put on the same axis by their times."""
        if self._gyr_numbers is None:
            return self._counted(_given(numbers, rows, arrival_utc_s, final))
        of_gyr = np.isnan(rows.acc_mps2[:, 0])
        acc = self._counted(_given(numbers, rows.part(~of_gyr), arrival_utc_s[~of_gyr], final))
        self._gyr_waiting += _given(self._gyr_numbers, rows.part(of_gyr), arrival_utc_s[of_gyr], final)
        if not numbers.settled:
            return acc
        waiting, self._gyr_waiting = self._gyr_waiting, []
        return Rows.joined([acc, *(self._on_axis_of(numbers, self._gyr_numbers, part) for part in waiting)])

    def _counted(self, given: list[Numbered]) -> Rows:
        parts = []
        for part in given:
            timed = self.clock.take(part.number * TICKS_PER_SAMPLE, part.arrival_utc_s)
            parts.append(Rows(timed.ticks, part.values[:, :3], part.values[:, 3:]))
        return Rows.joined(parts)

    @staticmethod
    def _on_axis_of(numbers: ArrivalClock, gyr_numbers: ArrivalClock, part: Numbered) -> Rows:
        exact = numbers.number_at(gyr_numbers.utc_s(part.number)) * TICKS_PER_SAMPLE
        return Rows(np.rint(exact).astype(np.int64), part.values[:, :3], part.values[:, 3:])

    def _one_of_two(self, joiner: Joiner, rows: Rows) -> Rows:
        """Join the rows of two sensors; what a restarted clock says is not joined with what came before."""
        parts = []
        for start, end in pairwise([0, *(at for at in rows.restarts if at), len(rows)]):
            if start in rows.restarts:
                parts.append(self._ready(joiner.begin_again()))
                self._restart_due = True
            part = rows.part(slice(start, end))
            parts.append(self._ready(joiner.push(part)))
        return Rows.joined(parts)

    def _ready(self, joined: Rows) -> Rows:
        if not (self._restart_due and len(joined)):
            return joined
        self._restart_due = False
        return Rows(joined.ticks, joined.acc_mps2, joined.gyr_radps, (0,))


def _given(numbers: ArrivalClock, rows: Rows, arrival_utc_s: FloatArray, final: bool) -> list[Numbered]:
    values = np.concatenate([rows.acc_mps2, rows.gyr_radps], axis=1)
    given = [numbers.take(values, arrival_utc_s)]
    if final:
        given.append(numbers.flush())
    return [part for part in given if len(part.number)]


def _clock_params(params: TimingParams) -> ClockParams:
    interval_s = INTERVAL_MAX_S * params.host_speed
    if params.ticks_per_s is None:
        # Numbers are never damaged and never begin anew: whatever they do is a pause.
        line = SENSOR_LINE.scaled(params.host_speed)
        return ClockParams(
            params.unwrapped_ticks_per_s, _NO_WRAP, math.inf, math.inf, interval_s, line, counts_samples=True
        )
    step_max_s = max(1.0, _STEP_MAX_SAMPLES / params.rate_hz, _STEP_MAX_SEPARATE_S if params.separate else 0.0)
    tolerance_s = _TOLERANCE_S * params.host_speed
    return ClockParams(params.ticks_per_s, params.tick_wrap, step_max_s, tolerance_s, interval_s)
