"""Recordings on disk: what is read, and one sentence for what is not."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.errors import UnknownFormat
from devices.files.npz import read_npz
from devices.types import Gap

FS = 50.0


def arrays(n: int = 500, seed: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    acc = np.array([0.0, 0.0, 9.81]) + random.normal(scale=0.1, size=(n, 3))
    return {"fs": FS, "chest_acc": acc.astype(np.float32), "chest_gyr": random.normal(scale=0.1, size=(n, 3))}


def saved(folder: Path, **content: Any) -> Path:
    path = folder / "a.npz"
    np.savez(path, **content)
    return path


def test_reads_sensors_and_leaves_the_truth_alone(tmp_path: Path) -> None:
    content = arrays()
    truth = np.array([object()], dtype=object)  # would be refused if it were read
    path = saved(tmp_path, **content, truth_quat_chest=truth, notes=np.array(["by hand"]))
    recording = read_npz(path)
    assert recording.places == ("chest",)
    assert (recording.rate_hz, recording.samples, recording.duration_s) == (50.0, 500, 10.0)
    np.testing.assert_array_equal(recording.sensors["chest"].acc_mps2, content["chest_acc"])


def test_chunks_are_consecutive_and_carry_every_sample(tmp_path: Path) -> None:
    content = arrays(610)
    content["chest_acc"][300:303] = np.nan
    recording = read_npz(saved(tmp_path, **content))
    parts = list(recording.chunks("chest", start_utc_s=100.0))
    assert [len(part) for part in parts] == [250, 250, 110]
    assert [part.seq for part in parts] == [0, 1, 2]
    assert [part.start_index for part in parts] == [0, 250, 500]
    assert [part.start_utc_s for part in parts] == [100.0, 105.0, 110.0]
    assert [part.gaps for part in parts] == [(), (Gap(50, 3),), ()]
    assert np.isnan(parts[1].gyr_radps[50:53]).all()
    joined = np.concatenate([part.acc_mps2 for part in parts])
    np.testing.assert_array_equal(joined.astype(np.float32), content["chest_acc"])
    with pytest.raises(UnknownFormat, match="no sensor at 'hip'; the file has chest"):
        list(recording.chunks("hip"))


def test_times_place_the_samples_on_the_grid(tmp_path: Path) -> None:
    content = arrays(500)
    t = 40.0 + np.arange(500) / FS + np.random.default_rng(3).uniform(-0.004, 0.004, 500)
    t[300:] += 2.0  # two seconds that were not recorded
    recording = read_npz(saved(tmp_path, **content, t=t))
    assert recording.samples == 600
    missing = np.isnan(recording.sensors["chest"].acc_mps2[:, 0])
    assert np.flatnonzero(missing).tolist() == list(range(300, 400))
    np.testing.assert_array_equal(recording.sensors["chest"].acc_mps2[400:], content["chest_acc"][300:])


def test_a_time_that_falls_on_a_taken_place_leaves_the_next_place_missing(tmp_path: Path) -> None:
    content = arrays(500)
    t = np.arange(500) / FS
    t[200] -= 0.6 / FS
    recording = read_npz(saved(tmp_path, **content, t=t))
    # The length alone does not show it: as many places as rows.
    assert recording.samples == len(recording.row_index) == 500
    assert np.flatnonzero(np.isnan(recording.sensors["chest"].acc_mps2[:, 0])).tolist() == [200]
    np.testing.assert_allclose(recording.t_s, t)


def test_times_may_be_whole_numbers_and_still_not_go_back(tmp_path: Path) -> None:
    content = arrays(500)
    t = np.arange(500, dtype=np.uint32)
    t[100] = 3
    with pytest.raises(UnknownFormat, match="goes back"):
        read_npz(saved(tmp_path, **(content | {"fs": 1.0}), t=t))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in arrays().items() if key != name}


def changed(**changes: Any) -> dict[str, Any]:
    return {**arrays(), **changes}


BASE = arrays()
WRONG = [
    (without("fs"), "'fs' is missing"),
    (changed(fs=0.0), "'fs' says 0 Hz"),
    (changed(fs=-25.0), "'fs' says -25 Hz"),
    (changed(fs=np.nan), "'fs' says nan Hz"),
    (changed(fs=1e9), r"'fs' says 1e\+09 Hz"),
    (changed(fs=np.array([50.0, 50.0])), "'fs' has 2 values"),
    (changed(fs=np.array("50")), "'fs' holds <U2, not numbers"),
    (without("chest_gyr"), "'chest_gyr' is missing"),
    (without("chest_acc"), "'chest_acc' is missing"),
    ({"fs": FS}, "no sensor found"),
    (changed(chest_acc=BASE["chest_acc"].T), r"'chest_acc' has the shape \(3, 500\)"),
    (changed(chest_acc=BASE["chest_acc"][:, :2]), r"'chest_acc' has the shape \(500, 2\)"),
    (changed(chest_acc=np.float32(9.81)), r"'chest_acc' has the shape \(\)"),
    (changed(chest_gyr=BASE["chest_gyr"][:499]), "'chest_gyr' has 499 samples, 'chest_acc' has 500"),
    (changed(chest_acc=np.empty((0, 3)), chest_gyr=np.empty((0, 3))), "'chest_acc' is empty"),
    (changed(chest_acc=BASE["chest_acc"].astype(object)), "'chest_acc' holds object, not numbers"),
    (changed(chest_acc=BASE["chest_acc"] / 9.81), "'chest_acc' looks like g"),
    (changed(chest_acc=BASE["chest_acc"] * 100), "'chest_acc' is not in m/s"),
    (changed(chest_acc=BASE["chest_acc"] * 0), "'chest_acc' is not in m/s"),
    (changed(chest_gyr=BASE["chest_gyr"] * 57.3 * 10), "'chest_gyr' reaches"),
    (changed(chest_acc=BASE["chest_acc"] * np.nan), "no sensor has a single sample"),
    (changed(t=np.arange(499) / FS), r"'t' has the shape \(499,\)"),
    (changed(t=np.full(500, np.nan)), "'t' holds NaN at sample 0"),
    (changed(t=-np.arange(500) / FS), "'t' goes back or stands still after sample 0"),
    (changed(t=np.arange(500) / FS * 1000), "'t' shows 0.05 samples a second, 'fs' says 50"),
    (changed(t=np.concatenate((np.arange(499) / FS, [1e12]))), "'t' spans 1e"),
]


@pytest.mark.parametrize(("content", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_form_gets_one_sentence(tmp_path: Path, content: dict[str, Any], sentence: str) -> None:
    path = saved(tmp_path, **content)
    with pytest.raises(UnknownFormat, match=sentence) as caught:
        read_npz(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_other_files_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="there is no such file"):
        read_npz(tmp_path / "nothing.npz")
    with pytest.raises(UnknownFormat, match="this is not a file"):
        read_npz(tmp_path)
    text = tmp_path / "a.txt"
    text.write_text("hello")
    with pytest.raises(UnknownFormat, match=r"not an \.npz file"):
        read_npz(text)
    other = tmp_path / "other.npz"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.md", "no arrays")
    with pytest.raises(UnknownFormat, match="'fs' is missing"):
        read_npz(other)


def test_a_header_that_promises_terabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, **arrays())
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (400000000000, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("hip_acc.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(UnknownFormat, match="'hip_acc' has the shape"):
        read_npz(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    content = saved(tmp_path, **arrays(60)).read_bytes()
    if data.draw(st.booleans()):
        damaged = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        place = data.draw(st.integers(0, len(content) - 1))
        damaged = content[:place] + bytes([data.draw(st.integers(0, 255))]) + content[place + 1 :]
    path = tmp_path / "damaged.npz"
    path.write_bytes(damaged)
    with contextlib.suppress(UnknownFormat):
        read_npz(path)
