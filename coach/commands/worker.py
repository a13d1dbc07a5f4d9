"""`backstop worker`: the analysis in a process of its own. `backstop run` starts one by itself."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from coach import logs
from coach.commands.options import add_config_option
from coach.commands.role import opened_role
from coach.config import Config, load
from coach.instance import existing_database, make_directory
from coach.jetstream.reanalysis import JetStreamQueue
from coach.jetstream_log import JetStreamLog
from coach.live import LiveFeed
from coach.pulse import Pulse
from coach.reanalyser import Reanalyser
from coach.service import Services, build_services
from coach.store.engine import open_store
from coach.work_queue import TableQueue, WorkQueue
from coach.worker import Worker
from coach.worker_process import EventLines
from devices.hostclock import SystemClock

# s between two signs of life. Own choice.
_BEAT_S = 1.0
# Chunks in NATS from which history waits. Own choice: about a second of 3,000 wearables.
_LIVE_CHUNKS = 256
# How far the analysis stands back where processors are short: who posts or looks has tenths of a second, it has
# seconds. Own choice, of the 19 steps that systems of this kind have.
_STANDS_BACK = 5


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `worker`."""
    parser = subparsers.add_parser("worker", help="analyse what is stored, beside a Backstop that runs")
    add_config_option(parser)
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder of the database (default: storage.directory)"
    )
    parser.add_argument(
        "--events", action="store_true", help="tell on standard output what changed; stop with standard input"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Work until Ctrl-C, or with --events until standard input ends. Raises ConfigError, StoreUnavailable."""
    config = load(args.config)
    if args.storage is not None:
        config = config.model_copy(update={"storage": config.storage.model_copy(update={"directory": args.storage})})
    logs.configure(config.log)
    if hasattr(os, "nice"):
        os.nice(_STANDS_BACK)
    with _opened(config) as (services, feed, queue):
        if not args.events and services.machine.several:
            print(f"Backstop's worker (process {os.getpid()}) is at work.", flush=True)
        lines, told = EventLines(sys.stdout), Counter[bool]()
        worker = Worker(services, lines if args.events else feed)
        reanalyser = Reanalyser(services.reanalysis, queue, _waits_elsewhere(services))
        stop = _stopped(args.events)
        worker.start()
        reanalyser.start()
        while not stop.wait(_BEAT_S):
            if args.events:
                _beat(lines, services.machine.worker, told)
        reanalyser.close()
        worker.close()
    return 0


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Services, LiveFeed, WorkQueue]]:
    """Open what is beside a Backstop that runs here, or what several processes share."""
    if config.storage.log_url.get_secret_value():
        make_directory(config.storage.directory)
        with opened_role(config, "worker") as role:
            yield role.services, role.feed, JetStreamQueue(role.line)
        return
    clock, store = SystemClock(), open_store(existing_database(config.storage))
    try:
        yield build_services(store, config, clock), LiveFeed(), TableQueue(store, clock)
    finally:
        store.close()


def _waits_elsewhere(services: Services) -> Callable[[], bool] | None:
    """Return what tells whether live chunks wait in NATS, None where they wait in the database."""
    log = services.log
    return (lambda: log.waiting() > _LIVE_CHUNKS) if isinstance(log, JetStreamLog) else None


def _beat(lines: EventLines, pulse: Pulse, told: Counter[bool]) -> None:
    """Tell the rounds since the last time, if any: silence is told by silence."""
    for (_, failed), count in pulse.done.items():
        if count > told[failed]:
            told[failed] = count
            lines.beat(failed)


def _stopped(with_input: bool) -> threading.Event:
    """Return what is set when the worker shall stop: by a signal, or with_input by the end of standard input."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches every process of a terminal; who has a parent waits for its word.
    signal.signal(signal.SIGINT, signal.SIG_IGN if with_input else lambda *_: stop.set())
    if with_input:
        threading.Thread(target=_until_the_end, args=(sys.stdin, stop), name="standard-input", daemon=True).start()
    return stop


def _until_the_end(stream: TextIO, stop: threading.Event) -> None:
    while stream.read(1024):
        pass
    stop.set()
