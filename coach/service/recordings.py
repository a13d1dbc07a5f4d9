"""Recordings and how whole they are."""

from __future__ import annotations

from coach.analysis.integrity import integrity
from coach.analysis.summary import assess_quality
from coach.analysis.types import AnalysisParams
from coach.errors import NoSuch
from coach.service.analysed import load_state
from coach.service.ground import Ground
from coach.service.permission import require_recording
from coach.service.types import Identity, RecordingView
from coach.store import recordings
from coach.store.rows import Row


class Recordings:
    """Read recordings; each comes with its integrity, which the analysis keeps as it goes."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def for_athlete(self, athlete_id: str, limit: int = 20, after: str | None = None) -> tuple[RecordingView, ...]:
        """Return the athlete's recordings, newest first; those that follow on `after`, a stream's id. Raises NoSuch."""
        with self._ground.store.read() as tx:
            last = recordings.get_stream(tx, after) if after is not None else None
            if after is not None and (last is None or last["athlete_id"] != athlete_id):
                raise NoSuch(f"There is no recording {after} on the list any more: begin again without a cursor.")
            rows = recordings.streams_of_athlete(tx, athlete_id, limit, last)
        return tuple(self._view(row) for row in rows)

    def get(self, by: Identity, stream_id: str) -> RecordingView:
        """Return one recording. Raises NoSuch (also for an athlete that is not yours)."""
        with self._ground.store.read() as tx:
            row = require_recording(tx, by, stream_id)
        return self._view(row)

    def chunks(self, by: Identity, stream_id: str, seq: int, limit: int) -> tuple[list[bytes], int | None]:
        """Return encoded chunks from a number on, in order, and the number of the one that follows, None at the end.

        Raises NoSuch.
        """
        with self._ground.store.read() as tx:
            require_recording(tx, by, stream_id)
            rows = recordings.chunks_after(tx, stream_id, seq - 1, limit + 1)
        following = rows[limit]["seq"] if len(rows) > limit else None
        return [bytes(row["blob"]) for row in rows[:limit]], following

    def _view(self, row: Row) -> RecordingView:
        state = load_state(row, AnalysisParams) if row["state"] is not None else None
        calibrated_at = row["calibrated_at"]
        age_s = (row["created_at"] - calibrated_at).total_seconds() if calibrated_at is not None else None
        return RecordingView(
            stream_id=row["id"],
            recording_id=row["recording_id"],
            athlete_id=row["athlete_id"],
            wearable_id=row["wearable_id"],
            placement=row["placement"],
            begun_at=row["created_at"],
            last_received_at=row["last_received_at"],
            live=row["live"],
            integrity=integrity(state.integrity, calibration_age_s=age_s) if state is not None else None,
            quality=assess_quality(state) if state is not None else (),
            needs=_needs(row["state"] is not None, state is not None),
        )


def _needs(analysed: bool, readable: bool) -> str | None:
    if readable:
        return None
    if analysed:
        return "not known: another version of Backstop analysed it; its signal is kept"
    return "not enough data: needs the analysis of its first seconds"
