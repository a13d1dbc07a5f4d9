"""From chunks to findings exactly once, whatever happens in between; and back to a chart."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa

from coach.analysis.bouts import repetition_to_plain
from coach.analysis.stream import AnalysisState, analyse, finish, new_state
from coach.analysis.summary import current_findings
from coach.errors import NoSuch
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.lines import envelope, thick, thin
from coach.service.local_days import bounds_of
from coach.store import days, findings, recordings, signals, tables
from coach.store.engine import Store, Tx, migrate
from coach.store.rows import Row
from coach.worker import Worker
from devices.codec import decode_chunk, encode_chunk
from tests.coach.club import RATE_HZ, START, Club, FakeClock, bending_chunks, found_club
from tests.databases import open_store

# 14 minutes before now, as a replay would be.
BEGIN_S = START.timestamp() - 14 * 60
FINDING_COLUMNS = (
    "key", "kind", "statement", "grade", "state", "opened_at", "changed_at", "closed_at", "started_at", "ended_at",
    "coverage_share", "because",
)  # fmt: skip


def findings_of(club: Club) -> list[dict[str, object]]:
    with club.store.read() as tx:
        rows = findings.of_athlete(tx, club.athlete_id, 100)
    return [{name: row[name] for name in FINDING_COLUMNS} for row in rows]


def without_names(rows: list[dict[str, object]]) -> str:
    """Return findings as JSON without the ids that each database gives its recordings anew."""
    return re.sub(r'"stream_id": "[0-9a-f]{32}"', '"stream_id": "one"', json.dumps(rows, default=str, sort_keys=True))


def repetitions_of(club: Club) -> list[list[float]]:
    with club.store.read() as tx:
        columns = tables.feature.c
        rows = tx.execute(sa.select(columns.repetitions).order_by(columns.start_utc_s, columns.id)).scalars().all()
    return [each for row in rows for each in row]


def feature_count(club: Club) -> int:
    with club.store.read() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM feature").scalar_one())


def test_repeated_bending_is_found_with_its_evidence_in_utc(club: Club) -> None:
    club.services.log.append(bending_chunks(14, 6, BEGIN_S))
    Worker(club.services, LiveFeed()).drain()
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert (finding.kind, finding.state, finding.placement) == ("repeated_bending", "open", "chest")
    assert finding.started_at >= datetime.fromtimestamp(BEGIN_S, UTC)
    assert timedelta(minutes=10) <= finding.ended_at - finding.started_at <= timedelta(minutes=14)
    assert finding.because["window"]["start_utc"] == finding.started_at.isoformat()
    assert finding.because["threshold"]["rate_per_min"] == 4
    assert finding.because["values"]["rate_mean_per_min"] == pytest.approx(6, abs=0.5)
    assert club.services.findings.get(club.coach, finding.finding_id) == finding


def test_the_service_says_what_the_pure_analysis_says(club: Club) -> None:
    chunks = bending_chunks(14, 6, BEGIN_S, lost=(20, 40))
    club.services.log.append(chunks)
    Worker(club.services, LiveFeed()).drain()
    state = new_state("chest", club.services.athletes.analysis_params(club.athlete_id))
    repetitions = []
    for chunk in chunks:
        update = analyse(state, decode_chunk(encode_chunk(chunk)))
        state = update.state
        found = update.features.motion.repetitions
        repetitions += [repetition_to_plain(each) for each in found]
    assert repetitions_of(club) == repetitions
    (expected,) = current_findings(state)
    (found,) = findings_of(club)
    assert found["key"] == "repeated_bending-2026-11-24"
    assert found["because"]["values"]["bends"] <= expected.because["values"]["bends"]
    club.clock.forward(minutes=20)
    assert club.services.motion.close_stale(club.clock.now) == 1
    club.services.days.judge_due()
    closed = [change.finding for change in finish(state).changes][-1]
    (found,) = findings_of(club)
    # The day goes on: it is a day that found nothing which closes a finding.
    assert found["state"] == "open"
    assert found["because"]["values"]["bends"] == closed.because["values"]["bends"]
    assert found["because"]["values"]["rate_max_per_min"] == closed.because["values"]["rate_max_per_min"]
    assert found["coverage_share"] == closed.coverage_share
    assert club.services.motion.close_stale(club.clock.now) == 0


def test_any_grouping_of_chunks_gives_the_same_rows(club: Club, tmp_path: Path) -> None:
    chunks = bending_chunks(13, 6, BEGIN_S, lost=(7,))
    club.services.log.append(chunks)
    Worker(club.services, LiveFeed()).drain()
    with open_store(tmp_path / "other.db") as store:
        migrate(store)
        other = found_club(store, FakeClock())
        for first in range(0, len(chunks), 5):
            other.services.log.append(chunks[first : first + 5])
            for stream in other.services.motion.pending_streams():
                while other.services.motion.handle_pending(stream, limit=2).chunks:
                    pass
        assert repetitions_of(other) == repetitions_of(club)
        for each in (club, other):
            each.clock.forward(minutes=2)
            each.services.days.judge_due()
        assert without_names(findings_of(other)) == without_names(findings_of(club))


def test_a_worker_that_was_closed_drains_what_came_since(club: Club) -> None:
    worker = Worker(club.services, LiveFeed())
    worker.start()
    worker.close()
    chunks = bending_chunks(5, 2, BEGIN_S)
    club.services.log.append(chunks)
    assert worker.drain() == len(chunks)


def test_racing_workers_and_redelivery_have_no_double_effect(club: Club) -> None:
    chunks = bending_chunks(13, 6, BEGIN_S)
    others = [build_services(club.store, club.config, club.clock) for _ in range(3)]
    workers = [Worker(each, LiveFeed()) for each in (club.services, *others)]
    stop = threading.Event()

    def work(worker: Worker) -> None:
        while not stop.is_set() or worker.drain():
            worker.drain()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for first in range(0, len(chunks), 3):
        club.services.log.append(chunks[max(0, first - 4) : first + 3])  # some again
    stop.set()
    for thread in threads:
        thread.join()
    assert feature_count(club) == len(chunks)
    assert len(findings_of(club)) == 1
    assert club.services.motion.pending_streams() == ()


class Stopped(Exception):
    """A worker that dies at a chosen moment."""


def test_a_worker_that_dies_before_its_commit_leaves_nothing(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = bending_chunks(13, 6, BEGIN_S)
    club.services.log.append(chunks)
    (stream,) = club.services.motion.pending_streams()
    club.services.motion.handle_pending(stream, limit=100)
    before = (feature_count(club), findings_of(club))

    def die(*_: object, **__: object) -> None:
        raise Stopped

    # The last write of the transaction: everything before it must be undone with it.
    monkeypatch.setattr(days, "mark_all", die)
    with pytest.raises(Stopped):
        club.services.motion.handle_pending(stream, limit=100)
    assert (feature_count(club), findings_of(club)) == before
    monkeypatch.undo()
    Worker(club.services, LiveFeed()).drain()
    assert feature_count(club) == len(chunks)
    assert len(findings_of(club)) == 1


def test_a_poisoned_chunk_is_set_aside_and_the_stream_goes_on(club: Club) -> None:
    chunks = bending_chunks(1, 6, BEGIN_S)
    club.services.log.append(chunks)
    with club.store.begin() as tx:
        chunk = tables.chunk
        second = tx.execute(sa.select(chunk.c.blob).where(chunk.c.seq == 1)).scalar_one()
        for seq, blob in ((4, b"\xde\xad\xbe\xef"), (7, second)):
            tx.execute(sa.update(chunk).where(chunk.c.seq == seq).values(blob=blob))
    assert Worker(club.services, LiveFeed()).drain() == len(chunks)
    with club.store.read() as tx:
        aside = recordings.set_aside_rows(tx)
    assert [row["seq"] for row in aside] == [4, 7]
    assert "UnknownFormat" in aside[0]["reason"]
    assert "comes next" in aside[1]["reason"]
    assert feature_count(club) == len(chunks) - 2
    totals = club.services.motion.totals(club.athlete_id, START.date())
    assert totals.covered_s == pytest.approx(60 - 10, abs=6)  # what is not settled yet is at most one chunk


@pytest.mark.parametrize("start_utc_s", [-1e12, 1e300])
def test_a_time_that_no_calendar_has_does_not_stop_the_stream(club: Club, start_utc_s: float) -> None:
    chunks = bending_chunks(13, 6, START.timestamp() - 13 * 60)
    wrong = [replace(each, start_utc_s=start_utc_s) for each in chunks[100:105]]
    keys = club.services.log.append([*chunks[:100], *wrong, *chunks[105:]])
    assert set(keys) == {each.key for each in [*chunks[:100], *chunks[105:]]}
    worker = Worker(club.services, LiveFeed())
    worker.drain()
    # What was refused is a hole in the numbers, which is waited for and then passed over.
    club.clock.forward(minutes=2)
    worker.drain()
    assert club.services.motion.pending_streams() == ()
    assert feature_count(club) == len(chunks) - len(wrong)
    assert len(club.services.findings.for_athlete(club.athlete_id)) == 1


def test_a_state_that_cannot_be_read_makes_the_recording_analysed_anew(club: Club) -> None:
    chunks = bending_chunks(13, 6, BEGIN_S)
    club.services.log.append(chunks[:-1])
    worker = Worker(club.services, LiveFeed())
    worker.drain()
    with club.store.begin() as tx:
        tx.execute(sa.update(tables.stream_state).values(state=b"\x00\xff"))
    club.services.log.append(chunks[-1:])
    while club.services.motion.pending_streams():
        worker.drain()
    assert feature_count(club) == len(chunks)
    assert len(findings_of(club)) == 1


def test_a_chunk_after_the_end_undoes_the_settled_tail(club: Club) -> None:
    chunks = bending_chunks(13, 6, BEGIN_S)
    worker = Worker(club.services, LiveFeed())
    club.services.log.append(chunks[:100])
    worker.drain()
    settled = repetitions_of(club)
    club.clock.forward(minutes=30)
    assert club.services.motion.close_stale(club.clock.now) == 1
    assert len(repetitions_of(club)) >= len(settled)
    club.services.log.append(chunks[100:])
    worker.drain()
    assert feature_count(club) == len(chunks)


def test_a_recording_that_is_begun_again_while_it_is_settled_is_looked_at(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.services.log.append(bending_chunks(0.5, 6, BEGIN_S))
    with club.store.begin() as tx:
        tx.execute(sa.update(tables.chunk).values(blob=b"\xde\xad\xbe\xef"))
    Worker(club.services, LiveFeed()).drain()
    club.clock.forward(minutes=30)
    motion, state_of = club.services.motion, club.services.motion.state_of

    def meanwhile(tx: Tx, stream: Row) -> AnalysisState | None:
        monkeypatch.undo()
        assert motion.begin_again(stream["id"])
        return state_of(tx, stream)

    monkeypatch.setattr(motion, "state_of", meanwhile)
    assert motion.close_stale(club.clock.now) == 0
    assert len(motion.pending_streams()) == 1


def test_windows_lines_and_totals(club: Club) -> None:
    chunks = bending_chunks(14, 6, BEGIN_S, lost=(60,))
    club.services.log.append(chunks)
    Worker(club.services, LiveFeed()).drain()
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    window = club.services.motion.window(club.coach, finding.finding_id)
    values = np.array([np.nan if value is None else value for value in window.inclination_deg])
    assert window.t_utc_s == tuple(sorted(window.t_utc_s))
    assert np.nanmax(values) == pytest.approx(50, abs=2)
    assert np.isnan(values).any()  # the lost seconds stay a gap
    assert window.reference == "first_2_still_seconds"
    day = START.astimezone(ZoneInfo("Europe/Berlin")).date()
    line = club.services.motion.day_line(club.athlete_id, day)
    assert 0 < len(line.t_utc_s) == len(line.inclination_deg) <= 2000
    assert None in line.inclination_deg
    assert max(value for value in line.inclination_deg if value is not None) == pytest.approx(50, abs=2)
    totals = club.services.motion.totals(club.athlete_id, day)
    # 6 a minute after the first 10 s; the newest may not be settled.
    assert totals.bends == pytest.approx(6 * (14 - 1 / 6), abs=2)
    assert totals.bends_per_min == pytest.approx(6, abs=0.3)
    assert totals.coverage_share == pytest.approx(1 - 3 / (14 * 60), abs=0.002)
    # 25 (1 - cos) is above 20 deg while cos < 0.2, which is 0.5641 of a turn: arccos(0.2) / pi taken from one.
    assert totals.share_above_deg[20.0] == pytest.approx(0.5641 * (1 - 10 / 840), abs=0.01)
    assert club.services.motion.totals(club.athlete_id, day - timedelta(days=1)).needs == "a wearable worn today"
    with pytest.raises(NoSuch):
        club.services.motion.window(club.coach, "none")
    with pytest.raises(NoSuch):
        club.services.motion.day_line("nobody", day)


def test_a_finding_that_names_somebody_elses_recording_shows_nothing_of_it(club: Club) -> None:
    club.services.log.append(bending_chunks(14, 6, BEGIN_S))
    Worker(club.services, LiveFeed()).drain()
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert club.services.motion.window(club.coach, finding.finding_id, 0).t_utc_s
    other = club.services.athletes.create("Bo", "UTC")
    with club.store.begin() as tx:
        tx.execute(sa.update(tables.stream).values(athlete_id=other))
    assert club.services.motion.window(club.coach, finding.finding_id, 0).t_utc_s == ()


def test_two_trunk_wearables_at_once_do_not_count_twice(club: Club) -> None:
    second = "C0:FF:EE:00:00:02"
    club.services.wearables.add(club.athlete, club.athlete_id, second, "movella-dot", "Belt", "lower_back")
    club.services.log.append(bending_chunks(5, 6, BEGIN_S))
    club.services.log.append(bending_chunks(3, 6, BEGIN_S, device_id=second))
    Worker(club.services, LiveFeed()).drain()
    totals = club.services.motion.totals(club.athlete_id, START.date())
    assert totals.bends == pytest.approx(6 * 5 - 1, abs=1.5)
    assert totals.covered_s == pytest.approx(300, abs=6)


def test_two_recordings_of_one_place_at_once_do_not_count_twice(club: Club) -> None:
    second = "C0:FF:EE:00:00:02"
    club.services.wearables.add(club.athlete, club.athlete_id, second, "movella-dot", "Other strap", "chest")
    club.services.log.append(bending_chunks(6, 6, BEGIN_S))
    # Begun later, and not in step with the chunks of the first.
    club.services.log.append(bending_chunks(4, 6, BEGIN_S + 12.5, device_id=second))
    Worker(club.services, LiveFeed()).drain()
    totals = club.services.motion.totals(club.athlete_id, START.date())
    assert totals.bends == pytest.approx(6 * 6 - 1, abs=1.5)
    assert totals.covered_s == pytest.approx(360, abs=6)
    line = club.services.motion.day_line(club.athlete_id, START.date())
    assert np.diff(line.t_utc_s).min() == pytest.approx(1 / 5, abs=0.01)  # the points of one of them


def test_long_chunks_of_two_recordings_at_once_do_not_count_twice_either(club: Club) -> None:
    """A piece of five minutes may hold one chunk of each, which begin at two times and overlap for most of theirs."""
    second = "C0:FF:EE:00:00:02"
    club.services.wearables.add(club.athlete, club.athlete_id, second, "movella-dot", "Other strap", "chest")
    begin_s = (BEGIN_S // 300 + 1) * 300
    club.services.log.append(bending_chunks(5, 6, begin_s + 240, chunk_s=60.0))
    club.services.log.append(bending_chunks(5, 6, begin_s + 260, device_id=second, chunk_s=60.0))
    Worker(club.services, LiveFeed()).drain()
    totals = club.services.motion.totals(club.athlete_id, START.date())
    # The piece that the chunk of the first begins in is of the first, whole; so is the last minute of the next.
    assert totals.covered_s == pytest.approx(300, abs=6)
    assert totals.bends == pytest.approx(6 * 5 - 1, abs=1.5)


def test_two_recordings_of_one_place_one_after_the_other_are_added_up(club: Club) -> None:
    club.services.log.append(bending_chunks(3.5, 6, BEGIN_S, "first"))
    club.services.log.append(bending_chunks(5.5, 6, BEGIN_S + 215, "second"))
    Worker(club.services, LiveFeed()).drain()
    totals = club.services.motion.totals(club.athlete_id, START.date())
    assert totals.covered_s == pytest.approx(9 * 60, abs=12)
    assert totals.bends == pytest.approx(6 * 9 - 2, abs=3)


def test_the_lines_points_do_not_depend_on_the_cuts() -> None:
    values = np.random.default_rng(5).uniform(0, 90, 1000)
    whole = thin(values, 17, 60.0)
    parts = [thin(values[a:b], 17 + a, 60.0) for a, b in ((0, 13), (13, 14), (14, 500), (500, 1000))]
    joined = np.concatenate([thick(part.data) for part in parts])
    np.testing.assert_allclose(joined, thick(whole.data))
    np.testing.assert_allclose(thick(whole.data), values[(-17) % 12 :: 12], atol=0.006)


def test_the_envelope_keeps_every_peak_and_gap() -> None:
    t = np.arange(50_000) / 5.0
    values = np.zeros(50_000)
    values[12_345], values[30_000:31_000] = 77.0, np.nan
    at, thinned = envelope(t, values, 2000)
    assert len(at) <= 2000
    assert np.nanmax(thinned) == 77.0
    assert at[np.nanargmax(thinned)] == pytest.approx(12_345 / 5.0, abs=10)
    assert np.isnan(thinned[(at > 6010) & (at < 6190)]).all()


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_day_has_23_24_or_25_hours(day: date, hours: int) -> None:
    start, end = bounds_of({"time_zone": "Europe/Berlin", "past_zones": []}, day)
    assert (end - start) / 3600 == hours


def test_a_new_placement_and_calibration_hold_for_the_next_recording(club: Club, store: Store) -> None:
    first = bending_chunks(0.5, 6, BEGIN_S)
    club.services.log.append(first)
    club.services.wearables.set_placement(club.coach, club.wearable_id, "lower_back")
    club.services.wearables.calibrate(club.athlete, club.wearable_id, (0, 0, 2.0))
    club.services.log.append([replace(chunk, recording_id="next") for chunk in first])
    Worker(club.services, LiveFeed()).drain()
    with store.read() as tx:
        old = recordings.find_stream(tx, first[0].device_id, "rec")
        new = recordings.find_stream(tx, first[0].device_id, "next")
        assert old is not None
        assert new is not None
        assert signals.reference_of_stream(tx, new["id"]) == "calibration"
        rows = signals.lines_of_stream(tx, new["id"], 0.0, 1e12)
    assert (old["placement"], new["placement"]) == ("chest", "lower_back")
    assert rows[0]["line_rate_hz"] == RATE_HZ / 5
    # z was named as upright, so standing with x up is 90 degrees.
    assert thick(rows[0]["line"])[0] == pytest.approx(90, abs=2)
