"""Queries: runs that analyse history anew, and their athlete-days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from coach.store.engine import Tx
from coach.store.finding_tables import athlete_day
from coach.store.reanalysis_tables import reanalysis, reanalysis_day
from coach.store.rows import Row, many, one
from coach.store.tables import athlete, chunk, stream, stream_state

_DAY = reanalysis_day.c
# Rows of one statement. Own choice.
_AT_ONCE = 1000


class Item(NamedTuple):
    """The key of an athlete-day of a run. part: "signal" or "judging"."""

    run_id: str
    athlete_id: str
    part: str
    local_date: date


def item_of(row: Row) -> Item:
    """Return the key of a row."""
    return Item(row["run_id"], row["athlete_id"], row["part"], row["local_date"])


def _is(item: Item) -> ColumnElement[bool]:
    mine = _DAY.run_id == item.run_id, _DAY.athlete_id == item.athlete_id
    found: ColumnElement[bool] = mine[0] & mine[1] & (_DAY.part == item.part) & (_DAY.local_date == item.local_date)
    return found


def add_run(tx: Tx, row: dict[str, Any], days: Iterable[dict[str, Any]]) -> None:
    """Insert a run with all its athlete-days, but for who is gone since they were planned. Raises Conflict while one
    runs."""
    tx.execute(insert(reanalysis).values(**row))
    left = iter(days)
    while some := list(islice(left, _AT_ONCE)):
        whose = {each["athlete_id"] for each in some}
        there = set(tx.execute(select(athlete.c.id).where(athlete.c.id.in_(whose))).scalars())
        if known := [each for each in some if each["athlete_id"] in there]:
            tx.execute(insert(reanalysis_day), known)


def running(tx: Tx) -> Row | None:
    """Return the run that is under way."""
    return one(tx, select(reanalysis).where(reanalysis.c.state == "running"))


def newest(tx: Tx) -> Row | None:
    """Return the run that was begun last."""
    return one(tx, select(reanalysis).order_by(reanalysis.c.begun_at.desc(), reanalysis.c.id).limit(1))


def get_run(tx: Tx, run_id: str) -> Row | None:
    """Return a run."""
    return one(tx, select(reanalysis).where(reanalysis.c.id == run_id))


def end_run(tx: Tx, run_id: str, state: str, now: datetime) -> bool:
    """End a run that is under way; tell whether it was."""
    mine = reanalysis.c.id == run_id, reanalysis.c.state == "running"
    return tx.execute(update(reanalysis).where(*mine).values(state=state, ended_at=now)).rowcount == 1


def work_until(tx: Tx, run_id: str, until: datetime) -> None:
    """Let a run go on until a time."""
    tx.execute(update(reanalysis).where(reanalysis.c.id == run_id).values(works_until=until))


def take(tx: Tx, now: datetime, until: datetime) -> Item | None:
    """Claim the next athlete-day that waits and that nobody holds, until a time. Rows that others claim are skipped."""
    statement = (
        select(_DAY.run_id, _DAY.athlete_id, _DAY.part, _DAY.local_date)
        .join(reanalysis, reanalysis.c.id == _DAY.run_id)
        .where(
            reanalysis.c.state == "running",
            _DAY.state == "waiting",
            or_(_DAY.taken_until.is_(None), _DAY.taken_until <= now),
        )
        # Athlete by athlete, as an index has them: whose signal is done has nothing before their judging.
        .order_by(_DAY.athlete_id, _DAY.local_date)
        .limit(1)
        .with_for_update(skip_locked=True, of=reanalysis_day)  # on SQLite one writes at a time
    )
    found = one(tx, statement)
    if found is None:
        return None
    item = item_of(found)
    tx.execute(update(reanalysis_day).where(_is(item)).values(taken_until=until))
    return item


def hold(tx: Tx, item: Item, until: datetime) -> None:
    """Hold a claimed athlete-day until a time; a time that has passed gives it back."""
    tx.execute(update(reanalysis_day).where(_is(item), _DAY.state == "waiting").values(taken_until=until))


def let_go(tx: Tx, run_id: str) -> None:
    """Give back what is held of a run, whoever holds it."""
    tx.execute(update(reanalysis_day).where(_DAY.run_id == run_id).values(taken_until=None))


def get_day(tx: Tx, item: Item) -> Row | None:
    """Return an athlete-day with run_state of its run."""
    statement = (
        select(reanalysis_day, reanalysis.c.state.label("run_state"))
        .join(reanalysis, reanalysis.c.id == _DAY.run_id)
        .where(_is(item))
    )
    return one(tx, statement)


def count_try(tx: Tx, item: Item, by: int) -> None:
    """Count that an athlete-day was begun, or (-1) that this was no try."""
    tx.execute(update(reanalysis_day).where(_is(item)).values(tries=_DAY.tries + by))


def finish(tx: Tx, item: Item, values: dict[str, Any]) -> bool:
    """End an athlete-day that waits, and let what waited for it begin; tell whether it waited.

    When it was the last one of its athlete's signal, the athlete's days wait to be judged; when it was the last of the
    run, the run is done.
    """
    # Two that end at once must see each other.
    tx.execute(select(reanalysis.c.id).where(reanalysis.c.id == item.run_id).with_for_update())
    mine = _is(item), _DAY.state == "waiting"
    if tx.execute(update(reanalysis_day).where(*mine).values(taken_until=None, **values)).rowcount == 0:
        return False
    of_athlete = _DAY.run_id == item.run_id, _DAY.athlete_id == item.athlete_id
    if item.part == "signal" and not _any(tx, *of_athlete, _DAY.part == "signal", _DAY.state == "waiting"):
        tx.execute(update(reanalysis_day).where(*of_athlete, _DAY.state == "held").values(state="waiting"))
    if is_over(tx, item.run_id):
        end_run(tx, item.run_id, "done", values["ended_at"])
    return True


def _any(tx: Tx, *where: ColumnElement[bool]) -> bool:
    return tx.execute(select(_DAY.run_id).where(*where).limit(1)).first() is not None


def waiting(tx: Tx, run_id: str, limit: int) -> list[Item]:
    """Return athlete-days that wait, in the order in which they are done."""
    statement = (
        select(_DAY.run_id, _DAY.athlete_id, _DAY.part, _DAY.local_date)
        .where(_DAY.run_id == run_id, _DAY.state == "waiting")
        .order_by(_DAY.athlete_id, _DAY.local_date)
        .limit(limit)
    )
    return [item_of(row) for row in many(tx, statement)]


def any_waiting(tx: Tx) -> bool:
    """Tell whether a run under way has athlete-days that wait."""
    statement = (
        select(_DAY.run_id)
        .join(reanalysis, reanalysis.c.id == _DAY.run_id)
        .where(reanalysis.c.state == "running", _DAY.state == "waiting")
        .limit(1)
    )
    return tx.execute(statement).first() is not None


def is_over(tx: Tx, run_id: str) -> bool:
    """Tell whether no athlete-day of a run is left to do."""
    return not _any(tx, _DAY.run_id == run_id, _DAY.state.in_(["waiting", "held"]))


def dates_of(tx: Tx, run_id: str, athlete_id: str) -> list[date]:
    """Return the local days whose signal a run analyses anew, in order."""
    mine = _DAY.run_id == run_id, _DAY.athlete_id == athlete_id, _DAY.part == "signal"
    return list(tx.execute(select(_DAY.local_date).where(*mine).order_by(_DAY.local_date)).scalars())


def sums(tx: Tx, run_id: str, athlete_id: str | None = None) -> list[Row]:
    """Return part, state, count, recordings, gone, chunks and days of a run's athlete-days, of all or one athlete."""
    sums = [func.coalesce(func.sum(_DAY[name]), 0).label(name) for name in ("recordings", "gone", "chunks", "days")]
    statement = select(_DAY.part, _DAY.state, func.count().label("count"), *sums).where(_DAY.run_id == run_id)
    if athlete_id is not None:
        statement = statement.where(_DAY.athlete_id == athlete_id)
    return many(tx, statement.group_by(_DAY.part, _DAY.state))


def ended_since(tx: Tx, run_id: str, since: datetime) -> int:
    """Return how many athlete-days of a run ended since a time."""
    mine = _DAY.run_id == run_id, _DAY.ended_at >= since
    return int(tx.execute(select(func.count()).select_from(reanalysis_day).where(*mine)).scalar_one())


def failed(tx: Tx, run_id: str, limit: int) -> list[Row]:
    """Return the athlete-days that failed, with athlete_name, in order."""
    statement = (
        select(_DAY.athlete_id, athlete.c.name.label("athlete_name"), _DAY.part, _DAY.local_date, _DAY.reason)
        .join(athlete, athlete.c.id == _DAY.athlete_id)
        .where(_DAY.run_id == run_id, _DAY.state == "failed")
        .order_by(athlete.c.name, _DAY.athlete_id, _DAY.local_date, _DAY.part)
        .limit(limit)
    )
    return many(tx, statement)


def judged_before(tx: Tx, athlete_id: str, makes: str) -> list[Row]:
    """Return local_date and ended_at of those runs' judging of an athlete that an edition has done."""
    mine = _DAY.athlete_id == athlete_id, _DAY.part == "judging", _DAY.state == "done", _DAY.makes == makes
    return many(tx, select(_DAY.local_date, _DAY.ended_at).where(*mine))


def recordings_begun(tx: Tx, athlete_id: str, received_since: datetime | None = None) -> list[Row]:
    """Return id, begun_utc_s (of its first chunk, None without one) and created_at of recordings, oldest first."""
    first = (
        select(chunk.c.start_utc_s).where(chunk.c.stream_id == stream.c.id).order_by(chunk.c.seq).limit(1)
    ).scalar_subquery()
    statement = select(
        stream.c.id,
        first.label("begun_utc_s"),
        stream.c.created_at,
    ).where(stream.c.athlete_id == athlete_id)
    if received_since is not None:
        statement = statement.where(stream.c.last_received_at >= received_since)
    return many(tx, statement.order_by(stream.c.created_at, stream.c.id))


def older_recordings(tx: Tx, athlete_id: str, version: str, limits: str, stale_before: datetime) -> set[str]:
    """Return the recordings that came to their end by another version, or were settled by other limits."""
    states = stream_state.c
    statement = (
        select(stream.c.id)
        .join(stream_state, states.stream_id == stream.c.id)
        .where(
            stream.c.athlete_id == athlete_id,
            stream.c.signal_gone_at.is_(None),
            stream.c.last_received_at < stale_before,
            states.last_seq >= 0,
            states.last_seq >= stream.c.max_seq,
            or_(states.algorithm_version != version, states.limits != limits),
        )
    )
    return set(tx.execute(statement).scalars())


def settled_without_limits(tx: Tx, version: str, limit: int) -> list[Row]:
    """Return stream_id, version and state of recordings that this version settled before limits were kept."""
    states = stream_state.c
    mine = states.settled_at.is_not(None), states.limits.is_(None), states.algorithm_version == version
    return many(tx, select(states.stream_id, states.version, states.state).where(*mine).limit(limit))


def note_limits(tx: Tx, stream_id: str, version: int, limits: str) -> None:
    """Keep by which limits a recording was settled, if nobody has moved it since it was read."""
    mine = stream_state.c.stream_id == stream_id, stream_state.c.version == version
    tx.execute(update(stream_state).where(*mine).values(limits=limits))


def dates_not_by(tx: Tx, athlete_id: str, edition: str) -> list[date]:
    """Return the local days that other editions have judged and this one has not, in order."""
    days = athlete_day.c
    known = select(days.local_date).where(days.athlete_id == athlete_id, days.edition == edition)
    statement = (
        select(days.local_date)
        .where(days.athlete_id == athlete_id, days.local_date.not_in(known))
        .distinct()
        .order_by(days.local_date)
    )
    return list(tx.execute(statement).scalars())


def chunks_until(tx: Tx, stream_id: str, seq: int) -> int:
    """Return how many chunks of a recording are stored up to a number."""
    mine = chunk.c.stream_id == stream_id, chunk.c.seq <= seq
    return int(tx.execute(select(func.count()).select_from(chunk).where(*mine)).scalar_one())
