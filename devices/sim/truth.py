"""What really happened to a simulated wearable, counted as it happened, for a test to demand equality with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from devices.sim.devicetime import us_at
from devices.types import IntArray

SENSORS = ("acc", "gyr")


@dataclass(slots=True)
class SensorTruth:
    """Samples of one sensor (of a heart rate stream: notifications).

    produced: taken and packed while connected, subscribed and measuring. sent: of those, handed intact to the central,
    each counted once. damaged: handed over in a cut or spoilt frame. unsent: never handed over (silence, link loss).
    duplicated: handed over once more. reordered: handed over after their successors. clipped: sent at full scale.
    A sample that waits to be handed over is produced and nothing else yet.
    """

    produced: int = 0
    sent: int = 0
    damaged: int = 0
    unsent: int = 0
    duplicated: int = 0
    reordered: int = 0
    clipped: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened so far.

    sensors: "acc", "gyr" and "heart"; one that made nothing has zeros. frames_sent: intact notifications of the stream
    handed to a listening central, copies not counted; frames_damaged, frames_duplicated, frames_reordered,
    frames_foreign: notifications cut or spoilt, sent again, sent late, and of somebody else. ticks_sent: (n,) the
    device's us counter modulo 2^32 of the samples sent intact, in order (of acc, where sensors are apart).
    numbers_sent: (n,) their numbers on the motion's grid; gyr_numbers_sent: those of gyr. connects: links opened.
    restarts: times the device's clock began anew.
    drift_ppm: the clock's speed now. loose_utc_s: when the strap was loose; the end is None while it is.
    motion_start_utc_s: when the motion began, None before.
    """

    sensors: dict[str, SensorTruth]
    frames_sent: int
    frames_damaged: int
    frames_duplicated: int
    frames_reordered: int
    frames_foreign: int
    ticks_sent: IntArray
    numbers_sent: IntArray
    gyr_numbers_sent: IntArray
    connects: int
    restarts: int
    drift_ppm: float
    loose_utc_s: tuple[tuple[float, float | None], ...]
    motion_start_utc_s: float | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a run of samples lies: the rate, what the us counter showed at number 0, and the motion's first number."""

    rate_hz: float
    uptime_us: int
    zero: int


@dataclass(slots=True)
class Ledger:
    """The counts behind `Truth`."""

    sensors: dict[str, SensorTruth] = field(default_factory=dict)
    frames_sent: int = 0
    frames_damaged: int = 0
    frames_duplicated: int = 0
    frames_reordered: int = 0
    frames_foreign: int = 0
    connects: int = 0
    restarts: int = 0
    loose_utc_s: list[tuple[float, float | None]] = field(default_factory=list)
    # Samples sent intact, as runs of the grid, so that a long stream costs nothing.
    _runs: dict[str, list[tuple[int, int, Grid]]] = field(default_factory=lambda: {name: [] for name in SENSORS})

    def of(self, sensor: str, has_gyroscope: bool) -> tuple[SensorTruth, ...]:
        """Return the counts of the sensors that a frame of `sensor` carries ("" carries all that there are)."""
        names = (sensor,) if sensor else SENSORS if has_gyroscope else SENSORS[:1]
        return tuple(self.sensors.setdefault(name, SensorTruth()) for name in names)

    def sent(self, sensor: str, first: int, end: int, grid: Grid) -> None:
        """Append the samples first .. end - 1 of acc or gyr to those sent intact."""
        runs = self._runs[sensor]
        if runs and runs[-1][1] == first and runs[-1][2] == grid:
            first = runs.pop()[0]
        runs.append((first, end, grid))

    def truth(self, drift_ppm: float, motion_start_utc_s: float | None) -> Truth:
        """Return a copy of the counts."""
        return Truth(
            sensors=defaultdict(SensorTruth, {name: replace(counts) for name, counts in self.sensors.items()}),
            frames_sent=self.frames_sent,
            frames_damaged=self.frames_damaged,
            frames_duplicated=self.frames_duplicated,
            frames_reordered=self.frames_reordered,
            frames_foreign=self.frames_foreign,
            ticks_sent=self.ticks(),
            numbers_sent=self.numbers("acc"),
            gyr_numbers_sent=self.numbers("gyr"),
            connects=self.connects,
            restarts=self.restarts,
            drift_ppm=drift_ppm,
            loose_utc_s=tuple(self.loose_utc_s),
            motion_start_utc_s=motion_start_utc_s,
        )

    def ticks(self) -> IntArray:
        """Return the us counter (n,) of what was sent of acc, modulo 2^32."""
        parts = [us_at(np.arange(first, end), grid.rate_hz, grid.uptime_us) for first, end, grid in self._runs["acc"]]
        return np.concatenate(parts) % 2**32 if parts else np.zeros(0, dtype=np.int64)

    def numbers(self, sensor: str) -> IntArray:
        """Return the motion's numbers (n,) of what was sent."""
        parts = [np.arange(first - grid.zero, end - grid.zero) for first, end, grid in self._runs[sensor]]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
