"""Chunks that arrive from another process or machine."""

from __future__ import annotations

from coach.errors import InvalidInput
from coach.log import TableChunkLog, unpack
from coach.service.accounts import Accounts
from devices.errors import DeviceError


class Ingest:
    """The far end of `coach.remote_log.RemoteLog`: POST /api/v1/chunks."""

    def __init__(self, accounts: Accounts, log: TableChunkLog) -> None:
        self._accounts = accounts
        self._log = log

    def receive(self, token: str, body: bytes) -> tuple[str, ...]:
        """Store the chunks in `body` durably and return the acknowledged keys (`device-recording-seq`), known ones too.

        body: each chunk's bytes after their length (4 bytes, big endian). A chunk of a wearable that is not the token's
        athlete's is not stored and not in the answer. Raises NotAllowed (token), and with
        nothing stored InvalidInput (body) and StoreUnavailable (send again).
        """
        athlete_id = self._accounts.athlete_of_token(token, "chunks")
        try:
            return self._log.append_encoded(unpack(body), athlete_id)
        except (DeviceError, ValueError) as error:
            raise InvalidInput(f"The body cannot be used, nothing was stored: {error}") from None
