"""Other people's files: written here by writers of their own, read back, damaged, and refused with one sentence."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.errors import UnknownFormat
from devices.files import read_recordings, source, timeline
from devices.files.recording import RecordingFile
from devices.types import FloatArray

RATE = 50.0
COUNT = 500
START_S = 1_764_144_000.25


def motion(count: int = COUNT, rate: float = RATE) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of a sensor that nods about its x axis: both tell the same story."""
    t = np.arange(count) / rate
    angle, turning = 0.6 * np.sin(0.8 * t), 0.48 * np.cos(0.8 * t)
    acc = np.stack([0 * t, 9.80665 * np.sin(angle), 9.80665 * np.cos(angle)], axis=1)
    return acc, np.stack([turning, 0 * t, 0 * t], axis=1)


ACC, GYR = motion()


def rows(*columns: FloatArray | list[str], separator: str = ",", form: str = "{:.7g}") -> str:
    cells = [[value if isinstance(value, str) else form.format(value) for value in column] for column in columns]
    return "".join(separator.join(row) + "\n" for row in zip(*cells, strict=True))


def ns(offset_s: float = 0.0, count: int = COUNT) -> list[str]:
    return [str(round((START_S + offset_s) * 1e9) + round(k * 1e9 / RATE)) for k in range(count)]


def logger_csv(values: FloatArray, offset_s: float = 0.0) -> str:
    count = len(values)
    elapsed = np.arange(count) / RATE
    return "time,seconds_elapsed,z,y,x\n" + rows(ns(offset_s, count), elapsed, *values.T[::-1])


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return path


def one(path: Path) -> RecordingFile:
    (recording,) = read_recordings(path)
    return recording


def same(recording: RecordingFile, acc: FloatArray = ACC, gyr: FloatArray | None = GYR) -> None:
    (sensor,) = recording.sensors.values()
    assert (recording.samples, recording.rate_hz) == (len(acc), RATE)
    np.testing.assert_allclose(sensor.acc_mps2, acc, atol=2e-3)
    if gyr is None:
        assert not sensor.has_gyroscope
    else:
        np.testing.assert_allclose(sensor.gyr_radps, gyr, atol=2e-3)


def test_phone_with_total_acceleration(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "walk.zip",
        TotalAcceleration_csv=logger_csv(ACC),
        Accelerometer_csv=logger_csv(ACC * 0),
        Gyroscope_csv=logger_csv(GYR),
        Metadata_csv="version,platform,standardisation\n3,android,false\n",
        Location_csv="time,seconds_elapsed,speed\n1,2,3\n",
    )
    recording = one(path)
    same(recording)
    assert recording.format == "Sensor Logger"
    assert recording.start_utc_s == pytest.approx(START_S, abs=1e-6)
    assert recording.notes == ()
    (chunk, *_) = recording.chunks("phone")
    assert chunk.start_utc_s == pytest.approx(START_S, abs=1e-6)


def test_iphone_adds_gravity_and_turns_the_sign(tmp_path: Path) -> None:
    moving = np.random.default_rng(1).normal(scale=0.2, size=ACC.shape)
    path = zipped(
        tmp_path / "iphone.zip",
        Accelerometer_csv=logger_csv(-moving),
        Gravity_csv=logger_csv(-(ACC - moving)),
        Gyroscope_csv=logger_csv(GYR, offset_s=0.0),
        Metadata_csv="platform,standardisation\nios,false\n",
    )
    recording = one(path)
    same(recording)
    assert any("turned round" in note for note in recording.notes)


def test_uncalibrated_in_g_without_metadata_says_what_is_assumed(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "AccelerometerUncalibrated.csv").write_text(logger_csv(ACC / 9.80665))
    recording = one(folder)
    same(recording, gyr=None)
    assert [part in " ".join(recording.notes) for part in ("was in g", "Android", "no gyroscope")] == [True] * 3


def test_watch_beside_the_phone_is_a_recording_of_its_own(tmp_path: Path) -> None:
    header = ",".join(
        ["time", "seconds_elapsed", *(f"{w}{a}" for w in ("rotationRate", "gravity", "acceleration") for a in "XYZ")]
    )
    watch = header + "\n" + rows(ns(), np.arange(COUNT) / RATE, *GYR.T, *(-ACC / 9.80665).T, *(ACC * 0).T)
    path = zipped(
        tmp_path / "both.zip",
        TotalAcceleration_csv=logger_csv(ACC),
        Gyroscope_csv=logger_csv(GYR),
        WristMotion_csv=watch,
    )
    phone, wrist = read_recordings(path)
    same(phone)
    same(wrist)
    assert (phone.places, wrist.places) == (("phone",), ("watch",))


def dot_csv(gyr: bool = True, times: bool = True, first_us: int = 1_000_000) -> str:
    ticks = [str((first_us + round(k * 1e6 / RATE)) % 2**32) if times else "" for k in range(COUNT)]
    columns = ["PacketCounter", "SampleTimeFine", "Acc_X", "Acc_Y", "Acc_Z"]
    values: list[FloatArray | list[str]] = [[str(k + 1) for k in range(COUNT)], ticks, *ACC.T]
    if gyr:
        columns += ["Gyr_X", "Gyr_Y", "Gyr_Z"]
        values += list(np.degrees(GYR).T)
    return (
        "sep=,\nDeviceTag:,DOT Thigh R\nFirmwareVersion:,3.0.0\nOutputRate:,50Hz\nMeasurement Mode:,Rate quantities\n"
        "StartTime: ,2025-07-11_20:06:00_086 WEST\n© Movella\n\n"
        + ",".join(columns)
        + ",\n"
        + rows(*values).replace("\n", ",\n")
    )


@pytest.mark.parametrize("text", [dot_csv(), dot_csv(first_us=2**32 - 3_000_000), dot_csv(times=False)])
def test_dot(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dot.csv"
    path.write_text(text, encoding="utf-8")
    recording = one(path)
    same(recording)
    assert recording.places == ("dot_thigh_r",)
    assert recording.start_utc_s is None
    assert recording.start_local == datetime(2025, 7, 11, 20, 6, 0, 86_000)  # noqa: DTZ001 - the file names no zone


def test_several_dots_in_one_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(dot_csv().replace("DOT Thigh R", f"DOT {name}"), encoding="utf-8")
    assert [each.places for each in read_recordings(tmp_path)] == [("dot_a",), ("dot_b",)]


def test_dot_without_acceleration_names_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "euler.csv"
    path.write_text("Measurement Mode:,Sensor fusion\nPacketCounter,SampleTimeFine,Euler_X,FreeAcc_X\n1,2,3,4\n")
    with pytest.raises(UnknownFormat, match="its mode is Sensor fusion"):
        read_recordings(path)


def polar_txt(unit: str, values: FloatArray, phone: str = "2026-05-11T23:10:00.123") -> str:
    head = f"Phone timestamp;sensor timestamp [ns];X [{unit}];Y [{unit}];Z [{unit}]\n"
    ticks = [str(599_628_005_694_359_040 + round(k * 1e9 / RATE)) for k in range(len(values))]
    return head + rows([phone] * len(values), ticks, *values.T, separator=";", form="{:.4f}")


def test_polar_streams_of_one_wearable(tmp_path: Path) -> None:
    base = "Polar_Sense_8C4CAD2D_20260511_231000"
    (tmp_path / f"{base}_ACC.txt").write_text(polar_txt("mg", ACC / 9.80665 * 1000))
    (tmp_path / f"{base}_GYRO.txt").write_text(polar_txt("dps", np.degrees(GYR)))
    (tmp_path / f"{base}_HR.txt").write_text("Phone timestamp;HR [bpm]\n2026-05-11T23:10:00.123;61\n")
    recording = one(tmp_path)
    same(recording)
    assert recording.start_local == datetime(2026, 5, 11, 23, 10, 0, 123_000)  # noqa: DTZ001 - no zone in the file
    same(one(tmp_path / f"{base}_ACC.txt"), gyr=None)
    with pytest.raises(UnknownFormat, match="add the file that ends in _ACC"):
        read_recordings(tmp_path / f"{base}_GYRO.txt")


def phyphox_csv(what: str, unit: str, values: FloatArray, separator: str = ",", comma: bool = False) -> str:
    head = separator.join(f'"{cell}"' for cell in ("Time (s)", *(f"{what} {axis} ({unit})" for axis in "xyz")))
    body = rows(np.arange(len(values)) / RATE, *values.T, separator=separator, form="{:.9E}")
    return head + "\n" + (body.replace(".", ",") if comma else body)


@pytest.mark.parametrize(
    ("separator", "comma", "square"), [(",", False, "m/s^2"), (";", True, "m/s²"), ("\t", False, "m/s^2")]
)
def test_phyphox(tmp_path: Path, separator: str, comma: bool, square: str) -> None:
    path = zipped(
        tmp_path / "phyphox.zip",
        Accelerometer_csv=phyphox_csv("Acceleration", square, ACC, separator, comma),
        Gyroscope_csv=phyphox_csv("Gyroscope", "rad/s", GYR, separator, comma),
        meta__time_csv=f'"event","experiment time","system time"\n"START",0,{START_S}\n"PAUSE",10,{START_S + 10}\n',
    )
    recording = one(path)
    same(recording)
    assert recording.start_utc_s == pytest.approx(START_S, abs=1e-6)


def test_phyphox_without_gravity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Raw Data.csv"
    path.write_text(phyphox_csv("Linear Acceleration", "m/s^2", ACC * 0.01))
    with pytest.raises(UnknownFormat, match="without gravity"):
        read_recordings(path)


def test_gaps_jitter_repeats_and_disorder_are_told(tmp_path: Path) -> None:
    keep = np.ones(COUNT, dtype=bool)
    keep[100:150] = False
    lines = logger_csv(ACC).splitlines(keepends=True)
    body = [line for line, wanted in zip(lines[1:], keep, strict=True) if wanted]
    body[10:10] = [body[9]]
    body[20], body[21] = body[21], body[20]
    path = zipped(
        tmp_path / "odd.zip",
        TotalAcceleration_csv=lines[0] + "".join(body),
        Gyroscope_csv=logger_csv(GYR),
        Metadata_csv="platform\nandroid\n",
    )
    recording = one(path)
    sensor = recording.sensors["phone"]
    assert (recording.samples, recording.rate_hz) == (COUNT, RATE)
    assert np.isnan(sensor.acc_mps2[:, 0]).nonzero()[0].tolist() == list(range(100, 150))
    np.testing.assert_allclose(sensor.acc_mps2[keep], ACC[keep], atol=2e-3)
    assert [chunk.missing for chunk in recording.chunks("phone", 2.0)][1] == 50
    assert ["repeat" in " ".join(recording.notes), "back in time" in " ".join(recording.notes)] == [True, True]


def test_jitter_is_interpolated_and_said(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    t = np.arange(COUNT) / RATE + random.uniform(-0.008, 0.008, COUNT)
    angle = 0.6 * np.sin(0.8 * t)
    acc = np.stack([0 * t, 9.80665 * np.sin(angle), 9.80665 * np.cos(angle)], axis=1)
    text = "time,seconds_elapsed,z,y,x\n" + rows([str(round((START_S + each) * 1e9)) for each in t], t, *acc.T[::-1])
    recording = one(zipped(tmp_path / "jitter.zip", TotalAcceleration_csv=text))
    assert recording.rate_hz == pytest.approx(RATE, rel=2e-3)
    grid = float(t[0]) + np.arange(recording.samples) / recording.rate_hz
    truth = 9.80665 * np.sin(0.6 * np.sin(0.8 * grid))
    np.testing.assert_allclose(recording.sensors["phone"].acc_mps2[2:-2, 1], truth[2:-2], atol=0.02)
    assert any("jitter" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,seconds_elapsed,z,y,x\n", "no row below it"),
        ("time,seconds_elapsed,z,y,x\n1,0,9.8,0,0\n", "it takes two"),
        ("time,seconds_elapsed,z,y,x\n1,0,9.8,zero,0\n2,0,9,9,9\n", "does not fit its header"),
        ("time,seconds_elapsed,z,y,x\n" + "5,0,9.8,0,0\n" * 9, "it takes two"),
        ("time,seconds_elapsed,z,y,x\n" + "".join(f"{k}000000000,{k},nan,0,0\n" for k in range(9)), "it takes two"),
        ("hello\n", "no recording that Backstop knows"),
        ("", "no recording that Backstop knows"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "TotalAcceleration.csv"
    path.write_text(text)
    with pytest.raises(UnknownFormat, match=says) as error:
        read_recordings(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_gravity_switched_off_in_the_phone(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="without gravity; switch on"):
        read_recordings(zipped(tmp_path / "a.zip", Accelerometer_csv=logger_csv(ACC * 0.01)))
    with pytest.raises(UnknownFormat, match="no accelerometer in it"):
        read_recordings(zipped(tmp_path / "b.zip", Gyroscope_csv=logger_csv(GYR)))


def test_archives_stay_within_bounds(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("TotalAcceleration.csv", "0" * 50_000_000)
    with pytest.raises(UnknownFormat, match="unpacks to far more"):
        read_recordings(bomb)
    many = zipped(tmp_path / "many.zip", **{f"f{k}_csv": "x" for k in range(501)})
    with pytest.raises(UnknownFormat, match="501 files"):
        read_recordings(many)
    with pytest.raises(UnknownFormat, match="no such file"):
        read_recordings(tmp_path / "nothing.csv")
    outside = zipped(tmp_path / "outside.zip", **{"..__..__TotalAcceleration_csv": logger_csv(ACC)})
    same(one(outside), gyr=None)
    assert not (tmp_path.parent / "TotalAcceleration.csv").exists()


def test_cut_off_and_foreign_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "TotalAcceleration.csv"
    path.write_bytes(b"\xef\xbb\xbf" + logger_csv(ACC).replace("\n", "\r\n").encode()[:-30])
    recording = one(path)
    assert recording.samples == COUNT - 1
    np.testing.assert_allclose(recording.sensors["phone"].acc_mps2, ACC[:-1], atol=2e-3)


WRITERS: list[Callable[[], str]] = [
    lambda: logger_csv(ACC[:40]),
    dot_csv,
    lambda: polar_txt("mg", ACC[:40] / 9.80665 * 1000),
    lambda: phyphox_csv("Acceleration", "m/s^2", ACC[:40]),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writer=st.sampled_from(WRITERS),
    at=st.floats(0, 1),
    junk=st.binary(max_size=40),
    cut=st.booleans(),
)
def test_damage_is_refused_and_never_an_accident(
    tmp_path: Path, writer: Callable[[], str], at: float, junk: bytes, cut: bool
) -> None:
    data = writer().encode()
    place = round(at * len(data))
    damaged = data[:place] + junk + (b"" if cut else data[place + len(junk) :])
    path = tmp_path / "TotalAcceleration.csv"
    path.write_bytes(damaged)
    try:
        recordings = read_recordings(path)
    except UnknownFormat as error:
        told = str(error)
        assert told.count("\n") == 0
    else:
        assert all(sensor.covered for each in recordings for sensor in each.sensors.values())


def test_a_long_file_is_interpolated_in_parts_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    t_s = np.sort(chance.uniform(0.0, 60.0, 900))
    t_s[400:] += 7.0
    values, at_s = chance.normal(size=(900, 3)), np.arange(-50, 3600) / 50.0
    whole = timeline.interpolated(t_s, values, at_s, 0.2)
    for size in (1, 7, 1000):
        monkeypatch.setattr(timeline, "_AT_ONCE", size)
        np.testing.assert_array_equal(timeline.interpolated(t_s, values, at_s, 0.2), whole)
    assert np.isnan(whole[:, 0]).any()
    assert np.isfinite(whole[:, 0]).mean() > 0.5


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [64, 1000, 4096])
def test_a_file_that_is_read_in_blocks_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, size: int
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", size)
    text = logger_csv(ACC).replace("\n", end)
    path = zipped(tmp_path / "a.zip", TotalAcceleration_csv=text, Gyroscope_csv=logger_csv(GYR))
    same(one(path))
    (tmp_path / "TotalAcceleration.csv").write_text(text, encoding="utf-8", newline="")
    alone = one(tmp_path / "TotalAcceleration.csv")
    np.testing.assert_array_equal(alone.sensors["phone"].acc_mps2, one(path).sensors["phone"].acc_mps2)
