"""The holds that go on now, watched over live blocks of the wearable. In memory; what counts is judged from rows."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field

from coach.analysis.assessment_types import AssessmentTest, HoldPhase, HoldProgress, Trial, TrialOutcome
from coach.analysis.endurance import HoldState, begin_hold, finish_hold, watch_hold
from coach.analysis.errors import AnalysisError
from coach.service.assessment_views import Seen
from coach.service.live_watches import INCOMING_MAX, LiveWatches
from coach.service.wearables import stored_axis
from coach.store.rows import Row
from devices.types import Chunk

_log = logging.getLogger(__name__)
# s without a block before it is said that nothing arrives: live blocks come four times a second. Own choice.
_NOTHING_S = 4.0


@dataclass(frozen=True, slots=True)
class Over:
    """A hold that is watched no more: what the live view says, and of which signal (Unix s).

    trial: None when the person stopped it and the live view had not seen them leave the pose yet. end_utc_s: None when
    the person stopped it: what comes just after tells whether they left the pose.
    """

    trial: Trial | None
    recording_id: str | None
    start_utc_s: float | None
    end_utc_s: float | None


@dataclass(slots=True)
class _Watch:
    athlete_id: str
    wearable_id: str
    first: HoldState
    state: HoldState
    begun_s: float
    heard_s: float
    recording_id: str | None = None
    start_utc_s: float | None = None
    end_utc_s: float | None = None
    progress: HoldProgress | None = None
    shown: object = None
    incoming: deque[Chunk] = field(default_factory=lambda: deque(maxlen=INCOMING_MAX))

    def take_incoming(self) -> None:
        """Look at what has arrived."""
        while self.incoming and not self.over:
            self.take(self.incoming.popleft())

    def take(self, block: Chunk) -> None:
        """Look at a block. Another recording begins the hold anew; what comes twice or late is dropped."""
        if block.recording_id != self.recording_id:
            self._begin_with(block)
        elif block.start_index < self.state.next_index:
            return
        try:
            self.state, self.progress = watch_hold(self.state, block)
        except AnalysisError as error:
            _log.warning("a hold is watched anew: %s", error)
            self._begin_with(block)
            return
        self.end_utc_s = block.start_utc_s + len(block) / block.rate_hz

    def _begin_with(self, block: Chunk) -> None:
        self.state, self.progress = self.first, None
        self.recording_id, self.start_utc_s = block.recording_id, block.start_utc_s

    @property
    def over(self) -> bool:
        """Tell whether nothing more is needed: the pose was left, or the cap is reached."""
        progress = self.progress
        return progress is not None and (progress.phase is HoldPhase.OVER or progress.must_stop)

    def ended(self) -> Over:
        """Return what the live view says at the end."""
        trial = finish_hold(self.state)
        if self.over:
            return Over(trial, self.recording_id, self.start_utc_s, self.end_utc_s)
        seen = None if trial.outcome is TrialOutcome.CUT_SHORT else trial
        return Over(seen, self.recording_id, self.start_utc_s, None)


class Holding(LiveWatches[str, _Watch]):
    """Let the gateway bring blocks, one thread look at them, and pages ask. Thread-safe."""

    def begin(self, trial_id: str, test: AssessmentTest, wearable: Row) -> None:
        """Watch a hold from the next block on."""
        watch = self._watch(test, wearable)
        with self._lock:
            self._watches[trial_id] = watch
        self._wake()

    def resume(self, trial: Row, wearable: Row) -> None:
        """Watch a hold that began at another process, from its beginning on; not where not all of it is known here."""
        if self.watches(trial["id"]):
            return
        watch = self._watch(AssessmentTest(trial["test"]), wearable)
        with self._lock:
            self._watches[trial["id"]] = watch
            # Asked once new blocks are taken: those that come meanwhile are known twice.
            blocks = self._recent(wearable["athlete_id"], wearable["id"], trial["started_at"].timestamp())
            if blocks is None:
                del self._watches[trial["id"]]
                return
            for block, _ in blocks:
                if not watch.over:
                    watch.take(block)
        self._wake()

    def _watch(self, test: AssessmentTest, wearable: Row) -> _Watch:
        axes = stored_axis(wearable["upright"]), stored_axis(wearable["forward"])
        state = begin_hold(test, wearable["placement"], *axes)
        now_s = self._clock.utc_s()
        return _Watch(wearable["athlete_id"], wearable["id"], state, state, now_s, now_s)

    def end(self, trial_id: str) -> Over | None:
        """Watch no more; return what was seen, None when nothing was watched or nothing came."""
        with self._lock:
            watch = self._watches.pop(trial_id, None)
            self._over(trial_id)
            if watch is None:
                return None
            watch.take_incoming()
            return watch.ended() if watch.recording_id is not None else None

    def take(self, wearable_id: str, block: Chunk) -> None:
        """Bring a live block; only enqueues."""
        self._bring(wearable_id, block)

    def seen(self, trial_id: str) -> Seen | None:
        """Return what is seen of a hold; None when it is not watched."""
        with self._lock:
            watch = self._watches.get(trial_id)
            return Seen(watch.progress, self._silent(watch)) if watch is not None else None

    def work(self) -> tuple[frozenset[str], dict[str, Over]]:
        """Look at what has arrived; return whose pages have changed, and the holds that are over by their trial."""
        changed: set[str] = set()
        over: dict[str, Over] = {}
        with self._lock:
            for trial_id, watch in list(self._watches.items()):
                watch.take_incoming()
                shown = _shown(watch.progress, self._silent(watch))
                if shown != watch.shown:
                    watch.shown = shown
                    changed.add(watch.athlete_id)
                if watch.over:
                    over[trial_id] = self._watches.pop(trial_id).ended()
                    changed.add(watch.athlete_id)
        return frozenset(changed), over

    def _silent(self, watch: _Watch) -> bool:
        return self._clock.utc_s() - watch.heard_s > _NOTHING_S


def _shown(progress: HoldProgress | None, silent: bool) -> object:
    """Return what a person would see a change of: the phase, whole seconds, whether it is still."""
    if progress is None:
        return silent
    off_deg = None if progress.off_target_deg is None else round(progress.off_target_deg / 5.0)
    return silent, progress.phase, int(progress.held_s), progress.still, off_deg
