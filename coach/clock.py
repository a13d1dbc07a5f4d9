"""The clock: a few ticks; what is due lies in tables, so that a restart or a second clock changes nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from coach.config import Config
from coach.live import LiveFeed
from coach.logs import about
from coach.service import Services
from coach.worker import tell_of
from devices.hostclock import HostClock, SystemClock

_log = logging.getLogger(__name__)
# s between two looks for recordings and sessions that came to their end. Own choice.
_STALE_TICK_S = 300.0
# s between two looks for days that no worker has judged; how long one has for it. Own choice: a worker looks at once,
# and has the memory for it that pages need not have; it may wait for ten minutes itself (service/days.py).
_DAYS_TICK_S = 60.0
_WORKERS_TURN = timedelta(minutes=30)
# s between two looks for programs that were not looked at today. Own choice.
_LOOK_TICK_S = 300.0
# s between two looks for phones that fell silent. Own choice.
_QUIET_TICK_S = 10.0
# s between two looks for what is long past: a day. Own choice.
_PRUNE_TICK_S = 86_400.0
# s between two looks whether the machine's clock was set. Own choice.
_WATCH_S = 5.0
# s between two looks whether a backup is due, and until one that failed is tried again. Own choice.
_BACKUP_TICK_S = 600.0
# s between two looks whether history is to be analysed anew tonight. Own choice.
_NIGHT_TICK_S = 600.0
# s between two looks for erasing that is under way. Own choice.
_ERASE_TICK_S = 60.0
# s between two looks for months to come, of which some are made ahead. Own choice.
_MONTHS_TICK_S = 3600.0
# s between two tries of a disk that took nothing. Own choice.
_DISK_TICK_S = 10.0
# s between two looks for tests whose stored signal is there: a chunk of 5 s. Own choice.
_SETTLE_TICK_S = 5.0


def release_due(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Release the sessions that are due and tell the open pages; return how many."""
    released = services.plans.release_due(now)
    for session in released:
        feed.publish(session.athlete_id, {"kind": "session", "session_id": session.session_id})
    return len(released)


def plan_ahead(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Place sessions up to the horizon; return how many."""
    return services.plans.plan_ahead(now)


def look_at_programs(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Look once a day at each running program: does it get easier, may it rise; return how many changed."""
    changed = services.progress.look_daily(now)
    for athlete_id in changed:
        feed.publish(athlete_id, {"kind": "plan"})
    return len(changed)


def close_stale(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Close sessions that nobody answered and settle recordings that ended; return how many."""
    if services.machine.several:
        services.sent_files.purge(now)
    return services.plans.close_stale(now) + services.motion.close_stale(now)


def judge_days(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Judge the days that are due, above all those that have ended, and tell the open pages; return how many."""
    judged = services.days.judge_due(now)
    for day in judged:
        tell_of(day, feed)
    for plan in services.plans.replan_wanted():
        feed.publish(plan.athlete_id, {"kind": "plan", "plan_id": plan.plan_id})
    return len(judged)


def judge_left(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Judge the days that a worker has left for a while, which means that none is at work; return how many."""
    return judge_days(services, feed, now - _WORKERS_TURN)


def close_quiet_phones(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Cut what is left of phones that fell silent; return how many."""
    return services.phones.close_quiet(now)


def settle_trials(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Judge tests that are over from their stored signal and tell the open pages; return of how many athletes."""
    changed = services.trials.settle(now)
    for athlete_id in changed:
        feed.publish(athlete_id, {"kind": "assessment"})
    return len(changed)


def settle_sets(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Count guided sets that are over from their stored signal and tell the open pages; return of how many athletes."""
    changed = services.guidance.settle(now)
    for athlete_id in changed:
        feed.publish(athlete_id, {"kind": "guided"})
    return len(changed)


def send_due(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Plan reminders of what is ahead and send those whose time has come; return how many went out."""
    services.reminders.plan(now)
    return services.reminders.send_due(now)


def prune_log(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Forget reminders that are long past, and what became of them; return how many. A clock that jumped waits."""
    if not services.machine.time.believed():
        return 0
    return services.reminders.prune(now)


def make_backup(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Make the backup that the configuration wants, if it is time; return how many."""
    return int(services.machine.make_backup(now))


def mind_disk(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Where the disk took nothing, see whether it does again; return 1 when it does."""
    return int(services.machine.mind_disk())


def reanalyse_at_night(services: Services, feed: LiveFeed, now: datetime) -> int:
    """At night, begin or go on with what an older version has left; return how many athlete-days were added.

    By a clock that jumped it may be no night: it waits until that has run evenly for a day.
    """
    return services.reanalysis.nightly(now) if services.machine.time.believed() else 0


def go_on_erasing(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Go on with erasing that was interrupted or is large; return of how many athletes no row is left now."""
    return services.erasing.go_on()


def forget_old(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Forget what is older than its kind is kept, and clear what erasing left in the files; return how many rows.

    By a clock that jumped nothing is old: it waits until that has run evenly for a day.
    """
    services.erasing.go_on(at_night=True)
    if not services.machine.time.believed():
        return 0
    return services.retention.forget(now)


def make_months(services: Services, feed: LiveFeed, now: datetime) -> int:
    """Make the parts of the months ahead on a server; return how many. A clock that jumped waits."""
    return services.retention.make_months(now) if services.machine.time.believed() else 0


class SessionClock:
    """Run the ticks in the background. Any number may run: a tick is at one of them at a time, a due row at one."""

    def __init__(self, services: Services, feed: LiveFeed, config: Config, clock: HostClock | None = None) -> None:
        self._services, self._feed, self._clock = services, feed, clock or SystemClock()
        self._ticks = (
            (release_due, config.clock.release_tick_s),
            (plan_ahead, config.clock.plan_tick_s),
            (look_at_programs, _LOOK_TICK_S),
            (close_stale, _STALE_TICK_S),
            (judge_left, _DAYS_TICK_S),
            (close_quiet_phones, _QUIET_TICK_S),
            (settle_trials, _SETTLE_TICK_S),
            (settle_sets, _SETTLE_TICK_S),
            (send_due, config.clock.reminder_tick_s),
            (prune_log, _PRUNE_TICK_S),
            (mind_disk, _DISK_TICK_S),
            (reanalyse_at_night, _NIGHT_TICK_S),
            (go_on_erasing, _ERASE_TICK_S),
            (forget_old, _PRUNE_TICK_S),
            (make_backup, _BACKUP_TICK_S),
            (make_months, _MONTHS_TICK_S),
        )
        self._scheduler: BackgroundScheduler | None = None
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None

    def start(self) -> None:
        """Tick once at once, which catches up after a pause, then regularly; again is no error."""
        if self._scheduler is not None:
            return
        # Jobs live in memory and are named here on every start: nothing is pickled, nothing can be missed for good.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # One of them may wait for a mail server.
            executors={"default": ThreadPoolExecutor(3)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for tick, every_s in self._ticks:
            self._scheduler.add_job(
                self._run, IntervalTrigger(seconds=every_s, timezone=UTC), [tick], next_run_time=datetime.now(UTC)
            )
        self._services.machine.clock.begin()
        self._services.machine.time.begin()
        self._scheduler.start()
        self._closing.clear()
        self._watch = threading.Thread(target=self._watch_time, name="clock-watch", daemon=True)
        self._watch.start()

    def close(self) -> None:
        """Finish the tick under way and stop."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            self._services.machine.clock.end()
            self._closing.set()
            if self._watch is not None:
                self._watch.join(2 * _WATCH_S)
            scheduler.shutdown(wait=True)

    def _watch_time(self) -> None:
        """Tick at once after the clock was set: the next times were told by the old one, perhaps a year from now."""
        time, seen = self._services.machine.time, self._services.machine.time.jumps
        while not self._closing.wait(_WATCH_S):
            time.look()
            scheduler = self._scheduler
            if time.jumps != seen and scheduler is not None:
                seen = time.jumps
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))

    def _run(self, tick: Callable[[Services, LiveFeed, datetime], int]) -> None:
        name = getattr(tick, "__name__", str(tick))
        with about(tick=name):
            self._tick(tick, name)

    def _tick(self, tick: Callable[[Services, LiveFeed, datetime], int], name: str) -> None:
        pulse = self._services.machine.clock
        try:
            with self._services.machine.claimed("tick", name) as mine:
                if mine:  # else another clock is at it
                    tick(self._services, self._feed, datetime.fromtimestamp(self._clock.utc_s(), UTC))
            pulse.beat(name)
        except Exception:  # noqa: BLE001 - see below
            # The next tick tries again; a clock that stops is worse than one that is late.
            _log.exception("the tick %s failed", name)
            pulse.beat(name, failed=True)
