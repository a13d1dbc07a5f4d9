"""Chunks and heart rate that arrive from another process or machine."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from coach.errors import InvalidInput
from coach.heart_log import TableHeartLog
from coach.log import TableChunkLog, unpack
from coach.logs import about
from coach.service.tokens import Holder, Shown
from devices.errors import DeviceError
from devices.heartblock import decode_heart, is_heart

_log = logging.getLogger(__name__)


class Ingest:
    """The far end of `coach.remote_log.RemoteLog`: POST /api/v1/chunks."""

    def __init__(self, log: TableChunkLog, heart_log: TableHeartLog) -> None:
        self._log, self._heart_log = log, heart_log

    def receive(self, holder: Holder, body: bytes) -> tuple[str, ...]:
        """Store what is in `body` durably and return the acknowledged keys (`device-recording-seq`), known ones too.

        body: each chunk's or heart block's bytes after their length (4 bytes, big endian). What is of a wearable that
        is not the holder's athlete's is not stored and not in the answer. Raises NotAllowed (without the consent to
        measuring: refused for good) and InvalidInput (body) with nothing stored, and StoreUnavailable (send again).
        """
        holder.require_consent()
        try:
            blobs = unpack(body)
            if not blobs:
                raise ValueError("there is no chunk in it")
            blocks = [decode_heart(blob) for blob in blobs if is_heart(blob)]
            with about(athlete=holder.athlete_id):
                keys = self._log.append_encoded([blob for blob in blobs if not is_heart(blob)], holder.athlete_id)
                keys += self._heart_log.append(blocks, holder.athlete_id)
        except (DeviceError, ValueError) as error:
            raise InvalidInput(f"The body cannot be used, nothing was stored: {error}") from None
        _tell(holder.athlete_id, keys, len(blobs) - len(keys))
        return keys

    def receive_from(self, sender: Shown, body: bytes) -> tuple[str, ...] | None:
        """As `receive` of the athlete of a gateway's token, which is asked for where its chunks are stored.

        None for whatever `receive` has to look at: heart rate, a token that is not valid, a body that cannot be used.
        Raises StoreUnavailable.
        """
        return self.receive_together([(sender, body)])[0]

    def receive_together(self, posts: Sequence[tuple[Shown, bytes]]) -> list[tuple[str, ...] | None]:
        """As `receive_from` for each, in one transaction; None for all where nothing could be stored."""
        usable: list[tuple[list[bytes], Shown] | None] = []
        for sender, body in posts:
            try:
                blobs = unpack(body)
            except ValueError:
                blobs = []
            usable.append((blobs, sender) if blobs and not any(map(is_heart, blobs)) else None)
        stored = iter(self._log.append_together([each for each in usable if each is not None]))
        found = [next(stored) if each is not None else None for each in usable]
        # What is not stored as a whole is looked at again: who reads the log wants to know.
        return [
            keys if keys is not None and each is not None and len(keys) == len(each[0]) else None
            for keys, each in zip(found, usable, strict=True)
        ]


def _tell(athlete_id: str, keys: Sequence[str], refused: int) -> None:
    if not (refused or _log.isEnabledFor(logging.INFO)):
        return
    span = f"{keys[0]} to {keys[-1]}" if len(keys) > 1 else "".join(keys)
    with about(athlete=athlete_id, chunk=span or None):
        if refused:
            _log.warning("%d of %d chunks were refused", refused, refused + len(keys))
        else:
            _log.info("%d chunks are stored", len(keys))
