"""The plainest product there could be, to test what lies behind the decoders: frames that say what a test put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.chunker import ChunkerParams
from devices.intake import Intake
from devices.profiles.types import Decoded, Started
from devices.types import Chunk, FloatArray, IntArray, SampleBlock

START_UTC_S = 1_800_000_000.0
WRAP = 2**32
_SAMPLE = np.dtype([("ticks", "<i8"), ("acc", "<f8", (3,)), ("gyr", "<f8", (3,))])


def frame(ticks: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray) -> bytes:
    """Return a notification that holds these samples."""
    rows = np.empty(len(ticks), dtype=_SAMPLE)
    rows["ticks"], rows["acc"], rows["gyr"] = ticks, acc_mps2, gyr_radps
    return rows.tobytes()


class PlainDecoder:
    """Reads `frame`; anything of another size is bad."""

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        good = [at for at, data in enumerate(frames) if data and len(data) % _SAMPLE.itemsize == 0]
        rows = np.frombuffer(b"".join(frames[at] for at in good), dtype=_SAMPLE)
        counts = [len(frames[at]) // _SAMPLE.itemsize for at in good]
        bad = tuple(at for at in range(len(frames)) if at not in good)
        block = SampleBlock(rows["ticks"].astype(np.int64), rows["acc"].copy(), rows["gyr"].copy())
        return Decoded(block, np.repeat(np.array(good, dtype=np.int64), counts), bad, "no sample" if bad else None)


@dataclass
class PlainProduct:
    """What the intake asks of a profile. ticks_per_s None: no clock. separate: frames of one sensor each."""

    rate_hz: float = 60.0
    ticks_per_s: int | None = 1_000_000
    tick_wrap: int = WRAP
    separate: bool = False
    acc_limit_mps2: float | None = 156.9
    gyr_limit_radps: float | None = 34.9


@dataclass
class Host:
    """The host's clock, set by the test."""

    now_s: float = START_UTC_S

    def utc_s(self) -> float:
        return self.now_s


@dataclass
class Receiver:
    """An intake that is fed notifications at their arrival times, as the link's loop does."""

    product: PlainProduct
    name: str = "C0:FF:EE:00:00:09"
    drain_s: float = 0.1
    chunk_duration_s: float = 5.0
    chunks: list[Chunk] = field(default_factory=list)
    live: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = Host()
        params = ChunkerParams(self.name, self.product.rate_hz, 0, self.chunk_duration_s)
        self.intake = Intake(
            self.product,
            params,
            "rec",
            self.host,
            1.0,
            self.chunks.append,
            self.live.append,  # type: ignore[arg-type]
        )
        self._drained_s = START_UTC_S
        self.begin_session()

    def begin_session(self) -> None:
        product = self.product
        limits = product.acc_limit_mps2, product.gyr_limit_radps
        self.intake.begin_session(Started(product.rate_hz, PlainDecoder(), (), *limits))

    def feed(self, arrivals: Iterable[tuple[float, bytes]]) -> None:
        """Take notifications: (arrival in s after the start, bytes), in order."""
        for arrival_s, data in arrivals:
            self.host.now_s = START_UTC_S + arrival_s
            if self.host.now_s - self._drained_s >= self.drain_s:
                self.intake.drain(self.host.now_s)
                self._drained_s = self.host.now_s
            self.intake.take(data)

    def finish(self) -> list[Chunk]:
        """Flush; return all chunks."""
        self.intake.flush(self.host.now_s + 1.0)
        return self.chunks
