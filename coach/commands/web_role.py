"""The web of several processes, put together and taken apart in order."""

from __future__ import annotations

from coach.config import Config
from coach.guide import SetGuide, TrialGuide
from coach.instance import database_of, secret_key
from coach.live import LiveAnalysis, LiveFeed
from coach.notify.channels import Channels
from coach.service import build_services
from coach.serving import LiveDoor
from coach.store.engine import Store, open_store
from coach.store.revision import require_newest
from coach.web.app import WebApp, create_app
from devices.hostclock import SystemClock


class WebRole:
    """`check` before the fork; `make_app`, `start` and `stop` in the process that serves."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._feed = LiveFeed(config.web.event_readers_max)
        self._store: Store | None = None
        self._running: list[LiveAnalysis | TrialGuide | SetGuide] = []

    def check(self) -> None:
        """Look whether everything can be used; leaves nothing open. Raises ConfigError, StoreUnavailable."""
        with open_store(database_of(self._config.storage)) as store:
            require_newest(store)
            build_services(store, self._config, SystemClock())
        Channels(self._config).prepare()

    def make_app(self) -> WebApp:
        """Return the web app over services of this process."""
        self._store = open_store(database_of(self._config.storage))
        services = build_services(self._store, self._config, SystemClock())
        live = LiveAnalysis(self._feed, services.athletes.analysis_params)
        self._running = [live, TrialGuide(services.trials, self._feed), SetGuide(services.guidance, self._feed)]
        key = secret_key(self._config.storage.directory)
        return create_app(services, self._feed, self._config, key, door=LiveDoor(services, live))

    def start(self) -> None:
        """Start what looks at live blocks."""
        for each in self._running:
            each.start()

    def stop(self) -> None:
        """Stop what runs, and close the database."""
        self._feed.close()
        while self._running:
            self._running.pop().close()
        if self._store is not None:
            self._store.close()
            self._store = None
