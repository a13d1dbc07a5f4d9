"""Which athlete-days a run is made of: at night only what another version or other limits have made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from coach.config import Config, ReanalysisSection
from coach.errors import Conflict, NoSuch
from coach.reanalyser import Reanalyser
from coach.service import Services, build_services
from coach.service.reanalysis import night_until
from coach.service.reanalysis_types import RunState, Why
from coach.store.reanalysis import dates_not_by
from coach.store.reanalysis_tables import reanalysis, reanalysis_day
from coach.store.tables import feature, stream, stream_state
from coach.work_queue import TableQueue
from tests.coach.club import Club
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, TUESDAY, analysed, bent, judged, upright
from tests.coach.service.test_rerun import with_other_limits

# Friday, three at night on a machine that keeps UTC.
AT_NIGHT = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


@pytest.fixture
def worn(club: Club) -> Club:
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY, 12), upright(TUESDAY, 4))
    club.clock.now = AT_NIGHT
    return club


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def work_all(services: Services, club: Club) -> None:
    reanalyser = Reanalyser(services.reanalysis, TableQueue(club.store, club.clock))
    while reanalyser.work_once():
        pass


def counted(club: Club, table: object = reanalysis_day) -> int:
    with club.store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_night_without_anything_older_is_no_work(worn: Club) -> None:
    assert worn.services.reanalysis.nightly(AT_NIGHT) == 0
    assert worn.services.reanalysis.newest() is None


def test_what_other_limits_have_made_is_done_at_night_once(worn: Club, tmp_path: Path) -> None:
    services = with_other_limits(worn, tmp_path)
    assert services.reanalysis.nightly(LATER) == 0  # by day nothing begins
    assert services.reanalysis.nightly(AT_NIGHT) == 2
    assert services.reanalysis.nightly(AT_NIGHT) == 0
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.why, run.state, run.days, run.athletes, run.asked_by) == (Why.NIGHTLY, RunState.RUNNING, 2, 1, None)
    work_all(services, worn)
    assert services.findings.for_athlete(worn.athlete_id) == ()  # the new limits find nothing in that
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.recordings, run.failed) == (RunState.DONE, 2, 0)
    assert services.reanalysis.nightly(AT_NIGHT) == 0
    assert counted(worn, reanalysis) == 1
    (said,) = {each.edition for each in services.findings.answers(worn.coach, worn.athlete_id, MONDAY)}
    with worn.store.read() as tx:
        assert dates_not_by(tx, worn.athlete_id, said) == []


def test_one_older_recording_is_done_alone_with_the_days_after_it(worn: Club) -> None:
    with worn.store.begin() as tx:
        older = stream.c.recording_id == f"upright-{TUESDAY}"
        mine = stream_state.c.stream_id.in_(select(stream.c.id).where(older))
        tx.execute(update(stream_state).where(mine).values(algorithm_version="0"))
    assert worn.services.reanalysis.nightly(AT_NIGHT) == 1
    with worn.store.read() as tx:
        rows = list(tx.execute(select(reanalysis_day).order_by(reanalysis_day.c.part)).mappings())
    assert [(row["part"], row["local_date"], row["state"]) for row in rows] == [
        ("judging", TUESDAY, "held"),
        ("signal", TUESDAY, "waiting"),
    ]
    work_all(worn.services, worn)
    assert worn.services.reanalysis.nightly(AT_NIGHT) == 0


def test_recordings_of_before_limits_were_kept_are_looked_through_once(worn: Club, tmp_path: Path) -> None:
    with worn.store.begin() as tx:
        tx.execute(update(stream_state).values(limits=None))
    assert worn.services.reanalysis.nightly(AT_NIGHT) == 0
    with worn.store.read() as tx:
        assert None not in set(tx.execute(select(stream_state.c.limits)).scalars())
    with worn.store.begin() as tx:
        tx.execute(update(stream_state).values(limits=None))
    assert with_other_limits(worn, tmp_path).reanalysis.nightly(AT_NIGHT) == 2


def test_when_the_night_is_over_it_rests_and_goes_on_in_the_next(worn: Club, tmp_path: Path) -> None:
    services = with_other_limits(worn, tmp_path)
    services.reanalysis.nightly(AT_NIGHT)
    reanalyser = Reanalyser(services.reanalysis, TableQueue(worn.store, worn.clock))
    assert reanalyser.work_once()
    worn.clock.now = LATER
    assert not reanalyser.work_once()
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.rests, run.days_done) == (True, 1)
    worn.clock.now = AT_NIGHT + timedelta(days=1)
    assert services.reanalysis.nightly(worn.clock.now) == 0
    work_all(services, worn)
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.days_done, run.rests) == (RunState.DONE, 2, False)


def test_a_run_that_is_asked_for_ends_a_nightly_one_and_no_other(worn: Club, tmp_path: Path) -> None:
    services = with_other_limits(worn, tmp_path)
    services.reanalysis.nightly(AT_NIGHT)
    nightly = services.reanalysis.newest()
    asked = services.reanalysis.ask(None, worn.athlete_id, TUESDAY)
    assert nightly is not None
    assert services.reanalysis.view(nightly.run_id).state is RunState.STOPPED
    view = services.reanalysis.view(asked)
    assert (view.why, view.athlete_name, view.since, view.days) == (Why.ASKED, "Ada", TUESDAY, 2)
    with pytest.raises(Conflict):
        services.reanalysis.ask(None)
    with pytest.raises(NoSuch):
        services.reanalysis.ask(None, "nobody")
    assert services.reanalysis.nightly(AT_NIGHT) == 0


def test_where_the_raw_signal_is_gone_what_was_seen_in_it_stays(worn: Club, tmp_path: Path) -> None:
    with worn.store.begin() as tx:
        gone = stream.c.recording_id == f"bent-{MONDAY}"
        tx.execute(update(stream).where(gone).values(signal_gone_at=AT_NIGHT))
    before = counted(worn, feature)
    services = with_other_limits(worn, tmp_path)
    services.reanalysis.ask(None)
    work_all(services, worn)
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.recordings, run.gone) == (RunState.DONE, 2, 1)
    assert counted(worn, feature) == before
    # Not every night anew.
    assert services.reanalysis.nightly(AT_NIGHT) == 0


def test_history_waits_while_a_recording_is_behind(worn: Club) -> None:
    worn.services.reanalysis.ask(None)
    worn.services.log.append(bent(TUESDAY, 2)[:8])
    reanalyser = Reanalyser(worn.services.reanalysis, TableQueue(worn.store, worn.clock))
    assert not reanalyser.work_once()
    for each in worn.services.motion.pending_streams():
        worn.services.motion.handle_pending(each)
    assert reanalyser.work_once()
    elsewhere = Reanalyser(worn.services.reanalysis, TableQueue(worn.store, worn.clock), lambda: True)
    assert not elsewhere.work_once()


def test_a_profile_that_is_gone_fails_its_athlete_alone(worn: Club, tmp_path: Path) -> None:
    other = worn.services.athletes.create("Bo", "UTC", worn.coach.user_id)
    with worn.store.begin() as tx:
        tx.exec_driver_sql("UPDATE athlete SET profile = 'gone' WHERE name = 'Ada'")
    services = build_services(worn.store, Config(), worn.clock)
    services.reanalysis.ask(None)
    work_all(services, worn)
    run = services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.athletes, run.athletes_done, run.failed) == (RunState.DONE, 2, 2, 1)
    assert run.failed_days[0].athlete_id != other
    assert "gone" in run.failed_days[0].reason


@pytest.mark.parametrize(
    ("here", "hour", "hours", "until"),
    [
        ("2026-11-27T01:59", 2, 4, None),
        ("2026-11-27T02:00", 2, 4, "2026-11-27T06:00"),
        ("2026-11-27T06:00", 2, 4, None),
        ("2026-11-27T23:30", 22, 6, "2026-11-28T04:00"),
        ("2026-11-28T03:30", 22, 6, "2026-11-28T04:00"),
        ("2026-11-28T03:30", 0, 24, "2026-11-29T00:00"),
    ],
)
def test_the_night_is_by_this_machines_clock(here: str, hour: int, hours: float, until: str | None) -> None:
    def utc(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    settings = ReanalysisSection(hour=hour, hours=hours)
    assert night_until(settings, utc(here)) == (None if until is None else utc(until))
    assert night_until(ReanalysisSection(nightly=False, hour=0, hours=24), utc(here)) is None


def test_a_run_whose_last_athlete_was_erased_ends(worn: Club) -> None:
    worn.services.reanalysis.ask(None)
    with worn.store.begin() as tx:
        tx.exec_driver_sql("DELETE FROM reanalysis_day")
    assert worn.services.reanalysis.may_work() is None
    run = worn.services.reanalysis.newest()
    assert run is not None
    assert run.state is RunState.DONE


def test_everybody_is_planned_page_by_page_and_who_goes_meanwhile_is_left_out(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coach.service.reanalysis._ATHLETES_AT_ONCE", 2)
    monkeypatch.setattr("coach.service.spooled._IN_MEMORY", 1)
    services = club.services
    others = [services.athletes.create(name, "Europe/Berlin", club.coach.user_id) for name in ("Bea", "Cy", "Di")]
    runs, begin = services.reanalysis, services.reanalysis._begin

    def after_somebody_went(*args: Any) -> str | None:
        services.erasing.erase(None, others[0], "Bea")
        return begin(*args)

    monkeypatch.setattr(runs, "_begin", after_somebody_went)
    runs.ask(None)
    with club.store.read() as tx:
        planned = list(tx.execute(select(reanalysis_day.c.athlete_id)).scalars())
    assert sorted(planned) == sorted([club.athlete_id, *others[1:]])
    work_all(services, club)
    run = runs.newest()
    assert run is not None
    assert (run.state, run.athletes_done) == (RunState.DONE, 3)


def test_days_that_are_entered_alone_are_judged_by_a_run_too(worn: Club, tmp_path: Path) -> None:
    worn.services.diary.add_training(worn.athlete, worn.athlete_id, "Gym", 60, 5, "gym", MONDAY - timedelta(days=9))
    judged(worn)
    services = with_other_limits(worn, tmp_path)
    services.reanalysis.ask(None)
    work_all(services, worn)
    with worn.store.read() as tx:
        days = tx.execute(select(reanalysis_day.c.days).where(reanalysis_day.c.part == "judging")).scalar_one()
    assert days >= 3
