"""Values that travel from a radio or a file to the analysis. Plain, frozen, no I/O.

Axes are those of the sensor; `acc` is specific force (gravity included: +9.81 m/s^2 along the axis that points up at
rest), `gyr` the angular rate. See docs/frames.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Placement(StrEnum):
    """Where on the body a wearable is worn. Values are the `<place>` names used in files and tables."""

    CHEST = "chest"
    UPPER_BACK = "upper_back"
    LOWER_BACK = "lower_back"
    HIP = "hip"
    WRIST_LEFT = "wrist_left"
    WRIST_RIGHT = "wrist_right"
    UPPER_ARM_LEFT = "upper_arm_left"
    UPPER_ARM_RIGHT = "upper_arm_right"
    THIGH_LEFT = "thigh_left"
    THIGH_RIGHT = "thigh_right"
    ANKLE_LEFT = "ankle_left"
    ANKLE_RIGHT = "ankle_right"


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Samples decoded from notifications.

    ticks: (n,) device clock of each sample, as sent (not unwrapped). Of a product without a clock: the number of the
    sample, counted per sensor since the stream was started.
    acc_mps2, gyr_radps: (n, 3); NaN in the columns of a sensor that a row does not tell of. Products that send their
    sensors in frames of their own give rows of one sensor each; `devices/joining.py` makes one row of two.
    """

    ticks: IntArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray


@dataclass(frozen=True, slots=True)
class HeartRateSample:
    """One Heart Rate Measurement (0x2A37): bpm, RR intervals in s (oldest first), contact None when not supported.

    energy_kj: expended since it was reset, None when not told.
    """

    heart_rate_bpm: int
    rr_s: tuple[float, ...]
    contact: bool | None
    energy_kj: int | None = None


@dataclass(frozen=True, slots=True)
class HeartNow:
    """The newest heart rate of a link: bpm, contact None when not told, arrival in UTC."""

    heart_rate_bpm: int
    contact: bool | None
    at_utc_s: float


@dataclass(frozen=True, slots=True)
class RunningSample:
    """One Running Speed and Cadence Measurement (0x2A53). stride_m, distance_m (in total): None when not told."""

    speed_mps: float
    cadence_spm: int
    running: bool
    stride_m: float | None = None
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples `start` .. `start + count - 1` of a chunk that never arrived."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Reception:
    """How a chunk was received: what its samples alone do not tell. Counts are since the chunk before.

    duplicates: samples that came again. late: samples whose chunk was closed. damaged: notifications and time stamps
    that could not be used. unjoined: rows whose gyroscope value never came. restarts: of the device's clock.
    sampling_rate_hz: samples per second of UTC, as measured; drift_ppm: device clock against UTC; clock_uncertainty_s:
    of `start_utc_s`, without the constant delay of the radio path; each None while it cannot be told.
    acc_limit_mps2, gyr_limit_radps: full scale, None when the product does not tell.
    """

    duplicates: int = 0
    late: int = 0
    damaged: int = 0
    unjoined: int = 0
    restarts: int = 0
    sampling_rate_hz: float | None = None
    drift_ppm: float | None = None
    clock_uncertainty_s: float | None = None
    acc_limit_mps2: float | None = None
    gyr_limit_radps: float | None = None


# A recording from a file or a test: nothing is known but the samples.
NO_RECEPTION = Reception()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of consecutive samples of one recording on the device's own sample grid.

    device_id, recording_id, seq: the idempotency key; seq counts 0, 1, 2, … without holes within a recording.
    start_utc_s: Unix time of the first sample. start_index: its number on the recording's sample grid, so that
    `start_index` minus the end of the chunk before is the number of samples missing between two chunks.
    rate_hz: samples per second of that grid.
    acc_mps2, gyr_radps: (n, 3); rows inside `gaps` are NaN. A gap is never filled here. A wearable without a
    gyroscope has NaN in all of `gyr_radps`; `has_gyroscope` tells. A row may carry acc and no gyr, never the reverse.
    """

    device_id: str
    recording_id: str
    seq: int
    start_utc_s: float
    start_index: int
    rate_hz: float
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    gaps: tuple[Gap, ...] = ()
    reception: Reception = NO_RECEPTION

    def __len__(self) -> int:
        return int(self.acc_mps2.shape[0])

    @property
    def key(self) -> str:
        """Return `device-recording-seq`, the one idempotency key of a chunk."""
        return f"{self.device_id}-{self.recording_id}-{self.seq}"

    @property
    def has_gyroscope(self) -> bool:
        """Tell whether any row carries an angular rate."""
        return bool(np.isfinite(self.gyr_radps).any())

    @property
    def missing(self) -> int:
        """Return the number of samples that never arrived."""
        return sum(gap.count for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a scan saw: address, name (may be empty), service UUIDs, manufacturer data by company id, RSSI in dBm."""

    address: str
    name: str
    service_uuids: tuple[str, ...]
    manufacturer_data: dict[int, bytes]
    rssi_dbm: int


class LinkState(StrEnum):
    """What a wearable's link is doing now."""

    SCANNING = "scanning"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    WAITING = "waiting"  # back-off between failed connects
    BLOCKED = "blocked"  # needs the person; `problem` says what to do
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """Snapshot of one link, for people and for tests. Counts are since the link was opened.

    problem: one sentence for the athlete, or None. battery_share: 0..1 or None when not read.
    frames: notifications received; bad_packets: damaged, truncated or foreign ones, not decoded.
    samples_received / samples_missing: on the device's own clock. losses: times the link was lost.
    drift_ppm: device clock against UTC, None until it can be told.
    silent_since_utc_s: when the last notification came, if the next is overdue; None while they come, and before the
    first. settings: what the wearable was set to and read back, (name, value with unit). heart: the newest, filled in
    by whoever collects it.
    """

    state: LinkState
    since_utc_s: float
    problem: str | None = None
    battery_share: float | None = None
    rssi_dbm: int | None = None
    rate_hz: float | None = None
    frames: int = 0
    bad_packets: int = 0
    samples_received: int = 0
    samples_missing: int = 0
    losses: int = 0
    drift_ppm: float | None = None
    device_info: tuple[tuple[str, str], ...] = ()
    silent_since_utc_s: float | None = None
    settings: tuple[tuple[str, str], ...] = ()
    heart: HeartNow | None = None
