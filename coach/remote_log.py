"""The chunk log of another machine or process, over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from coach.errors import InvalidInput, NotAllowed, StoreUnavailable
from coach.log import pack
from devices.codec import encode_chunk
from devices.errors import DeviceError
from devices.types import Chunk

# s for one POST. Own choice: a busy server answers within one.
_TIMEOUT_S = 20.0
# Bytes of an answer that are read: 60 of each key, for a few thousand chunks. Own choice.
_ANSWER_MAX = 1_000_000


class RemoteLog:
    """Append by POST to `<url>/api/v1/chunks`. Keys are acknowledged only after the server's commit.

    Sending again is harmless. The caller decides how often and when; see Gateway.
    """

    def __init__(self, url: str, token: str) -> None:
        """Raises InvalidInput for anything but an http or https address."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(f"The address {url} is no web address: give one such as http://192.168.1.20:8000.")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + "/api/v1/chunks"
        self._token = token

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See ChunkLog. Raises NotAllowed for the token, InvalidInput when the server refuses the body."""
        blobs: list[bytes] = []
        for chunk in chunks:
            try:
                blobs.append(encode_chunk(chunk))
            except DeviceError:
                continue  # refused: missing from the answer
        if not blobs:
            return ()
        status, answer = self._post(pack(blobs))
        where = f"{self._host}{self._path}"
        if status in {401, 403}:
            raise NotAllowed(f"{where} does not accept the token: make a new one there.")
        if status in {400, 413, 422}:
            raise InvalidInput(f"{where} refuses the chunks (status {status}): {_reason(answer)}")
        if status != 200:
            raise StoreUnavailable(f"{where} answered with status {status}: the chunks are kept, try again later.")
        try:
            keys = json.loads(answer)["stored"]
            return tuple(str(key) for key in keys)
        except (ValueError, KeyError, TypeError):
            raise StoreUnavailable(f"{where} gave an answer that names no keys: is it a Backstop?") from None

    def _post(self, body: bytes) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/octet-stream"}
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            return response.status, response.read(_ANSWER_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise StoreUnavailable(
                f"{self._host} cannot be reached ({error}): the chunks are kept, try again later."
            ) from None
        finally:
            connection.close()


def _reason(answer: bytes) -> str:
    return answer[:300].decode("utf-8", "replace")
