"""A Motion-BIDS data set of one athlete's recordings: names and side files. The samples are written by signals.py.

One session per UTC day, one tracking system per placement, one run per recording.
Source: Brain Imaging Data Structure 1.10, Motion (file names, required columns and keys, n/a for what is missing).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coach.exports.archive import Archive, json_bytes
from coach.exports.signals import AXES, Recording

_VERSION = "1.10.0"
_TASK = "everyday"
_ROOT = "bids"


@dataclass(frozen=True, slots=True)
class Run:
    """One recording's place in the data set. stem: path without the suffix. onset_utc_s: of its first sample."""

    session: str
    stem: str
    tracksys: str
    onset_utc_s: float


class DataSet:
    """Give each recording its place, and write what lies around the samples. Runs come in order of their onset."""

    def __init__(self, archive: Archive, athlete_id: str) -> None:
        self._archive = archive
        self._subject = f"sub-{_label(athlete_id)}"
        self._runs: list[Run] = []
        self._numbers: Counter[tuple[str, str]] = Counter()

    def place(self, recording: Recording, onset_utc_s: float) -> Run:
        """Return where a recording lies."""
        day = datetime.fromtimestamp(onset_utc_s, UTC)
        session, tracksys = f"ses-{day:%Y%m%d}", _label(recording.placement)
        self._numbers[session, tracksys] += 1
        run = self._numbers[session, tracksys]
        name = f"{self._subject}_{session}_task-{_TASK}_tracksys-{tracksys}_run-{run}"
        placed = Run(session, f"{self._subject}/{session}/motion/{name}", tracksys, onset_utc_s)
        self._runs.append(placed)
        return placed

    def motion_path(self, run: Run) -> str:
        """Return the member that holds a run's samples."""
        return f"{_ROOT}/{run.stem}_motion.tsv"

    def describe(self, run: Run, recording: Recording, samples: int, duration_s: float) -> None:
        """Write a run's channels and side file. duration_s: from its first sample to its last."""
        effective_hz = (samples - 1) / duration_s if duration_s > 0 else recording.rate_hz
        told: dict[str, Any] = {
            "TaskName": _TASK,
            "TaskDescription": "Everyday life, work and training, as it was recorded",
            "TrackingSystemName": run.tracksys,
            "SamplingFrequency": recording.rate_hz,
            "SamplingFrequencyEffective": round(effective_hz, 6),
            "RecordingDuration": round(duration_s, 6),
            "MissingValues": "n/a",
            "TrackedPointsCount": 1,
            "MotionChannelCount": 7,
            "ACCELChannelCount": 3,
            "GYROChannelCount": 3,
            "LATENCYChannelCount": 1,
            "SubjectArtefactDescription": "n/a",
        }
        self._archive.add(f"{_ROOT}/{run.stem}_motion.json", json_bytes(told, indent=1))
        self._archive.add(f"{_ROOT}/{run.stem}_channels.tsv", _channels(recording.placement))
        self._archive.add(f"{_ROOT}/{run.stem}_channels.json", json_bytes(_FRAME, indent=1))

    def close(self) -> None:
        """Write what belongs to the whole; nothing where no recording was placed."""
        if not self._runs:
            return
        add = self._archive.add
        described = {
            "Name": "Movement of one athlete, exported from Backstop",
            "BIDSVersion": _VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "Backstop", "Description": "Export of everything of one athlete"}],
        }
        add(f"{_ROOT}/dataset_description.json", json_bytes(described, indent=1))
        add(f"{_ROOT}/README", _README)
        add(f"{_ROOT}/participants.tsv", _tsv([("participant_id",), (self._subject,)]))
        for session in sorted({run.session for run in self._runs}):
            rows = [("filename", "acq_time")]
            for run in self._runs:
                if run.session == session:
                    onset = datetime.fromtimestamp(run.onset_utc_s, UTC)
                    rows.append((f"motion/{run.stem.rpartition('/')[2]}_motion.tsv", f"{onset:%Y-%m-%dT%H:%M:%S.%fZ}"))
            add(f"{_ROOT}/{self._subject}/{session}/{self._subject}_{session}_scans.tsv", _tsv(rows))


def _channels(placement: str) -> bytes:
    rows: list[tuple[str, ...]] = [
        ("name", "component", "type", "tracked_point", "units", "placement", "reference_frame")
    ]
    for name, kind, unit in (("acc", "ACCEL", "m/s^2"), ("gyr", "GYRO", "rad/s")):
        rows += [(f"{name}_{axis}", axis, kind, placement, unit, placement, "sensor") for axis in AXES]
    rows.append(("latency", "n/a", "LATENCY", placement, "s", placement, "n/a"))
    return _tsv(rows)


def _tsv(rows: list[Any]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def _label(text: str) -> str:
    """Return a text as a label, which has letters and digits only."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or "x"


_FRAME = {
    "reference_frame": {
        "LongName": "Reference frame",
        "Description": "Axes in which the values of a channel are told",
        "Levels": {
            "sensor": {
                "Description": "The sensor's own axes, right-handed, as its maker prints them; acceleration is "
                "specific force, gravity included",
                "SpatialAxes": "n/a",
                "RotationRule": "right-hand",
                "RotationOrder": "n/a",
            }
        },
    }
}
_README = (
    b"Movement of one athlete, exported from Backstop as a Motion-BIDS data set.\n\n"
    b"A session is a day in UTC, a tracking system a place on the body, a run one recording. Samples that did not\n"
    b"arrive are n/a; where a whole stretch is missing, the latency goes on without rows for it. The same samples,\n"
    b"without rounding of time, are in the Parquet files beside this folder.\n"
)
