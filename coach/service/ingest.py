"""Chunks that arrive from another process or machine."""

from __future__ import annotations

from coach.errors import InvalidInput
from coach.log import TableChunkLog, unpack
from coach.service.tokens import Holder
from devices.errors import DeviceError


class Ingest:
    """The far end of `coach.remote_log.RemoteLog`: POST /api/v1/chunks."""

    def __init__(self, log: TableChunkLog) -> None:
        self._log = log

    def receive(self, holder: Holder, body: bytes) -> tuple[str, ...]:
        """Store the chunks in `body` durably and return the acknowledged keys (`device-recording-seq`), known ones too.

        body: each chunk's bytes after their length (4 bytes, big endian). A chunk of a wearable that is not the
        holder's athlete's is not stored and not in the answer. Raises, with nothing stored, InvalidInput (body) and
        StoreUnavailable (send again).
        """
        try:
            return self._log.append_encoded(unpack(body), holder.athlete_id)
        except (DeviceError, ValueError) as error:
            raise InvalidInput(f"The body cannot be used, nothing was stored: {error}") from None
