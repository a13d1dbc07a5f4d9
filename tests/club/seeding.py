"""Makes the club: forty athletes with twelve weeks of signal, entries, findings, programs, tests and treatments.

What was worn and entered is written straight into the tables; what follows from it is worked out by the product:
detectors judge each day, findings are folded, programs proposed, accepted and placed. Today is lived through the whole
way, from chunks on, by a few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import default_rng

from coach.analysis.assessment_types import AssessmentTest
from coach.analysis.detectors.judge import day_values, judge_day
from coach.analysis.detectors.types import Day, DayValues, Kind, Outcome
from coach.clock import judge_days, plan_ahead
from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.canonical import plain
from coach.service.care_views import TreatmentKind
from coach.service.editions import Edition, edition_of, ensure_edition
from coach.service.entered import Entered as Told
from coach.service.evidence import because_of
from coach.service.folding import refold
from coach.service.profiles import Profiles, analysis_params
from coach.service.types import Identity, Purpose, Role
from coach.store import days, findings
from coach.store.engine import Store, Tx, migrate, open_store
from coach.store.every_table import metadata
from coach.store.rows import fresh_id
from coach.worker import Worker
from programs.types import Answer
from tests.club.desk import furnish, tell_of_the_body
from tests.club.lives import DAYS, Life, LivedDay, Story, days_of, entered_of, lives
from tests.coach.club import FakeClock, bending_chunks

PLACE, RATE_HZ, LINE_HZ, FEATURE_S = "chest", 25.0, 10.0, 10.0
# Who has a line to look at: the last worn days of the first few, the last one of everybody.
LINE_DAYS_FEW, LINE_DAYS = 4, 1
# The first so many live through today with a real signal, for so long.
TODAY_PEOPLE, TODAY_MIN = 2, 12.0
# Programs were begun so long ago.
SINCE = timedelta(days=30)
EVENING = time(20, 15)


@dataclass(frozen=True)
class Member:
    """An athlete of the club, and who they are when they sign in."""

    life: Life
    athlete_id: str
    identity: Identity
    wearable_id: str


@dataclass(frozen=True)
class Made:
    """The club: one coach, forty members."""

    store: Store
    services: Services
    config: Config
    clock: FakeClock
    coach: Identity
    members: tuple[Member, ...]

    def member(self, name: str) -> Member:
        """Return whose name begins so."""
        return next(each for each in self.members if each.life.name.startswith(name))


def make_club(folder: Path, now: datetime, count: int = 40) -> Made:
    """Write a new database into a folder, up to a moment, and return the club in it."""
    store = open_store(folder / "backstop.db")
    migrate(store)
    config = Config(storage={"directory": folder})  # type: ignore[arg-type]
    clock = FakeClock(now - timedelta(days=DAYS))
    services = build_services(store, config, clock)
    coach = _identity(services, services.accounts.create_user("Kim Coach", Role.COACH))
    members = tuple(_member(services, coach, life) for life in lives(count))
    made = Made(store, services, config, clock, coach, members)
    profiles = {each.id: each for each in Profiles(config).all()}
    editions = {name: edition_of(each, analysis_params(config, each)) for name, each in profiles.items()}
    for member in members:
        with store.begin_derived() as tx:
            _live(tx, made, member, editions[member.life.profile_id], now)
    _train(made, now)
    clock.now = now
    _tell(made, now)
    _today(made, now)
    furnish(made)
    # What a database learns of its own tables with time.
    with store.begin() as tx:
        tx.exec_driver_sql("ANALYZE")
    return made


def open_club(folder: Path, now: datetime) -> Made:
    """Open a club that lies in a folder already, with the clock standing at a moment."""
    store = open_store(folder / "backstop.db")
    config = Config(storage={"directory": folder})  # type: ignore[arg-type]
    clock = FakeClock(now)
    services = build_services(store, config, clock)
    users = {each.name: each for each in services.accounts.users()}
    coach = users["Kim Coach"]
    members = tuple(
        Member(life, str(who.athlete_id), who, services.wearables.for_athlete(str(who.athlete_id))[0].wearable_id)
        for life in lives(len(users) - 1)
        if (who := users[life.name]).athlete_id
    )
    return Made(store, services, config, clock, coach, members)


def _identity(services: Services, user_id: str) -> Identity:
    found = services.accounts.identity(user_id)
    assert found is not None
    return found


def _member(services: Services, coach: Identity, life: Life) -> Member:
    athlete_id = services.athletes.create(
        life.name, life.zone, coach.user_id, sport=life.sport, profile_id=life.profile_id, born_on=life.born_on
    )
    user = _identity(services, services.accounts.create_user(life.name, Role.ATHLETE, athlete_id=athlete_id))
    if life.number % 13 != 12:
        services.consents.agree(user, athlete_id, Purpose.PAIN_TEXT)
    address = f"C0:FF:EE:{life.number // 256:02X}:{life.number % 256:02X}:01"
    wearable_id = services.wearables.add(user, athlete_id, address, "movella-dot", "Chest strap", PLACE)
    return Member(life, athlete_id, user, wearable_id)


# Twelve weeks ------------------------------------------------------------


def _live(tx: Tx, made: Made, member: Member, edition: Edition, now: datetime) -> None:
    """Write an athlete's days, judge each, and fold what was found."""
    life, today = member.life, now.astimezone(ZoneInfo(member.life.zone)).date()
    streams: dict[date, str] = {}
    lived = list(days_of(life, today, streams))
    ensure_edition(tx, edition, now)
    _insert(tx, "stream", [_stream(member, on, stream_id) for on, stream_id in streams.items()])
    _insert(tx, "stream_state", [_state(on, stream_id) for on, stream_id in streams.items()])
    worn = [each for each in lived if each.trunk is not None]
    _insert(tx, "exposure", [row for each in worn for row in _minutes(member, each)])
    _insert(tx, "stretch", [row for each in worn for row in _stretch_rows(member, each)])
    shown = worn[-(LINE_DAYS_FEW if life.number < 3 else LINE_DAYS) :]
    _insert(tx, "feature", [row for each in shown for row in _features(member, each)])
    _insert(tx, "checkin", [row for each in lived for row in _checkins(member, each)])
    _insert(tx, "training", [row for each in lived for row in _trainings(member, each)])
    _judge(tx, member, edition, lived, now)


def _judge(tx: Tx, member: Member, edition: Edition, lived: list[LivedDay], now: datetime) -> None:
    history: list[DayValues] = []
    rows: list[dict[str, Any]] = []
    begun = next((at for at, each in enumerate(lived) if each.trunk is not None), 0)
    for each in lived[begun:]:
        place = PLACE if each.trunk is not None else None
        strokes = each.trunk if member.life.strokes else None
        day = Day(
            each.on.toordinal(), each.start_utc_s, each.end_utc_s, True, each.trunk, place, strokes=strokes,
            strokes_place=place if strokes is not None else None, bending=each.bending,
            entered=entered_of(member.life, each),
        )  # fmt: skip
        answers = judge_day(edition.profile, day, history)
        values = day_values(edition.profile, day, answers)
        history.append(values)
        days.put_values(tx, member.athlete_id, each.on, edition.id, plain(values))
        rows += [
            {
                "athlete_id": member.athlete_id,
                "local_date": each.on,
                "kind": answer.kind.value,
                "edition": edition.id,
                "day_over": True,
                "start_utc_s": min((window.start_utc_s for window in answer.windows), default=None),
                "end_utc_s": each.end_utc_s,
                "outcome": answer.outcome.value,
                "grade": answer.grade.value,
                "statement": answer.statement,
                "needs": answer.needs,
                "coverage_share": answer.coverage_share,
                "because": because_of(answer, edition, place),
            }
            for answer in answers
        ]
    findings.put_answers(tx, rows)
    found = {row["kind"] for row in rows if row["outcome"] == Outcome.FOUND.value}
    for kind in sorted(found):
        refold(tx, member.athlete_id, Kind(kind), edition.id, lived[begun].on, now)
    if found:
        metadata_athlete = metadata.tables["athlete"]
        tx.execute(
            metadata_athlete.update().where(metadata_athlete.c.id == member.athlete_id).values(replan_wanted=True)
        )


def _insert(tx: Tx, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert many rows by one prepared statement, values in the form that SQLite keeps them in."""
    listed = list(rows)
    if listed:
        columns = list(listed[0])
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        tx.exec_driver_sql(
            statement.replace(", values,", ', "values",'), [tuple(map(_kept, row.values())) for row in listed]
        )


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else value


def _stream(member: Member, on: date, stream_id: str) -> dict[str, Any]:
    at = datetime.combine(on, time(9), ZoneInfo(member.life.zone)).astimezone(UTC)
    return {
        "id": stream_id,
        "device_id": f"C0:FF:EE:{member.life.number // 256:02X}:{member.life.number % 256:02X}:01",
        "recording_id": f"day-{on}",
        "athlete_id": member.athlete_id,
        "wearable_id": member.wearable_id,
        "placement": PLACE,
        "rate_hz": RATE_HZ,
        "max_seq": member.life.worn_min * 6 - 1,
        "last_received_at": at + timedelta(minutes=member.life.worn_min),
        "live": False,
        "signal_gone_at": at + timedelta(days=1),
        "created_at": at,
    }


def _state(on: date, stream_id: str) -> dict[str, Any]:
    at = datetime.combine(on, time(23), UTC)
    return {
        "stream_id": stream_id,
        "last_seq": 0,
        "first_index": 0,
        "version": 1,
        "state": None,
        "algorithm_name": "strain",
        "algorithm_version": "club",
        "reference": "standing",
        "updated_at": at,
        "settled_at": at,
    }


def _minutes(member: Member, day: LivedDay) -> list[dict[str, Any]]:
    worn = day.trunk
    assert worn is not None
    counted = ("expected_s", "covered_s", "lying_s", "loose_s", "displaced_s", "bends", "turns_left", "turns_right")
    counted += ("dose", "strokes_left", "strokes_right", "strokes_unknown", "repetitions")
    columns = {name: getattr(worn, name).tolist() for name in counted}
    limits = list(worn.above_s)
    above = zip(*(worn.above_s[limit].tolist() for limit in limits), strict=True)
    # Written by hand: there are a quarter of a million of them.
    told = [
        "{" + ", ".join(f'"{limit}": {value}' for limit, value in zip(limits, each, strict=True)) + "}"
        for each in above
    ]
    return [
        {
            "stream_id": worn.stream_id[0],
            "number": at,
            "athlete_id": member.athlete_id,
            "placement": PLACE,
            "start_utc_s": start,
            "above_s": told[at],
            "tail": False,
            **{name: values[at] for name, values in columns.items()},
        }
        for at, start in enumerate(worn.start_utc_s.tolist())
    ]


def _stretch_rows(member: Member, day: LivedDay) -> list[dict[str, Any]]:
    return [
        {
            "stream_id": each.stream_id,
            "key": f"bending-{at}",
            "athlete_id": member.athlete_id,
            "kind": "bending",
            "start_utc_s": each.start_utc_s,
            "end_utc_s": each.end_utc_s,
            "values": asdict(each),
            "tail": False,
        }
        for at, each in enumerate(day.bending)
    ]


def _features(member: Member, day: LivedDay) -> list[dict[str, Any]]:
    """Return what ten seconds each hold: the line of the trunk with the minute's bends in it."""
    worn, rng = day.trunk, default_rng(member.life.seed + day.on.toordinal())
    assert worn is not None
    per, points, start = 60 // int(FEATURE_S), round(FEATURE_S * LINE_HZ), float(worn.start_utc_s[0])
    samples = round(FEATURE_S * RATE_HZ)
    place = np.arange(len(worn.bends) * per)
    minute = place // per
    bends = worn.bends[minute] // per + (place % per < worn.bends[minute] % per)
    lost = worn.covered_s[minute] < 60 * (place % per + 1) / per
    often = np.maximum(1, bends)[:, None]
    waves = 1 - np.cos(2 * np.pi * often * np.linspace(0, 1, points, endpoint=False))
    line = 6 + 2 * rng.standard_normal((len(place), 1)) + 22 * (bends > 0)[:, None] * waves
    coded = np.where(lost[:, None], -32768, np.clip(np.round(line * 100), -9000, 15000)).astype("<i2")
    analysed = datetime.fromtimestamp(start + 60 * len(worn.bends), UTC)
    return [
        {
            "chunk_id": None,
            "stream_id": worn.stream_id[0],
            "athlete_id": member.athlete_id,
            "placement": PLACE,
            "start_utc_s": start + FEATURE_S * at,
            "start_index": at * samples,
            "rate_hz": RATE_HZ,
            "expected": samples,
            "covered": 0 if lost[at] else samples,
            "bends": 0 if lost[at] else int(bends[at]),
            "repetitions": [],
            "above": {
                str(limit): round(float(values[minute[at]]) / per * RATE_HZ) for limit, values in worn.above_s.items()
            },
            "line_start_utc_s": start + FEATURE_S * at,
            "line_rate_hz": LINE_HZ,
            "line": coded[at].tobytes(),
            "analysed_at": analysed,
        }
        for at in place.tolist()
    ]


def _checkins(member: Member, day: LivedDay) -> list[dict[str, Any]]:
    if day.pain_at_rest is None:
        return []
    at = datetime.combine(day.on, EVENING, ZoneInfo(member.life.zone)).astimezone(UTC)
    return [
        {
            "id": fresh_id(),
            "athlete_id": member.athlete_id,
            "key": f"evening-{day.on}",
            "at": at,
            "local_date": day.on,
            "morning": False,
            "pain_at_rest": day.pain_at_rest,
            "pain_in_motion": day.pain_in_motion,
            "soreness": day.effort // 2,
            "readiness": 10 - day.effort,
            "sleep_h": 7.0 + day.effort / 10,
            "sites": ["lower_back"] if day.pain_at_rest else [],
            "pain_by_site": {},
            "symptoms": [],
            "note": None,
            "entered_by": member.identity.user_id,
        }
    ]


def _trainings(member: Member, day: LivedDay) -> list[dict[str, Any]]:
    if day.training_min is None:
        return []
    return [
        {
            "id": fresh_id(),
            "athlete_id": member.athlete_id,
            "key": f"training-{day.on}",
            "at": datetime.combine(day.on, time(18), ZoneInfo(member.life.zone)).astimezone(UTC),
            "local_date": day.on,
            "what": member.life.sport,
            "duration_min": day.training_min,
            "effort": day.effort,
            "pitches": None,
            "entered_by": member.identity.user_id,
        }
    ]


# Programs ------------------------------------------------------------------

_TRAINS = {Story.TRAINING, Story.IN_PAIN, Story.AWAY, Story.BEGINNER, Story.LOCKED}


def _say_no(made: Made, member: Member, **other: Answer) -> None:
    asked = {question.id: Answer.NO for question in made.services.triage.questions()} | other
    made.services.triage.answer(member.identity, member.athlete_id, asked, 34)


def _train(made: Made, now: datetime) -> None:
    """Accept programs a month ago, and do or leave out what they placed."""
    services, feed, clock = made.services, LiveFeed(1), made.clock
    clock.now = now - SINCE
    # Mara has both: a program that runs, and something new.
    running = [each for each in made.members if each.life.story in _TRAINS or each.life.number == 0]
    for member in running:
        _say_no(made, member)
        proposal = services.plans.replan(member.athlete_id)
        if proposal is not None:
            services.plans.accept(proposal.plan_id, made.coach)
    while clock.now < now:
        plan_ahead(services, feed, clock.now)
        clock.now += timedelta(days=6)
    clock.now = now
    plan_ahead(services, feed, now)
    feed.close()
    with made.store.begin() as tx:
        for member in running:
            _do_sessions(tx, member, now)


def _do_sessions(tx: Tx, member: Member, now: datetime) -> None:
    sessions, rng = metadata.tables["planned_session"], default_rng(member.life.seed)
    mine = (sessions.c.athlete_id == member.athlete_id, sessions.c.state == "planned", sessions.c.due_at < now)
    past = list(tx.execute(sessions.select().where(*mine).order_by(sessions.c.due_at)).mappings())
    if member.life.number == 0:
        # Mara's newest one is to be done now.
        values = {"state": "due", "released_at": now, "due_at": now, "local_date": now.date(), "updated_at": now}
        tx.execute(sessions.update().where(sessions.c.id == past.pop()["id"]).values(**values))
    for row in past:
        missed = member.life.story is Story.AWAY and row["due_at"] > now - timedelta(days=7)
        done = not missed and rng.random() < 0.8
        state = "done" if done else "skipped"
        values = {"state": state, "released_at": row["due_at"], "updated_at": row["due_at"]}
        tx.execute(sessions.update().where(sessions.c.id == row["id"]).values(**values))
        pain = int(rng.integers(0, 3))
        outcome = (
            {"effort": int(rng.integers(3, 7)), "pain_during": pain, "pain_after": max(0, pain - 1)} if done else {}
        )
        reason = None if done else str(rng.choice(["a long day", "no time", "travelling"]))
        tx.execute(
            metadata.tables["session_outcome"]
            .insert()
            .values(
                session_id=row["id"], outcome=state, reason=reason, recorded_by=member.identity.user_id,
                recorded_at=row["due_at"] + timedelta(minutes=40), **outcome,
            )
        )  # fmt: skip


# The last days, and what people told ------------------------------------------

_FIRST_SIX = (
    (AssessmentTest.EXTENSOR, 96.0),
    (AssessmentTest.FLEXOR, 88.0),
    (AssessmentTest.SIDE_BRIDGE_LEFT, 58.0),
    (AssessmentTest.SIDE_BRIDGE_RIGHT, 66.0),
)


def _tell(made: Made, now: datetime) -> None:
    """Answer the safety questions, do the tests three times, try treatments; new findings become proposals."""
    services, clock = made.services, made.clock
    for weeks in (10, 6, 2):
        clock.now = now - timedelta(weeks=weeks, days=1)
        for member in made.members:
            if member.life.story is not Story.BEGINNER and member.life.number % 3 != 2:
                rng = default_rng(member.life.seed + weeks)
                grown = 1 + (10 - weeks) * 0.015
                told = [
                    Told(test, (round(float(usual * grown * rng.normal(1, 0.06)), 1),)) for test, usual in _FIRST_SIX
                ]
                services.assessments.record(member.identity, member.athlete_id, told, f"tests-{weeks}")
    clock.now = now - timedelta(days=2)
    for member in made.members:
        if member.life.story is Story.UNASKED:
            continue
        _say_no(made, member)
        if member.life.number % 4 == 0 and member.life.number % 13 != 12:
            _treat(made, member, now)
    tell_of_the_body(made)
    asking = [each for each in made.members if each.life.story in (Story.NEW_FINDING, Story.BEGINNER)]
    for member in asking:
        services.plans.replan(member.athlete_id)
    # The others' programs were looked at after their tests, and stay.
    athletes, others = metadata.tables["athlete"], {each.athlete_id for each in made.members}
    others -= {each.athlete_id for each in asking}
    with made.store.begin() as tx:
        tx.execute(athletes.update().where(athletes.c.id.in_(others)).values(replan_wanted=False))
    clock.now = now - timedelta(hours=3)
    for member in made.members:
        if member.life.story is Story.LOCKED:
            _say_no(made, member, INF=Answer.YES)


def _treat(made: Made, member: Member, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(member.life.zone)).date()
    for kind, begin, end in ((TreatmentKind.HEAT, 50, 36), (TreatmentKind.PHYSIOTHERAPY, 28, None)):
        made.services.treatments.add(
            member.identity, member.athlete_id, kind, f"{kind}-{begin}", today - timedelta(days=begin),
            None if end is None else today - timedelta(days=end),
        )  # fmt: skip


def _today(made: Made, now: datetime) -> None:
    """Let the first few wear it until now, the whole way from chunks on."""
    services, feed = made.services, LiveFeed(1)
    made.clock.now = now
    for member in made.members[:TODAY_PEOPLE]:
        if member.life.story is Story.AWAY:
            continue
        rate = 7.0 if member.life.story is Story.NEW_FINDING else 3.0
        address = f"C0:FF:EE:{member.life.number // 256:02X}:{member.life.number % 256:02X}:01"
        start = now.timestamp() - 60 * TODAY_MIN
        services.log.append(bending_chunks(TODAY_MIN, rate, start, recording_id="today", device_id=address))
    Worker(services, feed).drain()
    judge_days(services, feed, now)
    feed.close()
