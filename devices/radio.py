"""Which radio bleak uses: the platform's own, or a pair of bleak backend classes (the simulated wearable's hook)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Radio:
    """None means bleak's backend for this platform. Passed to bleak as `backend=`; product code has no test branch."""

    scanner_backend: type[Any] | None = None
    client_backend: type[Any] | None = None


SYSTEM_RADIO = Radio()
