"""Live blocks on their way between processes, and the newest of them, for whoever begins to look in the middle."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from coach.live import LiveSource
from coach.recent import KEPT_S
from devices.codec import decode_chunk, encode_chunk
from devices.types import Chunk

# Bytes of blocks that are kept, the line that was silent longest goes first: two minutes of 200 wearables. Own choice.
_BYTES_MAX = 64_000_000
_HEAD_BYTES = 2


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """A block, whose it is, and the real time of its newest notification."""

    source: LiveSource
    block: Chunk
    notified_utc_s: float

    def encode(self) -> bytes:
        """Return it as bytes."""
        head = json.dumps({"source": asdict(self.source), "notified_utc_s": self.notified_utc_s}).encode()
        return len(head).to_bytes(_HEAD_BYTES, "big") + head + encode_chunk(self.block)

    @classmethod
    def decode(cls, data: bytes) -> LiveBlock:
        """Return what `encode` made. Raises ValueError, KeyError, TypeError, BadPacket (devices)."""
        end = _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "big")
        head = json.loads(data[_HEAD_BYTES:end])
        named = head["source"]
        axes = (tuple(named[each]) if named[each] is not None else None for each in ("upright", "forward"))
        source = LiveSource(named["wearable_id"], named["athlete_id"], named["placement"], *axes)
        return cls(source, decode_chunk(data[end:]), float(head["notified_utc_s"]))


@dataclass(slots=True)
class _Line:
    blocks: deque[tuple[float, str, bytes]] = field(default_factory=deque)  # arrival, wearable, as it came
    bytes: int = 0
    lost_utc_s: float = 0.0  # arrival of the newest that is not kept any more


class RecentBlocks:
    """The live blocks of two minutes, by athlete, as they came. Thread-safe."""

    def __init__(self, now_utc_s: Callable[[], float]) -> None:
        self._now_utc_s = now_utc_s
        self._begun_utc_s = now_utc_s()
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}
        self._bytes = 0

    def add(self, athlete_id: str, wearable_id: str, data: bytes) -> None:
        """Take a block as it came."""
        now_utc_s = self._now_utc_s()
        with self._lock:
            # Taken out and put in again: the order of the dict is that of the newest signal.
            line = self._lines.pop(athlete_id, None) or _Line(lost_utc_s=self._begun_utc_s)
            self._lines[athlete_id] = line
            line.blocks.append((now_utc_s, wearable_id, data))
            line.bytes += len(data)
            self._bytes += len(data)
            while line.blocks and line.blocks[0][0] < now_utc_s - KEPT_S:
                line.lost_utc_s, _, old = line.blocks.popleft()
                line.bytes -= len(old)
                self._bytes -= len(old)
            while self._bytes > _BYTES_MAX and len(self._lines) > 1:
                # Whoever is forgotten here may come again: what was before is lost then.
                self._bytes -= self._lines.pop(next(iter(self._lines))).bytes
                self._begun_utc_s = now_utc_s

    def of_athlete(self, athlete_id: str) -> list[LiveBlock]:
        """Return an athlete's blocks, oldest first."""
        with self._lock:
            line = self._lines.get(athlete_id)
            kept = [data for _, _, data in line.blocks] if line is not None else []
        return [LiveBlock.decode(data) for data in kept]

    def since(self, athlete_id: str, wearable_id: str, utc_s: float) -> list[LiveBlock] | None:
        """Return all blocks of a wearable that arrived since a time; None where some are not kept any more."""
        with self._lock:
            line = self._lines.get(athlete_id)
            if utc_s < (line.lost_utc_s if line is not None else self._begun_utc_s):
                return None
            kept = [
                data
                for at_utc_s, worn, data in (line.blocks if line is not None else ())
                if at_utc_s >= utc_s and worn == wearable_id
            ]
        return [LiveBlock.decode(data) for data in kept]
