"""What every service stands on: the store, the configuration, the profiles and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from coach.config import Config
from coach.service.profiles import Profiles
from coach.store.engine import Store
from devices.hostclock import HostClock


@dataclass(frozen=True, slots=True)
class Ground:
    """One per process; shared by all services."""

    store: Store
    config: Config
    profiles: Profiles
    clock: HostClock

    def now(self) -> datetime:
        """Return the present as aware UTC."""
        return datetime.fromtimestamp(self.clock.utc_s(), UTC)
