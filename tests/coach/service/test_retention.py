"""What is older than its kind is kept goes, in small steps; what was seen in it stays and is not worked out anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from coach.config import Config
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.retention import WORDS
from coach.store.data_rules import RULES, Kept
from coach.store.every_table import metadata
from coach.store.retaining import tables_of
from coach.store.tables import chunk, stream
from coach.worker import Worker
from tests.coach.club import Club
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, WEDNESDAY, analysed, bent, bytes_of
from tests.coach.whole_athlete import count, fill

LONG = 401


@pytest.fixture
def worn(club: Club) -> Club:
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY))
    return club


def blob_sizes(club: Club) -> list[int]:
    with club.store.read() as tx:
        return [len(each) for each in tx.execute(select(chunk.c.blob).order_by(chunk.c.id)).scalars()]


def kept_for(club: Club, **days: int) -> Club:
    """Return the club with other days in [retention]."""
    nothing = dict.fromkeys(type(club.config.retention).model_fields, 0)
    config = Config(retention={**nothing, **days})  # type: ignore[arg-type]
    services = build_services(club.store, config, club.clock)
    return Club(club.store, services, club.clock, config, club.coach, club.athlete, club.athlete_id, club.wearable_id)


def test_raw_signal_goes_after_its_days_and_what_was_seen_in_it_stays(worn: Club) -> None:
    said, (finding,) = bytes_of(worn), worn.services.findings.for_athlete(worn.athlete_id)
    line = worn.services.motion.window(worn.athlete, finding.finding_id)
    retention = kept_for(worn, signal_days=400).services.retention
    assert retention.signal_gone_at(finding) is None
    assert retention.forget(worn.clock.forward(days=LONG - 2)) == 0
    assert min(blob_sizes(worn)) > 100
    now = worn.clock.forward(days=2)
    chunks = len(blob_sizes(worn))
    assert retention.forget(now) == chunks
    assert blob_sizes(worn) == [0] * chunks
    assert retention.signal_gone_at(finding) == now
    assert bytes_of(worn) == said
    assert worn.services.motion.window(worn.athlete, finding.finding_id) == line
    assert retention.forget(now) == 0


def test_a_recording_whose_signal_is_gone_is_not_analysed_anew(worn: Club) -> None:
    """That would replace what was seen in it by nothing."""
    now = worn.clock.forward(days=LONG)
    worn.services.rerun.run(worn.athlete_id)
    said = bytes_of(worn)
    worn.services.retention.forget(now)
    assert set(blob_sizes(worn)) == {0}
    (recording,) = worn.services.recordings.for_athlete(worn.athlete_id)
    assert not worn.services.motion.begin_again(recording.stream_id)
    worn.services.rerun.run(worn.athlete_id)
    assert bytes_of(worn) == said
    late = bent(MONDAY, 15)[len(blob_sizes(worn)) :]
    assert late
    worn.services.log.append(late[:1])
    Worker(worn.services, LiveFeed()).drain()
    assert bytes_of(worn) == said


def test_what_is_new_and_what_still_comes_stays(worn: Club) -> None:
    now = worn.clock.forward(days=LONG)
    start = now.timestamp() - 3600
    live = [type(each)(each.device_id, "live", each.seq, start + each.start_utc_s - bent(MONDAY)[0].start_utc_s,
                       each.start_index, each.rate_hz, each.acc_mps2, each.gyr_radps, each.gaps)
            for each in bent(MONDAY, 1)]  # fmt: skip
    worn.services.log.append(live)
    worn.services.retention.forget(now)
    sizes = blob_sizes(worn)
    assert sizes[: -len(live)] == [0] * (len(sizes) - len(live))
    assert min(sizes[-len(live) :]) > 100


def test_forgetting_goes_on_where_it_was_interrupted(worn: Club) -> None:
    """A power cut in the middle: half is empty, the newest chunk is not, and the next look finishes it."""
    now = worn.clock.forward(days=LONG)
    with worn.store.begin() as tx:
        tx.execute(stream.update().values(signal_gone_at=now))
        ids = list(tx.execute(select(chunk.c.id).order_by(chunk.c.seq)).scalars())
        tx.execute(chunk.update().where(chunk.c.id.in_(ids[:40])).values(blob=b""))
    assert worn.services.retention.forget(now) >= len(ids) - 40
    assert set(blob_sizes(worn)) == {0}


@pytest.mark.parametrize("kind", [kind for kind in WORDS if kind not in (Kept.SIGNAL, Kept.REMINDERS)])
def test_each_kind_goes_by_its_own_days_and_takes_nothing_else(club: Club, kind: Kept) -> None:
    assert fill(club.store, club.athlete_id, "MARKED") == []
    house = kept_for(club, **{f"{kind.value}_days": 30})
    before = {table.name: rows(club, table.name) for table in metadata.sorted_tables if RULES[table.name].path}
    assert house.services.retention.forget(club.clock.now + timedelta(days=29)) == 0
    assert house.services.retention.forget(club.clock.now + timedelta(days=32)) > 0
    after = {name: rows(club, name) for name in before}
    gone = {table.name for table in tables_of(kind)}
    assert gone
    assert {name for name in before if after[name] < before[name]} == gone
    assert {name for name in gone if after[name] > 0} <= NAMED_BY_OTHERS


# A row that another row needs stays with it.
NAMED_BY_OTHERS = {"edition"}


def rows(club: Club, name: str) -> int:
    with club.store.read() as tx:
        return count(tx, metadata.tables[name], club.athlete_id)


def test_by_default_nothing_but_signal_logs_and_sign_ins_goes_and_zero_is_for_ever(club: Club) -> None:
    retention = club.services.retention
    assert {each.kind: each.days for each in retention.told()} == {
        Kept.SIGNAL: 400,
        Kept.FEATURES: None,
        Kept.FINDINGS: None,
        Kept.DIARY: None,
        Kept.LOGS: 400,
        Kept.LEDGER: 1100,
        Kept.SIGN_IN: 90,
        Kept.REMINDERS: 180,
    }
    assert fill(club.store, club.athlete_id, "MARKED") == []
    house = kept_for(club)
    assert house.services.retention.forget(club.clock.now + timedelta(days=30_000)) == 0


def test_an_open_finding_is_kept_however_old(worn: Club) -> None:
    house = kept_for(worn, findings_days=30)
    (finding,) = worn.services.findings.for_athlete(worn.athlete_id)
    assert finding.state == "open"
    house.services.retention.forget(worn.clock.forward(days=LONG))
    assert [each.finding_id for each in house.services.findings.for_athlete(worn.athlete_id)] == [finding.finding_id]
    assert house.services.findings.answers(worn.athlete, worn.athlete_id, WEDNESDAY) == ()
