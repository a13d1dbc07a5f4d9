"""The guided sets that go on now, counted over live blocks. In memory; what counts in the end is told from rows."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from coach.analysis.errors import AnalysisError
from coach.analysis.guided_follow import Done
from coach.analysis.guided_set import SetState, begin_set, done_of, follow_set, usual_rom_deg
from coach.service.live_watches import INCOMING_MAX, LiveWatches
from coach.store.rows import Row
from devices.types import Chunk

_log = logging.getLogger(__name__)
# s without a block before it is said that nothing arrives: live blocks come four times a second. Own choice.
NOTHING_S = 3.0

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Over:
    """A set that is counted no more. seen: with what was seen before this process.

    detail: None where it was not seen whole (another process, another recording); start, end: of its signal, Unix s.
    """

    seen: int
    detail: tuple[Done, ...] | None
    recording_id: str | None
    start_utc_s: float | None
    end_utc_s: float | None


@dataclass(slots=True)
class _Watch:
    athlete_id: str
    session_id: str
    wearable_id: str
    first: SetState
    state: SetState
    before: int
    begun_s: float
    heard_s: float
    whole: bool = True
    recording_id: str | None = None
    start_utc_s: float = 0.0
    end_utc_s: float = 0.0
    silent: bool = False
    incoming: deque[tuple[Chunk, float]] = field(default_factory=lambda: deque(maxlen=INCOMING_MAX))

    @property
    def seen(self) -> int:
        return self.before + self.state.count

    def take_incoming(self) -> tuple[list[tuple[float, float | None]], float | None]:
        """Look at what has arrived; return the course that it added, in Unix s, and when its newest was notified."""
        course: list[tuple[float, float | None]] = []
        newest: float | None = None
        while self.incoming:
            block, newest = self.incoming.popleft()
            course += self.take(block)
        return course, newest

    def take(self, block: Chunk) -> list[tuple[float, float | None]]:
        """Look at a block; return the course that it added. What comes twice or late is dropped."""
        if block.recording_id != self.recording_id:
            self._begin_with(block)
        elif block.start_index < self.state.next_index:
            return []  # comes twice, or late: the stored signal has it
        try:
            seen = follow_set(self.state, block)
        except AnalysisError as error:
            _log.warning("a guided set goes on anew: %s", error)
            self._begin_with(block)
            return []
        self.state = seen.state
        zero_utc_s = block.start_utc_s - (block.start_index - self.state.origin) / block.rate_hz
        self.end_utc_s = block.start_utc_s + len(block) / block.rate_hz
        return [(zero_utc_s + at_s, deg) for at_s, deg in seen.course]

    def _begin_with(self, block: Chunk) -> None:
        """Begin with a block: the first one, or that of another recording. What was counted stays."""
        if self.recording_id is not None:
            self.whole, self.before = False, self.seen
        self.state = self.first
        self.recording_id, self.start_utc_s = block.recording_id, block.start_utc_s


class Counting(LiveWatches[Key, _Watch]):
    """Let the gateway bring blocks, one thread look at them, and pages ask. Thread-safe."""

    def begin(self, row: Row, session_id: str) -> None:
        """Count a set from the next block on; again is no error. row: of the set, with what was seen before.

        Of one that began at another process all of its blocks are counted, where they are known here.
        """
        key = row["guided_id"], row["number"]
        if self.watches(key):
            return
        state = begin_set(row["exercise_id"], row["hold_s"])
        now_s = self._clock.utc_s()
        watch = _Watch(row["athlete_id"], session_id, row["wearable_id"], state, state, 0, now_s, now_s)
        with self._lock:
            if self._watches.setdefault(key, watch) is not watch:
                return
            # Asked once new blocks are taken: those that come meanwhile are known twice.
            blocks = self._recent(row["athlete_id"], row["wearable_id"], row["started_at"].timestamp())
            if blocks is None:
                watch.before = row["seen"] or 0
                watch.whole = watch.before == 0
            for block, _ in blocks or ():
                watch.take(block)
        self._wake()

    def counts(self, session_id: str, number: int) -> bool:
        """Tell whether a set of a session is counted here."""
        with self._lock:
            return any(key[1] == number and each.session_id == session_id for key, each in self._watches.items())

    def end(self, key: Key) -> Over | None:
        """Count no more; return what was seen, None when nothing was counted or nothing came."""
        with self._lock:
            watch = self._watches.pop(key, None)
            self._over(key)
            if watch is None:
                return None
            watch.take_incoming()
            if watch.recording_id is None:
                return Over(watch.before, None, None, None, None)
            if not watch.whole:
                return Over(watch.seen, None, None, None, None)
            done = done_of(watch.state)
            return Over(watch.seen, done, watch.recording_id, watch.start_utc_s, watch.end_utc_s)

    def take(self, wearable_id: str, block: Chunk, notified_utc_s: float) -> None:
        """Bring a live block; only enqueues. notified_utc_s: real time of its newest notification."""
        self._bring(wearable_id, (block, notified_utc_s))

    def now(self, key: Key) -> dict[str, Any] | None:
        """Return what a page shows of a set that is counted; None when it is not."""
        with self._lock:
            watch = self._watches.get(key)
            return _told(key, watch, [], None) if watch is not None else None

    def work(self) -> list[tuple[Key, str, dict[str, Any], bool]]:
        """Look at what has arrived. Return of each set that has news: key, athlete, the event, whether more is seen."""
        news: list[tuple[Key, str, dict[str, Any], bool]] = []
        with self._lock:
            for key, watch in self._watches.items():
                before = watch.seen
                course, notified_utc_s = watch.take_incoming()
                silent = self._clock.utc_s() - watch.heard_s > NOTHING_S
                if course or silent != watch.silent:
                    watch.silent = silent
                    news.append((key, watch.athlete_id, _told(key, watch, course, notified_utc_s), watch.seen > before))
        return news


def _told(
    key: Key, watch: _Watch, course: list[tuple[float, float | None]], notified_utc_s: float | None
) -> dict[str, Any]:
    """Return the event of a set. away_deg: at t_utc_s, None in gaps; rom_deg: what its first ones aim at."""
    following, done = watch.state.follow, watch.state.done
    rom_deg = usual_rom_deg(done)
    last = done[-1] if done else None
    return {
        "kind": "guided",
        "session_id": watch.session_id,
        "number": key[1],
        "seen": watch.seen,
        "phase": following.phase.value,
        "held_s": round(following.holding_s, 1),
        "short": following.short if watch.state.params.hold_s is not None else 0,
        "silent": watch.silent,
        "rom_deg": round(rom_deg, 1) if rom_deg is not None else None,
        "last": None
        if last is None
        else {"s": round(last.duration_s, 1), "rom_deg": round(last.rom_deg, 1), "held_s": round(last.held_s, 1)},
        "t_utc_s": [round(at, 3) for at, _ in course],
        "away_deg": [None if deg is None else round(deg, 1) for _, deg in course],
        "notified_utc_s": notified_utc_s,
    }
