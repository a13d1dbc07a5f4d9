"""A recording's integrity as the service tells it: from the chunks that were stored, for those who may see it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from coach.errors import NoSuch
from coach.service.types import Identity, Role
from devices.types import Reception
from tests.coach.club import RATE_HZ, START, Club, bending_chunks


def handled(club: Club, *lost: int, **reception: float) -> str:
    chunks = bending_chunks(1.0, 6.0, START.timestamp(), lost=lost)
    chunks[3] = replace(chunks[3], reception=Reception(**reception))  # type: ignore[arg-type]
    club.services.log.append(chunks)
    (stream_id,) = club.services.motion.pending_streams()
    club.services.motion.handle_pending(stream_id)
    return stream_id


def test_integrity_is_what_the_stored_chunks_say(club: Club) -> None:
    club.services.wearables.calibrate(club.athlete, club.wearable_id, (1.0, 0.0, 0.0))
    club.clock.forward(hours=2)
    stream_id = handled(club, 2, 7, duplicates=4, damaged=1, drift_ppm=31.0, acc_limit_mps2=156.9)
    told = club.services.recordings.get(club.coach, stream_id).integrity
    assert told is not None
    lost = 2 * round(3 * 5 * RATE_HZ / 5)
    assert (told.expected, told.lost, told.received) == (1500, lost, 1500 - lost)
    assert [gap.duration_s for gap in told.gaps] == [3.0, 3.0]
    assert (told.duplicates, told.damaged, told.drift_ppm, told.limits_known) == (4, 1, 31.0, True)
    assert told.calibration_age_s == 7200.0
    assert club.services.recordings.for_athlete(club.athlete_id)[0].integrity == told


def test_before_the_first_analysis_it_says_what_it_waits_for(club: Club) -> None:
    club.services.log.append(bending_chunks(0.2, 6.0, START.timestamp())[:1])
    (view,) = club.services.recordings.for_athlete(club.athlete_id)
    assert view.integrity is None
    assert view.needs is not None
    assert view.live


def test_what_another_version_analysed_is_not_called_too_little_data(club: Club) -> None:
    stream_id = handled(club)
    with club.store.begin() as tx:
        tx.execute(text("update stream_state set state = :state"), {"state": b"of another version"})
    told = club.services.recordings.get(club.coach, stream_id)
    assert told.integrity is None
    assert "another version" in (told.needs or "")


def test_a_stranger_sees_no_recording(club: Club) -> None:
    stream_id = handled(club)
    with pytest.raises(NoSuch):
        club.services.recordings.get(Identity("somebody", Role.COACH, "Lee", None), stream_id)
