"""Real bombs: archives that promise or unpack to far more than they are, of every kind that is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import resource
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zstandard

from coach.errors import InvalidInput
from coach.exports.reading import opened
from devices.codec import decode_chunk
from devices.errors import BadPacket, UnknownFormat
from devices.files import read_recordings
from devices.files.zips import check_directory
from devices.phone import unpack_readings
from tests.fuzz.signals import _frame_in_chunk

ZEROS = bytes(1_000_000)
HEADER = b"time,seconds_elapsed,z,y,x\n"


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Fail when more memory than that is taken at any moment."""
    tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
        taken = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    assert max(taken, grown) < megabytes, (taken, grown)


def zipped(path: Path, members: dict[str, Callable[[], Iterator[bytes]]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, pieces in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in pieces():
                    member.write(piece)
    return path


def zeros(megabytes: int, begin: bytes = b"") -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        yield begin
        yield from (ZEROS for _ in range(megabytes))

    return pieces


def npy_of_zeros(rows: int) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        out = io.BytesIO()
        np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (rows, 3)})
        yield out.getvalue()
        yield from (ZEROS for _ in range(rows * 24 // len(ZEROS)))

    return pieces


def test_a_text_that_unpacks_to_a_thousand_times_its_size(tmp_path: Path) -> None:
    path = zipped(tmp_path / "walk.zip", {"TotalAcceleration.csv": zeros(80, HEADER)})
    assert path.stat().st_size < 1_000_000
    with at_most(50), pytest.raises(UnknownFormat, match="unpacks to far more"):
        read_recordings(path)


def test_arrays_that_unpack_to_a_thousand_times_their_size(tmp_path: Path) -> None:
    names = ["s_acc.npy", "s_gyr.npy", "r_acc.npy"]
    path = zipped(tmp_path / "walk.npz", {name: npy_of_zeros(2_500_000) for name in names})
    assert path.stat().st_size < 1_000_000
    with at_most(50), pytest.raises(UnknownFormat, match="unpack to"):
        read_recordings(path)


def test_more_arrays_than_there_are_sensors(tmp_path: Path) -> None:
    path = zipped(tmp_path / "walk.npz", {f"s{k}_acc.npy": npy_of_zeros(1) for k in range(200)})
    with pytest.raises(UnknownFormat, match="arrays in one file"):
        read_recordings(path)


def test_an_array_whose_header_promises_terabytes(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (10**11, 3)})
    path = tmp_path / "walk.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("chest_acc.npy", out.getvalue())
    with at_most(50), pytest.raises(UnknownFormat, match="is the limit"):
        read_recordings(path)


def test_an_array_that_would_run_code_when_it_is_read_is_refused(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Runs:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (ran,))

    for name in ("fs", "chest_acc", "t"):
        path = tmp_path / f"{name}.npz"
        arrays = {"fs": 50.0, "chest_acc": np.ones((9, 3)), "chest_gyr": np.zeros((9, 3))}
        np.savez(path, **(arrays | {name: np.array([Runs()], dtype=object)}))  # type: ignore[arg-type]
        with pytest.raises(UnknownFormat, match="not numbers"):
            read_recordings(path)
    assert not ran.exists()
    np.load(path, allow_pickle=True)["t"]  # the control: it does run where somebody lets it
    assert ran.exists()


def test_a_directory_of_a_million_files(tmp_path: Path) -> None:
    """46 bytes of each in the file; unread, they take no more than that."""
    one = io.BytesIO()
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), b"")
    entry = one.getvalue()[31:-22]
    assert entry[:4] == b"PK\x01\x02"
    many = 1_000_000
    size = len(entry) * many
    zip64 = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes((45, 0, 45, 0)) + bytes(8)
    zip64 += b"".join(each.to_bytes(8, "little") for each in (many, many, size, 31))
    locator = b"PK\x06\x07" + bytes(4) + (31 + size).to_bytes(8, "little") + (1).to_bytes(4, "little")
    end = b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2)
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        file.write(one.getvalue()[:31])
        for _ in range(100):
            file.write(entry * (many // 100))
        file.write(zip64 + locator + end)
    with at_most(60):
        for read in (read_recordings, lambda each: read_recordings(each.rename(tmp_path / "many.npz"))):
            with pytest.raises(UnknownFormat, match=r"damaged"):
                read(path)
        with pytest.raises(InvalidInput, match="no whole zip"), opened(tmp_path / "many.npz"):
            pass
    with (tmp_path / "many.npz").open("rb") as file:
        check_directory(file, 1_000_000)


def test_a_zip_in_a_zip_and_what_is_packed_otherwise_is_no_recording_and_is_not_unpacked(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"TotalAcceleration.csv": zeros(50, HEADER)})
    nested = tmp_path / "outer.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(inner, "inner.zip")
    bomb = HEADER + ZEROS * 8
    packed = {
        "walk.csv.gz": gzip.compress(bomb),
        "walk.csv.xz": lzma.compress(bomb),
        "walk.csv.bz2": bz2.compress(bomb),
        "walk.csv.zst": zstandard.compress(bomb),
    }
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    for path in (nested, *(tmp_path / name for name in packed)):
        with at_most(10), pytest.raises(UnknownFormat, match="no recording that Backstop knows"):
            read_recordings(path)


def test_an_archive_that_lies_about_its_sizes_is_read_no_further_than_it_says(tmp_path: Path) -> None:
    honest = zipped(tmp_path / "walk.zip", {"TotalAcceleration.csv": zeros(5, HEADER)})
    data = bytearray(honest.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    honest.write_bytes(data)
    with at_most(10), pytest.raises(UnknownFormat):
        read_recordings(honest)


@pytest.mark.parametrize("stated", [True, False])
def test_a_frame_that_unpacks_to_far_more_than_the_chunk_says(stated: bool) -> None:
    frame = zstandard.ZstdCompressor(write_content_size=stated).compress(bytes(100_000_000))
    assert len(frame) < 50_000
    with at_most(20), pytest.raises(BadPacket):
        _frame_in_chunk(b"\x01" + frame)


def test_what_waits_in_the_database_of_a_phone_is_bounded_too() -> None:
    frame = zstandard.ZstdCompressor().compress(bytes(100_000_000))
    with at_most(20), pytest.raises(BadPacket):
        unpack_readings(frame)


def test_a_chunk_of_all_gaps_is_as_large_as_it_may_be_and_no_larger() -> None:
    with pytest.raises(BadPacket):
        decode_chunk(b"BSCK\x02" + bytes(200))
