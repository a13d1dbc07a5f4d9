"""Recordings that come as files: look first, then store all of a file or nothing, and nothing twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from coach.appending import Coded
from coach.errors import Conflict, InvalidInput, NotAllowed
from coach.log import TableChunkLog
from coach.service.ground import Ground
from coach.service.import_plan import plan_import, same_samples
from coach.service.import_types import Asked, ImportPlan, ImportView, SensorPlan
from coach.service.permission import SENSING_ENDED, may_send, require_athlete
from coach.service.sources import Family
from coach.service.types import Identity, Level
from coach.store import events, imports, recordings, wearables
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from devices.types import Chunk

# Newest imports that are listed. Own choice.
_SHOWN = 50


class Imports:
    """Preview and take recordings from files; the worker analyses them like any other."""

    def __init__(self, ground: Ground, log: TableChunkLog) -> None:
        self._ground, self._log = ground, log

    def preview(self, by: Identity, athlete_id: str, path: Path, asked: Asked) -> ImportPlan:
        """Return what an import of a file, a folder or a zip would do; stores nothing.

        Raises NoSuch, UnknownFormat (devices), InvalidInput.
        """
        with self._ground.store.read() as tx:
            zone = ZoneInfo(require_athlete(tx, by, athlete_id, Level.FULL)["time_zone"])
        plan = plan_import(path, asked, zone, self._ground.now())
        with self._ground.store.read() as tx:
            return replace(plan, sensors=tuple(_known(tx, athlete_id, sensor) for sensor in plan.sensors))

    def take(self, by: Identity, athlete_id: str, path: Path, asked: Asked) -> tuple[ImportView, ...]:
        """Import a file: all of its sensors in one transaction, or nothing.

        Raises NoSuch, UnknownFormat (devices), InvalidInput (also when something is missing), Conflict (known).
        """
        plan = self.preview(by, athlete_id, path, asked)
        if plan.missing:
            raise InvalidInput(f"{plan.name}: {' '.join(plan.missing)}")
        coded = [(sensor, tuple(map(Coded.of, self._chunks(athlete_id, sensor)))) for sensor in plan.wanted]
        taken: list[ImportView] = []

        def write(tx: Tx) -> dict[str, tuple[Coded, ...]]:
            taken.clear()
            require_athlete(tx, by, athlete_id, Level.FULL)
            if not may_send(tx, athlete_id):
                raise NotAllowed(SENSING_ENDED)
            streams = {}
            for sensor, chunks in coded:
                view = self._begin(tx, by, athlete_id, plan.name, sensor)
                taken.append(view)
                streams[view.stream_id] = chunks
            return streams

        self._log.append_whole(write)
        return tuple(taken)

    def for_athlete(self, by: Identity, athlete_id: str) -> tuple[ImportView, ...]:
        """Return the newest imports first. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            return tuple(_view(row) for row in imports.of_athlete(tx, athlete_id, _SHOWN))

    def _chunks(self, athlete_id: str, sensor: SensorPlan) -> Iterator[Chunk]:
        """Yield the chunks that carry something, numbered without holes."""
        start_utc_s = _started(sensor).timestamp()
        device_id, recording_id = _address(athlete_id, sensor), _recording_id(sensor)
        seq = 0
        duration_s = self._ground.config.chunk.duration_s
        for chunk in sensor.recording.chunks(sensor.place, duration_s, start_utc_s):
            if np.isfinite(chunk.acc_mps2[:, 0]).any():
                yield replace(chunk, device_id=device_id, recording_id=recording_id, seq=seq)
                seq += 1

    def _begin(self, tx: Tx, by: Identity, athlete_id: str, name: str, sensor: SensorPlan) -> ImportView:
        """Write what belongs to one sensor: its wearable, its stream, its import. Raises Conflict when it is known."""
        now, recording, started_at = self._ground.now(), sensor.recording, _started(sensor)
        sensor = _known(tx, athlete_id, sensor)
        if sensor.known is not None:
            raise Conflict(f"{name}: {sensor.known} Nothing was imported.")
        wearable = self._wearable(tx, by, athlete_id, sensor, now)
        stream_id = recordings.add_stream(
            tx, wearable["address"], _recording_id(sensor), wearable, recording.rate_hz, now
        )
        values = {
            "id": fresh_id(),
            "athlete_id": athlete_id,
            "stream_id": stream_id,
            "placement": sensor.placement,
            "file_name": name[:200],
            "format": recording.format,
            "started_at": started_at,
            "duration_s": recording.duration_s,
            "samples": recording.samples,
            "covered": sensor.covered,
            "fingerprint": sensor.fingerprint,
            "imported_by": by.user_id,
            "imported_at": now,
        }
        imports.add(tx, values)
        events.record(tx, now, by.user_id, "imported", "stream", stream_id, athlete_id, recording.format)
        return _view(values)

    def _wearable(self, tx: Tx, by: Identity, athlete_id: str, sensor: SensorPlan, now: datetime) -> Row:
        """Return the wearable that stands for recordings of this form at this place, made now if need be."""
        address = _address(athlete_id, sensor)
        if (found := wearables.by_address(tx, address)) is None:
            values = {
                "id": fresh_id(),
                "athlete_id": athlete_id,
                "address": address,
                "family": Family.FILE.value,
                "name": f"{sensor.recording.format} file",
                "placement": sensor.placement,
                "simulated": False,
                "created_at": now,
            }
            wearables.add(tx, values)
            found = {**values, "upright": None, "forward": None, "calibrated_at": None}
        return found


def _known(tx: Tx, athlete_id: str, sensor: SensorPlan) -> SensorPlan:
    for row in imports.like(tx, athlete_id, sensor.recording.samples, sensor.covered):
        if same_samples(bytes(row["fingerprint"]), sensor.fingerprint):
            told = f"The samples of “{sensor.name}” were imported already, from {row['file_name']}."
            return replace(sensor, known=told)
    return sensor


def _started(sensor: SensorPlan) -> datetime:
    if sensor.started_at is None:
        raise InvalidInput(f"It is not known when the recording of “{sensor.name}” began: give its start.")
    return sensor.started_at


def _address(athlete_id: str, sensor: SensorPlan) -> str:
    form = re.sub(r"[^a-z0-9]+", "-", sensor.recording.format.lower()).strip("-")
    return f"file:{athlete_id}:{form}:{sensor.placement}"


def _recording_id(sensor: SensorPlan) -> str:
    return hashlib.sha256(sensor.fingerprint + str(_started(sensor)).encode()).hexdigest()[:32]


def _view(row: Row) -> ImportView:
    return ImportView(
        import_id=row["id"],
        athlete_id=row["athlete_id"],
        stream_id=row["stream_id"],
        placement=row["placement"],
        file_name=row["file_name"],
        format=row["format"],
        started_at=row["started_at"],
        duration_s=row["duration_s"],
        imported_at=row["imported_at"],
    )
