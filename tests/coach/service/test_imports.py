"""Files become recordings: whole or not at all, once, with the samples that were in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from coach.errors import Conflict, InvalidInput, NoSuch
from coach.service.import_types import Asked
from coach.store import recordings
from coach.store.rows import many
from coach.store.tables import chunk
from devices.codec import decode_chunk
from devices.errors import DeviceError
from tests.coach.club import START, Club
from tests.devices.files.test_formats import logger_csv, rows, zipped

RATE_HZ = 50.0
BEGAN = datetime(2025, 11, 26, 8, 0, 0, 250_000, tzinfo=UTC)  # test_formats.START_S


def bends(duration_s: float = 600.0, per_min: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """A trunk that bends 50 degrees about its x axis, z up at first; the first ten seconds are still."""
    t_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    phase = np.where(t_s < 10.0, 0.0, 2 * np.pi * (t_s - 10.0) * per_min / 60.0)
    angle = np.radians(25.0) * (1 - np.cos(phase))
    acc = 9.80665 * np.column_stack([np.zeros_like(angle), np.sin(angle), np.cos(angle)])
    gyr = np.column_stack([np.gradient(angle, t_s), np.zeros_like(angle), np.zeros_like(angle)])
    return acc, gyr


def phone_zip(path: Path, acc: np.ndarray, gyr: np.ndarray) -> Path:
    return zipped(
        path,
        TotalAcceleration_csv=logger_csv(acc),
        Gyroscope_csv=logger_csv(gyr),
        Metadata_csv="version,platform,standardisation\n3,android,false\n",
    )


def npz(path: Path, **sensors: tuple[np.ndarray, np.ndarray]) -> Path:
    arrays = {f"{name}_{kind}": value for name, pair in sensors.items() for kind, value in zip(("acc", "gyr"), pair)}  # noqa: B905
    np.savez(path, fs=RATE_HZ, **arrays)
    return path


def stored(club: Club) -> tuple[np.ndarray, np.ndarray, list[float]]:
    with club.store.read() as tx:
        found = many(tx, chunk.select().order_by(chunk.c.stream_id, chunk.c.seq))
    chunks = [decode_chunk(bytes(row["blob"])) for row in found]
    acc = np.concatenate([each.acc_mps2 for each in chunks])
    gyr = np.concatenate([each.gyr_radps for each in chunks])
    return acc, gyr, [each.start_utc_s for each in chunks]


def count(club: Club) -> int:
    with club.store.read() as tx:
        return len(many(tx, chunk.select()))


def take(club: Club, path: Path, **asked: object) -> object:
    return club.services.imports.take(club.coach, club.athlete_id, path, Asked(path.name, **asked))  # type: ignore[arg-type]


def test_a_phones_recording_is_stored_as_it_was_and_analysed(club: Club, tmp_path: Path) -> None:
    acc, gyr = bends()
    path = phone_zip(tmp_path / "walk.zip", acc, gyr)
    (view,) = club.services.imports.take(
        club.coach, club.athlete_id, path, Asked("walk.zip", places=(("", "lower_back"),))
    )
    assert (view.placement, view.format, view.started_at) == ("lower_back", "Sensor Logger", BEGAN)
    got_acc, got_gyr, starts = stored(club)
    np.testing.assert_allclose(got_acc, acc, atol=0.002)
    np.testing.assert_allclose(got_gyr, gyr, atol=0.002)
    np.testing.assert_allclose(starts, BEGAN.timestamp() + 5.0 * np.arange(len(starts)), atol=1e-6)
    while club.services.motion.handle_pending(view.stream_id).chunks:
        pass
    club.services.motion.close_stale(club.clock.forward(minutes=20))
    totals = club.services.motion.totals(club.athlete_id, BEGAN.date())
    assert totals.covered_s == pytest.approx(600.0)
    assert totals.bends == pytest.approx(6 * (600 - 10) / 60, abs=1)
    club.services.days.judge_due()
    assert [each.kind for each in club.services.findings.for_athlete(club.athlete_id)] == ["repeated_bending"]
    assert club.services.imports.for_athlete(club.athlete, club.athlete_id) == (view,)


def test_a_preview_stores_nothing_and_says_what_is_missing(club: Club, tmp_path: Path) -> None:
    acc, gyr = bends(20.0)
    acc[200:300] = gyr[200:300] = np.nan
    path = npz(tmp_path / "a.npz", head=(acc, gyr))
    plan = club.services.imports.preview(club.athlete, club.athlete_id, path, Asked("a.npz"))
    assert len(plan.missing) == 2
    assert "head" in plan.missing[0]
    (sensor,) = plan.sensors
    assert (sensor.placement, sensor.started_at, sensor.gaps, sensor.longest_gap_s) == (None, None, 1, 2.0)
    assert sensor.coverage_share == pytest.approx(0.9)
    with pytest.raises(InvalidInput, match="where the sensor"):
        take(club, path)
    assert count(club) == 0
    assert club.services.imports.for_athlete(club.athlete, club.athlete_id) == ()


def test_the_same_samples_are_refused_under_any_name_and_form(club: Club, tmp_path: Path) -> None:
    acc, gyr = bends(30.0)
    take(club, phone_zip(tmp_path / "one.zip", acc, gyr), places=(("", "chest"),))
    before = count(club)
    again = [
        (phone_zip(tmp_path / "two.zip", acc, gyr), {"places": (("", "lower_back"),)}),
        (npz(tmp_path / "three.npz", chest=(acc, gyr)), {"start": START - timedelta(days=3)}),
    ]
    for path, asked in again:
        plan = club.services.imports.preview(club.coach, club.athlete_id, path, Asked(path.name, **asked))  # type: ignore[arg-type]
        assert plan.sensors[0].known is not None
        with pytest.raises(Conflict, match=r"imported already, from one\.zip"):
            take(club, path, **asked)
    assert count(club) == before
    other = npz(tmp_path / "four.npz", chest=(acc + 0.01, gyr))
    take(club, other, start=START - timedelta(days=3))
    assert count(club) == 2 * before


def test_all_sensors_of_a_file_or_none(club: Club, tmp_path: Path) -> None:
    acc, gyr = bends(12.0)
    one = npz(tmp_path / "one.npz", chest=(acc, gyr))
    take(club, one, start=START - timedelta(days=1))
    before = count(club)
    both = npz(tmp_path / "both.npz", wrist_left=(acc[::-1], gyr[::-1]), chest=(acc, gyr))
    with pytest.raises(Conflict):
        take(club, both, start=START - timedelta(days=2))
    assert count(club) == before
    assert len(club.services.imports.for_athlete(club.coach, club.athlete_id)) == 1
    with club.store.read() as tx:
        assert len(recordings.streams_of_athlete(tx, club.athlete_id, 10)) == 1


def test_times_without_a_zone_are_the_athletes(club: Club, tmp_path: Path) -> None:
    acc, gyr = bends(12.0)
    text = "sep=,\nDeviceTag:,Back one\nOutputRate:,50Hz\nStartTime: ,2025-07-11_20:06:00_086 WEST\n\n"
    text += "PacketCounter,SampleTimeFine,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z,\n"
    ticks = np.arange(len(acc)) * 20_000.0
    body = rows(np.arange(len(acc)), ticks, *acc.T, *np.degrees(gyr).T, form="{:.10g}").replace("\n", ",\n")
    path = tmp_path / "dot.csv"
    path.write_text(text + body, encoding="utf-8")
    (view,) = club.services.imports.take(club.athlete, club.athlete_id, path, Asked("dot.csv", (("", "upper_back"),)))
    assert view.started_at == datetime(2025, 7, 11, 18, 6, 0, 86_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (datetime(2026, 3, 29, 2, 30), "the clock skipped it"),  # noqa: DTZ001 - a local time is what is tested
        (datetime(2027, 1, 1, tzinfo=UTC), "cannot be"),
        (datetime(1970, 1, 1, tzinfo=UTC), "cannot be"),
    ],
)
def test_a_start_that_cannot_be_is_refused(club: Club, tmp_path: Path, start: datetime, says: str) -> None:
    path = npz(tmp_path / "a.npz", chest=bends(12.0))
    with pytest.raises(InvalidInput, match=says):
        take(club, path, start=start)


def test_strangers_and_wrong_places(club: Club, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", chest=bends(12.0))
    other = club.services.athletes.create("Bo", "UTC")
    with pytest.raises(NoSuch):
        club.services.imports.take(club.coach, other, path, Asked("a.npz", start=START))
    with pytest.raises(InvalidInput, match="no sensor hip"):
        take(club, path, start=START, places=(("hip", "chest"),))
    with pytest.raises(InvalidInput, match="placement"):
        take(club, path, start=START - timedelta(days=1), places=(("chest", "nose"),))
    with pytest.raises(DeviceError):
        take(club, tmp_path / "nothing.zip")


def test_no_gateway_is_asked_to_link_to_a_file(club: Club, tmp_path: Path) -> None:
    take(club, npz(tmp_path / "a.npz", chest=bends(12.0)), start=START - timedelta(days=1))
    assert len(club.services.wearables.for_athlete(club.athlete_id)) == 2
    assert [each.wearable_id for each in club.services.wearables.all()] == [club.wearable_id]
