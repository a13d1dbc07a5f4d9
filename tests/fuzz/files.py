"""Rows of files: recordings of every kind, profiles, configuration, exports, backups."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from coach.advisories import audit, read_list
from coach.backup_file import verify
from coach.config import load
from coach.errors import ConfigError, InvalidInput
from coach.exports.reading import opened
from coach.installed import Component
from coach.service.profile_files import SHIPPED, caps_from, profile_from
from devices.errors import UnknownFormat
from devices.files import read_recordings
from tests.devices.files import test_formats as formats
from tests.fuzz.parser import Parser, files_of, one_example, written

ROOT = Path(__file__).resolve().parents[2]
_FEW = 60


def _recording(data: bytes) -> None:
    with written("recording.csv", data) as path:
        _look(path)


def _look(path: Path) -> None:
    for each in read_recordings(path):
        assert each.samples == max(len(sensor.acc_mps2) for sensor in each.sensors.values())
        assert 1.0 <= each.rate_hz <= 10_000.0
        for place in each.places:
            next(each.chunks(place), None)


def _few(text: str) -> bytes:
    return "".join(text.splitlines(keepends=True)[:_FEW]).encode()


def _texts() -> list[bytes]:
    return [
        _few(formats.logger_csv(formats.ACC)),
        _few(formats.dot_csv()),
        _few(formats.dot_csv(gyr=False, times=False)),
        _few(formats.polar_txt("mg", formats.ACC * 100)),
        _few(formats.phyphox_csv("Acceleration", "m/s^2", formats.ACC)),
        _few(formats.phyphox_csv("Acceleration", "m/s^2", formats.ACC, ";", True)),
    ]


def _folder(data: bytes) -> None:
    """Read the files as one zip, stored with sizes and checksums that fit."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files_of(data):
            archive.writestr(zipfile.ZipInfo(name.replace("\0", "_")), content)
    with written("recording.zip", packed.getvalue()) as path:
        _look(path)


def _folders() -> list[bytes]:
    acc, gyr = _few(formats.logger_csv(formats.ACC)), _few(formats.logger_csv(formats.GYR))
    polar = _few(formats.polar_txt("mg", formats.ACC * 100)), _few(formats.polar_txt("dps", formats.GYR))
    sound = _few(formats.phyphox_csv("Acceleration", "m/s^2", formats.ACC))
    return [
        one_example(("TotalAcceleration.csv", acc), ("Gyroscope.csv", gyr), ("Metadata.csv", b"platform\nios\n")),
        one_example(("Accelerometer.csv", acc), ("Gravity.csv", acc), ("WristMotion.csv", acc)),
        one_example(("a_ACC.txt", polar[0]), ("a_GYRO.txt", polar[1])),
        one_example(("Raw.csv", sound), ("meta/time.csv", b'"event","system time"\n"START",1764144000\n')),
        one_example(("../../x", b"a,b\n1,2\n")),
    ]


def _zip(data: bytes) -> None:
    with written("any.zip", data) as path:
        _look(path)


def _zips() -> list[bytes]:
    found = []
    for each in _folders()[:2]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files_of(each):
                archive.writestr(zipfile.ZipInfo(name), content[:600])
        found.append(packed.getvalue())
    return [*found, _npz()]


def _npz() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, fs=50.0, chest_acc=formats.ACC[:30], chest_gyr=formats.GYR[:30], t=np.arange(30) / 50)
    return out.getvalue()


def _arrays(data: bytes) -> None:
    """Read the files as arrays of an .npz whose zip is sound."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files_of(data):
            archive.writestr(zipfile.ZipInfo(name.replace("\0", "_")), content)
    with written("arrays.npz", packed.getvalue()) as path:
        _look(path)


def _npys() -> list[bytes]:
    def npy(value: object) -> bytes:
        out = io.BytesIO()
        np.lib.format.write_array(out, np.asarray(value))
        return out.getvalue()

    acc, gyr = formats.ACC[:20], formats.GYR[:20]
    whole = (("fs.npy", npy(50.0)), ("chest_acc.npy", npy(acc)), ("chest_gyr.npy", npy(gyr)))
    return [one_example(*whole), one_example(*whole, ("t.npy", npy(np.arange(20) / 50)))]


def _config(data: bytes) -> None:
    with written("config.toml", data) as path:
        load(path, {})


def _profile(data: bytes) -> None:
    with written("golf.toml", data) as path:
        profile_from(path, [SHIPPED / "caps"])


def _caps(data: bytes) -> None:
    with written("caps.toml", data) as path:
        caps_from(path)


def _shipped(*names: str) -> list[bytes]:
    return [(SHIPPED / name).read_bytes() for name in names]


def _export(data: bytes) -> None:
    """Read the files as an export, its manifest telling their sizes and digests as they are."""
    import hashlib

    files = files_of(data)
    told = {name: {"size": len(each), "sha256": hashlib.sha256(each).hexdigest()} for name, each in files}
    manifest = {"format": "backstop-export", "format_version": 1, "athlete_id": "0" * 32, "schema": "v0001"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
        archive.writestr("manifest.json", json.dumps(manifest | {"members": told}))
    _read_export(packed.getvalue())


def _read_export(data: bytes) -> None:
    with written("export.zip", data) as path, opened(path) as archive:
        archive.check_tables({"athlete": (), "chunk": ("blob",)})
        rows = list(archive.rows("athlete"))
        assert all(isinstance(row, dict) for row in rows)
        with archive.beside("chunk", "blob") as blobs:
            for row in archive.rows("chunk"):
                blobs.next(row.get("blob"))


def _exports() -> list[bytes]:
    return [
        one_example(
            ("tables/athlete.jsonl", b'{"id": "a", "name": "Ada"}\n'),
            ("tables/chunk.jsonl", b'{"seq": 1, "blob": 3}\n{"seq": 2, "blob": null}\n'),
            ("tables/chunk.blob.bin", b"abc"),
        )
    ]


def _export_zips() -> list[bytes]:
    manifest = b'{"format":"backstop-export","format_version":1,"athlete_id":"%s","schema":"a","members":{}}' % (
        b"0" * 32
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json"), manifest)
    return [packed.getvalue()]


def _advisories(data: bytes) -> None:
    with written("list.json", data) as path:
        done = audit((Component("PyPI", "flask", "3.1.3"),), read_list(path))
    assert done.entries >= len(done.unclear)


ADVISORY = (
    b'[{"id": "A", "modified": "2026-11-20T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "Flask"},'
    b'"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.2"}]}], "versions": ["3.1.3"]}]}]'
)


def _backup(data: bytes) -> None:
    with written("backup.zip", data) as path:
        verify(path)


def _backups() -> list[bytes]:
    import hashlib

    part = {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
    told = {"format": 1, "made_at": "2026-11-26T08:00:00+00:00", "backstop": "0.1", "schema": "a", "rows": {"a": 1}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("backstop.db"), b"x")
        archive.writestr(zipfile.ZipInfo("manifest.json"), json.dumps(told | {"parts": {"backstop.db": part}}))
    return [packed.getvalue()]


NUMBERS = (
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"1e-320",
    b"",
    b"0",
    b"-1",
    b"9" * 400,
    b'"',
    b"0x10",
    b"1_0",
    b"\xc2\xb2",
)

PARSERS = (
    Parser("recording-text", _recording, (UnknownFormat,), _texts, longest=8000, words=NUMBERS),
    Parser("recording-files", _folder, (UnknownFormat,), _folders, longest=12_000, words=NUMBERS),
    Parser("recording-zip", _zip, (UnknownFormat,), _zips, longest=8000),
    Parser("recording-arrays", _arrays, (UnknownFormat,), _npys, longest=4000, words=(b"'shape': (9,)", b"|O", b"<f2")),
    Parser("config", _config, (ConfigError,), lambda: [(ROOT / "config.toml").read_bytes()], longest=12_000),
    Parser("profile", _profile, (ConfigError,), lambda: _shipped("golf.toml", "baseball.toml"), longest=8000),
    Parser("caps", _caps, (ConfigError,), lambda: [next((SHIPPED / "caps").glob("*.toml")).read_bytes()], longest=8000),
    Parser("export", _export, (InvalidInput,), _exports),
    Parser("export-zip", _read_export, (InvalidInput,), _export_zips),
    Parser(
        "advisories", _advisories, (InvalidInput,), lambda: [ADVISORY], words=(b"introduced", b"fixed", b"1!2.0rc1")
    ),
    Parser("backup", _backup, (InvalidInput,), _backups),
)
