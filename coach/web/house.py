"""What the views stand on: the services, the live feed, the configuration and the clock of this app."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import Flask, current_app

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services
from coach.serving import LiveDoor
from coach.web.streams import Streams
from devices.hostclock import HostClock

_KEY = "backstop"


@dataclass(frozen=True, slots=True)
class House:
    """One per app. door: where live blocks of gateways elsewhere come in; None without a live line.

    streams: the event streams that are open. stopping is set when the server stops, so that they end.
    """

    services: Services
    live_feed: LiveFeed
    config: Config
    clock: HostClock
    streams: Streams
    door: LiveDoor | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        """Return the present as aware UTC."""
        return datetime.fromtimestamp(self.clock.utc_s(), UTC)

    def today(self, time_zone: str) -> date:
        """Return the local date of a zone."""
        return self.now().astimezone(ZoneInfo(time_zone)).date()


def furnish(app: Flask, house: House) -> None:
    """Give the app its house."""
    app.extensions[_KEY] = house


def house_of(app: Flask) -> House:
    """Return the house of an app."""
    return cast(House, app.extensions[_KEY])


def house() -> House:
    """Return the house of the app that answers now."""
    return house_of(current_app)
