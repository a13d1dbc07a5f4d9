"""A wearable with a clock and the radio between it and the host, as truth for tests of times."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from devices.clock import DeviceClock
from devices.types import FloatArray, IntArray

START_UTC_S = 1_800_000_000.0
WRAP = 2**32


@dataclass
class Link:
    """Truth: a 60 Hz stream of a drifting clock over connection events, as the simulator's radio and real ones do it.

    interval_s: of connection events, which are the host's; one in twenty packets needs a second one. jitter_s: mean of
    what the host adds. held: (start, s) after which all that waited comes at once; lost: (start, s) of link losses;
    restart_s: when the device's clock begins at 0 again.
    """

    drift_ppm: float
    duration_s: float = 300.0
    interval_s: float = 0.015
    jitter_s: float = 0.002
    held: list[tuple[float, float]] = field(default_factory=list)
    lost: list[tuple[float, float]] = field(default_factory=list)
    restart_s: float | None = None
    first_tick: int = WRAP - 40_000_000
    seed: int = 1

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        device_s = np.arange(round(self.duration_s * 60)) / 60.0
        true_s = device_s / (1 + self.drift_ppm * 1e-6)
        phase_s = rng.uniform(0, self.interval_s)
        event_s = np.ceil((true_s + 0.001 - phase_s) / self.interval_s) * self.interval_s + phase_s
        n = len(true_s)
        late_s = 0.001 + rng.exponential(self.jitter_s, n) + self.interval_s * (rng.random(n) < 0.05)
        arrival_s = event_s + late_s
        for start_s, length_s in self.held:
            waited = (true_s >= start_s) & (true_s < start_s + length_s)
            arrival_s[waited] = np.maximum(arrival_s[waited], start_s + length_s)
        ticks = self.first_tick + np.rint(device_s * 1e6).astype(np.int64)
        if self.restart_s is not None:
            again = true_s >= self.restart_s
            ticks[again] -= ticks[again][0]
        sent = np.ones(n, dtype=bool)
        for start_s, length_s in self.lost:
            sent &= ~((true_s >= start_s) & (true_s < start_s + length_s))
        self.ticks: IntArray = (ticks % WRAP)[sent]
        self.true_s: FloatArray = true_s[sent]
        self.arrival_s: FloatArray = np.maximum.accumulate(arrival_s)[sent]

    def told(self, device: DeviceClock, batch_s: float = 0.1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return of the last sample of each batch: when it was taken, the error of its told time, the uncertainty.

        The error is against the truth, minus the shortest delay of all arrivals: that constant is part of every
        arrival, and nobody who sees only arrivals can know it.
        """
        least_s = float((self.arrival_s - self.true_s).min())
        bounds = np.flatnonzero(np.diff(np.floor(self.arrival_s / batch_s))) + 1
        rows = []
        for part in np.split(np.arange(len(self.ticks)), bounds):
            timed = device.take(self.ticks[part], START_UTC_S + self.arrival_s[part])
            assert timed.damaged == 0
            if len(timed.ticks):
                true_s = self.true_s[part[timed.kept[-1]]]
                told_s = device.utc_s(int(timed.ticks[-1])) - START_UTC_S
                rows.append((true_s, told_s - true_s - least_s, device.uncertainty_s or np.nan))
        taken_s, error_s, unsure_s = np.array(rows).T
        assert (np.diff(taken_s + error_s) > 0).all()  # told time never goes back
        return taken_s, error_s, unsure_s
