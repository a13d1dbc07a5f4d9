"""Findings out of the answers of a kind: what the fold says is what the table holds, row for row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from coach.analysis.detectors.episodes import UNSEEN_DAYS, Episode, Judged, fold
from coach.analysis.detectors.types import Answer, Kind, Outcome, Window
from coach.analysis.types import ChangeKind, Grade
from coach.store import events, findings
from coach.store.engine import Tx
from coach.store.rows import Row

# What makes a finding another one for whoever reads it.
_TOLD = ("statement", "grade", "state", "because", "started_at", "ended_at", "opened_at", "closed_at", "superseded_by")


def refold(tx: Tx, athlete_id: str, kind: Kind, edition_id: str, day: date, now: datetime) -> list[str]:
    """Make the findings of a kind from a day on what the edition's answers say; return ids of those that changed."""
    key = key_of(kind, day)
    before = findings.newest_before(tx, athlete_id, kind.value, edition_id, key)
    first = _opened_on(before) if before is not None and _may_go_on(before, day) else day
    known = {row["key"]: row for row in findings.of_kind(tx, athlete_id, kind.value, edition_id, key_of(kind, first))}
    said = findings.answers_of_kind(tx, athlete_id, kind.value, edition_id, first)
    changed: list[str] = []
    for episode in fold(_judged(kind, said)):
        values = _values(tx, athlete_id, edition_id, episode)
        changed.extend(_save(tx, known.pop(values["key"], None), values, now))
    for row in known.values():
        findings.drop(tx, row["id"])
        events.record(tx, now, "worker", "taken back", "finding", row["id"], athlete_id)
        changed.append(row["id"])
    return changed


def key_of(kind: Kind, day: date) -> str:
    """Return the key of the finding of a kind that opened on a day."""
    return f"{kind.value}-{day.isoformat()}"


def holds_on(row: Row, day: date) -> bool:
    """Tell whether a finding is of a day."""
    return day.isoformat() in row["because"].get("days", ())


def _may_go_on(row: Row, day: date) -> bool:
    """Tell whether answers from a day on may change a finding of earlier days."""
    closed_at: datetime | None = row["closed_at"]
    # The answer that closes what was not seen any more comes after the time for which it closes it.
    return closed_at is None or day - closed_at.date() <= timedelta(days=UNSEEN_DAYS + 2)


def _opened_on(row: Row) -> date:
    return date.fromisoformat(row["key"][-10:])


def _judged(kind: Kind, rows: list[Row]) -> Iterator[Judged]:
    for row in rows:
        start = row["start_utc_s"]
        windows = () if start is None else (Window(start, start),)
        answer = Answer(kind, Outcome(row["outcome"]), "", Grade(row["grade"]), windows=windows)
        yield Judged(row["local_date"].toordinal(), row["end_utc_s"], row["day_over"], answer)


def _values(tx: Tx, athlete_id: str, edition_id: str, episode: Episode) -> dict[str, Any]:
    """Return the columns of an episode's finding; its evidence is the answer of the newest day that found it."""
    newest = date.fromordinal(episode.found[-1])
    answer = findings.answer_of(tx, athlete_id, newest, episode.kind.value, edition_id)
    if answer is None:
        raise LookupError(f"the answer {episode.kind} of {newest} by {edition_id} is gone")
    because = {**answer["because"], "days": [date.fromordinal(each).isoformat() for each in episode.found]}
    if episode.closed_because is not None:
        because["closed_because"] = episode.closed_because
    window = because["window"]
    until = _moment(answer["end_utc_s"])
    return {
        "athlete_id": athlete_id,
        "edition": edition_id,
        "key": key_of(episode.kind, date.fromordinal(episode.opened_ordinal)),
        "kind": episode.kind.value,
        "stream_id": window["stream_id"] if window else None,
        "placement": because["place"] if window else None,
        "statement": answer["statement"],
        "grade": answer["grade"],
        "state": "open" if episode.is_open else "closed",
        "opened_at": _moment(episode.opened_utc_s),
        "changed_at": _moment(episode.changed_utc_s),
        "closed_at": None if episode.closed_utc_s is None else _moment(episode.closed_utc_s),
        "started_at": datetime.fromisoformat(window["start_utc"]) if window else until,
        "ended_at": datetime.fromisoformat(window["end_utc"]) if window else until,
        "coverage_share": answer["coverage_share"],
        "because": because,
        "superseded_by": None,
    }


def _save(tx: Tx, known: Row | None, values: dict[str, Any], now: datetime) -> list[str]:
    if known is None:
        finding_id = _id_of(values)
        findings.add(tx, finding_id, values, now)
        events.record(tx, now, "worker", ChangeKind.OPENED.value, "finding", finding_id, values["athlete_id"])
        if values["state"] == "closed":
            events.record(tx, now, "worker", ChangeKind.CLOSED.value, "finding", finding_id, values["athlete_id"])
        return [finding_id]
    if all(known[name] == value for name, value in values.items()):
        return []
    findings.change(tx, known["id"], values, now)
    if known["state"] != values["state"]:
        action = ChangeKind.CLOSED if values["state"] == "closed" else ChangeKind.OPENED
        events.record(tx, now, "worker", action.value, "finding", known["id"], values["athlete_id"])
    return [known["id"]] if any(known[name] != values[name] for name in _TOLD) else []


def _id_of(values: dict[str, Any]) -> str:
    """Return an id that a finding gets again when it is made again, so that links and plans still mean it."""
    named = f"{values['athlete_id']}/{values['edition']}/{values['key']}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _moment(utc_s: float) -> datetime:
    return datetime.fromtimestamp(utc_s, UTC)
