"""Findings and answers as stored: patterns with their evidence, and what editions say differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from coach.analysis.detectors.types import Kind, Outcome
from coach.service.editions import changed_between, edition_of_athlete
from coach.service.folding import holds_on
from coach.service.ground import Ground
from coach.service.permission import require_athlete, require_finding
from coach.service.types import AnswerView, DifferenceView, FindingView, Identity, SaidBefore
from coach.store import findings
from coach.store.engine import Tx
from coach.store.rows import Row

# Order in which kinds are shown: that of the detectors.
_PLACE = {kind.value: place for place, kind in enumerate(Kind)}


class Findings:
    """Read findings and answers. Lists hold what is current; a superseded finding is still read by its id."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def for_athlete(self, athlete_id: str, limit: int = 50) -> tuple[FindingView, ...]:
        """Return the athlete's current findings, newest first."""
        with self._ground.store.read() as tx:
            return tuple(finding_view(row) for row in findings.of_athlete(tx, athlete_id, limit))

    def get(self, by: Identity, finding_id: str) -> FindingView:
        """Return one finding, also a superseded one. Raises NoSuch (also for an athlete that is not yours)."""
        with self._ground.store.read() as tx:
            return finding_view(require_finding(tx, by, finding_id))

    def answers(self, by: Identity, athlete_id: str, local_date: date) -> tuple[AnswerView, ...]:
        """Return what the present edition says of every kind on a day; empty before any has judged it. Raises NoSuch.

        Where the present edition has not judged the day, the newest that has.
        """
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            rows = findings.answers_of_day(tx, athlete_id, local_date)
            edition = (_in_order(rows, edition_of_athlete(self._ground, athlete).id) or [""])[-1]
            newest = [row for row in rows if row["edition"] == edition]
            open_then = findings.on_day(tx, athlete_id, edition, local_date) if newest else []
        found = {row["kind"]: row["id"] for row in open_then if holds_on(row, local_date)}
        views = [_answer_view(row, found.get(row["kind"])) for row in newest]
        return tuple(sorted(views, key=lambda each: _PLACE.get(each.kind, len(_PLACE))))

    def differences(self, by: Identity, athlete_id: str, since: date | None = None) -> tuple[DifferenceView, ...]:
        """Return where the two newest editions of a day say different things of it, in order of day and kind.

        The present edition is the newest, however often it was left and taken up again. A statement, a grade or an
        outcome that differs is a difference. Raises NoSuch.
        """
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            zone = ZoneInfo(athlete["time_zone"])
            rows = findings.said_since(tx, athlete_id, since or date.min)
            rows += _of_before(tx, athlete, since or date.min)
            editions = {each: findings.get_edition(tx, each) for each in {row["edition"] for row in rows}}
            known = findings.of_every_edition(tx, athlete_id)
            present = edition_of_athlete(self._ground, athlete).id
        said: list[DifferenceView] = []
        for day, of_day in groupby(sorted(rows, key=lambda row: row["local_date"]), key=lambda row: row["local_date"]):
            ids = {(row["edition"], row["kind"]): row["id"] for row in known if _is_of(row, day, zone)}
            said.extend(_differences(day, list(of_day), present, editions, ids))
        return tuple(said)


def finding_view(row: Row) -> FindingView:
    """Return what pages show of a finding's row."""
    because = row["because"]
    return FindingView(
        finding_id=row["id"],
        athlete_id=row["athlete_id"],
        kind=row["kind"],
        statement=row["statement"],
        grade=row["grade"],
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        coverage_share=row["coverage_share"],
        because=because,
        placement=row["placement"],
        opened_at=row["opened_at"],
        changed_at=row["changed_at"],
        closed_at=row["closed_at"],
        edition=row["edition"],
        superseded_by=row["superseded_by"],
        outcome=Outcome.FOUND.value,
        flags=tuple(because.get("flags", ())),
        windows=tuple(because.get("windows", ())),
        thresholds=tuple(because.get("thresholds", ())),
        baseline=because.get("baseline"),
        would_change=because.get("would_change", ""),
        limits=tuple(because.get("limits", ())),
    )


def _answer_view(row: Row, finding_id: str | None) -> AnswerView:
    return AnswerView(
        athlete_id=row["athlete_id"],
        local_date=row["local_date"],
        kind=row["kind"],
        outcome=row["outcome"],
        grade=row["grade"],
        statement=row["statement"],
        needs=row["needs"],
        learning_day=row["because"].get("learning_day"),
        coverage_share=row["coverage_share"],
        because=row["because"],
        edition=row["edition"],
        day_over=row["day_over"],
        until=datetime.fromtimestamp(row["end_utc_s"], UTC),
        finding_id=finding_id,
    )


def _of_before(tx: Tx, athlete: Row, since: date) -> list[Row]:
    """Return the findings of before editions had answers, as such."""
    zone = ZoneInfo(athlete["time_zone"])
    rows: dict[tuple[date, str], dict[str, Any]] = {}
    for row in findings.without_answers(tx, athlete["id"]):
        day = row["opened_at"].astimezone(zone).date()
        if day >= since:
            said = {name: row[name] for name in ("edition", "edition_created_at", "kind", "grade", "statement")}
            rows.setdefault((day, row["kind"]), {**said, "local_date": day, "outcome": Outcome.FOUND.value})
    return list(rows.values())


def _is_of(row: Row, day: date, zone: ZoneInfo) -> bool:
    """Tell whether a finding is of a day; one of before there were days is of the day on which it opened."""
    if "days" in row["because"]:
        return holds_on(row, day)
    opened_at: datetime = row["opened_at"]
    return opened_at.astimezone(zone).date() == day


def _differences(
    day: date, rows: Sequence[Row], present: str, editions: dict[str, Row | None], ids: dict[tuple[str, str], str]
) -> Iterator[DifferenceView]:
    """Yield where the two newest editions of a day differ. ids: of findings that go on, by edition and kind."""
    order = _in_order(rows, present)[-2:]
    if len(order) < 2:
        return
    before, after = order
    old, new = ({row["kind"]: row for row in rows if row["edition"] == each} for each in (before, after))
    what_changed = changed_between(editions[before] or {}, editions[after] or {})
    for kind in sorted(old.keys() | new.keys(), key=lambda each: (_PLACE.get(each, len(_PLACE)), each)):
        was, now = _said(old.get(kind), before), _said(new.get(kind), after)
        if replace(was, edition=after) != now:
            was, now = (replace(each, finding_id=ids.get((each.edition, kind))) for each in (was, now))
            yield DifferenceView(day, kind, was, now, what_changed)


def _in_order(rows: Sequence[Row], present: str) -> list[str]:
    """Return the editions of some answers, oldest first; the present one comes last."""
    each = {(row["edition"] == present, row["edition_created_at"], row["edition"]) for row in rows}
    return [edition for *_, edition in sorted(each)]


def _said(row: Row | None, edition: str) -> SaidBefore:
    if row is None:
        return SaidBefore(edition, "nothing", "green", "")
    return SaidBefore(edition, row["outcome"], row["grade"], row["statement"])
