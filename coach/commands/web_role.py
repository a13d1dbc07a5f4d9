"""The web of several processes, put together and taken apart in order."""

from __future__ import annotations

from typing import Protocol

from coach.commands.role import Ground, open_ground
from coach.config import Config
from coach.guide import SetGuide, TrialGuide
from coach.instance import database_of
from coach.live import LiveAnalysis
from coach.notify.channels import Channels
from coach.presence import Presence
from coach.server_keys import session_key, vapid_key
from coach.service import build_services
from coach.shared.feed import SharedFeed
from coach.shared.pages import SharedDoor, SharedPages
from coach.shared.tries import SharedTries
from coach.store.engine import open_store
from coach.store.revision import require_newest
from coach.web.app import WebApp, create_app
from coach.web.limits import memories_of
from devices.hostclock import SystemClock


class Part(Protocol):
    """What runs while a process serves."""

    def start(self) -> None:
        """Begin; again is no error."""
        ...

    def close(self) -> None:
        """End in order."""
        ...


class WebRole:
    """`check` before the fork; `make_app`, `start` and `close` in the process that serves."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._parts: list[Part] = []
        self._presence: Presence | None = None
        self.ground: Ground | None = None

    def check(self) -> None:
        """Look whether everything can be used; leaves nothing open. Raises ConfigError, StoreUnavailable."""
        with open_store(database_of(self._config.storage)) as store:
            require_newest(store)
            build_services(store, self._config, SystemClock())
            session_key(store, self._config)
            Channels(self._config, lambda: vapid_key(store, self._config)).prepare()

    def make_app(self) -> WebApp:
        """Return the web app over services of this process."""
        self.ground = ground = open_ground(self._config, "web")
        services, telling = ground.services, ground.telling
        self.feed = feed = SharedFeed(telling, self._config.web.event_readers_max)
        live = LiveAnalysis(feed, services.athletes.analysis_params)
        self.door = door = SharedDoor(services, live, feed, telling, SystemClock())
        app = create_app(services, feed, self._config, session_key(ground.store, self._config), door=door)
        self._presence = Presence(ground.store, SystemClock(), "web", each_minute=services.erasing.keep_list)
        self._parts = [
            live,
            TrialGuide(services.trials, feed),
            SetGuide(services.guidance, feed),
            SharedPages(services, feed, door, telling),
            SharedTries(memories_of(app), telling),
            self._presence,
        ]
        return app

    def start(self) -> None:
        """Start what looks at live blocks and what tells the others."""
        for each in self._parts:
            each.start()

    def leave(self) -> None:
        """Say that this process ends, before it takes the time to; again is no error."""
        if self._presence is not None:
            self._presence.close()

    def close(self) -> None:
        """Stop what runs, last started first, and close line and database."""
        self.leave()
        if self.ground is not None:
            self.feed.close()
        while self._parts:
            self._parts.pop().close()
        if self.ground is not None:
            self.ground.close()
            self.ground = None
