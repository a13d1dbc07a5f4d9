"""The chunk log of another machine or process, over HTTP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from coach.errors import StoreUnavailable
from coach.log import pack
from coach.uplink import Uplink
from devices.codec import encode_chunk
from devices.errors import DeviceError
from devices.types import Chunk


class RemoteLog:
    """Append by POST to `<url>/api/v1/chunks`. Keys are acknowledged only after the server's commit.

    Sending again is harmless: the server knows a chunk by its key. The caller decides how often and when.
    """

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See ChunkLog. Raises what `append_encoded` does."""
        blobs: list[bytes] = []
        for chunk in chunks:
            with contextlib.suppress(DeviceError):  # refused: missing from the answer
                blobs.append(encode_chunk(chunk))
        return self.append_encoded(blobs)

    def append_encoded(self, blobs: Sequence[bytes]) -> tuple[str, ...]:
        """Store coded chunks and return the keys that the server holds now; a missing one was refused for good.

        Raises StoreUnavailable, NotAllowed for the token, InvalidInput or TooMuch when the server refuses the body.
        """
        if not blobs:
            return ()
        answer = self._uplink.post("/api/v1/chunks", pack(blobs), "application/octet-stream")
        try:
            return tuple(str(key) for key in json.loads(answer)["stored"])
        except (ValueError, KeyError, TypeError):
            raise StoreUnavailable(
                f"{self._uplink.host} gave an answer that names no keys: is it a Backstop?"
            ) from None
