"""How the machine does: what is ready, and the figures of everybody together. Nothing about anybody."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from coach.errors import CoachError, StoreUnavailable
from coach.instance import database_path
from coach.log import LogCounts, TableChunkLog
from coach.pulse import Pulse
from coach.service.at_work import AtWork, at_work
from coach.service.backups import Backups, kept_in
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.timekeeping import Timekeeping
from coach.store import exporting, figures, processes, sign_ins, wearables
from coach.store.claims import claimed
from coach.store.condition import Condition
from coach.store.figures import Waiting

# Bytes below which the disk counts as full. Own choice: a day of ten wearables.
DISK_LEAST_BYTES = 256 * 1024 * 1024
# s that the oldest chunk may wait for its analysis. Own choice: longer than a backlog of minutes takes.
BEHIND_MOST_S = 60.0
# s without a beat after which a role counts as dead. Own choices: a round of the worker and the slowest tick, one that
# waits for a mail server, are done sooner.
WORKER_SILENT_S, CLOCK_SILENT_S = 60.0, 120.0

_TROUBLE = {Condition.FULL, Condition.READ_ONLY, Condition.FAILING, Condition.DAMAGED}
# Of a server also that it is not there: nobody else says so.
_TROUBLE_OF_SERVER = {*_TROUBLE, Condition.CROWDED, Condition.UNREACHABLE}
_NATS_AWAY = (
    "NATS does not answer: check storage.log_url and the server there. Pages go on, gateways keep their signal."
)
_BACKUPS_OF_SERVER = "Its backups are made by the server's own means: pg_dump."


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machine. says: a sentence; values: figures with their units in their names."""

    name: str
    ready: bool
    says: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the metrics tell. None: not known, for the database did not answer.

    carried: chunks that NATS holds until a worker has stored them; None: no NATS, or it does not answer. behind_s: of
    those too.
    """

    log: LogCounts
    carried: int | None
    waiting: Waiting | None
    behind_s: float | None
    deliveries: Mapping[tuple[str, str], int]
    failed_sign_ins: Mapping[str, int]
    links: Mapping[str, int]
    schema: str | None
    database_bytes: int
    wal_bytes: int
    disk_free_bytes: int | None
    backup_age_s: float | None


class Machine:
    """Asked by whoever watches over Backstop."""

    def __init__(self, ground: Ground, log: TableChunkLog, links: LinkBoard) -> None:
        self._ground, self._log, self._links = ground, log, links
        self._directory = ground.config.storage.directory
        self.backups = Backups(self._directory, ground.config.backup, ground.clock)
        self._on_server = ground.store.dialect != "sqlite"
        self.worker = Pulse("worker", WORKER_SILENT_S)
        self.clock = Pulse("clock", CLOCK_SILENT_S)
        self.time = Timekeeping(ground.store, ground.clock)
        self._connected: Callable[[], bool] | None = None

    def attach_line(self, connected: Callable[[], bool]) -> None:
        """Be one process of several. connected: tells whether NATS answers."""
        self._connected = connected

    @property
    def several(self) -> bool:
        """Tell whether this is one process of several."""
        return self._connected is not None

    def parts(self) -> tuple[Part, ...]:
        """Return every part: database, disk, worker, clock, time; of several processes also the log and each role."""
        if self._connected is None:
            return self._database(), self._disk(), self._worker(), _role(self.clock), self._time()
        return *self.own_parts(ingest=True), *self._everybody(), self._time()

    def own_parts(self, ingest: bool = False) -> tuple[Part, ...]:
        """Return the parts without which this process has no pages, or with ingest takes no signal.

        Those of one process are all that there are.
        """
        if self._connected is None:
            return self.parts()
        log = (self._carried(self._connected()),) if ingest else ()
        return self._database(), self._disk(), *log

    def _carried(self, connected: bool) -> Part:
        return Part("log", connected, "NATS takes what is sent." if connected else _NATS_AWAY)

    def at_work(self) -> tuple[AtWork, ...]:
        """Return who of several processes is at work, by role; nobody where there is one. Raises StoreUnavailable."""
        if self._connected is None:
            return ()
        with self._ground.store.read() as tx:
            return at_work(processes.everybody(tx), self._ground.now())

    def _everybody(self) -> tuple[Part, ...]:
        try:
            return tuple(Part(each.role, each.ready, each.says, each.values) for each in self.at_work())
        except CoachError:
            return ()  # the database's part says it

    def claimed(self, *what: str) -> AbstractContextManager[bool]:
        """Claim something among all processes for as long as a block takes; see `coach.store.claims.claimed`."""
        return claimed(self._ground.store, *what)

    def make_backup(self, now: datetime) -> bool:
        """Make the backup that the configuration wants, if it is time; tell so. Of a server that is the server's own.

        Raises as `Backups.make`.
        """
        return not self._on_server and self.backups.make_due(now) is not None

    def trouble(self) -> str | None:
        """Return a sentence about a disk that takes nothing now, for everybody who looks; None while it does."""
        health = self._ground.store.health
        trouble = _TROUBLE_OF_SERVER if self._on_server else _TROUBLE
        return health.sentence if health.condition in trouble else None

    def mind_disk(self) -> bool:
        """Where the disk took nothing, try again; tell whether it takes something again."""
        if self.trouble() is None:
            return False
        with contextlib.suppress(StoreUnavailable):
            self._ground.store.try_again()
        return self.trouble() is None

    def figures(self) -> Figures:
        """Return the figures of now; what cannot be had is None."""
        now = self._ground.now()
        try:
            with self._ground.store.read() as tx:
                waiting: Waiting | None = figures.waiting(tx)
                deliveries = figures.deliveries(tx)
                failed = sign_ins.failed_by_way(tx)
                used = [row["id"] for row in wearables.in_use(tx)]
                schema: str | None = exporting.schema_version(tx)
                on_server = figures.server_bytes(tx)
        except CoachError:
            waiting, deliveries, failed, used, schema, on_server = None, {}, {}, [], None, None
        database = database_path(self._directory)
        carried, carried_since = self._carries()
        behind_s = _since_s(waiting, now)
        if carried_since is not None:
            behind_s = max(behind_s, (now - carried_since) / timedelta(seconds=1))
        return Figures(
            log=self._log.counts,
            carried=carried,
            waiting=waiting,
            behind_s=behind_s,
            deliveries=deliveries,
            failed_sign_ins=failed,
            links=Counter(str(status.state.value) for each in used if (status := self._links.status(each)) is not None),
            schema=schema,
            database_bytes=_size(database) if on_server is None else on_server,
            wal_bytes=_size(Path(f"{database}-wal")),
            disk_free_bytes=_free(self._directory),
            backup_age_s=self._backup_age_s(now),
        )

    def _carries(self) -> tuple[int | None, datetime | None]:
        """Return how many chunks NATS holds, and since when the oldest."""
        if self._connected is None or not self._connected():
            return None, None
        try:
            return self._log.waiting(), self._log.waits_since()
        except StoreUnavailable:
            return None, None

    def _database(self) -> Part:
        try:
            with self._ground.store.read() as tx:
                exporting.schema_version(tx)
        except Exception:  # noqa: BLE001 - whatever it is, the answer is "not ready"
            return Part("database", False, "The database does not answer: see the log, then `backstop doctor`.")
        health = self._ground.store.health
        says = health.sentence
        if self._on_server:
            says = f"{says} {_BACKUPS_OF_SERVER}"
        return Part("database", health.condition is Condition.SOUND, says)

    def _disk(self) -> Part:
        free = _free(self._directory)
        if free is None:
            return Part("disk", False, "The storage folder cannot be looked at: see `backstop doctor`.")
        ready = free >= DISK_LEAST_BYTES
        says = f"{free / 1e9:.1f} GB are free."
        return Part("disk", ready, says if ready else f"{says} Make room on that disk.", {"free_bytes": free})

    def _worker(self) -> Part:
        role = _role(self.worker)
        try:
            with self._ground.store.read() as tx:
                waiting = figures.waiting(tx)
        except Exception:  # noqa: BLE001 - the part above says it
            return Part(role.name, False, "How far the analysis is cannot be asked.", role.values)
        behind_s = _since_s(waiting, self._ground.now())
        values = {**role.values, "behind_s": round(behind_s, 1), "recordings_waiting": waiting.recordings}
        if role.ready and behind_s > BEHIND_MOST_S:
            return Part(role.name, False, f"The analysis is {behind_s:.0f} s behind: see the log.", values)
        return Part(role.name, role.ready, role.says, values)

    def _time(self) -> Part:
        """A clock that was set is told, and hinders nothing but forgetting."""
        jump = self.time.jump
        values = {} if jump is None else {"jumped_s": round(jump.by_s, 1)}
        return Part("time", True, self.time.says, {**values, "believed": float(self.time.believed())})

    def _backup_age_s(self, now: datetime) -> float | None:
        folder = self._ground.config.backup.folder
        kept = kept_in(Path(folder)) if folder else []
        return (now - kept[-1].made_at) / timedelta(seconds=1) if kept else None


def _role(pulse: Pulse) -> Part:
    silent_s = pulse.silent_s
    if silent_s is None:
        return Part(pulse.role, True, "It does not run in this process.")
    values = {"silent_s": round(silent_s, 1)}
    if silent_s > pulse.most_s:
        return Part(pulse.role, False, f"The {pulse.role} is silent since {silent_s:.0f} s: restart Backstop.", values)
    return Part(pulse.role, True, "It is at work.", values)


def _since_s(waiting: Waiting | None, now: datetime) -> float:
    if waiting is None or waiting.since is None:
        return 0.0
    return max(0.0, (now - waiting.since) / timedelta(seconds=1))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
