"""What an import is before and after it happened. Frozen values; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.files.recording import RecordingFile


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person adds to a file: its name for people, where sensors were worn, when it began.

    places: by the sensor's name in the file; the key "" speaks of the only sensor. start: None to take the file's;
    a naive one is in the athlete's time zone.
    """

    name: str
    places: tuple[tuple[str, str], ...] = ()
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """One sensor of a file. name: its own in the file, told apart from others. placement: None while nobody told.

    started_at: None while nobody told. start_told: how it is known. gaps, longest_gap_s: of its samples.
    left_out: why it will not be imported, a sentence, or None. known: when the same samples were imported before.
    """

    name: str
    recording: RecordingFile
    place: str
    placement: str | None
    started_at: datetime | None
    start_told: str
    covered: int
    gaps: int
    longest_gap_s: float
    fingerprint: bytes
    left_out: str | None = None
    known: str | None = None

    @property
    def coverage_share(self) -> float:
        return self.covered / self.recording.samples

    @property
    def has_gyroscope(self) -> bool:
        return self.recording.sensors[self.place].has_gyroscope


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do. missing: what has to be told first, one sentence each; with any, nothing is imported."""

    name: str
    sensors: tuple[SensorPlan, ...]
    missing: tuple[str, ...]

    @property
    def wanted(self) -> tuple[SensorPlan, ...]:
        """Return the sensors that would be imported."""
        return tuple(sensor for sensor in self.sensors if sensor.left_out is None)


@dataclass(frozen=True, slots=True)
class ImportView:
    """One recording that was imported."""

    import_id: str
    athlete_id: str
    stream_id: str
    placement: str
    file_name: str
    format: str
    started_at: datetime
    duration_s: float
    imported_at: datetime
