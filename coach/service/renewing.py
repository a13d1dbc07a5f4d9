"""Analyse a recording anew from its first chunk, beside what was seen in it, and put the new in its place at once.

The analysis runs outside of any transaction and in bounded memory: what it settles waits in a file. Whoever looks
meanwhile sees the old, whole; live chunks go on being analysed, and what came meanwhile is caught up with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coach.analysis.stream import AnalysisState
from coach.analysis.types import AnalysisParams
from coach.errors import Conflict, NoSuch
from coach.service.analysed import Analysed, analysed_chunks, begun_state, settled_tail
from coach.service.editions import limits_of
from coach.service.ground import Ground
from coach.service.motion import SETTLED_AFTER
from coach.service.profiles import analysis_params
from coach.service.spooled import Spooled
from coach.store import athletes, events, exposures, recordings, signals
from coach.store import reanalysis as rows
from coach.store.engine import Tx
from coach.store.rows import Row

# Chunks read at a time: two minutes of the usual ones. Own choice, as of the worker.
_AT_ONCE = 24
# Times that it is caught up with who appends and who analyses, before it is left for later. Own choice: each time takes
# a fraction of the one before.
_CATCH_UPS = 20
# Times that it is begun again because a chunk came whose number was passed. Own choice: it is rare even once.
_PASSES = 3
# Chunks that count as one transaction of the worker for the database. Own choice.
_USUAL = 24


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a recording. gone: its raw signal was forgotten, so that what was seen in it stays."""

    chunks: int = 0
    gone: bool = False


# Rows of some chunks that the analysis has settled: features, minutes, stretches, what is set aside.
_Batch = tuple[list[Any], list[Any], list[Any], list[tuple[int, str]]]
_Settled = Spooled[_Batch]


@dataclass(slots=True)
class _Pass:
    """How far the new analysis is. chunks: analysed, set aside or not. stream: its row, as it was read last."""

    stream: Row
    state: AnalysisState
    last_seq: int = -1
    first_index: int | None = None
    chunks: int = 0

    def take(self, analysed: Analysed) -> None:
        """Go on from what some chunks came to."""
        self.state, self.last_seq, self.first_index = analysed.state, analysed.last_seq, analysed.first_index
        self.chunks += analysed.chunks


class Renewing:
    """Renew recordings. Any number of processes may, and one that dies leaves everything as it was."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def renew(self, stream_id: str, between: Callable[[], None] = lambda: None) -> Renewed:
        """Analyse a recording anew, by this version and the athlete's profile, and save it in place of what was there.

        between: called every two minutes of signal; it may wait, or raise to give up, which changes nothing. A
        recording that has come to its end is settled. Raises NoSuch, Conflict: somebody was always first, try again.
        """
        for _ in range(_PASSES):
            with Spooled[_Batch]() as settled:
                found = self._passed(stream_id, settled, between)
            if found is not None:
                return found
        raise Conflict(f"Recording {stream_id} changed all the while: it is analysed anew later.")

    def _passed(self, stream_id: str, settled: _Settled, between: Callable[[], None]) -> Renewed | None:
        """Return what came of one pass from the first chunk on, None when a chunk came before where it was."""
        with self._ground.store.read() as tx:
            stream = _stream(tx, stream_id)
            params = self._params_of(tx, stream["athlete_id"])
        if stream["signal_gone_at"] is not None:
            return Renewed(gone=True)
        at = _Pass(stream, begun_state(stream, params))
        for _ in range(_CATCH_UPS):
            self._go_on(at, settled, between)
            with self._ground.store.read() as tx:
                at.stream = _stream(tx, stream_id)
            if at.stream["signal_gone_at"] is not None:
                return Renewed(gone=True)
            if at.stream["last_seq"] > at.last_seq:
                continue  # the worker has passed a hole, or what came just now
            saved = self._save(at, settled)
            if saved is not None:
                return Renewed(at.chunks) if saved else None
        raise Conflict(f"Recording {stream_id} changed all the while: it is analysed anew later.")

    def _go_on(self, at: _Pass, settled: _Settled, between: Callable[[], None]) -> None:
        """Analyse up to the end of what is stored, or to a hole that is still waited for."""
        while True:
            with self._ground.store.read() as tx:
                chunks = recordings.chunks_after(tx, at.stream["id"], at.last_seq, _AT_ONCE)
            whence = {**at.stream, "last_seq": at.last_seq, "first_index": at.first_index}
            analysed = analysed_chunks(at.state, whence, chunks, self._ground.now())
            if analysed.last_seq == at.last_seq:
                return
            at.take(analysed)
            settled.add((analysed.features, analysed.minutes, analysed.stretches, analysed.set_aside))
            between()

    def _save(self, at: _Pass, settled: _Settled) -> bool | None:
        """Put the new in place of the old. Tell whether every chunk was looked at; None when the cursor has moved."""
        now, stream = self._ground.now(), at.stream
        last_received_at: datetime = stream["last_received_at"]
        over = at.last_seq >= stream["max_seq"] and last_received_at < now - SETTLED_AFTER
        values = Analysed(at.state, at.last_seq, at.first_index).cursor_values(now)
        values |= {"settled_at": now if over else None, "limits": limits_of(at.state.params) if over else None}
        tail = self._tail(at, now) if over and at.first_index is not None else None

        def save() -> bool:
            with self._ground.store.begin_derived(parts=max(1, at.chunks // _USUAL)) as tx:
                recordings.hold_ends(tx, [stream["id"]])
                if not recordings.move_cursor(tx, stream["id"], stream["last_seq"], stream["version"], values):
                    return False
                # Whoever appends a number that was passed marks it; a mark that comes after this stays.
                recordings.take_all_back(tx, stream["id"])
                if rows.chunks_until(tx, stream["id"], at.last_seq) != at.chunks:
                    raise _CameLate
                self._replace(tx, at, settled, tail, now)
                if over:
                    recordings.rest(tx, stream["id"], at.last_seq)
                events.record(tx, now, "worker", "analysed anew", "stream", stream["id"], stream["athlete_id"])
            return True

        try:
            return self._ground.store.repeat(save) or None
        except _CameLate:
            return False

    def _tail(self, at: _Pass, now: datetime) -> Analysed | None:
        with self._ground.store.read() as tx:
            last = recordings.chunks_after(tx, at.stream["id"], at.last_seq - 1, 1)
        return settled_tail(at.state, at.stream, last[0], at.first_index or 0, now) if last else None

    def _replace(self, tx: Tx, at: _Pass, settled: _Settled, tail: Analysed | None, now: datetime) -> None:
        stream_id = at.stream["id"]
        signals.drop_features(tx, stream_id, tail_only=False)
        exposures.drop_of_stream(tx, stream_id, tail_only=False)
        last = [(tail.features, tail.minutes, tail.stretches, tail.set_aside)] if tail is not None else []
        for batches in (settled, last):
            for features, minutes, stretches, set_aside in batches:
                signals.add_features(tx, features)
                exposures.put_minutes(tx, minutes)
                exposures.put_stretches(tx, stretches)
                for chunk_id, reason in set_aside:
                    recordings.put_aside(tx, chunk_id, reason, now)

    def _params_of(self, tx: Tx, athlete_id: str) -> AnalysisParams:
        athlete = athletes.get(tx, athlete_id)
        if athlete is None:
            raise NoSuch(f"There is no athlete {athlete_id}.")
        return analysis_params(self._ground.config, self._ground.profiles.of_athlete(athlete))


class _CameLate(Exception):
    """A chunk came whose number the pass had passed."""


def _stream(tx: Tx, stream_id: str) -> Row:
    stream = recordings.get_stream(tx, stream_id)
    if stream is None:
        raise NoSuch(f"There is no recording {stream_id}.")
    return stream
