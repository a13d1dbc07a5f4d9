"""The coach's list: who needs the coach and why, first.

What comes first is what a coach can do something about, the longest waiting before the others. Nobody is ranked by how
much they hurt, by how many findings they have, or by any figure of risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coach.errors import NotAllowed
from coach.language import gettext as _
from coach.service.athlete_views import athlete_view
from coach.service.ground import Ground
from coach.service.groups import groups_of
from coach.service.links import LinkBoard
from coach.service.permission import coaches
from coach.service.types import AthleteView, Identity, Level
from coach.store import roster
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.pain import NO_LOADING_BASELINE
from programs.types import Lock

# How long a finding that opened is new. Own choice: a week, in which a coach looks at everybody once.
_NEW_FOR = timedelta(days=7)
# How far back pain and sessions that nobody did are looked for. Own choice: since the last training or two; a week.
_PAIN_SINCE, _MISSED_SINCE = timedelta(days=3), timedelta(days=7)
# Sessions that nobody did or answered before it is said. Own choice: one happens to everybody.
_MISSED_MIN = 2
# Own choice: five days hold a weekend and some.
_QUIET_AFTER = timedelta(days=5)


class Attention(StrEnum):
    """Why an athlete needs the coach, in the order in which they stand on the list."""

    PAUSED = "paused"  # the program is held back until a clinician has seen the athlete, or questions are answered
    PROPOSAL = "proposal"  # a program or a step waits for the coach's yes
    FINDING = "finding"  # something new was found
    PAIN = "pain"  # pain was told at which no loading program goes on
    MISSED = "missed"  # planned sessions that nobody did or answered
    QUIET = "quiet"  # nothing came for days


_ORDER = list(Attention)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. since: from when on it stands. count: of findings or sessions; for pain how strong, 0 to 10."""

    kind: Attention
    since: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One athlete on the coach's list. reasons: why the coach is needed, the first one first; empty when nothing waits.

    level: what is shared. latest_kind, latest_statement, latest_finding_id: of the newest finding, an open one before a
    closed one; latest_open: whether it is. heard_at: when something last came from the athlete. groups: ids.
    """

    athlete: AthleteView
    level: Level
    reasons: tuple[Reason, ...]
    latest_kind: str | None
    latest_statement: str | None
    latest_finding_id: str | None
    latest_open: bool
    wearable_state: str | None
    heard_at: datetime | None
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which part of a list is wanted; empty: all of it. text: in a name or a sport."""

    group: str = ""
    sport: str = ""
    reason: str = ""
    text: str = ""

    def holds(self, row: RosterRow) -> bool:
        """Tell whether a row is wanted."""
        words = self.text.casefold().split()
        there = f"{row.athlete.name} {row.athlete.sport}".casefold()
        return (
            (not self.group or self.group in row.groups)
            and (not self.sport or self.sport == row.athlete.sport)
            and (not self.reason or self.reason in {each.kind.value for each in row.reasons})
            and all(word in there for word in words)
        )


def roster_of(tx: Tx, ground: Ground, links: LinkBoard, coach: Identity) -> list[RosterRow]:
    """Return the coach's athletes, who needs the coach first on top. Raises NotAllowed for who is no coach."""
    if not coaches(coach):
        raise NotAllowed(_("Only a coach has a roster."))
    listed, heard = roster.listed(tx, coach.user_id), roster.heard(tx, coach.user_id)
    reasons, newest = _reasons(tx, coach, ground.now(), listed, heard), roster.newest_findings(tx, coach.user_id)
    states = _states(tx, links, coach)
    groups = groups_of(tx, coach)
    rows = []
    for row in listed:
        athlete_id, found = row["id"], newest.get(row["id"])
        rows.append(
            RosterRow(
                athlete=athlete_view(row),
                level=Level(row["level"]),
                reasons=_in_order(reasons.get(athlete_id, ())),
                latest_kind=found["kind"] if found else None,
                latest_statement=found["statement"] if found else None,
                latest_finding_id=found["id"] if found else None,
                latest_open=found is not None and found["state"] == "open",
                wearable_state=states.get(athlete_id),
                heard_at=heard[athlete_id]["since"] if athlete_id in heard else None,
                groups=frozenset(each.group_id for each in groups if athlete_id in each.athlete_ids),
            )
        )
    return sorted(rows, key=_place)


def _place(row: RosterRow) -> tuple[int, float, str]:
    if not row.reasons:
        return len(_ORDER), 0.0, row.athlete.name.casefold()
    first = row.reasons[0]
    return _ORDER.index(first.kind), first.since.timestamp(), row.athlete.name.casefold()


def _in_order(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda each: _ORDER.index(each.kind)))


def _reasons(
    tx: Tx, coach: Identity, now: datetime, listed: Sequence[Row], heard: Mapping[str, Row]
) -> dict[str, list[Reason]]:
    """Return why the coach is needed, by athlete."""
    found: dict[str, list[Reason]] = {}
    waiting, answered = roster.waiting(tx, coach.user_id), roster.answered(tx, coach.user_id)
    opened = roster.opened_since(tx, coach.user_id, now - _NEW_FOR)
    missed = roster.missed(tx, coach.user_id, (now - _MISSED_SINCE).date(), now)
    pains = _strongest(roster.pains(tx, coach.user_id, now - _PAIN_SINCE))
    for row in listed:
        athlete_id, reasons = row["id"], found.setdefault(row["id"], [])
        if row["lock"] != Lock.NONE:
            since = answered[athlete_id]["since"] if athlete_id in answered else row["created_at"]
            reasons.append(Reason(Attention.PAUSED, since))
        if athlete_id in waiting and Level(row["level"]).covers(Level.PLAN):
            reasons.append(Reason(Attention.PROPOSAL, waiting[athlete_id]["since"]))
        if athlete_id in opened:
            reasons.append(Reason(Attention.FINDING, opened[athlete_id]["since"], opened[athlete_id]["count"]))
        if athlete_id in pains and pains[athlete_id].count >= NO_LOADING_BASELINE:
            reasons.append(pains[athlete_id])
        if athlete_id in missed and missed[athlete_id]["count"] >= _MISSED_MIN:
            reasons.append(Reason(Attention.MISSED, missed[athlete_id]["since"], missed[athlete_id]["count"]))
        last = heard[athlete_id]["since"] if athlete_id in heard else row["created_at"]
        if now - last >= _QUIET_AFTER:
            reasons.append(Reason(Attention.QUIET, last, (now - last).days))
    return found


def _strongest(rows: Sequence[Row]) -> dict[str, Reason]:
    """Return the strongest pain that was told, by athlete, and when it was."""
    found: dict[str, Reason] = {}
    for row in rows:
        told = max((each for each in (row["one"], row["other"]) if each is not None), default=None)
        known = found.get(row["athlete_id"])
        if told is not None and (known is None or (told, row["at"]) > (known.count, known.since)):
            found[row["athlete_id"]] = Reason(Attention.PAIN, row["at"], told)
    return found


def _states(tx: Tx, links: LinkBoard, coach: Identity) -> dict[str, str]:
    """Return what the wearables do now, by athlete: streaming where any does."""
    found: dict[str, list[str]] = {}
    for row in roster.worn(tx, coach.user_id):
        status = links.status(row["id"])
        if status is not None:
            found.setdefault(row["athlete_id"], []).append(status.state.value)
    return {each: "streaming" if "streaming" in states else min(states) for each, states in found.items()}
