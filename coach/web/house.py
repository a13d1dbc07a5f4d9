"""What the views stand on: the services, the live feed and the configuration of this app."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services

_KEY = "backstop"


@dataclass(frozen=True, slots=True)
class House:
    """One per app. stopping is set when the server stops, so that open event streams end."""

    services: Services
    live_feed: LiveFeed
    config: Config
    stopping: threading.Event = field(default_factory=threading.Event)


def furnish(app: Flask, house: House) -> None:
    """Give the app its house."""
    app.extensions[_KEY] = house


def house_of(app: Flask) -> House:
    """Return the house of an app."""
    return cast(House, app.extensions[_KEY])


def house() -> House:
    """Return the house of the app that answers now."""
    return house_of(current_app)
