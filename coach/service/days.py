"""Judge local days: what is stored of a day in, answers and findings out, by one edition."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from coach.analysis.detectors import baseline, hrv, load_found, pain, strokes
from coach.analysis.detectors.judge import day_values, judge_day
from coach.analysis.detectors.types import Answer, DayValues, Kind, Outcome
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import TurnParams
from coach.logs import about
from coach.service.analysed import stroke_of
from coach.service.canonical import plain
from coach.service.day_entries import has_entered
from coach.service.day_rows import DayRows, assembled, read_day, values_of
from coach.service.day_signals import FromSignal, read_signals
from coach.service.due import mark_judged
from coach.service.editions import Edition, edition_of, ensure_edition
from coach.service.evidence import because_of
from coach.service.folding import refold
from coach.service.ground import Ground
from coach.service.local_days import bounds_of
from coach.service.profiles import analysis_params
from coach.store import athletes, days, exposures, findings, recordings
from coach.store.claims import claimed
from coach.store.engine import Tx
from coach.store.rows import Row

_log = logging.getLogger(__name__)
# Days that a detector looks back on at most: the load's averages remember longest.
_MONTHS = timedelta(
    days=max(baseline.LOOK_BACK_DAYS, pain.LOOK_BACK_DAYS, hrv.BASELINE_DAYS + hrv.WEEK_DAYS),
)
HISTORY = max(_MONTHS, timedelta(days=max(load_found.LOOK_BACK_DAYS, strokes.LOOK_BACK_DAYS)))
# What only those with the longest memory look back on.
_LONG_REMEMBERED = ("load", "strokes", "strokes_left", "strokes_right")
# Days without anything are judged this long after the last one with something. Own choice: the span of a baseline.
_IDLE = timedelta(days=baseline.LOOK_BACK_DAYS)
# An athlete of whose recordings more chunks wait is judged when they are analysed: half a day is no day. Own choice,
# two minutes of chunks of 5 s.
_BEHIND_CHUNKS = 24
# Longer nobody waits for that; also how long a day is left alone that could not be judged. Own choices.
_PATIENCE = timedelta(minutes=10)
_REST = timedelta(minutes=5)
# How old bouts, turns against the pelvis and RMSSD of a day that runs may be: much signal is read for them. Own choice.
_SIGNAL_EVERY = timedelta(minutes=15)
# Days taken from the list at a time. Own choice.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """What judging one day did. finding_ids: opened, changed, closed or taken back."""

    athlete_id: str
    local_date: date
    finding_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """values: what the day was worth. values_before: what this edition said of that before, None where nothing.

    first: the edition has not said anything of the days that are looked back on either.
    """

    edition: Edition
    rows: DayRows
    over: bool
    answers: Sequence[Answer]
    values: dict[str, Any]
    values_before: dict[str, Any] | None
    first: bool


class Days:
    """Judge the days that are due. Any number of workers may: a verdict is saved only if nobody has marked since."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._signals: dict[tuple[str, date], tuple[datetime, FromSignal]] = {}
        # By id of the profile: profiles and configuration are read once.
        self._editions: dict[str, tuple[Edition, TurnParams]] = {}

    def judge_due(self, now: datetime | None = None, limit: int | None = None) -> tuple[JudgedDay, ...]:
        """Judge what is due, earliest day first, until nothing is, or as many days as the limit says.

        A day whose recordings wait for analysis waits.
        """
        now = now or self._ground.now()
        return self._judge_until(now, now, limit=limit)

    def judge_listed(self, athlete_id: str, between: Callable[[], None] | None = None) -> tuple[JudgedDay, ...]:
        """Judge an athlete's days that are on the list, also those that are due later.

        between: called after each; it may wait, or raise to leave the rest on the list.
        """
        return self._judge_until(self._ground.now(), datetime.max.replace(tzinfo=UTC), athlete_id, between=between)

    def judge_again(self, athlete_id: str, since: date | None = None) -> None:
        """Have every day of an athlete that some edition has judged judged anew, from a day on."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            mark_judged(tx, athlete_id, now, since or date.min)

    def _judge_until(
        self,
        now: datetime,
        due_until: datetime,
        only: str | None = None,
        limit: int | None = None,
        between: Callable[[], None] | None = None,
    ) -> tuple[JudgedDay, ...]:
        judged: list[JudgedDay] = []
        done: set[tuple[str, date]] = set()
        not_now: set[tuple[str, date]] = set()
        while True:
            with self._ground.store.read() as tx:
                listed = days.due(tx, due_until, _AT_ONCE + len(done) + len(not_now), only)
                behind = recordings.athletes_behind(tx, _BEHIND_CHUNKS) if listed else set()
            # A day that was judged and is marked anew by one before it is judged again; one that was put off is not.
            due = [
                row for row in listed if _key(row) not in not_now and (row["due_at"] <= now or _key(row) not in done)
            ]
            if not due:
                return tuple(judged)
            for row in due:
                if limit is not None and len(judged) >= limit:
                    return tuple(judged)
                waits = row["athlete_id"] in behind and now - row["due_at"] < _PATIENCE
                judgement = None if waits else self._attempt(row["athlete_id"], row["local_date"], now, due_until)
                if judgement is None:
                    not_now.add(_key(row))
                else:
                    done.add(_key(row))
                    judged.append(judgement)
                if between is not None:
                    between()

    def _attempt(self, athlete_id: str, day: date, now: datetime, due_until: datetime) -> JudgedDay | None:
        try:
            return self._judge(athlete_id, day, now, due_until)
        except Exception:  # noqa: BLE001 - see below
            # One athlete's trouble must not keep the others waiting.
            with about(athlete=athlete_id):
                _log.exception("day %s of athlete %s could not be judged", day, athlete_id)
            with self._ground.store.begin_derived() as tx:
                claimed = days.due_of(tx, athlete_id, day)
                if claimed is not None:
                    days.put_off(tx, claimed, now + _REST)
            return None

    def _judge(self, athlete_id: str, day: date, now: datetime, due_until: datetime) -> JudgedDay | None:
        with claimed(self._ground.store, "days", athlete_id) as mine:
            # Another worker is at this athlete's days, in their order.
            return self._judge_claimed(athlete_id, day, now, due_until) if mine else None

    def _judge_claimed(self, athlete_id: str, day: date, now: datetime, due_until: datetime) -> JudgedDay | None:
        with self._ground.store.read() as tx:
            listed, athlete = days.due_of(tx, athlete_id, day), athletes.get(tx, athlete_id)
            if athlete is None or listed is None or listed["due_at"] > due_until:
                return None  # another worker was first
            verdict = self._verdict(tx, athlete, day, now)
        return self._ground.store.repeat(lambda: self._saved(athlete, listed, verdict, now))

    def _saved(self, athlete: Row, listed: Row, verdict: _Verdict, now: datetime) -> JudgedDay | None:
        athlete_id, day = athlete["id"], verdict.rows.day
        with self._ground.store.begin_derived() as tx:
            athletes.lock(tx, athlete_id)
            until = None if verdict.over else datetime.fromtimestamp(verdict.rows.end_utc_s, UTC)
            if not days.put_off(tx, listed, until):
                return None  # it was marked while it was judged: it stays on the list
            changed = self._save(tx, athlete, verdict, now)
            if verdict.over:
                self._go_on(tx, athlete, verdict)
        return JudgedDay(athlete_id, day, tuple(changed))

    def _verdict(self, tx: Tx, athlete: Row, day: date, now: datetime) -> _Verdict:
        edition, turn = self._edition_of(athlete)
        rows = read_day(tx, athlete, day)
        over = now.timestamp() >= rows.end_utc_s
        signal = self._signal(tx, athlete["id"], rows, over, turn, now)
        one_day = timedelta(days=1)
        stored = days.values_between(tx, athlete["id"], edition.id, day - HISTORY, day + one_day)
        known: dict[date, dict[str, Any]] = {row["local_date"]: row["values"] for row in stored}
        before = known.pop(day, None)
        history: tuple[DayValues, ...] = tuple(values_of(each) for each in known.values())
        put_together = assembled(rows, signal, over, _counts_strokes(tx, rows, edition.profile.stroke))
        answers = judge_day(edition.profile, put_together, history)
        values = plain(day_values(edition.profile, put_together, answers))
        return _Verdict(edition, rows, over, answers, values, before, first=not stored)

    def _edition_of(self, athlete: Row) -> tuple[Edition, TurnParams]:
        """Return the edition that judges an athlete's days now. Raises ConfigError when the profile's file is gone."""
        profile = self._ground.profiles.of_athlete(athlete)
        known = self._editions.get(profile.id)
        if known is None:
            params = analysis_params(self._ground.config, profile)
            known = self._editions[profile.id] = edition_of(profile, params), params.turn
        return known

    def _signal(
        self, tx: Tx, athlete_id: str, rows: DayRows, over: bool, params: TurnParams, now: datetime
    ) -> FromSignal:
        """Return what is read from a day's signal; of a day that runs some minutes old, for there is much to read."""
        key, bounds = (athlete_id, rows.day), (rows.start_utc_s, rows.end_utc_s)
        if over:
            self._signals.pop(key, None)
            return read_signals(tx, athlete_id, *bounds, rows.by_place, params)
        known = self._signals.get(key)
        if known is None or now - known[0] >= _SIGNAL_EVERY:
            known = self._signals[key] = now, read_signals(tx, athlete_id, *bounds, rows.by_place, params)
        return known[1]

    def _save(self, tx: Tx, athlete: Row, verdict: _Verdict, now: datetime) -> list[str]:
        """Save answers, the day's worth and findings; return the ids of findings that changed."""
        athlete_id, day, edition = athlete["id"], verdict.rows.day, verdict.edition
        # Nothing was worn or entered: of such a day something is said when it is over, and not for ever.
        nothing = verdict.values_before is None and verdict.rows.empty
        if nothing and not (verdict.over and self._goes_on(tx, athlete, verdict.rows)):
            return []
        if verdict.first:
            ensure_edition(tx, edition, now)
        rows = _answer_rows(athlete_id, verdict)
        known = {row["kind"]: row for row in findings.answers_of_day_by(tx, athlete_id, day, edition.id)}
        new = [row for row in rows if not _same(known.get(row["kind"]), row)]
        findings.put_answers(tx, new)
        if verdict.values != verdict.values_before:
            days.put_values(tx, athlete_id, day, edition.id, verdict.values)
            self._look_ahead(tx, athlete_id, verdict, now)
        start, end = (datetime.fromtimestamp(each, UTC) for each in (verdict.rows.start_utc_s, verdict.rows.end_utc_s))
        # An edition that is taken up again says what it said before; what counted meanwhile does not any more.
        left = findings.kinds_superseded(tx, athlete_id, edition.id, start, end)
        folds = findings.kinds_folded_or_found(tx, athlete_id, edition.id, day) if new else set()
        kinds = dict.fromkeys([*(row["kind"] for row in new if row["kind"] in folds), *left])
        changed = [
            finding_id for kind in kinds for finding_id in refold(tx, athlete_id, Kind(kind), edition.id, day, now)
        ]
        changed += findings.supersede(tx, athlete_id, edition.id, start, end, now)
        if changed:
            athletes.change(tx, athlete_id, replan_wanted=True)
        return changed

    def _look_ahead(self, tx: Tx, athlete_id: str, verdict: _Verdict, now: datetime) -> None:
        """Have later days judged anew that look back on this one."""
        day, before = verdict.rows.day, verdict.values_before
        far = any((before or {}).get(name) != verdict.values[name] for name in _LONG_REMEMBERED)
        reach = HISTORY if far else _MONTHS
        one_day = timedelta(days=1)
        for later in days.values_between(tx, athlete_id, verdict.edition.id, day + one_day, day + reach + one_day):
            days.mark(tx, athlete_id, later["local_date"], now)

    def _go_on(self, tx: Tx, athlete: Row, verdict: _Verdict) -> None:
        """Have the day after one that is over judged at its own end, for a while after the last day with something."""
        if not self._goes_on(tx, athlete, verdict.rows):
            return
        after = verdict.rows.day + timedelta(days=1)
        judged = days.values_between(tx, athlete["id"], verdict.edition.id, after, after + timedelta(days=1))
        if not judged:
            days.mark(tx, athlete["id"], after, _end_of(athlete, after))

    def _goes_on(self, tx: Tx, athlete: Row, rows: DayRows) -> bool:
        since_utc_s = rows.end_utc_s - _IDLE.total_seconds()
        recorded = exposures.any_between(tx, athlete["id"], since_utc_s, rows.end_utc_s)
        return recorded or has_entered(tx, athlete["id"], rows.day)


def _key(row: Row) -> tuple[str, date]:
    return row["athlete_id"], row["local_date"]


def _counts_strokes(tx: Tx, rows: DayRows, stroke: SwingKind | None) -> bool:
    """Tell whether all recordings of a day were analysed for these swings or throws: else none seen does not mean none.

    A recording keeps the limits that it began with, also when another profile is chosen meanwhile.
    """
    streams = sorted(rows.seen.place_of)
    return stroke is not None and all(stroke_of(recordings.get_stream(tx, each)) is stroke for each in streams)


def _end_of(athlete: Row, day: date) -> datetime:
    return datetime.fromtimestamp(bounds_of(athlete, day)[1], UTC)


def _answer_rows(athlete_id: str, verdict: _Verdict) -> list[dict[str, Any]]:
    """Return the rows of a day's answers."""
    place_of = verdict.rows.seen.place_of
    until_utc_s = verdict.rows.speaks_until_utc_s(verdict.over)
    rows = []
    for answer in verdict.answers:
        first = answer.windows[0] if answer.windows else None
        place = place_of.get(first.stream_id or "") if first is not None else None
        rows.append(
            {
                "athlete_id": athlete_id,
                "local_date": verdict.rows.day,
                "kind": answer.kind.value,
                "edition": verdict.edition.id,
                "day_over": verdict.over,
                "start_utc_s": min((each.start_utc_s for each in answer.windows), default=None),
                "end_utc_s": until_utc_s,
                "outcome": answer.outcome.value,
                "grade": answer.grade.value,
                "statement": answer.statement,
                "needs": answer.needs,
                "coverage_share": answer.coverage_share,
                "because": because_of(answer, verdict.edition, place),
            }
        )
    return rows


def _same(known: Row | None, new: dict[str, Any]) -> bool:
    """Tell whether a stored answer is this one; up to where data speak matters to what was found or is over."""
    return known is not None and all(
        known[name] == value
        for name, value in new.items()
        if name != "end_utc_s" or new["day_over"] or new["outcome"] == Outcome.FOUND.value
    )
