"""Events to the pages that are open: in this process, bounded, oldest dropped first."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coach.analysis.stream import AnalysisState, analyse, new_state, provisional
from coach.analysis.types import AnalysisParams, Features
from coach.errors import CoachError
from coach.recent import RecentLines
from devices.types import Chunk, FloatArray

_log = logging.getLogger(__name__)

# Events kept for a reader that is slow: 15 s of signal at four batches a second and the changes between; of a reader
# that wants every sample so many for each athlete.
_READER_EVENTS = 64
# Blocks that wait: 17 minutes of one wearable. Beyond, the oldest are dropped and become a gap. Own choice.
_BLOCKS_MAX = 4096
# s between two rounds of analysis. Own choice: a twentieth of a second is not seen.
_MERGE_S = 0.05
# Points per second of signal: a bend of a second still has its form. Own choice.
_POINTS_PER_S = 15.0


class TooManyReaders(CoachError):
    """All places for live streams are taken; try again in a moment."""


class Reader:
    """One open page. Use as a context manager, or close it."""

    def __init__(self, feed: LiveFeed, athlete_ids: frozenset[str], every_sample: bool = False) -> None:
        self.athlete_ids = athlete_ids
        self.every_sample = every_sample
        # The line of the two minutes before this reader came, as signal events marked `history`.
        self.history: list[dict[str, Any]] = []
        self.dropped = 0
        self._feed = feed
        self._events_max = _READER_EVENTS * (max(1, len(athlete_ids)) if every_sample else 1)
        self._events: deque[dict[str, Any]] = deque(maxlen=self._events_max)
        self._arrived = threading.Condition()
        self._closed = False

    def get_batch(self, timeout_s: float) -> list[dict[str, Any]]:
        """Return all waiting events, oldest first; wait for the first at most timeout_s, then return an empty list."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._events or self._closed, timeout_s)
            batch = list(self._events)
            self._events.clear()
            return batch

    @property
    def closed(self) -> bool:
        """Tell whether the feed has ended for this reader."""
        return self._closed

    def leave_out(self, athlete_ids: Iterable[str]) -> None:
        """Hear nothing of these any more."""
        self.athlete_ids -= frozenset(athlete_ids)

    def close(self) -> None:
        """Free the place."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
        self._feed._leave(self)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, event: dict[str, Any]) -> None:
        with self._arrived:
            if len(self._events) == self._events_max:
                self.dropped += 1
            self._events.append(event)
            self._arrived.notify()


class LiveFeed:
    """Carry events to the readers of an athlete. An event is a dict of JSON values with at least `kind`.

    kinds: "signal" (see LiveAnalysis), and changes that ask a page to refresh: "finding", "plan", "session",
    "link". Every event gets its `athlete_id`. What a reader has missed of the last two minutes of signal is in its
    `history`.
    """

    def __init__(self, readers_max: int = 64) -> None:
        self._readers_max = readers_max
        self._lock = threading.Lock()
        self._readers: set[Reader] = set()
        self._recent = RecentLines()

    def subscribe(self, athlete_ids: str | Iterable[str], every_sample: bool = False) -> Reader:
        """Open a reader for one athlete or several. every_sample: see LiveAnalysis. Raises TooManyReaders."""
        wanted = frozenset([athlete_ids] if isinstance(athlete_ids, str) else athlete_ids)
        reader = Reader(self, wanted, every_sample)
        with self._lock:
            if len(self._readers) >= self._readers_max:
                raise TooManyReaders(
                    f"All {self._readers_max} live streams are taken: close a page, or raise web.event_readers_max."
                )
            # One lock for both: each event is either in the history or still to come.
            reader.history = self._recent.of(wanted)
            self._readers.add(reader)
        return reader

    def publish(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Hand an event to the athlete's readers; never waits."""
        with self._lock:
            if event["kind"] == "signal":
                self._recent.add(athlete_id, event)
            readers = [reader for reader in self._readers if athlete_id in reader.athlete_ids]
        for reader in readers:
            reader._put({**event, "athlete_id": athlete_id})

    def watched(self, athlete_id: str) -> bool:
        """Tell whether any page is open for the athlete."""
        with self._lock:
            return any(athlete_id in reader.athlete_ids for reader in self._readers)

    def wants_every_sample(self, athlete_id: str) -> bool:
        """Tell whether a page is open that draws each sample of the athlete."""
        with self._lock:
            return any(athlete_id in reader.athlete_ids for reader in self._readers if reader.every_sample)

    @property
    def connected(self) -> bool:
        """Tell whether all that there is to hear reaches this feed now; of one process it always does."""
        return True

    @property
    def readers(self) -> int:
        """Return how many readers are open."""
        with self._lock:
            return len(self._readers)

    def close(self) -> None:
        """End every reader; pages reconnect when the service is back."""
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.close()

    def _leave(self, reader: Reader) -> None:
        with self._lock:
            self._readers.discard(reader)


@dataclass(frozen=True, slots=True)
class LiveSource:
    """Whose block it is, as the gateway knows it when the block arrives."""

    wearable_id: str
    athlete_id: str
    placement: str
    upright: tuple[float, float, float] | None
    forward: tuple[float, float, float] | None = None


class LiveAnalysis:
    """Analyse live blocks with the same function as the worker, and publish the line and provisional counts.

    The line of an event is thin. While somebody wants every sample, the event has them too, under `every`: recording,
    number of the first on the recording's grid, so that a hole shows, its time, the rate, angles (None in gaps).
    Its states live and die with this process; what the worker says over the durable chunks replaces it. `push` only
    enqueues; one thread does the work and merges what has queued up, so that a fast replay costs no more per second.
    """

    def __init__(self, feed: LiveFeed, params_of: Callable[[str], AnalysisParams]) -> None:
        """params_of: what an athlete's samples are analysed with, by id; asked when a recording begins."""
        self._feed = feed
        self._params_of = params_of
        self._blocks: deque[tuple[LiveSource, Chunk, float]] = deque(maxlen=_BLOCKS_MAX)
        # recording, since when it is counted (Unix s), state
        self._states: dict[str, tuple[str, float, AnalysisState]] = {}
        self._failed: set[str] = set()
        self._arrived = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="live-analysis", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread and forget the states."""
        self._stopping.set()
        self._arrived.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(10.0)
        self._states.clear()

    def push(self, source: LiveSource, block: Chunk, notified_utc_s: float) -> None:
        """Take a live block; never waits. notified_utc_s: real time of its newest notification."""
        self._blocks.append((source, block, notified_utc_s))
        self._arrived.set()

    def forget(self, wearable_id: str) -> None:
        """Drop a wearable's state; its link is closed."""
        self._states.pop(wearable_id, None)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._arrived.wait()
            self._arrived.clear()
            self.work()
            # What arrives meanwhile is merged. Unseen by a person.
            self._stopping.wait(_MERGE_S)

    def work(self) -> None:
        """Analyse and publish what has queued up. Called by the thread, and by tests without one."""
        waiting: dict[str, list[tuple[LiveSource, Chunk, float]]] = {}
        while self._blocks:
            item = self._blocks.popleft()
            waiting.setdefault(item[0].wearable_id, []).append(item)
        for items in waiting.values():
            source, notified_utc_s = items[-1][0], items[-1][2]
            for run in _merged(self._in_order(items)):
                try:
                    self._publish(source, run, notified_utc_s)
                    self._failed.discard(source.wearable_id)
                except Exception:  # noqa: BLE001 - see below
                    # One block must not end the live line: it is left out, after a second one the line begins anew.
                    _log.exception("live blocks of wearable %s could not be analysed", source.wearable_id)
                    if source.wearable_id in self._failed:
                        self._states.pop(source.wearable_id, None)
                    self._failed.add(source.wearable_id)

    def _in_order(self, items: list[tuple[LiveSource, Chunk, float]]) -> list[Chunk]:
        """Return the blocks that are still to come: over several processes one may overtake another, or come again."""
        known = self._states.get(items[-1][0].wearable_id)
        begun = {known[0]: known[2].next_index} if known is not None else {}
        came = {block.recording_id: place for place, (_, block, _) in reversed(list(enumerate(items)))}
        blocks = sorted((block for _, block, _ in items), key=lambda each: (came[each.recording_id], each.start_index))
        return [each for each in blocks if each.start_index >= begun.get(each.recording_id, 0)]

    def _publish(self, source: LiveSource, block: Chunk, notified_utc_s: float) -> None:
        known = self._states.get(source.wearable_id)
        if known is not None and known[0] == block.recording_id:
            _, since_utc_s, state = known
        else:
            since_utc_s = block.start_utc_s
            state = new_state(source.placement, self._params_of(source.athlete_id), source.upright, source.forward)
        follows = state.next_index == block.start_index
        update = analyse(state, block)
        self._states[source.wearable_id] = (block.recording_id, since_utc_s, update.state)
        reference = update.state.reference.source
        event = {
            "kind": "signal",
            "wearable_id": source.wearable_id,
            "placement": source.placement,
            "bends": update.state.bends_count if update.state.bending is not None else None,
            "repetitions": update.state.repetitions_count + len(provisional(update.state).repetitions),
            "since_utc_s": since_utc_s,
            "notified_utc_s": notified_utc_s,
            "reference": reference.value if reference else None,
            "gap": not follows,
            **_thin_line(update.features, block),
        }
        if self._feed.wants_every_sample(source.athlete_id):
            event["every"] = _whole_line(update.features, block)
        if len(update.features.inclination_deg):
            self._feed.publish(source.athlete_id, event)


def _thin_line(features: Features, block: Chunk) -> dict[str, Any]:
    """Return at most 15 points a second of what was settled, on the recording's grid, None in gaps."""
    step = max(1, math.ceil(features.rate_hz / _POINTS_PER_S))
    offset = -features.start_index % step
    values = features.inclination_deg[offset::step]
    first_utc_s = _time_of(features.start_index + offset, features, block)
    rate_hz = features.rate_hz / step
    return {
        "start_utc_s": first_utc_s,
        "rate_hz": rate_hz,
        "t_utc_s": [round(first_utc_s + number / rate_hz, 3) for number in range(len(values))],
        "inclination_deg": _told(values),
    }


def _whole_line(features: Features, block: Chunk) -> dict[str, Any]:
    """Return all of what was settled, with its place on the recording's grid."""
    return {
        "recording_id": block.recording_id,
        "first": features.start_index,
        "start_utc_s": _time_of(features.start_index, features, block),
        "rate_hz": features.rate_hz,
        "deg": _told(features.inclination_deg),
    }


def _time_of(index: int, features: Features, block: Chunk) -> float:
    return block.start_utc_s + (index - block.start_index) / features.rate_hz


def _told(values: FloatArray) -> list[float | None]:
    """Return angles as JSON has them: to a tenth of a degree, None in gaps."""
    return [None if math.isnan(value) else round(value, 1) for value in values.tolist()]


def _merged(blocks: list[Chunk]) -> list[Chunk]:
    """Join blocks that follow each other without a gap between them."""
    runs: list[list[Chunk]] = []
    for block in blocks:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.recording_id == block.recording_id
            and last.start_index + len(last) == block.start_index
        ):
            runs[-1].append(block)
        else:
            runs.append([block])
    return [
        replace(
            run[0],
            acc_mps2=np.concatenate([block.acc_mps2 for block in run]),
            gyr_radps=np.concatenate([block.gyr_radps for block in run]),
            gaps=(),  # the NaN rows say it
        )
        for run in runs
    ]
