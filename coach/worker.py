"""The worker: chunks of the log become features and exposure, days are judged, findings become proposals."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from coach.arrivals_worker import ArrivalsWorker
from coach.errors import CoachError
from coach.logs import about
from coach.service import Services
from coach.service.arrivals import Done
from coach.service.days import JudgedDay
from coach.service.motion import Handled
from coach.waiting import Waiting

_log = logging.getLogger(__name__)
# s between two looks without a wake-up: chunks that another process appended. Own choice.
_POLL_S = 0.25
# s after something was appended until it is looked for: what comes meanwhile is found as well. Own choice.
_MERGE_S = 0.02
# s for which chunks of a stream that was analysed to its end gather before it is looked at again: each look reads and
# writes its whole state. A chunk of the usual 5 s never waits; of shorter ones, the mark is 5 s. Own choice.
_GATHER_S = 3.0
# Chunks of a stream that are never waited with: what one look analyses at most.
_AT_A_TIME = 24
# Streams whose results are saved in one transaction: those who append wait for it, some milliseconds. Own choice.
_TOGETHER = 8
# Days judged before the streams have their turn again: at midnight those of everybody are due. Own choice, a third of a
# second of work at most.
_DAYS_AT_A_TIME = 5
# s between two looks for days that are due, unless one should be judged at once: a look for each chunk that is appended
# would cost more than the judging. Own choice.
_DAYS_S = 0.25
# For so many times as long as a judging took, no day is judged after it: a club that bends at once has days to judge
# without end, and signal must not wait for them. Own choice: a quarter of the work at most.
_DAYS_REST = 3.0
# The same while chunks wait in the log of many machines, which are handled beside: a twentieth. Own choice.
_DAYS_REST_BEHIND = 19.0
# s for which a stream that failed is left alone, so that it does not hold up the others. Own choice.
_REST_S = 5.0


class Pages(Protocol):
    """Who hears what changed: `LiveFeed`, or a line to the process that has one."""

    def publish(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Hand an event to the athlete's open pages; never waits."""
        ...


class Worker:
    """Analyse what is pending, as soon as it is appended. Any number of workers, threads and processes may run."""

    def __init__(self, services: Services, feed: Pages, threads: int = 1) -> None:
        self._services = services
        self._feed = feed
        self._threads = threads
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy_lock = threading.Lock()
        self._busy: set[str] = set()
        self._resting: dict[str, float] = {}
        self._gathering: dict[str, float] = {}
        # Set at first: a worker that died may have left findings without a plan.
        self._found = threading.Event()
        self._found.set()
        # The same for days that it left unjudged.
        self._day_at_once = threading.Event()
        self._day_at_once.set()
        self._days_next_s = self._days_rest_s = 0.0
        self._waiting = Waiting(_log, "the worker")
        taker = services.log.taker()
        self._arrivals = (
            ArrivalsWorker(taker, services.arrivals, services.dead_letters, self._arrived)
            if taker is not None
            else None
        )
        services.log.on_append(self._wake.set)

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._services.machine.worker.begin()
            self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
            self._thread.start()
            if self._arrivals is not None:
                self._arrivals.start()

    def close(self) -> None:
        """Finish the transaction under way and stop."""
        self._stopping.set()
        self._wake.set()
        self._services.machine.worker.end()
        if self._arrivals is not None:
            self._arrivals.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(30.0)

    def drain(self) -> int:
        """Handle what is pending now, in this thread, until nothing is left that can be; return chunks handled.

        A worker that was closed does so too.
        """
        if self._thread is None:
            self._stopping.clear()
        total = 0
        while True:
            self._day_at_once.set()
            self._days_rest_s = 0.0
            handled = self._round(None, gather=False)
            if not handled and not self._day_at_once.is_set():
                return total
            total += handled

    def _run(self) -> None:
        pool = ThreadPoolExecutor(self._threads, "worker") if self._threads > 1 else None
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                if not self._attempt(pool) and self._wake.wait(_POLL_S):
                    self._stopping.wait(_MERGE_S)
        finally:
            if pool is not None:
                pool.shutdown()

    def _attempt(self, pool: ThreadPoolExecutor | None) -> int:
        pulse = self._services.machine.worker
        try:
            handled = self._round(pool, gather=True)
            self._waiting.over()
            pulse.beat("round")
            return handled
        except CoachError as error:
            self._waiting.on(error)
        except Exception:  # noqa: BLE001 - see below
            # The role must outlive a defect of one round; the next look tries again.
            _log.exception("a round of the worker failed")
        pulse.beat("round", failed=True)
        self._stopping.wait(_POLL_S)
        return 0

    def _round(self, pool: ThreadPoolExecutor | None, gather: bool) -> int:
        streams = self._ripe() if gather else self._not_resting(self._services.motion.pending_streams())
        groups = [streams[at : at + _TOGETHER] for at in range(0, len(streams), _TOGETHER)]
        handled = 0
        for some in pool.map(self._streams, groups) if pool else map(self._streams, groups):
            handled += some
            self._judge()
        self._judge()
        if self._found.is_set():
            self._found.clear()
            try:
                self._replan()
            except Exception:
                self._found.set()
                raise
        return handled

    def _not_resting(self, streams: Iterable[str]) -> list[str]:
        now = time.monotonic()
        self._resting = {stream: until for stream, until in self._resting.items() if until > now}
        return [each for each in streams if each not in self._resting]

    def _ripe(self) -> list[str]:
        """Return the streams whose turn it is, longest waiting first."""
        now = time.monotonic()
        self._gathering = {stream: until for stream, until in self._gathering.items() if until > now}
        backlog = self._services.motion.backlog()
        return self._not_resting(
            stream for stream, behind in backlog if behind >= _AT_A_TIME or stream not in self._gathering
        )

    def _streams(self, stream_ids: Sequence[str]) -> int:
        """Handle streams together; when something goes wrong, each by itself."""
        with self._busy_lock:
            mine = [each for each in stream_ids if each not in self._busy]
            if self._stopping.is_set() or not mine:
                return 0
            self._busy.update(mine)
        try:
            return self._handled(mine, self._services.motion.handle_together(mine, _AT_A_TIME))
        except Exception:  # noqa: BLE001 - see _stream, which says it
            return sum(map(self._stream, mine))
        finally:
            with self._busy_lock:
                self._busy.difference_update(mine)

    def _stream(self, stream_id: str) -> int:
        try:
            with about(stream=stream_id):
                return self._handled([stream_id], [self._services.motion.handle_pending(stream_id, _AT_A_TIME)])
        except Exception:  # noqa: BLE001 - see below
            # One stream's trouble must not stop the others.
            _log.exception("stream %s could not be handled", stream_id)
            self._resting[stream_id] = time.monotonic() + _REST_S
            return 0

    def _handled(self, stream_ids: Sequence[str], handled: Sequence[Handled]) -> int:
        until = time.monotonic() + _GATHER_S
        self._gathering.update(
            {stream: until for stream, each in zip(stream_ids, handled, strict=True) if each.chunks < _AT_A_TIME}
        )
        if any(each.at_once for each in handled):
            self._day_at_once.set()
        return sum(each.chunks for each in handled)

    def _arrived(self, done: Done) -> None:
        """Chunks of the log of many machines were stored and analysed; the next look judges what should not wait."""
        if done.at_once:
            self._day_at_once.set()

    def _judge(self) -> None:
        """Judge the days that are due, now and then, and soon after something that should not wait."""
        began_s = time.monotonic()
        if began_s < self._days_rest_s or (not self._day_at_once.is_set() and began_s < self._days_next_s):
            return
        self._day_at_once.clear()
        self._days_next_s = began_s + _DAYS_S
        done = self._services.days.judge_due(limit=_DAYS_AT_A_TIME)
        behind = self._arrivals is not None and self._arrivals.behind
        rest = _DAYS_REST_BEHIND if behind else _DAYS_REST
        self._days_rest_s = time.monotonic() + rest * (time.monotonic() - began_s)
        if len(done) >= _DAYS_AT_A_TIME:
            self._day_at_once.set()
            self._wake.set()
        for judged in done:
            if judged.finding_ids:
                self._found.set()
            tell_of(judged, self._feed)

    def _replan(self) -> None:
        for plan in self._services.plans.replan_wanted():
            self._feed.publish(plan.athlete_id, {"kind": "plan", "plan_id": plan.plan_id})


def tell_of(judged: JudgedDay, feed: Pages) -> None:
    """Tell the open pages of an athlete which findings have changed, if any."""
    if judged.finding_ids:
        feed.publish(judged.athlete_id, {"kind": "finding", "finding_ids": list(judged.finding_ids)})
