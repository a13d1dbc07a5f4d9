"""Addresses of this Backstop as another device on the network can use them."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from coach.network import own_address
from coach.web.house import house

# Names under which nobody but this machine reaches itself.
_ONLY_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def unreachable() -> bool:
    """Tell whether this Backstop listens on its own machine only."""
    return house().config.web.host in _ONLY_HERE


def reachable(address: str) -> str:
    """Return an address as others can use it: who looks at a page on the server itself sees it by another name."""
    parts = urlsplit(address)
    if parts.hostname not in _ONLY_HERE or unreachable():
        return address
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{own_address()}{port}"))
