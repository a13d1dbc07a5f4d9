"""One connection to a Backstop server: every answer is what was asked for, or one sentence about what to do."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from coach.errors import Conflict, Gone, InvalidInput, NotAllowed, StoreUnavailable

# s for one request. Own choice: a busy server answers within one.
_TIMEOUT_S = 20.0
# Bytes of an answer that are read: 60 of each key, for a few thousand chunks. Own choice.
_ANSWER_MAX = 1_000_000
# Characters of the server's own sentence that are passed on. Own choice.
_REASON_MAX = 300


class OpenWay(StoreUnavailable):
    """What was reached lies on the open internet, and the address begins with http: nothing was sent to it."""


class NotWanted(InvalidInput):
    """The server refuses this for good, whoever sends it how often: let it go. The message is the server's own."""


class Busy(StoreUnavailable):
    """The server is there and has more to do than it can. retry_after_s: when to come again, as it was told."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooMuch(InvalidInput):
    """The body is larger than the server takes: send less at a time."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after_s: float | None


def checked_address(url: str) -> SplitResult:
    """Return the parts of a server's address. Raises InvalidInput for anything but an http or https address."""
    try:
        parts = urlsplit(url.rstrip("/"))
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None
        # Read for its check of the range.
        sound = sound and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InvalidInput(f"The address {url} is no web address: give one such as https://backstop.example.org.")
    return parts


class Uplink:
    """Post to one server with one token, over a connection that is kept. For one thread at a time.

    Plain http is spoken to this machine and to private networks only, unless allow_plain: the token and what a body
    did would be read by whoever listens. The address that was reached decides, before anything is sent to it.
    """

    def __init__(self, url: str, token: str, allow_plain: bool = False, timeout_s: float = _TIMEOUT_S) -> None:
        """Raises InvalidInput for anything but an http or https address, and for a token that cannot be one."""
        parts = checked_address(url)
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self.host, self._port, self._path = parts.hostname or "", parts.port, parts.path.rstrip("/")
        if not token or not token.isascii() or any(sign.isspace() for sign in token):
            raise InvalidInput("The token is empty or has characters that none has: copy it from the Wearables page.")
        self._token, self._allow_plain, self._timeout_s = token, allow_plain, timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, content_type: str, **headers: str) -> bytes:
        """Return the body of the answer.

        Raises StoreUnavailable (try again; OpenWay: over https; Busy: when), NotAllowed (the token; Gone: erased),
        NotWanted, Conflict, TooMuch, InvalidInput (the body).
        """
        answer = self._ask(path, body, content_type, headers)
        where = f"{self.host}{self._path}{path}"
        if answer.status in {200, 204}:
            return answer.body
        reason = _reason(answer.body)
        # A portal of a foreign network may answer with any status; only a Backstop says it in this form.
        if answer.status == 403 and reason is not None:
            raise NotWanted(f"{self.host} refuses what was sent: {reason}")
        if answer.status == 401 and reason is not None:
            raise NotAllowed(
                f"{self.host} does not accept this token, or not any more: make a new one on its Wearables page."
            )
        if answer.status == 410 and reason is not None:
            raise Gone(f"{self.host} has erased whoever this gateway was for; what waited for it here is removed too.")
        if answer.status == 409:
            raise Conflict(reason or f"{where} answered that this is in use elsewhere.")
        if answer.status == 413:
            raise TooMuch(f"{where} takes less than {len(body)} bytes at a time.")
        if answer.status in {400, 422}:
            raise InvalidInput(f"{where} refuses what was sent: {reason or f'status {answer.status}'}")
        if answer.status in {301, 302, 303, 307, 308}:
            raise StoreUnavailable(f"{where} has moved: start with the address that a browser ends up at.")
        if answer.status in {429, 503} and answer.retry_after_s is not None:
            raise Busy(f"{self.host} has too much to do: what was sent is kept and sent later.", answer.retry_after_s)
        raise StoreUnavailable(f"{where} answered with status {answer.status}: what was sent is kept, try again later.")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, path: str, body: bytes, content_type: str, headers: dict[str, str]) -> _Answer:
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type, **headers}
        fresh = self._connection is None
        while True:
            try:
                connection = self._connected()
                connection.request("POST", self._path + path, body, sent)
                response = connection.getresponse()
                told = response.getheader("Retry-After", "")
                after_s = float(told) if told.isdigit() else None
                answer = _Answer(response.status, response.read(_ANSWER_MAX), after_s)
                if response.will_close or not response.isclosed():
                    self.close()
                return answer
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                if fresh or isinstance(error, TimeoutError):
                    raise self._unreachable(error) from None
                fresh = True  # the server had ended the connection that was kept: once more, over a new one

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is not None:
            return self._connection
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self.host, self._port, timeout=self._timeout_s)
        connection.connect()
        if not (self._secure or self._allow_plain):
            reached = connection.sock.getpeername()[0]
            if not _private(reached):
                connection.close()
                raise OpenWay(
                    f"{self.host} ({reached}) is on the open internet and the address begins with http: nothing was "
                    "sent. Use https, or --allow-http where something else keeps the way private."
                )
        self._connection = connection
        return connection

    def _unreachable(self, error: Exception) -> StoreUnavailable:
        if isinstance(error, ssl.SSLCertVerificationError):
            return StoreUnavailable(
                f"The certificate of {self.host} is not trusted ({error.verify_message}): nothing was sent."
            )
        return StoreUnavailable(f"{self.host} cannot be reached ({error}): what was recorded is kept, try again later.")


def _private(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_private or found.is_loopback or found.is_link_local


def _reason(body: bytes) -> str | None:
    """Return the server's own sentence, None when it did not answer in Backstop's form."""
    try:
        return str(json.loads(body)["error"]["what"])[:_REASON_MAX]
    except (ValueError, KeyError, TypeError):
        return None
