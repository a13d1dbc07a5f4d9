"""The chunk log of many machines: a stream of JetStream in front of the database.

Acknowledged means here: the NATS server, or most of its three, has written the chunk into its file. So nothing is lost
when processes die, the server's too. When the power of its machine goes, a single server loses what its kernel had not
yet written to the disk: some seconds, and up to the two minutes that NATS 2.9 waits itself; newer ones can be told to
sync before they answer (`sync_interval: always`, from 2.10 on), and three servers lose nothing while one stays up. The
database, where the worker puts each chunk before it is gone from the stream, syncs each commit (docs/operations.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from coach.appending import Appending, Batch, KnownStream
from coach.errors import ConfigError, StoreUnavailable
from coach.jetstream import streams
from coach.jetstream.line import NatsLine
from coach.jetstream.streams import Consumer, Message, Stream
from coach.jetstream.taking import Taker
from coach.log import Admit, TableChunkLog, remember
from coach.store.engine import Store
from devices.codec import CRC_BYTES
from devices.hostclock import HostClock
from devices.types import Chunk

Answer = TypeVar("Answer")
# s in which a chunk that is sent again is dropped by the server itself; later the database knows it. Own choice.
_DUPLICATES_S = 120.0
# The stream of chunks. What was acknowledged is kept however long no worker runs: without an end.
MOTION = Stream("MOTION", ("motion.*.*",), 0.0, _DUPLICATES_S, counted_by="storage.log_partitions")
# s that a sender waits for a server that is away. Own choice: one that starts anew is back within a second.
_AWAY_S = 0.5
_SILENT = "NATS did not say in time that the signal is stored: send it again."


def partition_of(athlete_id: str, partitions: int) -> int:
    """Return in whose order an athlete's chunks are handled."""
    return zlib.crc32(athlete_id.encode()) % partitions


class JetStreamLog(TableChunkLog):
    """Chunks go into a stream, by athlete; what is written as a whole goes into the table, as on one machine.

    A recording is begun in the database with its first chunk, so that a chunk of nobody's wearable is refused at once.
    Other bytes under a known key are taken here, and refused by the worker, which knows the first.
    """

    def __init__(
        self, store: Store, clock: HostClock, line: NatsLine, partitions: int, admit: Admit | None = None
    ) -> None:
        """line: started, and closed by whoever opened it. partitions: the same number for every process."""
        super().__init__(store, clock, admit)
        self._line, self._partitions = line, partitions
        self._made = False

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        """Return one consumer for each partition: one message of each at a time keeps the order of each athlete."""
        return tuple(Consumer(f"motion-{part}", f"motion.{part}.*", 1) for part in range(self._partitions))

    def taker(self) -> Taker:
        """Return what hands the chunks to this process, of those that nobody has."""
        return Taker(self._line, MOTION, self.consumers)

    def require_same_partitions(self) -> None:
        """Raise ConfigError where the stream has another number of partitions.

        While no server is there, nobody can tell: the first use raises StoreUnavailable then.
        """
        if not self._line.wait_connected(_AWAY_S):
            return
        try:
            self._make()
        except streams.OtherNumber as error:
            raise ConfigError(str(error)) from None
        except StoreUnavailable:
            return

    def waiting(self) -> int:
        """Return how many chunks wait in the stream. Raises StoreUnavailable."""
        return self._with_stream(lambda: streams.waiting(self._line, MOTION))

    def waits_since(self) -> datetime | None:
        """Return when the oldest chunk in the stream was stored there; None: none waits. Raises StoreUnavailable."""
        return self._with_stream(lambda: streams.backlog(self._line, MOTION).since)

    def forget(self, athlete_id: str) -> None:
        """Remove an athlete's chunks that wait in the stream. Raises StoreUnavailable."""
        self._with_stream(lambda: streams.forget(self._line, MOTION, self._subject(athlete_id)))

    def _transaction(self, batches: list[Batch]) -> None:
        large: list[Batch] = []
        usual: list[Batch] = []
        for batch in batches:
            (large if self._is_large(batch) else usual).append(batch)
        if large:
            super()._transaction(large)
        for batch in usual:
            batch.keys.clear()
        self._look_up(usual)
        taken: list[tuple[Batch, Chunk, bytes, KnownStream]] = []
        for batch in usual:
            for chunk, blob in batch.items if batch.error is None else ():
                stream = self._streams.get((chunk.device_id, chunk.recording_id))
                if stream is None or batch.athlete_id not in (None, stream.athlete_id):
                    self._count(refused=1)
                else:
                    taken.append((batch, chunk, blob, stream))
        self._publish(taken)

    def _look_up(self, batches: Sequence[Batch]) -> None:
        """Ask what is not known: who may send, and whose the recordings are; begin those that are new."""
        keys = {(chunk.device_id, chunk.recording_id) for batch in batches for chunk, _ in batch.items}
        fresh = bool(keys - self._streams.keys())
        if not fresh and all(batch.sender is None for batch in batches):
            return
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        with self._store.begin_append() if fresh else self._store.read() as tx:
            self._ask(tx, batches)
            write = Appending(tx, now, self._streams)
            write.find([batch for batch in batches if batch.error is None])
        remember(self._streams, write.found)

    def _publish(self, taken: Sequence[tuple[Batch, Chunk, bytes, KnownStream]]) -> None:
        """Store in the stream and set the keys of what it acknowledged."""
        if not taken:
            return
        # Other bytes under a key, which their checksum tells, are another message: which is kept the database says.
        messages = [
            Message(self._subject(stream.athlete_id), f"{chunk.key}-{blob[-CRC_BYTES:].hex()}", blob)
            for _, chunk, blob, stream in taken
        ]
        answers = self._with_stream(lambda: streams.store(self._line, messages))
        for (batch, chunk, _, _), told in zip(taken, answers, strict=True):
            if told:
                batch.keys.append(chunk.key)
                self._count(**{told: 1})
            else:
                batch.error = StoreUnavailable(_SILENT)

    def _is_large(self, batch: Batch) -> bool:
        """Tell whether a batch holds what is no message any more; the table takes it, and the worker finds it there."""
        most = streams.SIZE_MAX - streams.HEADERS_MAX
        return any(len(blob) > most for _, blob in batch.items)

    def _subject(self, athlete_id: str) -> str:
        return f"motion.{partition_of(athlete_id, self._partitions)}.{athlete_id}"

    def _require_line(self) -> None:
        """Raise StoreUnavailable when no server is there: whoever sends keeps it, which is better than a long wait."""
        if not self._line.wait_connected(_AWAY_S):
            raise self._line.away()

    def _with_stream(self, ask: Callable[[], Answer]) -> Answer:
        """Ask of the stream, which is made first; raises StoreUnavailable."""
        self._require_line()
        self._make()
        try:
            return ask()
        except StoreUnavailable:
            self._made = False  # the stream went with the server's disk, perhaps: the next one makes it anew
            raise

    def _make(self) -> None:
        if not self._made:
            streams.make_stream(self._line, MOTION, self.consumers)
            self._made = True
