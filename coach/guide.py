"""The guide: looks at the holds that go on while their blocks arrive, and tells the open pages."""

from __future__ import annotations

import logging
import threading

from coach.errors import CoachError
from coach.live import LiveFeed
from coach.service.trials import Trials

_log = logging.getLogger(__name__)
# s between two looks at least: what a person sees of a hold changes four times a second at most. Own choice.
_LOOK_S = 0.25
# s after which is looked without a block: silence is news too. Own choice.
_SILENCE_S = 2.0


class TrialGuide:
    """One thread. It sleeps while nobody is tested."""

    def __init__(self, trials: Trials, feed: LiveFeed) -> None:
        self._trials, self._feed = trials, feed
        self._arrived, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._trials.holding.attach(self._arrived.set)
            self._thread = threading.Thread(target=self._run, name="guide", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._arrived.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(10.0)

    def look(self) -> None:
        """Look once and tell the pages. Called by the thread, and by tests without one."""
        for athlete_id in self._trials.watch():
            self._feed.publish(athlete_id, {"kind": "assessment"})

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Asleep without a deadline while no hold is watched.
            self._arrived.wait(_SILENCE_S if self._trials.holding.busy else None)
            self._arrived.clear()
            try:
                self.look()
            except CoachError as error:
                _log.warning("a hold could not be looked at: %s", error)
            except Exception:  # noqa: BLE001 - a defect in one hold must not end the guidance of the others
                _log.exception("a hold could not be looked at in a way that is not known")
            self._stopping.wait(_LOOK_S)
