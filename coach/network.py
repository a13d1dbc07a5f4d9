"""This machine on its network."""

from __future__ import annotations

import socket


def own_address() -> str:
    """Return this machine's address on its network. Nothing is sent: a datagram socket only picks the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # TEST-NET-1 (RFC 5737): never a real host; only the route towards it is looked up.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
