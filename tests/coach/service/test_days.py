"""Days are judged from what is stored, byte for byte the same whatever the way there; findings open, go on, close."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from coach.live import LiveFeed
from coach.service import build_services
from coach.service import days as service_days
from coach.service.canonical import canonical
from coach.service.types import AnswerView, SessionState
from coach.store import days, exposures, findings
from coach.store.engine import migrate
from coach.worker import Worker
from devices.types import Chunk
from tests.coach.club import ADDRESS, RATE_HZ, START, Club, FakeClock, bending_chunks, found_club
from tests.coach.service.test_plans import accepted
from tests.databases import open_store

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)
THURSDAY_NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def at(day: date, hour: int) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()


def bent(day: date, minutes: float = 14) -> list[Chunk]:
    return bending_chunks(minutes, 6, at(day, 9), recording_id=f"bent-{day}")


def upright(day: date, minutes: float = 66) -> list[Chunk]:
    """A trunk that sways by two degrees, in chunks of half a minute."""
    n, per = round(minutes * 60 * RATE_HZ), round(30 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    angle = np.radians(2.0 * np.sin(2 * np.pi * t_s / 4.0))
    acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(n), np.sin(angle)])
    gyr = np.column_stack([np.zeros(n), np.gradient(angle, t_s), np.zeros(n)])
    return [
        Chunk(
            ADDRESS, f"upright-{day}", seq, at(day, 9) + first / RATE_HZ, first, RATE_HZ,
            acc[first : first + per], gyr[first : first + per],
        )
        for seq, first in enumerate(range(0, n, per))
    ]  # fmt: skip


def analysed(club: Club, *recordings: list[Chunk]) -> None:
    """Have recordings analysed, settled and judged, as the roles would with time."""
    for chunks in recordings:
        assert len(club.services.log.append(chunks)) == len(chunks)
        Worker(club.services, LiveFeed()).drain()
    judged(club)


def judged(club: Club) -> None:
    """Let a quarter of an hour pass."""
    club.clock.forward(minutes=16)
    club.services.motion.close_stale(club.clock.now)
    club.clock.forward(minutes=2)
    club.services.days.judge_due()


def answer_of(club: Club, day: date, kind: str = "repeated_bending") -> tuple[str, str | None, bool]:
    (found,) = (each for each in club.services.findings.answers(club.coach, club.athlete_id, day) if each.kind == kind)
    return found.outcome, found.needs, found.day_over


def bytes_of(club: Club) -> str:
    """Return every byte that was found, but the ids that each database gives its recordings and people."""
    with club.store.read() as tx:
        rows = findings.of_athlete(tx, club.athlete_id, 100)
        said = [
            row
            for day in (MONDAY + timedelta(days=each) for each in range(5))
            for row in findings.answers_of_day(tx, club.athlete_id, day)
        ]
    dropped = {"id", "athlete_id", "stream_id", "created_at", "updated_at", "edition_created_at"}
    plain = [{name: each for name, each in row.items() if name not in dropped} for row in (*rows, *said)]
    text = canonical([{**row, "local_date": str(row.get("local_date"))} for row in plain])
    return re.sub(r'"stream_id":"[0-9a-f]{32}"', '"stream_id":""', text)


@contextmanager
def another_club(folder: Path, now: datetime = THURSDAY_NOON) -> Iterator[Club]:
    with open_store(folder / "other.db") as store:
        migrate(store)
        yield found_club(store, FakeClock(now))


def in_crumbs(club: Club) -> None:
    """Chunk by chunk, each time by services that know nothing of before, and with a tail that is settled too early."""
    for chunks in (bent(MONDAY), upright(TUESDAY)):
        for first in range(0, len(chunks), 40):
            club.services.log.append(chunks[first : first + 40])
            fresh = build_services(club.store, club.config, club.clock)
            for stream in fresh.motion.pending_streams():
                while fresh.motion.handle_pending(stream, limit=7).chunks:
                    fresh.days.judge_due()
            club.clock.forward(minutes=16)
            fresh.motion.close_stale(club.clock.now)


def days_out_of_order(club: Club) -> None:
    analysed(club, upright(TUESDAY))
    analysed(club, bent(MONDAY))


def chunks_that_come_late(club: Club) -> None:
    """A minute of the bending comes when the analysis has gone on without it."""
    chunks = bent(MONDAY)
    analysed(club, [*chunks[:60], *chunks[72:]], upright(TUESDAY))
    with club.store.read() as tx:
        assert "84" not in str([row["statement"] for row in findings.of_athlete(tx, club.athlete_id, 10)])
    club.services.log.append(chunks[60:72])
    judged(club)
    Worker(club.services, LiveFeed()).drain()


@pytest.mark.parametrize("way", [in_crumbs, days_out_of_order, chunks_that_come_late])
def test_what_is_found_follows_from_the_chunks_byte_for_byte(
    club: Club, tmp_path: Path, way: Callable[[Club], None]
) -> None:
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY), upright(TUESDAY))
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert (finding.state, finding.because["days"]) == ("closed", ["2026-11-23"])
    with another_club(tmp_path) as other:
        way(other)
        judged(other)
        judged(other)
        assert bytes_of(other) == bytes_of(club)
    # And once more from its own chunks.
    before, ids = bytes_of(club), finding.finding_id
    with club.store.read() as tx:
        streams = tx.exec_driver_sql("SELECT id FROM stream").scalars().all()
    for stream in streams:
        assert club.services.motion.begin_again(stream)
    Worker(club.services, LiveFeed()).drain()
    judged(club)
    assert bytes_of(club) == before
    assert [each.finding_id for each in club.services.findings.for_athlete(club.athlete_id)] == [ids]


def test_a_finding_opens_at_once_goes_on_and_is_closed_by_a_day_that_found_nothing(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 9) + 14 * 60, UTC)
    club.services.log.append(bent(MONDAY))
    Worker(club.services, LiveFeed()).drain()
    (opened,) = club.services.findings.for_athlete(club.athlete_id)
    assert opened.state == "open"
    assert opened.started_at == opened.opened_at
    assert answer_of(club, MONDAY) == ("found", None, False)
    club.clock.now = datetime.fromtimestamp(at(TUESDAY, 12), UTC)
    analysed(club, bent(TUESDAY))
    (going_on,) = club.services.findings.for_athlete(club.athlete_id)
    assert (going_on.finding_id, going_on.because["days"]) == (opened.finding_id, ["2026-11-23", "2026-11-24"])
    assert going_on.opened_at == opened.opened_at < going_on.started_at <= going_on.changed_at
    club.clock.now = datetime.fromtimestamp(at(WEDNESDAY, 12), UTC)
    analysed(club, upright(WEDNESDAY))
    assert answer_of(club, WEDNESDAY)[0] == "none"
    assert club.services.findings.get(club.coach, opened.finding_id).state == "open"  # the day is not over
    club.clock.now = datetime.fromtimestamp(at(WEDNESDAY, 23) + 60, UTC)  # midnight in Berlin has passed
    club.services.days.judge_due()
    closed = club.services.findings.get(club.coach, opened.finding_id)
    assert (closed.state, closed.because["closed_because"]) == ("closed", "looked for and not found")
    assert closed.closed_at is not None
    assert closed.closed_at.timestamp() == pytest.approx(at(WEDNESDAY, 10) + 6 * 60, abs=60)
    with club.store.read() as tx:
        said = tx.exec_driver_sql("SELECT action FROM event WHERE subject = 'finding' ORDER BY id").scalars().all()
    assert said == ["opened", "closed"]


def test_a_day_without_data_says_what_it_needs_and_somebody_who_never_wore_anything_gets_no_answers(club: Club) -> None:
    nobody = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    analysed(club, bent(MONDAY))
    club.clock.now = datetime.fromtimestamp(at(WEDNESDAY, 12), UTC)
    club.services.days.judge_due()
    outcome, needs, over = answer_of(club, TUESDAY)
    assert (outcome, over) == ("not_enough", True)
    assert needs == "a trunk sensor (chest, upper back or lower back)"
    assert club.services.findings.answers(club.coach, club.athlete_id, WEDNESDAY) == ()
    assert club.services.findings.answers(club.coach, nobody, TUESDAY) == ()
    # After four weeks without anything nothing more is said, and the finding was given up long before.
    club.clock.forward(days=60)
    club.services.days.judge_due()
    with club.store.read() as tx:
        judged_days = days.judged_dates(tx, club.athlete_id, date.min)
        assert days.due(tx, club.clock.now + timedelta(days=400), 10) == []
    assert judged_days == [MONDAY + timedelta(days=each) for each in range(len(judged_days))]
    assert 28 <= len(judged_days) <= 29
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert (finding.state, finding.because["closed_because"]) == ("closed", "not seen for 7 days")


def test_a_baseline_is_learned_day_by_day_and_an_older_day_makes_it_anew(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 23) + 7200, UTC)
    analysed(club, upright(MONDAY, 62))
    first = MONDAY - timedelta(days=16)
    worn_like_monday(club, [first + timedelta(days=each) for each in range(1, 15)])
    learning = [day_answer(club, first + timedelta(days=each)).because["learning_day"] for each in range(1, 15)]
    assert learning == list(range(1, 15))
    last = first + timedelta(days=14)
    assert day_answer(club, last).because["baseline"] is None
    worn_like_monday(club, [first])
    assert day_answer(club, last).because["baseline"]["days"] == 14
    assert day_answer(club, MONDAY).because["baseline"]["days"] == 15


def worn_like_monday(club: Club, on: list[date]) -> None:
    """Store the minutes of Monday's recording for other days too, and have those judged."""
    with club.store.begin() as tx:
        rows = list(exposures.minutes_between(tx, club.athlete_id, at(MONDAY, 0), at(TUESDAY, 0)))
        for day in on:
            shift = day.toordinal() - MONDAY.toordinal()
            moved = [
                {
                    **row,
                    "number": row["number"] + 10_000 * shift,
                    "start_utc_s": row["start_utc_s"] + 86400 * shift,
                }
                for row in rows
            ]
            exposures.put_minutes(tx, moved)
            days.mark(tx, club.athlete_id, day, club.clock.now)
    club.services.days.judge_due()


def day_answer(club: Club, day: date) -> AnswerView:
    answers = club.services.findings.answers(club.coach, club.athlete_id, day)
    (found,) = (each for each in answers if each.kind == "repeated_bending")
    return found


def test_the_days_of_many_athletes_are_judged_some_at_a_time(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    for number in range(40):
        athlete_id = club.services.athletes.create(f"Ada {number}", "UTC", club.coach.user_id)
        with club.store.begin() as tx:
            days.mark(tx, athlete_id, MONDAY, club.clock.now)
    assert len(club.services.days.judge_due(limit=15)) == 15
    Worker(club.services, LiveFeed()).drain()
    assert club.services.days.judge_due() == ()


def test_a_mark_that_comes_while_a_day_is_judged_is_not_lost(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    club.services.log.append(bent(MONDAY))
    worker = Worker(club.services, LiveFeed())
    monkeypatch.setattr(days, "put_off", marked_meanwhile(club, days.put_off))
    worker.drain()
    assert club.services.findings.for_athlete(club.athlete_id) == ()
    monkeypatch.undo()
    club.services.days.judge_due()
    assert len(club.services.findings.for_athlete(club.athlete_id)) == 1


def marked_meanwhile(club: Club, put_off: Callable[..., bool]) -> Callable[..., bool]:
    """Return the same, with a mark by somebody else between reading and saving."""

    def marked(tx: object, claimed: dict[str, object], until: datetime | None) -> bool:
        days.mark(tx, club.athlete_id, MONDAY, club.clock.now)  # type: ignore[arg-type]
        return put_off(tx, claimed, until)

    return marked


def test_a_day_waits_until_its_recordings_are_analysed(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    chunks = bent(MONDAY)
    club.services.log.append(chunks)
    (stream,) = club.services.motion.pending_streams()
    club.services.motion.handle_pending(stream, limit=len(chunks) - 30)
    club.clock.forward(minutes=2)
    assert club.services.days.judge_due() == ()
    club.services.motion.handle_pending(stream, limit=10)
    (done,) = club.services.days.judge_due()
    assert done.local_date == MONDAY


def test_one_days_trouble_does_not_stop_the_others(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    club.clock.now = datetime.fromtimestamp(at(TUESDAY, 12), UTC)
    for chunks in (bent(MONDAY), bent(TUESDAY)):
        club.services.log.append(chunks)
    whole = service_days.judge_day

    def disturbed(profile: object, day: object, history: object) -> object:
        if day.ordinal == MONDAY.toordinal():  # type: ignore[attr-defined]
            raise ArithmeticError("a defect")
        return whole(profile, day, history)  # type: ignore[arg-type]

    monkeypatch.setattr(service_days, "judge_day", disturbed)
    Worker(club.services, LiveFeed()).drain()
    assert len(club.services.findings.for_athlete(club.athlete_id)) == 1
    monkeypatch.undo()
    club.clock.forward(minutes=6)
    club.services.days.judge_due()
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert finding.because["days"] == ["2026-11-23", "2026-11-24"]


def test_sessions_are_the_load_of_their_day(club: Club) -> None:
    accepted(club)
    first = club.services.plans.week(club.athlete_id, START.date())[0]
    club.clock.now = first.due_at
    club.services.plans.release_due(club.clock.now)
    club.services.plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 6, 2)
    club.clock.forward(minutes=2)
    club.services.days.judge_due()
    with club.store.read() as tx:
        edition = tx.exec_driver_sql("SELECT DISTINCT edition FROM answer").scalar_one()
        rows = days.values_between(tx, club.athlete_id, edition, first.local_date, first.local_date + timedelta(days=1))
    assert [row["values"]["load"] for row in rows] == [6 * first.duration_min]


def test_minutes_and_stretches_of_a_tail_go_when_a_chunk_comes_after_it(club: Club) -> None:
    chunks = bent(MONDAY)
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    analysed(club, chunks[:150])

    def minutes() -> list[tuple[float, float, bool]]:
        with club.store.read() as tx:
            rows = list(exposures.minutes_between(tx, club.athlete_id, at(MONDAY, 0), at(TUESDAY, 0)))
        return [(row["start_utc_s"], row["expected_s"], row["tail"]) for row in rows]

    settled = minutes()
    assert sum(expected for _, expected, _ in settled) == pytest.approx(150 * 5, abs=0.5)
    assert settled[-1][2]
    club.services.log.append(chunks[150:152])
    Worker(club.services, LiveFeed()).drain()
    assert not any(tail for *_, tail in minutes())
    assert len(minutes()) < len(settled)
    analysed(club, chunks[152:])
    whole = minutes()
    assert [start for start, _, _ in whole] == [at(MONDAY, 9) + 60 * each for each in range(14)]
    assert sum(expected for _, expected, _ in whole) == pytest.approx(14 * 60, abs=0.5)


def test_two_recordings_of_one_minute_are_both_counted(club: Club) -> None:
    chunks = bent(MONDAY)
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    second = [
        replace(each, recording_id="after", seq=number, start_index=each.start_index - chunks[78].start_index)
        for number, each in enumerate(chunks[78:])
    ]
    analysed(club, chunks[:78], second)
    with club.store.read() as tx:
        rows = list(exposures.minutes_between(tx, club.athlete_id, at(MONDAY, 0), at(TUESDAY, 0)))
    assert len(rows) == 15
    assert sum(row["expected_s"] for row in rows) == pytest.approx(14 * 60, abs=1)
