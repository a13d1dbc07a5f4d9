"""Do athlete-days of a run that analyses history anew, beside the live chunks and after them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from coach.errors import CoachError
from coach.service.reanalysis import Halted, Reanalysis
from coach.work_queue import Taken, WorkQueue

_log = logging.getLogger(__name__)
# s between two looks for a run, while none may work. Own choice.
_LOOK_S = 3.0
# s to wait for the queue's next item. Own choice.
_TAKE_S = 1.0
# s between two looks whether live chunks wait, or the run was stopped; half of that a live chunk waits more at most.
# Own choice.
_MIND_S = 0.5
# s between two words that an item is worked on. Own choice: a sixth of the time until it is handed to others.
_HOLD_S = 10.0
# Chunks of a recording that wait for their first analysis, from which history waits. Own choice: half a minute of the
# usual ones.
_BEHIND_CHUNKS = 6
# Items that are put into an empty queue at one time. Own choice: some seconds of publishing.
_PUT_AT_ONCE = 5000


class Reanalyser:
    """One athlete-day at a time, in a thread of its own. Any number may run, one in each worker."""

    def __init__(self, reanalysis: Reanalysis, queue: WorkQueue, live_waits: Callable[[], bool] | None = None) -> None:
        """live_waits: tells whether live chunks wait elsewhere than in the database."""
        self._reanalysis, self._queue = reanalysis, queue
        self._live_waits = live_waits or (lambda: False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._held_s = self._minded_s = 0.0
        self._under_way = False

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="reanalyser", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Give back what is under way, within some chunks' time, and stop."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(30.0)
        self._queue.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = self.work_once()
            except Halted:
                worked = False
            except CoachError as error:
                _log.warning("analysing history anew waits: %s", error)
                worked = False
            except Exception:  # noqa: BLE001 - the role must outlive a defect of one look; the next one tries again
                _log.exception("a look at what is to be analysed anew failed")
                worked = False
            if not worked:
                # Of a run that is under way others have the rest, whose athletes' days are to be judged then.
                self._stopping.wait(_MIND_S if self._under_way else _LOOK_S)

    def work_once(self) -> bool:
        """Do the next athlete-day, if a run may work and no live chunk waits; tell whether there was one."""
        self._under_way = False
        run_id = self._reanalysis.may_work()
        if run_id is None:
            return False
        self._under_way = True
        if self._behind():
            return False
        if not self._queue.held():
            self._queue.put(self._reanalysis.waiting(run_id, _PUT_AT_ONCE))
        taken = self._queue.take(_TAKE_S)
        if taken is None:
            return False
        self._held_s = self._minded_s = time.monotonic()
        self._reanalysis.work(taken, partial(self._between, taken, run_id))
        return True

    def _between(self, taken: Taken, run_id: str) -> None:
        """Wait while live chunks do. Raises Halted when the run, or this role, is to stop."""
        if self._stopping.is_set():
            raise Halted("This worker stops.")
        if time.monotonic() - self._minded_s < _MIND_S:
            return
        while True:
            if time.monotonic() - self._held_s >= _HOLD_S:
                self._held_s = time.monotonic()
                taken.hold()
            if self._reanalysis.may_work() != run_id:
                raise Halted("The run was stopped, or the night is over.")
            self._minded_s = time.monotonic()
            if not self._behind():
                return
            if self._stopping.wait(_MIND_S):
                raise Halted("This worker stops.")

    def _behind(self) -> bool:
        return self._reanalysis.behind(_BEHIND_CHUNKS) or self._live_waits()
