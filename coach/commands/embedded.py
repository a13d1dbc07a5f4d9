"""All roles, put together and taken apart in order: the composition of `backstop run`.

One process, but for the worker, which analyses in its own. With a log for several processes they are the roles of
these, once each, and others may run beside.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from coach.clock import SessionClock
from coach.commands.options import shared_clock
from coach.commands.web_role import Part, WebRole
from coach.config import Config
from coach.errors import ConfigError
from coach.gateway import Gateway, RequestOf, request_from
from coach.guide import SetGuide, TrialGuide
from coach.instance import database_of
from coach.live import LiveAnalysis, LiveFeed
from coach.notify.channels import Channels
from coach.presence import Presence
from coach.server_keys import session_key, vapid_key
from coach.service import Services, build_services
from coach.service.demo import ensure_demo
from coach.service.types import Identity, Role, WearableView
from coach.serving import LiveDoor, LocalServing, Lookout
from coach.store.engine import Store, migrate, open_store
from coach.store.revision import require_newest
from coach.web.app import WebApp, create_app
from coach.worker_process import WorkerProcess
from devices.errors import Refused
from devices.hostclock import HostClock, ScaledClock, SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.radio import Radio
from devices.sim.backend import sim_radio
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable

# Who keeps a machine that nobody has set up yet.
OWNER_NAME = "Owner"


class Embedded:
    """`prepare` before the fork; `make_app`, `start` and `stop` in the process that serves."""

    def __init__(self, config: Config, directory: Path, file: Path | None = None) -> None:
        """file: where the configuration was read, if that was told."""
        self._config, self._file = config, file
        self._directory = directory
        self._store: Store | None = None
        self._web = WebRole(config) if config.storage.log_url.get_secret_value() else None
        self._running: list[Part] = []
        self._at_last: tuple[Part, ...] = ()
        self._services: Services | None = None
        # Set where the database was made just now.
        self._owner_id: str | None = None
        self._feed: LiveFeed = LiveFeed(config.web.event_readers_max)

    def prepare(self) -> None:
        """Bring the schema up to date and make the simulated athlete, if wanted; leaves nothing open."""
        store = open_store(database_of(self._config.storage))
        try:
            (migrate if self._web is None else require_newest)(store)
            # Built also where nobody is simulated: what is wrong with a profile is said here, as one sentence.
            services = build_services(store, self._config, SystemClock())
            if not services.accounts.users():
                self._owner_id = services.accounts.create_user(OWNER_NAME, Role.OWNER)
            if self._config.simulate.athlete:
                self._check_simulation()
                ensure_demo(services, self._config)
            session_key(store, self._config)
            Channels(self._config, lambda: vapid_key(store, self._config)).prepare()
        finally:
            store.close()

    def make_app(self) -> WebApp:
        """Return the web app over services of this process."""
        if self._web is not None:
            return self._several_app(self._web)
        self._store = open_store(database_of(self._config.storage))
        self._services = build_services(self._store, self._config, SystemClock())
        self._hub = BleHub()
        self._live = LiveAnalysis(self._feed, self._services.athletes.analysis_params)
        self._door = LiveDoor(self._services, self._live)
        guides = TrialGuide(self._services.trials, self._feed), SetGuide(self._services.guidance, self._feed)
        self._pages: tuple[Part, ...] = (self._live, *guides)
        key = session_key(self._store, self._config)
        return create_app(self._services, self._feed, self._config, key, door=self._door)

    def _several_app(self, web: WebRole) -> WebApp:
        app = web.make_app()
        if web.ground is None:
            raise RuntimeError("make_app opens it")
        services = self._services = web.ground.services
        self._hub, self._feed, self._door = BleHub(), web.feed, web.door
        pulse = services.machine.clock
        self._pages = (web,)
        self._at_last = (Presence(web.ground.store, SystemClock(), "clock", lambda: pulse.silent_s),)
        return app

    def start(self) -> None:
        """Start worker, clock, radio and gateway, in the order in which they need each other."""
        services = self._ready()
        pulse = services.machine.worker
        worker = WorkerProcess(self._feed, self._directory, self._file, pulse)
        clock = SessionClock(services, self._feed, self._config)
        serving = LocalServing(services, self._door, self._feed)
        gateway = Gateway(self._hub, serving, services.log, self._requests())
        lookout = Lookout(self._hub, services.looks)
        radio: tuple[Part, ...] = (self._hub, gateway, lookout) if self._config.link.here else ()
        for role in (*self._pages, worker, clock, *radio, *self._at_last):
            role.start()
            self._running.append(role)

    def stop(self) -> None:
        """Stop what runs, last started first, and close the database."""
        if self._web is not None:
            self._web.leave()
        self._feed.close()
        while self._running:
            self._running.pop().close()
        if self._store is not None:
            self._store.close()
            self._store = None

    def people_to_let_in(self) -> Sequence[tuple[Identity, str]]:
        """Return the people of the demonstration, or else everybody, each with a fresh one-time token.

        Of a fresh database the owner too.
        """
        services = self._ready()
        users = services.accounts.users()
        if self._config.simulate.athlete:
            demo = ensure_demo(services, self._config)
            shown = {demo.coach_user_id, demo.athlete_user_id, self._owner_id}
            users = tuple(user for user in users if user.user_id in shown)
        return [(user, services.accounts.issue_sign_in_link(user.user_id)) for user in users]

    def _ready(self) -> Services:
        if self._services is None:
            raise RuntimeError("make_app comes first")
        return self._services

    def _requests(self) -> RequestOf:
        real = request_from(self._config, shared_clock() or SystemClock())
        simulated: dict[str, tuple[Radio, HostClock]] = {}

        def request_of(view: WearableView, recording_id: str) -> LinkRequest | None:
            if not view.simulated:
                return real(view, recording_id)
            if not self._config.simulate.athlete:
                return None
            if view.address not in simulated:
                simulated[view.address] = self._simulated(view)
            radio, clock = simulated[view.address]
            as_real = real(replace(view, simulated=False), recording_id)
            rate_hz = self._config.simulate.rate_hz
            return replace(as_real, radio=radio, clock=clock, rate_hz=rate_hz) if as_real else None

        return request_of

    def _simulated(self, view: WearableView) -> tuple[Radio, HostClock]:
        """Switch the simulated wearable on; on the very first start it was switched on a while ago."""
        simulate = self._config.simulate
        first = not self._ready().motion.has_recordings(view.wearable_id)
        clock: HostClock = SystemClock()
        if first and simulate.replay_s:
            clock = ScaledClock.starting_now(time.time() - simulate.replay_s, simulate.replay_speed, catch_up=True)
        wearable = self._wearable(view.address, clock)
        return sim_radio([wearable]), clock

    def _wearable(self, address: str, clock: HostClock) -> SimWearable:
        simulate = self._config.simulate
        return SimWearable(
            address=address,
            product=simulate.product,
            motion=MOTIONS[simulate.motion](simulate.seed),
            clock=clock,
            rate_hz=simulate.rate_hz,
            seed=simulate.seed,
        )

    def _check_simulation(self) -> None:
        simulate = self._config.simulate
        if simulate.motion not in MOTIONS:
            raise ConfigError(f"simulate.motion is {simulate.motion!r}: choose one of {', '.join(sorted(MOTIONS))}.")
        try:
            self._wearable("C0:FF:EE:00:00:01", SystemClock())
        except Refused as error:
            raise ConfigError(f"simulate.product or simulate.rate_hz cannot be used: {error}") from error
