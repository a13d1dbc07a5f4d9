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

        None for a body that holds heart rate: `receive` takes it. Raises NotAllowed too where the token is not valid.
        """
        try:
            blobs = unpack(body)
            if any(map(is_heart, blobs)):
                return None
            keys = self._log.append_from(blobs, sender)
        except (DeviceError, ValueError) as error:
            raise InvalidInput(f"The body cannot be used, nothing was stored: {error}") from None
        return keys if len(keys) == len(blobs) else None


def _tell(athlete_id: str, keys: Sequence[str], refused: int) -> None:
    if not (refused or _log.isEnabledFor(logging.INFO)):
        return
    span = f"{keys[0]} to {keys[-1]}" if len(keys) > 1 else "".join(keys)
    with about(athlete=athlete_id, chunk=span or None):
        if refused:
            _log.warning("%d of %d chunks were refused", refused, refused + len(keys))
        else:
            _log.info("%d chunks are stored", len(keys))
