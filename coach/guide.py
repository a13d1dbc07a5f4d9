"""The guides: look at the tests and guided sets that go on while their blocks arrive, and tell the open pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from coach.errors import CoachError
from coach.live import LiveFeed
from coach.service.guidance import Guidance
from coach.service.trials import Trials

_log = logging.getLogger(__name__)
# s between two looks at least: what a person sees of a hold changes four times a second at most. Own choice.
_TRIAL_LOOK_S = 0.25
# s between two looks at a guided set: a number shall stand there when the repetition is over. Own choice.
_SET_LOOK_S = 0.02
# s after which is looked without a block: silence is news too. Own choice.
_SILENCE_S = 2.0


class _Watched(Protocol):
    """What goes on in memory: a page's thread asks, this one looks."""

    @property
    def busy(self) -> bool: ...

    def attach(self, wake: Callable[[], None]) -> None: ...


class _Guide:
    """One thread that looks when something arrives. It sleeps while nothing goes on."""

    def __init__(self, name: str, watched: _Watched, look_s: float) -> None:
        self._name, self._watched, self._look_s = name, watched, look_s
        self._arrived, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._watched.attach(self._arrived.set)
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
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
        raise NotImplementedError

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Asleep without a deadline while nothing is watched.
            self._arrived.wait(_SILENCE_S if self._watched.busy else None)
            self._arrived.clear()
            try:
                self.look()
            except CoachError as error:
                _log.warning("what goes on could not be looked at: %s", error)
            except Exception:  # noqa: BLE001 - a defect in one must not end the guidance of the others
                _log.exception("what goes on could not be looked at in a way that is not known")
            self._stopping.wait(self._look_s)


class TrialGuide(_Guide):
    """Look at the holds of tests."""

    def __init__(self, trials: Trials, feed: LiveFeed) -> None:
        super().__init__("guide", trials.holding, _TRIAL_LOOK_S)
        self._trials, self._feed = trials, feed

    def look(self) -> None:
        """Look at the holds once and tell the pages."""
        for athlete_id in self._trials.watch():
            self._feed.publish(athlete_id, {"kind": "assessment"})


class SetGuide(_Guide):
    """Count the sets of guided sessions."""

    def __init__(self, guidance: Guidance, feed: LiveFeed) -> None:
        super().__init__("set-guide", guidance.counting, _SET_LOOK_S)
        self._guidance, self._feed = guidance, feed

    def look(self) -> None:
        """Look at the sets once and tell the pages."""
        self._guidance.watch(self._feed.publish)
