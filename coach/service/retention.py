"""How long each kind of data is kept, and the daily forgetting of what is older."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from coach.errors import Overtaken, StoreUnavailable
from coach.service.ground import Ground
from coach.service.types import FindingView
from coach.store import months, retaining
from coach.store.data_rules import Kept
from coach.store.engine import Tx

_log = logging.getLogger(__name__)
# s between two transactions of one look: others come first. Own choice.
_PAUSE_S = 0.002
# What a kind is called on pages.
WORDS = {
    Kept.SIGNAL: "Raw signal",
    Kept.FEATURES: "What was seen in the signal, minute by minute",
    Kept.FINDINGS: "Days and findings that have ended",
    Kept.DIARY: "What was entered: check-ins, trainings, treatments that have ended, answers, imaging",
    Kept.LOGS: "Logs of links and of changes",
    Kept.LEDGER: "Who read what",
    Kept.SIGN_IN: "Sign-ins, invitations and links that have ended",
    Kept.REMINDERS: "Reminders that were sent",
}


@dataclass(frozen=True, slots=True)
class KeptFor:
    """How long a kind is kept. days: None for as long as the athlete is here."""

    kind: Kept
    words: str
    days: int | None


class Retention:
    """Tell how long, and forget."""

    def __init__(self, ground: Ground, pause: Callable[[float], None] = time.sleep) -> None:
        self._ground, self._pause = ground, pause

    def days(self, kind: Kept) -> int | None:
        """Return how many days a kind is kept, None for as long as the athlete is here."""
        if kind is Kept.REMINDERS:
            return self._ground.config.reminders.log_days
        return getattr(self._ground.config.retention, f"{kind.value}_days", 0) or None

    def told(self) -> tuple[KeptFor, ...]:
        """Return how long each kind is kept."""
        return tuple(KeptFor(kind, words, self.days(kind)) for kind, words in WORDS.items())

    def signal_gone_at(self, finding: FindingView) -> datetime | None:
        """Return when the raw signal that a finding rests on was forgotten, None while all of it is there."""
        named = {each["stream_id"] for each in finding.windows if each.get("stream_id")}
        with self._ground.store.read() as tx:
            gone = [moment for each in sorted(named) if (moment := retaining.signal_gone_at(tx, each)) is not None]
        return min(gone, default=None)

    def line_gone_after(self, finding: FindingView) -> int | None:
        """Return after how many days the line of a finding's chart was forgotten, None while it is there."""
        days = self.days(Kept.FEATURES)
        old = days is not None and self._ground.now() - finding.ended_at > timedelta(days=days)
        return days if old else None

    def forget(self, now: datetime) -> int:
        """Forget what is older than it is kept; return how many rows. Small transactions; what is left goes next time.

        Raw signal goes a recording at a time, counted from when its newest chunk came; what was seen in it stays.
        """
        forgotten = 0
        for kind in WORDS:
            # Reminders have a look of their own.
            days = self.days(kind) if kind is not Kept.REMINDERS else None
            if days is None:
                continue
            before = now - timedelta(days=days)
            if kind is Kept.SIGNAL:
                forgotten += self._forget_signal(before, now)
            for table in retaining.tables_of(kind):
                forgotten += self._drop_months(table.name, before)
                forgotten += self._often(partial(retaining.forget_some, table=table, before=before))
        return forgotten

    def make_months(self, now: datetime) -> int:
        """Make the parts of the months ahead, for what a server's tables of signal will hold; return how many.

        One that somebody holds at this moment is made the next time.
        """
        with self._ground.store.read() as tx:
            lacking = months.lacking(tx, now)
        made = 0
        for table, month in lacking:
            try:
                with self._ground.store.begin() as tx:
                    months.make(tx, table, month)
                    made += 1
            except (StoreUnavailable, Overtaken) as error:
                _log.warning("the month %s-%02d of %s waits: %s", month.year, month.month, table, error)
        return made

    def _drop_months(self, table: str, before: datetime) -> int:
        """Drop the months of a table that are wholly past; return how many rows. What remains goes row by row."""
        try:
            with self._ground.store.begin() as tx:
                return months.drop_before(tx, table, before)
        except (StoreUnavailable, Overtaken) as error:
            _log.warning("months of %s wait: %s", table, error)
            return 0

    def _forget_signal(self, before: datetime, now: datetime) -> int:
        forgotten = 0
        while True:
            with self._ground.store.begin() as tx:
                stream_id = retaining.signal_to_forget(tx, before)
                if stream_id is None:
                    return forgotten
                retaining.mark_signal_gone(tx, stream_id, now)
            forgotten += self._often(partial(retaining.forget_some_signal, stream_id=stream_id))

    def _often(self, some: Callable[[Tx], int]) -> int:
        done = 0
        while True:
            with self._ground.store.begin() as tx:
                count = some(tx)
            if not count:
                return done
            done += count
            self._pause(_PAUSE_S)
