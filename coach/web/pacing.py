"""A client's socket that is not waited for without end: a sender of a byte now and then would keep a thread for itself.

All waits of one request are counted together, those for its head, its body and for room to answer. A wait costs from
a grace, and every byte that moves earns some of it back, so that a slow line ends no upload and a stalled one does.
"""

from __future__ import annotations

import errno
import socket
import time

# s that a request's waits may last before anything moved, and bytes/s that keep it going. Own choices: a phone at the
# edge of its network sends several times as much.
GRACE_S, LEAST_BYTES_PER_S = 20.0, 4_000.0
# s that the main thread waits for the other end's goodbye. Own choice: it serves everybody meanwhile.
LINGER_S = 0.05
# Bytes handed over in one go. Own choice: what goes out in one go counts as one wait.
_PIECE_BYTES = 64 * 1024


class PacedSocket(socket.socket):
    """A socket whose waits are bounded by what moves. Non-blocking use stays as it is."""

    _left_s = GRACE_S

    @classmethod
    def of(cls, plain: socket.socket) -> PacedSocket:
        """Take over a socket; the other object is not to be used any more."""
        timeout = plain.gettimeout()
        paced = cls(plain.family, plain.type, plain.proto, fileno=plain.detach())
        paced.settimeout(timeout)
        return paced

    def begin_request(self) -> None:
        """Count anew."""
        self._left_s = GRACE_S

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Return what comes; nothing, as at the end, once too long was waited."""
        own = self.gettimeout()
        if own == 0:
            return super().recv(bufsize, flags)
        if self._left_s <= 0:
            return b""
        began = time.monotonic()
        self.settimeout(self._left_s if own is None else min(own, self._left_s))
        try:
            data = super().recv(bufsize, flags)
        except TimeoutError:
            if own is not None and own < self._left_s:
                raise
            data = b""
        finally:
            self.settimeout(own)
            self._left_s -= time.monotonic() - began
        self._left_s = min(self._left_s + len(data) / LEAST_BYTES_PER_S, GRACE_S)
        return data

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]
        """Send all. Raises BrokenPipeError once too long was waited."""
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self._send_some(rest[:_PIECE_BYTES], flags) :]

    def _send_some(self, piece: memoryview, flags: int) -> int:
        own, began = self.gettimeout(), time.monotonic()
        if self._left_s <= 0:
            raise BrokenPipeError(errno.EPIPE, "the client reads too slowly")
        self.settimeout(self._left_s)
        try:
            sent = super().send(piece, flags)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client reads too slowly") from None
        finally:
            self.settimeout(own)
            self._left_s -= time.monotonic() - began
        self._left_s = min(self._left_s + sent / LEAST_BYTES_PER_S, GRACE_S)
        return sent

    def sendfile(self, file, offset=0, count=None):  # type: ignore[no-untyped-def]
        """Send a file in pieces that are waited for like everything else; return the bytes."""
        file.seek(offset)
        total = 0
        while count is None or total < count:
            piece = file.read(_PIECE_BYTES if count is None else min(_PIECE_BYTES, count - total))
            if not piece:
                break
            self.sendall(piece)
            total += len(piece)
        return total

    def shutdown(self, how: int, /) -> None:
        """Say goodbye; what the other end still says is waited for a moment only."""
        self._left_s = LINGER_S
        super().shutdown(how)
