"""From stored chunks to features and findings, and back to a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from coach.analysis.stream import AnalysisState
from coach.analysis.types import ALGORITHM_VERSION, AnalysisParams
from coach.errors import NoSuch
from coach.logs import about
from coach.service import charts, due
from coach.service.analysed import Analysed, analysed_chunks, load_state, settled_tail
from coach.service.day_signals import moments_of
from coach.service.editions import limits_of
from coach.service.ground import Ground
from coach.service.local_days import bounds_of
from coach.service.permission import require_finding
from coach.service.profiles import analysis_params
from coach.service.types import DayTotals, Identity, SignalWindow
from coach.store import athletes, events, exposures, recordings, signals
from coach.store.engine import Tx
from coach.store.rows import Row

# s around a finding's window in its chart. Own choice.
_AROUND_S = 30.0
# Points of a finding's chart: 20 minutes without thinning.
_WINDOW_POINTS = 6000
# A feature begins at most this long before the line it carries ends: one chunk. Own bound, 60 s is the longest chunk.
_CHUNK_S = 120.0
# Chunks of one recording that count as waiting. Own choice: three hours of it.
_WAITING_OF_ONE = 2000
# A recording without a chunk for this long is settled. A later chunk undoes it. Own choice.
SETTLED_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Handled:
    """What one transaction did. chunks: analysed now; set_aside: could not be; at_once: its day need not wait."""

    athlete_id: str
    chunks: int
    set_aside: int
    at_once: bool = False


class Motion:
    """Analyse what the log holds; answer what a chart asks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._thresholds_deg = ground.config.posture.thresholds_deg

    def pending_streams(self, limit: int = 100) -> tuple[str, ...]:
        """Return ids of streams that hold chunks not yet analysed, longest waiting first."""
        with self._ground.store.read() as tx:
            return tuple(recordings.pending_streams(tx, limit))

    def backlog(self, limit: int = 4000) -> tuple[tuple[str, int], ...]:
        """Return ids of streams that hold chunks not yet analysed and how many numbers each is behind, longest waiting
        first."""
        with self._ground.store.read() as tx:
            return tuple(recordings.backlog(tx, limit))

    def waiting(self) -> int:
        """Return how many chunks wait to be analysed; of one recording some thousands count at most, so that one that
        cannot be analysed does not count for all."""
        with self._ground.store.read() as tx:
            return recordings.waiting_chunks(tx, _WAITING_OF_ONE)

    def handle_pending(self, stream_id: str, limit: int = 24) -> Handled:
        """Analyse the stream's next chunks in order; save features, exposure and state in one transaction.

        See `handle_together`. Raises NoSuch.
        """
        return self.handle_together([stream_id], limit)[0]

    def handle_together(self, stream_ids: Sequence[str], limit: int = 24) -> list[Handled]:
        """Analyse the next chunks of several streams, each in order, and save what came out in one transaction.

        The analysis runs outside the transaction, which then saves of a stream only if nobody has moved its cursor in
        the meantime: the effect of each chunk happens once, and no writer waits for an analysis. stream_ids: no id
        twice. Returns one answer per stream, in order. Raises NoSuch.
        """
        now = self._ground.now()
        with self._ground.store.read() as tx:
            works = [self._next_of(tx, stream_id, limit) for stream_id in stream_ids]
        done: dict[str, Handled] = {}
        fresh: list[tuple[Row, Analysed]] = []
        for stream, state, chunks in works:
            done[stream["id"]] = Handled(stream["athlete_id"], 0, 0)
            if not chunks:
                continue
            with about(athlete=stream["athlete_id"], stream=stream["id"]):
                if state is None:
                    # What came late to a recording whose signal is gone is kept, and not looked at.
                    if self.begin_again(stream["id"]) or stream["signal_gone_at"] is None:
                        done[stream["id"]] = self.handle_pending(stream["id"], limit)
                    continue
                analysed = analysed_chunks(state, stream, chunks, now)
            if analysed.last_seq > stream["last_seq"]:  # else a hole in the numbers: the missing chunk may still come
                fresh.append((stream, analysed))
        fresh.sort(key=lambda each: str(each[0]["id"]))  # the order in which everybody takes several states
        for stream, analysed in self._save_moved(fresh, now):
            done[stream["id"]] = Handled(
                stream["athlete_id"], analysed.chunks, len(analysed.set_aside), analysed.at_once
            )
        return [done[stream_id] for stream_id in stream_ids]

    def _next_of(self, tx: Tx, stream_id: str, limit: int) -> tuple[Row, AnalysisState | None, list[Row]]:
        """Return a stream, its state (None: of no use) and its next chunks. Raises NoSuch."""
        stream = recordings.get_stream(tx, stream_id)
        if stream is None:
            raise NoSuch(f"There is no recording {stream_id}.")
        chunks = recordings.chunks_after(tx, stream_id, stream["last_seq"], limit)
        return stream, self.state_of(tx, stream) if chunks else None, chunks

    def _save_moved(self, fresh: list[tuple[Row, Analysed]], now: datetime) -> list[tuple[Row, Analysed]]:
        """Save what was analysed of streams whose cursor is still where it was; return these. Others were first."""
        if not fresh:
            return []
        # Made before the transaction, so that nobody waits for it.
        values = [analysed.cursor_values(now) for _, analysed in fresh]

        def save() -> list[tuple[Row, Analysed]]:
            with self._ground.store.begin_derived(parts=len(fresh)) as tx:
                moved = [
                    (stream, analysed)
                    for (stream, analysed), value in zip(fresh, values, strict=True)
                    if recordings.move_cursor(tx, stream["id"], stream["last_seq"], stream["version"], value)
                ]
                self.save(tx, moved, now)
            return moved

        return self._ground.store.repeat(save)

    def state_of(self, tx: Tx, stream: Row) -> AnalysisState | None:
        """Return the stream's state, begun with the limits of the athlete's profile; None for one that is of no use."""
        if stream["state"] is not None and stream["algorithm_version"] != ALGORITHM_VERSION:
            return None  # the newer half of its exposure would be of another version than the older
        return load_state(stream, lambda: self._params_of(tx, stream["athlete_id"]))

    def _params_of(self, tx: Tx, athlete_id: str) -> AnalysisParams:
        athlete = athletes.get(tx, athlete_id)
        if athlete is None:
            raise NoSuch(f"There is no athlete {athlete_id}.")
        return analysis_params(self._ground.config, self._ground.profiles.of_athlete(athlete))

    def save(self, tx: Tx, moved: Sequence[tuple[Row, Analysed]], now: datetime) -> None:
        """Save what was analysed of streams whose cursor this transaction has moved."""
        begun = {stream["id"]: analysed.begun_utc_s() for stream, analysed in moved}
        for stream, _ in moved:
            if stream["settled_at"] is not None:
                signals.drop_features(tx, stream["id"], tail_only=True)
                begun[stream["id"]] |= set(exposures.drop_of_stream(tx, stream["id"], tail_only=True))
        signals.add_features(tx, [row for _, analysed in moved for row in analysed.features])
        exposures.put_minutes(tx, [row for _, analysed in moved for row in analysed.minutes])
        exposures.put_stretches(tx, [row for _, analysed in moved for row in analysed.stretches])
        for stream, analysed in moved:
            for chunk_id, reason in analysed.set_aside:
                recordings.put_aside(tx, chunk_id, reason, now)
                events.record(tx, now, "worker", "set aside", "chunk", str(chunk_id), stream["athlete_id"], reason)
        whose = athletes.among(tx, {stream["athlete_id"] for stream, _ in moved if begun[stream["id"]]})
        told = [
            (whose[stream["athlete_id"]], begun[stream["id"]], analysed.at_once)
            for stream, analysed in moved
            if begun[stream["id"]] and stream["athlete_id"] in whose
        ]
        due.mark_together(tx, told, now)

    def begin_again(self, stream_id: str) -> bool:
        """Have a recording analysed anew from its chunks, by this version and the athlete's profile; tell if so.

        Its state may have been written by another version or be damaged; its owner may want it. Raises NoSuch.
        """
        now = self._ground.now()
        values = {"last_seq": -1, "state": None, "settled_at": None, "first_index": None, "updated_at": now}

        def again() -> bool:
            with self._ground.store.begin() as tx:
                recordings.hold_ends(tx, [stream_id])
                stream = recordings.get_stream(tx, stream_id)
                if stream is None:
                    raise NoSuch(f"There is no recording {stream_id}.")
                if stream["signal_gone_at"] is not None:
                    return False  # what was seen in it is all that is left of it
                if not recordings.move_cursor(tx, stream_id, stream["last_seq"], stream["version"], values):
                    return False
                signals.drop_features(tx, stream_id, tail_only=False)
                begun_utc_s = exposures.drop_of_stream(tx, stream_id, tail_only=False)
                athlete = athletes.get(tx, stream["athlete_id"])
                if athlete is not None:
                    due.mark_times(tx, athlete, begun_utc_s, now)
                recordings.take_all_back(tx, stream_id)
                recordings.wake(tx, [stream_id])
                events.record(tx, now, "worker", "analysed anew", "stream", stream_id, stream["athlete_id"])
            return True

        return self._ground.store.repeat(again)

    def has_recordings(self, wearable_id: str) -> bool:
        """Tell whether anything of a wearable was ever stored."""
        with self._ground.store.read() as tx:
            return recordings.newest_chunk(tx, wearable_id) is not None

    def close_stale(self, now: datetime) -> int:
        """Settle recordings that got no chunk for a while; return how many."""
        with self._ground.store.read() as tx:
            stale = recordings.stale_streams(tx, now - SETTLED_AFTER)
        return sum(self._settle(stream_id, now) for stream_id in stale)

    def settle_if_stale(self, stream_id: str) -> bool:
        """Settle a recording that is analysed to its end and got no chunk for a while; tell whether it is now."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            stale = recordings.is_stale(tx, stream_id, now - SETTLED_AFTER)
        return stale and self._settle(stream_id, now)

    def _settle(self, stream_id: str, now: datetime) -> bool:
        with self._ground.store.read() as tx:
            stream = recordings.get_stream(tx, stream_id)
            last = recordings.chunks_after(tx, stream_id, stream["last_seq"] - 1, 1) if stream else []
            late = recordings.has_late(tx, stream_id)
            state = self.state_of(tx, stream) if stream is not None and last else None
        if late:
            # What a finding says follows from the chunks that are stored, in whichever order they came.
            return self.begin_again(stream_id) and False
        if stream is None or state is None:
            return False
        if stream["first_index"] is None:  # every chunk was set aside
            return self._save_settled(stream, None, {}, now)
        analysed = settled_tail(state, stream, last[0], stream["first_index"], now)
        return self._save_settled(stream, analysed, {"limits": limits_of(state.params)}, now)

    def _save_settled(self, stream: Row, analysed: Analysed | None, values: dict[str, Any], now: datetime) -> bool:
        """Save what the end of a recording came to; tell whether its cursor is still where it was."""

        def save() -> bool:
            with self._ground.store.begin_derived() as tx:
                recordings.hold_ends(tx, [stream["id"]])
                settled = {"settled_at": now, "updated_at": now, **values}
                if not recordings.move_cursor(tx, stream["id"], stream["last_seq"], stream["version"], settled):
                    return False
                recordings.rest(tx, stream["id"], stream["last_seq"])
                if analysed is not None:
                    self.save(tx, [(stream, analysed)], now)
            return True

        return self._ground.store.repeat(save)

    def window(self, by: Identity, finding_id: str, number: int | None = None) -> SignalWindow:
        """Return the inclination over a finding's windows, or one of them, with half a minute around, and what was
        counted in it. Raises NoSuch.

        number: of the window, from 0. Empty where what the finding rests on was entered.
        """
        with self._ground.store.read() as tx:
            finding = require_finding(tx, by, finding_id)
            stream_id, start, end = _window(finding, number)
            if stream_id is None:
                return SignalWindow(start, (), (), None)
            # What the evidence of a finding names that came with an export, a stranger may have written.
            stream = recordings.get_stream(tx, stream_id)
            if stream is None or stream["athlete_id"] != finding["athlete_id"]:
                return SignalWindow(start, (), (), None)
            first, last = start - _AROUND_S, end + _AROUND_S
            rows = signals.lines_of_stream(tx, stream_id, first - _CHUNK_S, last)
            reference = signals.reference_of_stream(tx, stream_id)
            moments = moments_of(signals.movements_of_stream(tx, stream_id, first - _CHUNK_S, last + _CHUNK_S))
        line = charts.line_of(rows, first, last, reference, _WINDOW_POINTS)
        return replace(line, marks_utc_s=tuple(each for each in moments if first <= each <= last))

    def day_line(self, athlete_id: str, day: date) -> SignalWindow:
        """Return the trunk inclination of a local day in at most 2,000 points, None in gaps. Raises NoSuch."""
        with self._ground.store.read() as tx:
            start, end = _day(tx, athlete_id, day)
            rows = charts.trunk_lines(tx, athlete_id, start - _CHUNK_S, end)
            reference = signals.newest_reference(tx, athlete_id, rows[0]["placement"]) if rows else None
        return charts.line_of(rows, start, end, reference)

    def totals(self, athlete_id: str, day: date) -> DayTotals:
        """Return the sums of the athlete's local day, or what is needed for them. Raises NoSuch.

        A chunk counts for the day in which it begins.
        """
        thresholds = self._thresholds_deg
        with self._ground.store.read() as tx:
            start, end = _day(tx, athlete_id, day)
            keys = tuple(charts.key_of(each) for each in thresholds)
            pieces = signals.pieces_between(tx, athlete_id, charts.TRUNK, start, end, keys)
        return charts.totals_of(charts.trunk_pieces(pieces), thresholds)


def _window(finding: Row, number: int | None) -> tuple[str | None, float, float]:
    """Return recording, begin and end of a finding's window, or of all of them. Raises NoSuch."""
    if number is None:
        return finding["stream_id"], finding["started_at"].timestamp(), finding["ended_at"].timestamp()
    windows = finding["because"].get("windows", ())
    if not 0 <= number < len(windows):
        raise NoSuch(f"Finding {finding['id']} has {len(windows)} windows, so none with number {number}.")
    start, end = (datetime.fromisoformat(windows[number][name]).timestamp() for name in ("start_utc", "end_utc"))
    return windows[number]["stream_id"], start, end


def _day(tx: Tx, athlete_id: str, day: date) -> tuple[float, float]:
    athlete = athletes.get(tx, athlete_id)
    if athlete is None:
        raise NoSuch(f"There is no athlete {athlete_id}.")
    return bounds_of(athlete, day)
