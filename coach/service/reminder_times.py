"""When one may be reminded: before a session, outside quiet hours and the hours in which clocks change. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from programs.place import AFTER_NIGHT, NIGHT_END, NIGHT_START

# Own bound: a day needs some hours in which a reminder may come.
QUIET_MAX = timedelta(hours=16)
# Moves until a moment is allowed: quiet hours, the night, and quiet hours again. Own choice, with one to spare.
_MOVES = 4


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local times from and until which nothing is sent, over midnight where until comes first; equal: never quiet."""

    from_: time
    until: time

    def covers(self, local: time) -> bool:
        """Tell whether a local time is quiet; `until` is not."""
        if self.from_ <= self.until:
            return self.from_ <= local < self.until
        return local >= self.from_ or local < self.until

    def length(self) -> timedelta:
        """Return how long it is quiet on a day whose clock does not change."""
        minutes = (self.until.hour - self.from_.hour) * 60 + self.until.minute - self.from_.minute
        return timedelta(minutes=minutes % (24 * 60))


def allowed_from(moment: datetime, zone: tzinfo, quiet: Quiet) -> datetime | None:
    """Return the first moment, at or after one, at which one may be reminded; None when the hours leave none.

    From 01:00 to 03:30 local, in which clocks change, it is always quiet. Source: the stack study, section 3.
    """
    for _ in range(_MOVES):
        local = moment.astimezone(zone)
        # Whole minutes: 03:30:59 is still 03:30.
        clock = local.time().replace(second=0, microsecond=0, fold=0)
        if NIGHT_START <= clock <= NIGHT_END:
            end = AFTER_NIGHT
        elif quiet.covers(clock):
            end = quiet.until
        else:
            return moment
        day = local.date() + timedelta(days=1 if end <= clock else 0)
        there = datetime.combine(day, end, zone)
        # Of a time that comes twice, the one that is ahead.
        after = there.astimezone(UTC) if there.astimezone(UTC) > moment else there.replace(fold=1).astimezone(UTC)
        moment = after if after > moment else moment + timedelta(minutes=1)
    return None


def reminders_of(
    due_at: datetime, lead_min: Collection[int], placed_at: datetime | None, zone: tzinfo, quiet: Quiet
) -> dict[int, datetime | None]:
    """Return when to remind of a session, by lead time in minutes; None: not at all, it would be quiet until too late.

    placed_at: when the session got its time, None where that does not matter. A lead time that was over then gives no
    reminder; when that holds for all of them, the shortest one reminds at the start. Of leads that quiet hours move to
    the same moment, the shortest stays. Source: own heuristic.
    """
    leads = sorted(set(lead_min))
    fresh = {lead: due_at - timedelta(minutes=lead) for lead in leads}
    if placed_at is not None:
        fresh = {lead: moment for lead, moment in fresh.items() if moment > placed_at}
        if leads and not fresh:
            fresh = {leads[0]: due_at}
    found: dict[int, datetime | None] = {}
    for lead, moment in fresh.items():
        allowed = allowed_from(moment, zone, quiet)
        if allowed is None or allowed > due_at:
            found[lead] = None
        elif allowed not in found.values():
            found[lead] = allowed
    return found


@dataclass(frozen=True, slots=True)
class MissedPolicy:
    """What becomes of a reminder whose time passed while nobody was there to send it; see [reminders] missed."""

    until_start: bool
    late: timedelta

    def too_late(self, now: datetime, remind_at: datetime, until_at: datetime, tried: bool = False) -> bool:
        """Tell whether a reminder is not sent any more. tried: it was in time, and its delivery failed so far."""
        if now <= remind_at + self.late:
            return False
        return now > until_at if self.until_start or tried else True
