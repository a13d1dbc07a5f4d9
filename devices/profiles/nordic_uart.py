"""Any board of one's own that prints lines into a Nordic UART pipe: `t_ms,ax,ay,az,gx,gy,gz[,mx,my,mz]`.

An own convention: t_ms the board's milliseconds (u32, wraps), acceleration in g with gravity, angular rate in deg/s,
as the usual libraries of such boards give them; a magnetometer may follow and is not used. UTF-8, a line ends with a
line feed and may span notifications. Checked against no device and no vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from devices.errors import BadPacket
from devices.profiles import maker_uuids as maker
from devices.profiles.subscribing import SubscribingProfile
from devices.profiles.types import Decoded, GattClient, Started, Wish
from devices.types import FloatArray, SampleBlock

_G_MPS2 = 9.80665
# A line of ten numbers has at most about this many bytes; longer ones are no lines of ours (own choice).
_LINE_BYTES = 200
# Time, acceleration, angular rate, and perhaps a magnetometer.
_FIELDS = (7, 10)
# Beyond these no board of this kind measures: the line is damaged, or in other units (own heuristic).
_ACC_MAX_G, _GYR_MAX_DEGPS = 32.0, 4000.0
_TICK_WRAP = 2**32


def parse_line(line: bytes) -> FloatArray:
    """Return time in ms, acceleration in g and angular rate in deg/s (7,) of one line. Raises BadPacket."""
    try:
        values = np.array(line.strip().split(b","), dtype=np.float64)
    except ValueError:
        values = np.empty(0)
    fits = len(values) in _FIELDS and bool(np.isfinite(values).all())
    if fits:
        limits = np.array([_TICK_WRAP - 1, *[_ACC_MAX_G] * 3, *[_GYR_MAX_DEGPS] * 3])
        fits = bool((np.abs(values[:7]) <= limits).all()) and values[0] >= 0 and values[0] == np.floor(values[0])
    if not fits:
        raise BadPacket(f"{line[:60]!r} is no line `t_ms,ax,ay,az,gx,gy,gz` in g and deg/s; not used.")
    return values[:7]


class LineDecoder:
    """Reads bytes line by line; keeps a line that has not ended. What precedes the first end is passed over."""

    def __init__(self) -> None:
        self._begun = b""
        self._in_step = False

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return one sample for each line that ends in these notifications."""
        rows: list[FloatArray] = []
        ended_by: list[int] = []
        bad: list[int] = []
        reason = None
        for position, data in enumerate(frames):
            *ended, self._begun = (self._begun + bytes(data)).split(b"\n")
            for line in ended:
                in_step, self._in_step = self._in_step, True
                try:
                    if in_step:
                        rows.append(parse_line(line))
                        ended_by.append(position)
                except BadPacket as error:
                    bad.append(position)
                    reason = reason or str(error)
            if len(self._begun) > _LINE_BYTES:
                self._begun, self._in_step = b"", False
                bad.append(position)
                reason = reason or f"{_LINE_BYTES} bytes without the end of a line; not used."
        values = np.array(rows).reshape(-1, 7)
        block = SampleBlock(values[:, 0].astype(np.int64), values[:, 1:4] * _G_MPS2, np.radians(values[:, 4:7]))
        return Decoded(block, np.array(ended_by, dtype=np.int64), tuple(sorted(set(bad))), reason)


class NordicUart(SubscribingProfile):
    """The profile. It stands behind all products that carry such a pipe for something else."""

    family = "nordic-uart"
    title = "Own board (Nordic UART)"
    # Nominal: what the board's program sends at; nothing tells it.
    rates_offered_hz: tuple[float, ...] = (10.0, 20.0, 25.0, 50.0, 100.0)
    ticks_per_s: int | None = 1000
    tick_wrap: int = _TICK_WRAP
    sensors: tuple[str, ...] = ("acc", "gyr")
    notify_uuids: tuple[str, ...] = (maker.UART_FROM_DEVICE,)
    service_uuids: tuple[str, ...] = (maker.UART_SERVICE,)
    advertised_uuids = service_uuids
    cannot: tuple[str, ...] = (
        "It cannot be told a rate: choose the one that the board's program sends at.",
        "Lines have no checksum: a digit changed on the way is not noticed.",
        "It does not tell its full scale: clipped values are not noticed.",
        "It has no heart rate.",
        "It tells its battery's charge only where its program offers the standard battery service.",
    )

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Return the stream; there is nothing to set."""
        return Started(wish.rate_hz, LineDecoder(), (("rate", "the board's own, not told"),))
