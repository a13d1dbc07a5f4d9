"""Chunks that arrive from another process or machine."""

from __future__ import annotations

from coach.log import ChunkLog
from coach.service.accounts import Accounts
from coach.service.ground import Ground


class Ingest:
    """The far end of `RemoteLog`: POST /api/v1/chunks."""

    def __init__(self, ground: Ground, accounts: Accounts, log: ChunkLog) -> None:
        self._ground = ground
        self._accounts = accounts
        self._log = log

    def receive(self, token: str, body: bytes) -> tuple[str, ...]:
        """Store the chunks in `body` durably and return the acknowledged keys (`device-recording-seq`), known ones too.

        token: the bearer token. Raises NotAllowed (token, or a wearable of somebody else), InvalidInput (body).
        """
        raise NotImplementedError
