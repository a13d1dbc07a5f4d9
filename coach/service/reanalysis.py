"""Analyse history anew, athlete-day by athlete-day: what is to be done, how far it is, and each of them.

An athlete-day of signal is the recordings that began on it, each renewed from its first chunk. When the signal of all
of an athlete's days is done, their days are judged in order, for each looks back on those before it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from coach.analysis.types import ALGORITHM_VERSION
from coach.config import ReanalysisSection
from coach.errors import CoachError, Conflict, NoSuch, NotAllowed, StoreUnavailable
from coach.logs import about
from coach.service.days import HISTORY, Days
from coach.service.ground import Ground
from coach.service.local_days import bounds_of
from coach.service.reanalysis_plan import Planned, note_limits, planned
from coach.service.reanalysis_types import DayState, Part, RunState, RunView, Why
from coach.service.reanalysis_views import view_of
from coach.service.renewing import Renewing
from coach.service.spooled import Spooled
from coach.service.types import Identity, Role
from coach.store import athletes, days, recordings
from coach.store import reanalysis as rows
from coach.store.reanalysis import Item
from coach.store.rows import Row, fresh_id
from coach.work_queue import Taken

_log = logging.getLogger(__name__)
# Times that an athlete-day is begun; after the last it has failed. Own choice: a process may die twice for its own
# reasons.
TRIES = 3
# s until one that went wrong is tried again. Own choice.
_AGAIN_S = 5.0
# Rounds over an athlete's days at most, and s between two: another worker may be judging one of them. Own choices.
_ROUNDS, _OTHERS_S = 40, 0.25
# Ids that are read at a time. Own choice.
_ATHLETES_AT_ONCE = 1000
# A day that a run is to judge is on everybody's list this much later, should the run never come to it. Own choice.
_LATER = timedelta(hours=6)


class Halted(CoachError):
    """The run was stopped, or whoever works on it stops: what is under way is left as it was."""


class Reanalysis:
    """Begin runs, do their athlete-days, tell how far they are. Any number of workers may do them."""

    def __init__(self, ground: Ground, days: Days) -> None:
        self._ground, self._days = ground, days
        self._renewing = Renewing(ground)

    def ask(self, by: Identity | None, athlete_id: str | None = None, since: date | None = None) -> str:
        """Begin a run over everybody's or one athlete's history, from a local day on; return its id.

        by: the owner, None for the terminal. since: the days that these look back on come along. A nightly run that is
        under way ends for it. Raises NotAllowed, NoSuch, Conflict: another one is under way.
        """
        if by is not None and by.role is not Role.OWNER:
            raise NotAllowed("Only the owner has history analysed anew.")
        with self._ground.store.read() as tx:
            if athlete_id is not None and athletes.get(tx, athlete_id) is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
        with Spooled[Planned]() as found:
            self._plan(found, athlete_id, since, only_older=False)
            run_id = self._begin(Why.ASKED, found, by.user_id if by else None, athlete_id, since, None)
        if run_id is None:
            raise Conflict("History is being analysed anew already: wait until that is done, or stop it.")
        return run_id

    def nightly(self, now: datetime) -> int:
        """At night, begin or go on with what older versions or limits have left; return how many athlete-days wait.

        Nothing of that kind is no work. A run that somebody asked for goes on by itself.
        """
        until = night_until(self._ground.config.reanalysis, now.astimezone())
        if until is None:
            return 0
        with self._ground.store.read() as tx:
            under_way = rows.running(tx)
        if under_way is not None:
            if under_way["works_until"] is not None and under_way["works_until"] != until:
                with self._ground.store.begin() as tx:
                    rows.work_until(tx, under_way["id"], until)
            return 0
        note_limits(self._ground)
        with Spooled[Planned]() as found:
            self._plan(found, None, None, only_older=True)
            if not found:
                return 0
            self._begin(Why.NIGHTLY, found, None, None, None, until)
            return sum(len(each.days) for each in found)

    def stop(self, by: Identity | None) -> bool:
        """Stop the run under way; tell whether there was one. What is done stays done. Raises NotAllowed."""
        if by is not None and by.role is not Role.OWNER:
            raise NotAllowed("Only the owner stops that history is analysed anew.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            run = rows.running(tx)
            return run is not None and rows.end_run(tx, run["id"], RunState.STOPPED, now)

    def newest(self) -> RunView | None:
        """Return the run that was begun last, and how far it is."""
        with self._ground.store.read() as tx:
            run = rows.newest(tx)
            return None if run is None else view_of(tx, run, self._ground.now())

    def view(self, run_id: str) -> RunView:
        """Return a run and how far it is. Raises NoSuch."""
        with self._ground.store.read() as tx:
            run = rows.get_run(tx, run_id)
            if run is None:
                raise NoSuch(f"There is no run {run_id}.")
            return view_of(tx, run, self._ground.now())

    def may_work(self) -> str | None:
        """Return the run that is under way and may work now. One whose last athlete-day is done or gone ends."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            run = rows.running(tx)
            over = run is not None and rows.is_over(tx, run["id"])
        if run is None or (run["works_until"] is not None and run["works_until"] <= now):
            return None
        if over:
            with self._ground.store.begin() as tx:
                rows.end_run(tx, run["id"], RunState.DONE, now)
            return None
        return str(run["id"])

    def let_go(self, run_id: str) -> None:
        """Give back what dead workers held; only where nobody else can be at work."""
        with self._ground.store.begin_derived() as tx:
            rows.let_go(tx, run_id)

    def waiting(self, run_id: str, limit: int) -> list[Item]:
        """Return athlete-days of a run that wait, in the order in which they are done."""
        with self._ground.store.read() as tx:
            return rows.waiting(tx, run_id, limit)

    def behind(self, chunks: int) -> bool:
        """Tell whether more than so many chunks of any recording wait to be analysed the first time."""
        with self._ground.store.read() as tx:
            return bool(recordings.athletes_behind(tx, chunks))

    def work(self, taken: Taken, between: Callable[[], None] = lambda: None) -> bool:
        """Do an athlete-day that a queue has handed out; tell whether it is done now, also when it failed.

        between: called every two minutes of signal and after every day that is judged; it may wait, or raise Halted.
        What goes wrong is tried again, TRIES times in all, and then told in its row; others go on.
        """
        item, began_s = taken.item, time.monotonic()
        with self._ground.store.begin_derived() as tx:
            row = rows.get_day(tx, item)
            if row is None or row["state"] != DayState.WAITING or row["run_state"] != RunState.RUNNING:
                row = None
            elif row["tries"] < TRIES:
                rows.count_try(tx, item, 1)
        if row is None:
            taken.done()
            return False
        with about(athlete=item.athlete_id):
            if row["tries"] >= TRIES:
                told = f"It was begun {TRIES} times and never came to its end: whoever worked on it died."
                return self._finish(taken, {"state": DayState.FAILED, "reason": told}, began_s)
            try:
                came_to = self._signal(row, between) if item.part == Part.SIGNAL else self._judging(row, between)
            except (Halted, StoreUnavailable, KeyboardInterrupt) as error:
                # No fault of this athlete-day.
                self._leave(taken, _AGAIN_S if isinstance(error, StoreUnavailable) else 0.0)
                raise
            except Exception as error:  # noqa: BLE001 - whatever one athlete-day does, the others go on
                _log.exception("%s of %s could not be analysed anew", item.part, item.local_date)
                if row["tries"] + 1 < TRIES:
                    taken.failed(_AGAIN_S)
                    return False
                told = str(error) if isinstance(error, CoachError) else f"{type(error).__name__}: {error}"
                return self._finish(taken, {"state": DayState.FAILED, "reason": told}, began_s)
            return self._finish(taken, came_to, began_s)

    def _leave(self, taken: Taken, again_s: float) -> None:
        try:
            with self._ground.store.begin_derived() as tx:
                rows.count_try(tx, taken.item, -1)
            taken.failed(again_s)
        except StoreUnavailable:
            _log.warning("an athlete-day could not be given back; it is handed out again in a while")

    def _finish(self, taken: Taken, values: dict[str, Any], began_s: float) -> bool:
        took_s = round(time.monotonic() - began_s, 3)
        with self._ground.store.begin_derived() as tx:
            ended = rows.finish(tx, taken.item, {**values, "took_s": took_s, "ended_at": self._ground.now()})
        taken.done()
        return ended

    def _signal(self, row: Row, between: Callable[[], None]) -> dict[str, Any]:
        renewed = [self._renewing.renew(each, between) for each in row["stream_ids"]]
        return {
            "state": DayState.DONE,
            "recordings": len(renewed),
            "gone": sum(each.gone for each in renewed),
            "chunks": sum(each.chunks for each in renewed),
        }

    def _judging(self, row: Row, between: Callable[[], None]) -> dict[str, Any]:
        athlete_id = row["athlete_id"]
        marked = self._marked(row)
        judged: set[date] = set()
        failures = 0
        for _ in range(_ROUNDS):
            judged |= {each.local_date for each in self._days.judge_listed(athlete_id, between)}
            left = self._left(athlete_id, marked.keys() - judged)
            if not left:
                return {"state": DayState.DONE, "days": len(judged)}
            # What nobody has touched since it was marked was another worker's turn at that moment.
            failures += all(marks != marked[each] for each, marks in left.items())
            if failures == TRIES:
                break
            between()
            time.sleep(_OTHERS_S)
        named = ", ".join(each.isoformat() for each in sorted(left)[:5])
        raise CoachError(f"{len(left)} of {len(marked)} days could not be judged ({named}): see the log.")

    def _marked(self, row: Row) -> dict[date, int]:
        """Have an athlete's days judged, all that were and those of the run; return how often each is marked.

        Today is not among them: it is judged all the time.
        """
        athlete_id, now, one_day = row["athlete_id"], self._ground.now(), timedelta(days=1)
        with self._ground.store.begin_derived() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            # A recording may end a day after it began.
            begun = rows.dates_of(tx, row["run_id"], athlete_id)
            wanted = {
                *days.judged_dates(tx, athlete_id, row["local_date"]),
                *begun,
                *(each + one_day for each in begun),
            }
            for day in sorted(wanted):
                days.mark(tx, athlete_id, day, now + _LATER)
            over = [each for each in wanted if bounds_of(athlete, each)[1] <= now.timestamp()]
            known = {each: days.due_of(tx, athlete_id, each) for each in over}
        return {each: due["marks"] for each, due in known.items() if due is not None}

    def _left(self, athlete_id: str, wanted: Iterable[date]) -> dict[date, int]:
        """Return the days that are on the list, and how often each is marked; others may have judged the rest."""
        with self._ground.store.read() as tx:
            known = {each: days.due_of(tx, athlete_id, each) for each in wanted}
        return {each: due["marks"] for each, due in known.items() if due is not None}

    def _plan(self, found: Spooled[Planned], athlete_id: str | None, since: date | None, only_older: bool) -> None:
        """Add what is to be done, in the order of ids. Each athlete is looked at in a moment of their own, so that no
        reader of a server lasts as long as all of them take."""
        now, first = self._ground.now(), None if since is None else since - HISTORY
        for each in [athlete_id] if athlete_id is not None else self._everybody():
            with self._ground.store.read() as tx:
                athlete = athletes.get(tx, each)
                if athlete is None:
                    continue
                received = None if first is None else datetime.fromtimestamp(bounds_of(athlete, first)[0], UTC)
                plan = planned(self._ground, tx, athlete, first, received, now, only_older)
            if plan is not None:
                found.add(plan)

    def _everybody(self) -> Iterator[str]:
        some = [""]
        while some:
            with self._ground.store.read() as tx:
                some = athletes.ids_after(tx, some[-1], _ATHLETES_AT_ONCE)
            yield from some

    def _begin(
        self, why: Why, found: Iterable[Planned], asked_by: str | None, athlete_id: str | None, since: date | None,
        until: datetime | None,
    ) -> str | None:  # fmt: skip
        """Insert a run with its athlete-days; return its id, None while one is under way that does not end for it."""
        now, run_id = self._ground.now(), fresh_id()
        run = {
            "id": run_id, "why": why, "asked_by": asked_by, "athlete_id": athlete_id, "since": since,
            "algorithm_version": ALGORITHM_VERSION, "begun_at": now, "works_until": until, "ended_at": None,
            "state": RunState.RUNNING,
        }  # fmt: skip
        items = (row for each in found for row in each.rows(run_id, now))
        try:
            with self._ground.store.begin() as tx:
                known = rows.running(tx)
                if known is not None:
                    if known["why"] != Why.NIGHTLY or why is Why.NIGHTLY:
                        return None
                    rows.end_run(tx, known["id"], RunState.STOPPED, now)
                rows.add_run(tx, run, items)
                if rows.is_over(tx, run_id):
                    rows.end_run(tx, run_id, RunState.DONE, now)
        except Conflict:
            return None  # another clock or page was first
        return run_id


def night_until(settings: ReanalysisSection, here: datetime) -> datetime | None:
    """Return when the night ends that it is now, in UTC; None by day, and where nightly runs are off.

    settings: [reanalysis]. here: the present in this machine's time zone.
    """
    if not settings.nightly:
        return None
    for day in (here.date(), here.date() - timedelta(days=1)):
        begin = datetime(day.year, day.month, day.day, settings.hour).astimezone(here.tzinfo)
        end = begin + timedelta(hours=settings.hours)
        if begin <= here < end:
            return end.astimezone(UTC)
    return None
