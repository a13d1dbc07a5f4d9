"""A WitMotion's byte stream: find its frames again wherever notifications cut it, and read them.

Source: WT901BLECL 5.0 manual pp. 16-18. A frame has no time, no counter and no checksum: what makes it one is that it
begins with its head and ends where its notification ends, or where the next frame's head stands. A value changed on
the way cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket
from devices.profiles import witmotion_codes as wit
from devices.profiles.types import Decoded
from devices.types import FloatArray, IntArray, SampleBlock

ACC_MPS2_PER_LSB = wit.ACC_RANGE_G * 9.80665 / wit.FULL_SCALE_LSB
GYR_RADPS_PER_LSB = float(np.radians(wit.GYR_RANGE_DEGPS / wit.FULL_SCALE_LSB))
_ANGLE_DEG_PER_LSB = 180 / wit.FULL_SCALE_LSB
_VALUES = 9


@dataclass(frozen=True, slots=True)
class Motion:
    """Samples of motion frames. acc_mps2, gyr_radps, angle_deg (roll, pitch, yaw by the device): (n, 3)."""

    acc_mps2: FloatArray
    gyr_radps: FloatArray
    angle_deg: FloatArray


def decode_motion(data: bytes | NDArray[np.uint8], frame_bytes: int = wit.FRAME_BYTES) -> Motion:
    """Return the samples of n motion frames, end to end. Raises BadPacket for another length or head."""
    raw = np.frombuffer(bytes(data), dtype=np.uint8)
    if raw.size % frame_bytes or (raw.reshape(-1, frame_bytes)[:, :2] != (wit.HEAD, wit.MOTION)).any():
        raise BadPacket(
            f"{raw.size} bytes are no motion frames of {frame_bytes} bytes that begin with 55 61; not used."
        )
    values = raw.reshape(-1, frame_bytes)[:, 2 : 2 + 2 * _VALUES].copy().view("<i2").reshape(-1, 3, 3)
    return Motion(values[:, 0] * ACC_MPS2_PER_LSB, values[:, 1] * GYR_RADPS_PER_LSB, values[:, 2] * _ANGLE_DEG_PER_LSB)


def decode_registers(data: bytes) -> tuple[int, tuple[int, ...]]:
    """Return the first register and the eight values, signed, of an answer. Raises BadPacket."""
    if len(data) != wit.FRAME_BYTES or data[:2] != bytes((wit.HEAD, wit.REGISTERS)):
        raise BadPacket(f"Answer {data.hex(' ')} is not 55 71, a register and eight values; not used.")
    values = np.frombuffer(data, dtype="<i2", offset=4)
    return int.from_bytes(data[2:4], "little"), tuple(values.tolist())


def decode_battery_share(value: int) -> float:
    """Return the charge, 0 to 1, of register 0x64: the vendor's table of voltages. Raises BadPacket.

    The table is coarse and a voltage sags under load; it is no measured charge.
    """
    if not 200 <= value <= 500:
        raise BadPacket(f"A battery of {value / 100:g} V is impossible; not used.")
    return next(percent for least, percent in wit.BATTERY_PERCENT if value >= least) / 100


class RegisterFinder:
    """Finds the answer to one question in a byte stream that began before it."""

    def __init__(self, register: int) -> None:
        self._head = bytes((wit.HEAD, wit.REGISTERS)) + register.to_bytes(2, "little")
        self._seen = b""

    def __call__(self, data: bytes) -> bytes | None:
        """Return the whole answer once its last byte is there."""
        self._seen += data
        at = self._seen.find(self._head)
        if at >= 0 and len(self._seen) >= at + wit.FRAME_BYTES:
            return self._seen[at : at + wit.FRAME_BYTES]
        # What lies before a possible head is of no use.
        self._seen = self._seen[at if at >= 0 else -len(self._head) :]
        return None


class WitMotionDecoder:
    """Reads the stream of one connection: one row a motion frame, numbered since the start; answers are passed over.

    Keeps at most one frame's bytes. The rest of a frame that was cut by the start of listening is passed over in
    silence. As long as every frame came whole in its notification, one that ends early is bad at once; once a frame was
    found in two, it may wait for the next.
    """

    def __init__(self, frame_bytes: int = wit.FRAME_BYTES) -> None:
        self._frame_bytes = frame_bytes
        self._kept = b""
        # Where notifications ended within what is kept.
        self._kept_ends: IntArray = np.empty(0, dtype=np.int64)
        self._count = 0
        # A frame came in two notifications. What is kept was counted as bad already.
        self._splits = self._kept_is_bad = False
        # Bytes before the first frame that may be the rest of one.
        self._grace = frame_bytes - 1

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples that these notifications complete; bad: the ones with bytes that belong to no frame."""
        stream = np.frombuffer(self._kept + b"".join(frames), dtype=np.uint8)
        # Where each notification ends in the stream; what was kept lies before the first.
        ends = len(self._kept) + np.cumsum([len(frame) for frame in frames], dtype=np.int64)
        all_ends = np.concatenate([self._kept_ends, ends])
        begins, lost, kept_at = self._cut(stream, all_ends)
        is_motion = stream[begins + 1] == wit.MOTION
        motion = begins[is_motion]
        self._count += len(motion)
        if len(begins):
            next_ends = all_ends[np.searchsorted(all_ends, begins, side="right")]
            self._splits |= bool((next_ends < begins + np.where(is_motion, self._frame_bytes, wit.FRAME_BYTES)).any())
        bad = {i for i, frame in enumerate(frames) if not frame} | self._bad(ends, lost, kept_at)
        self._kept = stream[kept_at:].tobytes()
        self._kept_ends = all_ends[all_ends > kept_at] - kept_at
        samples = decode_motion(stream[motion[:, None] + np.arange(self._frame_bytes)], self._frame_bytes)
        return Decoded(
            SampleBlock(self._count - len(motion) + np.arange(len(motion)), samples.acc_mps2, samples.gyr_radps),
            np.searchsorted(ends, motion + self._frame_bytes - 1, side="right"),
            tuple(sorted(bad)),
            "A notification of a WitMotion has bytes that belong to no frame; not used." if bad else None,
        )

    def _bad(self, ends: IntArray, lost: list[tuple[int, int]], kept_at: int) -> set[int]:
        """Return which notifications brought lost bytes, or the beginning of a frame that should have been whole."""
        bad: set[int] = set()
        for begin, end in lost:
            bad |= self._brought(ends, begin, end)
        if self._kept_is_bad:
            bad.discard(-1)
        self._kept_is_bad = self._count > 0 and not self._splits
        if self._kept_is_bad:
            bad |= self._brought(ends, max(kept_at, len(self._kept)), int(ends[-1]) if len(ends) else 0)
        return bad

    def _brought(self, ends: IntArray, begin: int, end: int) -> set[int]:
        """Return the positions of notifications that brought bytes begin .. end - 1, -1 for those of earlier calls."""
        kept = len(self._kept)
        earlier = {-1} if begin < min(kept, end) else set()
        begin = max(begin, kept)
        if begin >= end:
            return earlier
        first, last = np.searchsorted(ends, (begin, end - 1), side="right").tolist()
        return earlier | set(range(first, last + 1))

    def _cut(self, stream: NDArray[np.uint8], ends: IntArray) -> tuple[IntArray, list[tuple[int, int]], int]:
        """Return where frames begin, the stretches that belong to none, and from where on to keep.

        One step a run of frames or a damaged stretch.
        """
        size, n = self._frame_bytes, len(stream)
        motion_at, head_at, may_end = _landmarks(stream, ends)
        heads = np.append(np.flatnonzero(head_at), n - 1 if n and stream[-1] == wit.HEAD else n)
        begins: list[IntArray] = []
        lost: list[tuple[int, int]] = []
        at = 0
        while at < n:
            run = at + size * np.arange((n - at) // size)
            fits = motion_at[run] & may_end[run + size]
            whole = len(run) if fits.all() else int(fits.argmin())
            if whole:
                begins.append(run[:whole])
                self._grace = 0
                at += whole * size
                continue
            answer = bool(head_at[at] and not motion_at[at])
            end = at + (wit.FRAME_BYTES if answer else size)
            if (head_at[at] or at == heads[-1]) and end > n:
                break
            if answer and may_end[end]:
                begins.append(np.array([at], dtype=np.int64))
                at = end
                continue
            nearest = int(heads[np.searchsorted(heads, at, side="right")])
            forgiven = min(self._grace, nearest - at)
            self._grace -= forgiven
            if at + forgiven < nearest:
                lost.append((at + forgiven, nearest))
            at = nearest
        none: IntArray = np.empty(0, dtype=np.int64)
        return np.concatenate(begins) if begins else none, lost, at


def _landmarks(
    stream: NDArray[np.uint8], ends: IntArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a motion frame's head stands (n,), any head (n,), and where a frame may end (n + 1,)."""
    n = len(stream)
    motion_at, head_at = np.zeros((2, n), dtype=np.bool_)
    may_end = np.zeros(n + 1, dtype=np.bool_)
    first = stream[:-1] == wit.HEAD
    motion_at[: n - 1] = first & (stream[1:] == wit.MOTION)
    head_at[: n - 1] = motion_at[: n - 1] | (first & (stream[1:] == wit.REGISTERS))
    may_end[:n] = head_at
    may_end[ends] = True
    # A notification may end within a head; what the next one brings must not matter, it may not be there yet.
    last = ends[ends > 0] - 1
    may_end[last[stream[last] == wit.HEAD]] = True
    return motion_at, head_at, may_end
