"""Plan an import: which sensors a file holds, where each was worn, when it began. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from coach.errors import InvalidInput
from coach.service.import_types import Asked, ImportPlan, SensorPlan
from coach.service.wearables import checked_placement
from devices.files import read_recordings
from devices.files.recording import RecordingFile
from devices.rows import gaps_of
from devices.types import Placement
from programs.place import local_moment

# Samples that stand for a recording, spread evenly; and how far two forms of one file may differ, a few digits of text
# and a conversion of units (m/s^2). Own choices: two recordings of a still sensor differ by their noise, far more.
_PICKED = 256
_SAME_MPS2 = 0.002
# s of data below which nothing can be said about a sensor; as in `backstop analyze`.
_LEAST_S = 1.0
# Own bounds of a start: there was no wearable before, and a clock may be a day ahead.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)


def plan_import(path: Path, asked: Asked, zone: ZoneInfo, now: datetime) -> ImportPlan:
    """Read a file and say what an import would do.

    Raises UnknownFormat (devices) for a file that cannot be used, InvalidInput for what was asked.
    """
    recordings = read_recordings(path)
    places = dict(asked.places)
    starts = _starts(recordings, asked, zone, now)
    named = _named(recordings)
    for name in places:
        if name and name not in named:
            raise InvalidInput(f"{asked.name}: there is no sensor {name}; it has {', '.join(named)}.")
    open_ones = [name for name, (_, place) in named.items() if place not in set(Placement) and name not in places]
    sensors = []
    for name, (recording, place) in named.items():
        lone = places.get("") if open_ones == [name] or len(named) == 1 else None
        placement = places.get(name) or lone or (place if place in set(Placement) else None)
        started_at, told = starts[id(recording)]
        sensors.append(_sensor(name, recording, place, placement, started_at, told))
    return _checked(asked.name, tuple(sensors), now)


def same_samples(one: bytes, other: bytes) -> bool:
    """Tell whether two fingerprints are of the same samples, whatever form of file they came in."""
    if len(one) != len(other):
        return False
    apart = np.abs(np.frombuffer(one, "<f4") - np.frombuffer(other, "<f4"))
    return bool(apart.size) and float(apart.max()) <= _SAME_MPS2


def _named(recordings: tuple[RecordingFile, ...]) -> Mapping[str, tuple[RecordingFile, str]]:
    """Return all sensors by a name of their own: two wearables of one kind may have the same in their files."""
    named: dict[str, tuple[RecordingFile, str]] = {}
    for recording in recordings:
        for place in recording.places:
            name, number = place, 1
            while name in named:
                number += 1
                name = f"{place}_{number}"
            named[name] = (recording, place)
    return named


def _starts(
    recordings: tuple[RecordingFile, ...], asked: Asked, zone: ZoneInfo, now: datetime
) -> dict[int, tuple[datetime | None, str]]:
    own = {id(each): _own_start(each, zone) for each in recordings}
    if asked.start is not None:
        known = [start for start, _ in own.values() if start is not None]
        given = asked.start if asked.start.tzinfo else _local(asked.start, zone)
        # Several wearables in one file keep their distance in time.
        shift = given.astimezone(UTC) - min(known) if known else None
        for key, (start, _) in own.items():
            moved = start + shift if start is not None and shift is not None else given.astimezone(UTC)
            own[key] = (moved, "as you gave it")
    for start, _ in own.values():
        if start is not None and not _EARLIEST <= start <= now + _AHEAD:
            raise InvalidInput(
                f"{asked.name}: it would begin at {start:%Y-%m-%d %H:%M} UTC, which cannot be; give the start yourself."
            )
    return own


def _own_start(recording: RecordingFile, zone: ZoneInfo) -> tuple[datetime | None, str]:
    if recording.start_utc_s is not None:
        try:
            return datetime.fromtimestamp(recording.start_utc_s, UTC), "from the file's own times"
        except (OverflowError, ValueError, OSError):
            return None, "its times are no dates"
    if recording.start_local is not None:
        told = f"from the file, which tells a time without a zone: taken as {zone.key} time"
        return _local(recording.start_local, zone), told
    return None, "the file does not tell"


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time in UTC. Raises InvalidInput when the clock skipped it."""
    try:
        found = local_moment(moment.date(), moment.time(), zone)
    except OverflowError:
        found = None
    if found is None:
        raise InvalidInput(f"{moment:%Y-%m-%d %H:%M} does not exist in {zone.key}: the clock skipped it; give another.")
    return found


def _sensor(
    name: str, recording: RecordingFile, place: str, placement: str | None, started_at: datetime | None, told: str
) -> SensorPlan:
    sensor = recording.sensors[place]
    gaps = gaps_of(np.isnan(sensor.acc_mps2[:, 0]))
    covered = sensor.covered
    short = covered < _LEAST_S * recording.rate_hz
    kept_s = covered / recording.rate_hz
    return SensorPlan(
        name=name,
        recording=recording,
        place=place,
        placement=None if placement is None else checked_placement(placement),
        started_at=started_at,
        start_told=told,
        covered=covered,
        gaps=len(gaps),
        longest_gap_s=max((gap.count for gap in gaps), default=0) / recording.rate_hz,
        fingerprint=_fingerprint(recording, place),
        left_out=f"it keeps {kept_s:.2f} s of data; it takes {_LEAST_S:g} s" if short else None,
    )


def _fingerprint(recording: RecordingFile, place: str) -> bytes:
    acc = recording.sensors[place].acc_mps2
    there = np.flatnonzero(np.isfinite(acc[:, 0]))
    if not there.size:
        return b""
    picked = there[np.linspace(0, there.size - 1, _PICKED).astype(np.int64)]
    return acc[picked].astype("<f4").tobytes()


def _checked(name: str, sensors: tuple[SensorPlan, ...], now: datetime) -> ImportPlan:
    wanted = [sensor for sensor in sensors if sensor.left_out is None]
    if not wanted:
        raise InvalidInput(f"{name}: {sensors[0].name}: {sensors[0].left_out}.")
    missing = [
        f"Say where the sensor “{sensor.name}” was worn: the file does not tell."
        for sensor in wanted
        if sensor.placement is None
    ]
    if any(sensor.started_at is None for sensor in wanted):
        missing.append("Say when the recording began: the file does not tell.")
    placed = [sensor.placement for sensor in wanted if sensor.placement is not None]
    twice = next((place for place in placed if placed.count(place) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{name}: two of its sensors would be at the place {twice}; give each a place of its own.")
    for sensor in wanted:
        if sensor.started_at is not None:
            end = sensor.started_at + timedelta(seconds=sensor.recording.duration_s)
            if end > now + _AHEAD:
                raise InvalidInput(f"{name}: it would end at {end:%Y-%m-%d %H:%M} UTC, in the future; give its start.")
    return ImportPlan(name, sensors, tuple(missing))
