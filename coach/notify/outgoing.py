"""Post to an address that an athlete has entered: checked, pinned, without redirects, within a bounded time.

A name is looked up once; what it stands for is checked, and the connection goes to that very address. So a name that
leads to this machine or its network, also only at the second look, reaches nothing (server-side request forgery).
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from coach.notify.errors import NotDelivered

# s for the connection and each wait, and for the whole. Own choices.
_STEP_S, _WHOLE_S = 8.0, 15.0
# Longest address that is kept and asked. Own choice.
URL_MAX = 1000


def checked_url(url: str, allow_private: bool) -> SplitResult:
    """Return the parts of an address that may be posted to; nothing is looked up.

    https with a host name and no user; http only where private targets are allowed.
    Raises NotDelivered: a sentence on what is wrong with it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NotDelivered("The address cannot be read: give one like https://example.org/hook.") from None
    schemes = ("https", "http") if allow_private else ("https",)
    printable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in schemes or not host or not printable or len(url) > URL_MAX:
        raise NotDelivered(f"The address must begin with {' or '.join(schemes)} and name a host.")
    if parts.username is not None or parts.password is not None:
        raise NotDelivered("The address must not carry a user name: the signature says who sends.")
    return parts


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, also what it carries inside (mapped, 6to4, NAT64)."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        # Source: RFC 6052, 2.1: the last 32 bits of 64:ff9b::/96 are an IPv4 address.
        if carried is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int, allow_private: bool) -> str:
    """Return one IP address of a host, after all of them were checked. Raises NotDelivered."""
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise NotDelivered("The host's name leads nowhere now: check the address.", again=True) from None
    if not allow_private and not all(is_public(each) for each in found):
        raise NotDelivered(
            "The address leads to this machine or a private network, which is not allowed here "
            "(reminders.private_targets)."
        )
    return found[0]


def post(url: str, headers: Mapping[str, str], body: bytes, allow_private: bool) -> int:
    """Post and return the status; what is answered beside it is not read.

    Raises NotDelivered: address not allowed, no connection, no answer in time, a redirect.
    """
    parts = checked_url(url, allow_private)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = _Pinned(host, port, resolve(host, port, allow_private), tls=parts.scheme == "https")
    # A receiver that answers a byte a second would keep the others waiting.
    guard = threading.Timer(_WHOLE_S, connection.cut)
    guard.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError:
        raise NotDelivered("The host's certificate could not be checked: have it mended.", again=True) from None
    except (OSError, http.client.HTTPException):
        raise NotDelivered("The host did not answer in time, or broke the connection off.", again=True) from None
    finally:
        guard.cancel()
        connection.close()
    if 300 <= status < 400:
        raise NotDelivered(f"The host redirects (status {status}), which is not followed: enter the final address.")
    return status


def reach(url: str, allow_private: bool) -> None:
    """Connect to the host of an address, and ask nothing. Raises NotDelivered as `post`."""
    parts = checked_url(url, allow_private)
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    connection = _Pinned(host, port, resolve(host, port, allow_private), tls=tls)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError:
        raise NotDelivered("The host's certificate could not be checked: have it mended.", again=True) from None
    except OSError:
        raise NotDelivered("The host does not answer.", again=True) from None
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked up before; the name goes into Host and the certificate's check."""

    def __init__(self, host: str, port: int, address: str, tls: bool) -> None:
        super().__init__(host, port, timeout=_STEP_S)
        # http.client leaves the port out of Host where it is the scheme's own.
        self.default_port = 443 if tls else 80
        self._address, self._tls = address, tls

    def connect(self) -> None:
        """Connect to the address that was checked."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        if not self._tls:
            self.sock = plain
            return
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def cut(self) -> None:
        """End whatever goes on, from another thread."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
