"""Metrics for Prometheus: of the machine, never of a person. Labels are endpoints, states and outcomes: few of each.

Each app has a registry of its own; nothing is registered when a module is read.
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version

from flask import Blueprint, Flask, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from coach.errors import CoachError
from coach.live import LiveFeed
from coach.service.machine import Figures, Machine
from coach.service.personal_tokens import TokenScope
from coach.web import access
from coach.web.described import Raw, describe
from coach.web.house import house_of

blueprint = Blueprint("metrics", __name__)

_KEY = "backstop_metrics"
# s. Around the bounds that are promised: 0.1 for ingest, 0.3 for pages.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0)


class WebMetrics:
    """The registry of one app, and what is counted at its requests."""

    def __init__(self, machine: Machine, feed: LiveFeed) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "backstop_http_requests", "Requests by endpoint and status.", ["endpoint", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "backstop_http_request_seconds", "Time until the answer began.", ["endpoint"],
            buckets=_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self.received = Counter(
            "backstop_http_received_bytes", "Bytes of bodies, as stated.", ["endpoint"], registry=self.registry
        )
        self.registry.register(_Machine(machine, feed))
        ProcessCollector(namespace="backstop", registry=self.registry)

    def count(self, endpoint: str, status: int, took_s: float | None, body_bytes: int) -> None:
        """Count a request. took_s: until its answer began, None where that is not known."""
        self.requests.labels(endpoint, str(status)).inc()
        if took_s is not None:
            self.seconds.labels(endpoint).observe(took_s)
        if body_bytes:
            self.received.labels(endpoint).inc(body_bytes)


class _Machine(Collector):
    """Asks the machine when somebody reads the metrics, never before."""

    def __init__(self, machine: Machine, feed: LiveFeed) -> None:
        self._machine, self._feed = machine, feed

    def describe(self) -> list[Metric]:
        """Return nothing: to register must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything but the requests."""
        figures = self._machine.figures()
        yield from _chunks(figures)
        yield from _storage(figures)
        yield from _people(figures, self._feed.readers)
        yield from self._roles()
        info = InfoMetricFamily("backstop_build", "What runs here.")
        versions = {"version": version("backstop"), "python": platform.python_version()}
        role = "web" if self._machine.several else "run"
        info.add_metric([], versions | {"schema": figures.schema or "unknown", "role": role})
        yield info

    def _roles(self) -> Iterator[Metric]:
        silent = GaugeMetricFamily("backstop_role_silent_seconds", "Since a role's last beat.", labels=["role"])
        done = CounterMetricFamily("backstop_role_done", "Rounds and ticks.", labels=["role", "what", "outcome"])
        for pulse in (self._machine.worker, self._machine.clock):
            if (silent_s := pulse.silent_s) is not None:
                silent.add_metric([pulse.role], silent_s)
            for (what, failed), count in pulse.done.items():
                done.add_metric([pulse.role, what, "failed" if failed else "done"], count)
        yield silent
        yield done
        yield from self._processes()
        ready = GaugeMetricFamily("backstop_ready", "1 while a part can do its work.", labels=["part"])
        for part in self._machine.parts():
            ready.add_metric([part.name], float(part.ready))
        yield ready

    def _processes(self) -> Iterator[Metric]:
        """Yield who of several processes is at work; each tells its own figures beside."""
        there = GaugeMetricFamily("backstop_processes", "Processes by role and state.", labels=["role", "state"])
        with contextlib.suppress(CoachError):
            for each in self._machine.at_work():
                for state, count in each.values.items():
                    there.add_metric([each.role, state], count)
        yield there


def _chunks(figures: Figures) -> Iterator[Metric]:
    chunks = CounterMetricFamily(
        "backstop_chunks", "Chunks that arrived here, by what became of them.", labels=["result"]
    )
    for result in ("stored", "known", "refused", "late"):
        chunks.add_metric([result], getattr(figures.log, result))
    yield chunks
    if figures.carried is not None:
        yield GaugeMetricFamily("backstop_log_waiting_chunks", "Chunks in NATS, not stored yet.", figures.carried)
    if figures.waiting is not None and figures.behind_s is not None:
        yield GaugeMetricFamily("backstop_analysis_lag_seconds", "How long the oldest chunk waits.", figures.behind_s)
        waiting = figures.waiting.recordings
        yield GaugeMetricFamily("backstop_analysis_waiting_recordings", "Recordings that wait.", waiting)


def _storage(figures: Figures) -> Iterator[Metric]:
    for name, about, value in (
        ("backstop_database_bytes", "Size of the database.", figures.database_bytes),
        ("backstop_database_log_bytes", "Size of its write-ahead log.", figures.wal_bytes),
        ("backstop_disk_free_bytes", "Free on the disk of the storage folder.", figures.disk_free_bytes),
        ("backstop_backup_age_seconds", "Age of the newest backup in backup.folder.", figures.backup_age_s),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, about, value)


def _people(figures: Figures, readers: int) -> Iterator[Metric]:
    yield GaugeMetricFamily("backstop_live_readers", "Open live streams.", readers)
    links = GaugeMetricFamily("backstop_links", "Links to wearables by state.", labels=["state"])
    for state, count in figures.links.items():
        links.add_metric([state], count)
    yield links
    sent = GaugeMetricFamily(
        "backstop_reminder_deliveries", "Tries in the log of reminders.", labels=["channel", "outcome"]
    )
    for labels, count in figures.deliveries.items():
        sent.add_metric(list(labels), count)
    yield sent
    failed = GaugeMetricFamily("backstop_failed_sign_ins", "Tries to sign in that failed, as kept.", labels=["way"])
    for way, count in figures.failed_sign_ins.items():
        failed.add_metric([way], count)
    yield failed


@blueprint.get("/metrics")
@access.owner
@describe(
    scope=TokenScope.METRICS,
    answer=Raw("text/plain", "Figures of the machine in Prometheus' text format 1.0; nothing of a person."),
)
def metrics() -> Response:
    """Tell the figures of the machine, as Prometheus reads them."""
    own: WebMetrics = current_app.extensions[_KEY]
    return Response(generate_latest(own.registry), content_type=CONTENT_TYPE_LATEST)


def metrics_of(app: Flask) -> WebMetrics:
    """Return what is counted of an app's requests."""
    found: WebMetrics = app.extensions[_KEY]
    return found


def install(app: Flask) -> None:
    """Count every request, also one that is refused: comes before whatever may refuse."""
    own = WebMetrics(house_of(app).services.machine, house_of(app).live_feed)
    app.extensions[_KEY] = own

    def begin() -> None:
        g.begun_s = time.perf_counter()

    def count(answer: Response) -> Response:
        # No endpoint: an address that nobody has, whatever it is called.
        took_s = time.perf_counter() - g.begun_s if "begun_s" in g else None
        own.count(request.endpoint or "none", answer.status_code, took_s, request.content_length or 0)
        return answer

    app.before_request(begin)
    app.after_request(count)
