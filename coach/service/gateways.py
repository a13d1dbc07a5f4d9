"""Gateways away from the server: what each may serve, what each says, and the connection logs of all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from coach.errors import Conflict
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.looks import Looks
from coach.service.permission import may_send, require_athlete, require_row
from coach.service.sources import has_radio
from coach.service.tokens import Holder, Tokens
from coach.service.types import ConnectionLogView, GatewayView, Identity, Level
from coach.store import athletes, connection_logs, wearables
from coach.store.rows import Row, fresh_id
from coach.wire import Beat, LinkLogText, Orders, ServedWearable
from devices.types import LinkStatus

# s without a report before another machine may use the same token, and before a gateway counts as away. Own choice.
_PRESENT_S = 15.0
# Characters of a sentence, and of a connection log, that are taken from a gateway. Own bounds.
_SENTENCE_MAX, _LOG_MAX, _RECORDING_MAX = 400, 400_000, 200
# Newest connection logs of an athlete that are listed. Own choice.
_LOGS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Present:
    """What a gateway said of itself last, by its token. at_utc_s: by the clock here."""

    instance: str
    at_utc_s: float
    ahead_s: float
    waiting: int
    dropped: int
    full: bool
    athlete_id: str
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway reported and everybody shall know. links: by the clock here; none of one that leaves."""

    token_id: str
    label: str
    present: Present
    links: Mapping[str, LinkStatus]


class Gateways:
    """Answer gateways elsewhere and tell pages how they do. Presence is in memory, connection logs are rows."""

    def __init__(self, ground: Ground, tokens: Tokens, links: LinkBoard, looks: Looks) -> None:
        self._ground, self._tokens, self._links, self._looks = ground, tokens, links, looks
        self._lock = threading.Lock()
        self._present: dict[str, Present] = {}
        self._tell: Callable[[Report], None] = lambda report: None

    def attach(self, tell: Callable[[Report], None]) -> None:
        """Have other processes hear, by `tell(report)`, what gateways say here."""
        self._tell = tell

    def beat(self, holder: Holder, beat: Beat, watching: Callable[[str], bool]) -> Orders:
        """Take a gateway's report and return what it shall do.

        watching: tells of which wearables live blocks are looked at. Raises Conflict when another machine
        uses the same token now.
        """
        now_s = self._ground.now().timestamp()
        present = self._note_presence(holder, beat, now_s)
        with self._ground.store.read() as tx:
            # Without the consent nothing is served: its links end, and what it sends is refused.
            worn = wearables.of_athlete(tx, holder.athlete_id) if may_send(tx, holder.athlete_id) else []
            served = {row["id"]: row for row in worn if not row["simulated"] and has_radio(row["family"])}
            athlete = athletes.get(tx, holder.athlete_id)
        links = {key: _taken(status, now_s - beat.utc_s) for key, status in beat.links.items() if key in served}
        report = Report(holder.token_id, holder.label, present, {} if beat.leaving else links)
        self.take(report)
        self._tell(report)
        if beat.seen is not None:
            trouble = beat.trouble[:_SENTENCE_MAX] if beat.trouble else None
            self._looks.heard(holder.athlete_id, holder.token_id, beat.seen, trouble)
        for log in beat.logs:
            if log.wearable_id in served:
                self.keep_log(log)
        return Orders(
            athlete_id=holder.athlete_id,
            athlete_name=athlete["name"] if athlete is not None else "",
            wearables=tuple(_served(row) for row in served.values()),
            look=holder.athlete_id in self._looks.wanted_by(),
            watching=tuple(key for key in served if watching(key)),
        )

    def take(self, report: Report) -> None:
        """Take what a gateway reported, here or at another process."""
        with self._lock:
            self._present[report.token_id] = report.present
        if report.present.leaving:
            self._links.forget(report.token_id)
        else:
            self._links.report(report.token_id, report.label, report.links)

    def of_athlete(self, by: Identity, athlete_id: str) -> dict[str, GatewayView]:
        """Return how the athlete's gateways do, by the id of their token. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
        now_s = self._ground.now().timestamp()
        with self._lock:
            mine = {key: each for key, each in self._present.items() if each.athlete_id == athlete_id}
        return {
            key: GatewayView(
                present=now_s - each.at_utc_s <= _PRESENT_S and not each.leaving,
                silent_s=max(0.0, now_s - each.at_utc_s),
                ahead_s=each.ahead_s,
                waiting=each.waiting,
                dropped=each.dropped,
                full=each.full,
            )
            for key, each in mine.items()
        }

    def revoke(self, by: Identity, token_id: str) -> None:
        """End a gateway's token, and forget what it said of its links. Raises NoSuch."""
        self._tokens.revoke(by, token_id)
        with self._lock:
            present = self._present.pop(token_id, None)
        self._links.forget(token_id)
        if present is not None:
            self._tell(Report(token_id, "", replace(present, leaving=True), {}))

    def keep_log(self, log: LinkLogText) -> None:
        """Keep the connection log of a recording as it is now; the newest counts."""
        if not 1 <= len(log.recording_id) <= _RECORDING_MAX:
            return
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            wearable = wearables.get(tx, log.wearable_id)
            if wearable is None:
                return  # forgotten meanwhile
            values = {"redacted": log.redacted[:_LOG_MAX], "whole": log.whole[:_LOG_MAX], "updated_at": now}
            if connection_logs.change(tx, log.wearable_id, log.recording_id, values):
                return
            values |= {"id": fresh_id(), "athlete_id": wearable["athlete_id"], "wearable_id": log.wearable_id}
            connection_logs.add(tx, {**values, "recording_id": log.recording_id, "begun_at": now})

    def logs(self, by: Identity, athlete_id: str) -> tuple[ConnectionLogView, ...]:
        """Return the newest connection logs. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            rows = connection_logs.newest(tx, athlete_id, _LOGS_SHOWN)
        return tuple(
            ConnectionLogView(row["id"], row["wearable_id"], row["name"], row["begun_at"], row["updated_at"])
            for row in rows
        )

    def log_text(self, by: Identity, log_id: str, redacted: bool = True) -> str:
        """Return a connection log, without addresses and names unless asked otherwise. Raises NoSuch."""
        with self._ground.store.read() as tx:
            found = require_row(tx, by, connection_logs.get(tx, log_id), f"connection log {log_id}", Level.FULL)
        return str(found["redacted" if redacted else "whole"])

    def _note_presence(self, holder: Holder, beat: Beat, now_s: float) -> Present:
        present = Present(
            instance=beat.instance,
            at_utc_s=now_s,
            ahead_s=beat.utc_s - now_s,
            waiting=max(0, beat.waiting),
            dropped=max(0, beat.dropped),
            full=beat.full,
            athlete_id=holder.athlete_id,
            leaving=beat.leaving,
        )
        with self._lock:
            known = self._present.get(holder.token_id)
            other = known is not None and known.instance != beat.instance and not known.leaving
            if known is not None and other and now_s - known.at_utc_s <= _PRESENT_S:
                raise Conflict(
                    f"The token of {holder.label} is in use on another machine: make a token for each machine."
                )
            self._present[holder.token_id] = present
        return present


def _taken(status: LinkStatus, shift_s: float) -> LinkStatus:
    """Return a gateway's status by the clock here, with a sentence of bounded length."""
    silent, heart = status.silent_since_utc_s, status.heart
    return replace(
        status,
        since_utc_s=status.since_utc_s + shift_s,
        silent_since_utc_s=None if silent is None else silent + shift_s,
        heart=heart and replace(heart, at_utc_s=heart.at_utc_s + shift_s),
        problem=status.problem[:_SENTENCE_MAX] if status.problem else None,
    )


def _served(row: Row) -> ServedWearable:
    stamp = f"{row['placement']} {row['calibrated_at']} {row['upright']} {row['forward']}"
    return ServedWearable(row["id"], row["name"], row["family"], row["address"], row["placement"], stamp)
