"""Guided sessions: begun when nothing stands against it, one set at a time, resumed anywhere, recorded once.

Where somebody is, is rows; what is seen of the set that goes on is in memory and comes into its row as it changes.
Every call may come twice, or late from a phone that had no network: it tells where things stand, not what to add.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coach.analysis.errors import AnalysisError
from coach.analysis.guided_set import begin_set, done_of, follow_set
from coach.errors import Conflict, InvalidInput, Locked, NotAllowed
from coach.language import gettext as _
from coach.service import planning
from coach.service.ground import Ground
from coach.service.guidance_counting import Counting, Over
from coach.service.guidance_views import (
    GuidedState,
    GuidedStep,
    GuidedView,
    SetState,
    script_of,
    set_of,
    steps_to_plain,
    view_of,
    wearable_for,
)
from coach.service.permission import require_athlete, require_session, speaks_for
from coach.service.progress import look_after
from coach.service.releasing import Told, record_outcome
from coach.service.stored_trials import cut_chunks
from coach.service.triage import refuse_locked
from coach.service.types import Identity, Level, SessionState, WearableView
from coach.service.wearables import Wearables
from coach.store import assessments, events, guidance
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.codec import decode_chunk
from devices.types import Chunk
from programs.triage import ASK_AT_PAIN

# A set that nobody ends is ended, a session that nobody comes back to is left; a signal that never comes is waited for
# no longer: a gateway away may bring it a day late. Own choices.
_SET_AT_MOST, _OPEN_AT_MOST, _AWAITED_AT_MOST = timedelta(minutes=20), timedelta(hours=12), timedelta(hours=48)
# Own bound: nobody does more of one set.
COUNT_MAX = 999
# s by which the stored signal may end before the live one did: the length of a live block. Own choice.
_SHORT_S = 0.3
_OPEN = {SessionState.PLANNED.value, SessionState.DUE.value}
_RUNNING = (SetState.RUNNING.value,)


class Guidance:
    """Begin, count, rest, end. One guided session for each planned one."""

    def __init__(self, ground: Ground, wearables: Wearables) -> None:
        self._ground, self._wearables = ground, wearables
        self.counting = Counting(ground.clock)

    def view(self, by: Identity, session_id: str) -> GuidedView:
        """Return where somebody is in a session; of one that was not begun, its sets. Raises NoSuch."""
        with self._ground.store.read() as tx:
            session = require_session(tx, by, session_id)
            row = guidance.of_session(tx, session_id)
            if row is None:
                return GuidedView(None, session_id, session["athlete_id"], None, _script(session), ())
            sets = guidance.sets(tx, row["id"])
        # The process may have begun anew since the set was.
        for each in sets:
            if each["state"] == SetState.RUNNING and each["wearable_id"] is not None:
                self.counting.begin(each, session_id)
        return view_of(row, sets)

    def stands_against(self, by: Identity, view: GuidedView) -> str | None:
        """Return why nobody is led on in a session that is not over, for them to read; None: it goes on. Raises NoSuch.

        What was done until then can still be told.
        """
        if view.state not in {None, GuidedState.RUNNING}:
            return None
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, view.athlete_id)
            try:
                refuse_locked(tx, by, athlete, self._ground.now())
            except Locked as error:
                return str(error)
        return None

    def now(self, view: GuidedView) -> dict[str, Any] | None:
        """Return what is seen of the set that goes on, as `watch` tells it; None when nothing is counted."""
        step = view.current
        return self.counting.now((view.guided_id, step.number)) if view.guided_id and step else None

    def begin(self, by: Identity, session_id: str) -> None:
        """Begin a guided session; again goes on with it.

        Raises NoSuch, NotAllowed (neither the athlete nor a guardian), Locked (its message is what to show), Conflict
        (over, or planned for a later day).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            session = _require_own(tx, by, session_id)
            if guidance.of_session(tx, session_id) is not None:
                return
            _refuse(tx, by, session, now)
            steps = _script(session)
            if not steps:
                raise Conflict(_("This session has no exercise to be led through."))
            values = {
                "athlete_id": session["athlete_id"],
                "session_id": session_id,
                "state": GuidedState.RUNNING.value,
                "script": steps_to_plain(steps),
                "started_by": by.user_id,
                "started_at": now,
            }
            guided_id = guidance.add(tx, values)
            events.record(tx, now, by.user_id, "began", "guided_session", guided_id, session["athlete_id"])

    def begin_set(
        self, by: Identity, session_id: str, number: int, by_hand: bool = False, at: datetime | None = None
    ) -> None:
        """Begin a set, and the session with its first one; again goes on with it.

        by_hand: without a wearable, though one is worn where it would see it. at: when it began, of what is told late.
        Raises NoSuch, NotAllowed, Locked, InvalidInput (no such set), Conflict (not running).
        """
        now = self._ground.now()
        self.begin(by, session_id)
        with self._ground.store.begin() as tx:
            session, row, step = self._step(tx, by, session_id, number)
            if guidance.get_set(tx, row["id"], number) is not None:
                return
            _refuse(tx, by, session, now)
            worn = None if by_hand or at is not None else self._worn(session["athlete_id"], step)
            values = _set_values(row, step, _checked(at, row, now))
            told = {**values, "state": SetState.RUNNING.value, "seen": 0 if worn else None}
            guidance.add_set(tx, {**told, "wearable_id": worn.wearable_id if worn else None})
            begun = guidance.get_set(tx, row["id"], number)
        if worn is not None and begun is not None:
            self.counting.begin(begun, session_id)

    def tell_set(
        self,
        by: Identity,
        session_id: str,
        number: int,
        by_hand: int,
        over: SetState | None = None,
        at: datetime | None = None,
    ) -> None:
        """Tell how many were counted by hand so far, and whether the set is over (ENDED) or left out (SKIPPED).

        by_hand may be below 0 where the wearable saw too many. at: when, of what is told late. A set that was not
        begun here counts as begun: a phone without a network went on. Raises NoSuch, NotAllowed, InvalidInput.
        """
        if not -COUNT_MAX <= by_hand <= COUNT_MAX or over not in {None, SetState.ENDED, SetState.SKIPPED}:
            raise InvalidInput(_("A set is counted from 0 to %(most)s, goes on, is ended or skipped.", most=COUNT_MAX))
        now = self._ground.now()
        self.begin(by, session_id)
        with self._ground.store.begin() as tx:
            _session, row, step = self._step(tx, by, session_id, number)
            when = _checked(at, row, now)
            if guidance.get_set(tx, row["id"], number) is None:
                guidance.add_set(tx, {**_set_values(row, step, when), "state": SetState.RUNNING.value})
            guidance.change_set(tx, row["id"], number, _RUNNING, by_hand=by_hand)
            if over is not None:
                self._end(tx, row["id"], number, over, when)

    def finish(
        self,
        by: Identity,
        session_id: str,
        effort: int | None,
        pain_during: int | None,
        pain_after: int | None,
        reason: str | None = None,
    ) -> bool:
        """Record what came of it, once, and tell whether pain stopped it: then the safety questions come next.

        effort, pains: 0 to 10. Done when any set was, else left out. Sent twice it is recorded once; what somebody
        recorded meanwhile by another way stands. Raises NoSuch, NotAllowed, InvalidInput, Locked.
        """
        told = Told(effort, pain_during, pain_after, reason).checked()
        stopped = told.worst_pain is not None and told.worst_pain >= ASK_AT_PAIN
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            session = _require_own(tx, by, session_id)
            row = guidance.of_session(tx, session_id)
            if row is None or row["state"] == GuidedState.LEFT:
                raise Conflict(_("This session was not begun, or left: say on its own page what came of it."))
            for each in guidance.sets(tx, row["id"]):
                self._end(tx, row["id"], each["number"], SetState.ENDED, now)
            done = any(set_of(each).counted > 0 for each in guidance.sets(tx, row["id"]))
            state = GuidedState.STOPPED if stopped else GuidedState.DONE
            if not guidance.end(tx, row["id"], state.value, now) and session["state"] not in _OPEN:
                return bool(row["state"] == GuidedState.STOPPED)
            events.record(tx, now, by.user_id, state.value, "guided_session", row["id"], row["athlete_id"])
        outcome = SessionState.DONE if done else SessionState.SKIPPED
        if session["state"] in _OPEN:
            recorded = record_outcome(self._ground, by, session_id, outcome, told)
            look_after(self._ground, recorded.athlete_id)
        return stopped

    def usual_rom_deg(self, by: Identity, view: GuidedView) -> dict[int, float]:
        """Return the athlete's usual ROM of each set that a wearable saw before, by number of the script."""
        found: dict[int, float] = {}
        with self._ground.store.read() as tx:
            require_session(tx, by, view.session_id)
            for step in view.steps:
                rows = guidance.newest_of_exercise(tx, view.athlete_id, step.exercise_id, step.side, 5)
                roms = sorted(float(each["rom_deg"]) for row in rows for each in row["detail"])
                if len(roms) >= 3:
                    found[step.number] = roms[len(roms) // 2]
        return found

    # What the roles call

    def watch(self, publish: Callable[[str, dict[str, Any]], None]) -> None:
        """Look at what has arrived for the sets that go on, tell the pages by `publish`, then keep what was seen."""
        for (guided_id, number), athlete_id, event, more in self.counting.work():
            publish(athlete_id, event)
            if more:
                with self._ground.store.begin() as tx:
                    goes_on = guidance.change_set(tx, guided_id, number, _RUNNING, seen=event["seen"])
                if not goes_on:  # ended at another process
                    self.counting.drop((guided_id, number))

    def settle(self, now: datetime) -> tuple[str, ...]:
        """Count ended sets from their stored signal, end what nobody ended; return whose sets have changed."""
        with self._ground.store.read() as tx:
            ended = guidance.sets_in_state(tx, SetState.ENDED.value)
            running = guidance.sets_in_state(tx, SetState.RUNNING.value)
            left = guidance.running_since(tx, now - _OPEN_AT_MOST)
        changed = dict.fromkeys(row["athlete_id"] for row in ended if self._settle(row, now))
        with self._ground.store.begin() as tx:
            for row in running:
                if now - row["started_at"] > _SET_AT_MOST:
                    self._end(tx, row["guided_id"], row["number"], SetState.ENDED, now)
                    changed[row["athlete_id"]] = None
            for row in left:
                if guidance.end(tx, row["id"], GuidedState.LEFT.value, now):
                    events.record(tx, now, "clock", "left", "guided_session", row["id"], row["athlete_id"])
        return tuple(changed)

    def wanted(self, wearable_id: str) -> bool:
        """Tell whether a set waits for live blocks of this wearable."""
        return self.counting.wanted(wearable_id)

    def take(self, wearable_id: str, block: Chunk, notified_utc_s: float) -> None:
        """Bring a live block; only enqueues."""
        self.counting.take(wearable_id, block, notified_utc_s)

    # Within a transaction

    def _worn(self, athlete_id: str, step: GuidedStep) -> WearableView | None:
        return wearable_for(step, self._wearables.for_athlete(athlete_id))

    def _step(self, tx: Tx, by: Identity, session_id: str, number: int) -> tuple[Row, Row, GuidedStep]:
        session = _require_own(tx, by, session_id)
        row = guidance.of_session(tx, session_id)
        if row is None or row["state"] != GuidedState.RUNNING:
            raise Conflict(_("This session is not led any more: look at its page again."))
        steps = view_of(row, ()).steps
        if not 0 <= number < len(steps):
            raise InvalidInput(_("This session has %(count)s sets: choose one of them.", count=len(steps)))
        return session, row, steps[number]

    def _end(self, tx: Tx, guided_id: str, number: int, state: SetState, now: datetime) -> None:
        """End a set that goes on. Of one that a wearable saw, the stored signal is awaited."""
        row = guidance.get_set(tx, guided_id, number)
        if self.counting.knows_others and row is not None and row["state"] == SetState.RUNNING and row["wearable_id"]:
            self.counting.begin(row, "")  # wherever it was begun
        over = self.counting.end((guided_id, number))
        if row is None or row["state"] != SetState.RUNNING:
            return
        changes: dict[str, Any] = {"ended_at": now}
        if state is SetState.SKIPPED:
            changes |= {"state": SetState.SKIPPED.value}
        elif over is None or over.recording_id is None:
            changes |= {"state": SetState.SETTLED.value, "settled_at": now}
            changes |= {"seen": over.seen} if over is not None else {}
        else:
            changes |= {"state": SetState.ENDED.value} | _seen_values(over)
        guidance.change_set(tx, guided_id, number, _RUNNING, **changes)

    def _settle(self, row: Row, now: datetime) -> bool:
        """Count a set from its stored signal by the function that counted it live; tell whether it is settled."""
        start_utc_s, end_utc_s = row["signal_start_utc_s"], row["signal_end_utc_s"]
        with self._ground.store.read() as tx:
            found = assessments.signal(
                tx, row["wearable_id"], row["started_at"], start_utc_s, end_utc_s, row["recording_id"]
            )
        chunks = [decode_chunk(each["blob"]) for each in found]
        arrived = bool(chunks) and chunks[-1].start_utc_s + len(chunks[-1]) / chunks[-1].rate_hz >= end_utc_s - _SHORT_S
        if not arrived and now - row["ended_at"] <= _AWAITED_AT_MOST:
            return False
        changes: dict[str, Any] = {"state": SetState.SETTLED.value, "settled_at": now}
        if arrived:
            state = begin_set(row["exercise_id"], row["hold_s"])
            try:
                for chunk in cut_chunks(chunks, start_utc_s, end_utc_s):
                    state = follow_set(state, chunk).state
            except AnalysisError:
                return self._moved(row, changes)  # a signal that cannot be read in order says nothing
            done = done_of(state)
            changes |= {"stored": len(done), "detail": [asdict(each) for each in done]}
        return self._moved(row, changes)

    def _moved(self, row: Row, changes: dict[str, Any]) -> bool:
        with self._ground.store.begin() as tx:
            return guidance.change_set(tx, row["guided_id"], row["number"], (SetState.ENDED.value,), **changes)


def _script(session: Row) -> tuple[GuidedStep, ...]:
    """Return the sets of a planned session; none while walking and rest stand in for it."""
    return () if planning.session_view(session).fallback else script_of(session["exercises"])


def _seen_values(over: Over) -> dict[str, Any]:
    return {
        "seen": over.seen,
        "detail": [asdict(each) for each in over.detail] if over.detail is not None else None,
        "recording_id": over.recording_id,
        "signal_start_utc_s": over.start_utc_s,
        "signal_end_utc_s": over.end_utc_s,
    }


def _set_values(row: Row, step: GuidedStep, at: datetime) -> dict[str, Any]:
    return {
        "guided_id": row["id"],
        "number": step.number,
        "athlete_id": row["athlete_id"],
        "exercise_id": step.exercise_id,
        "side": step.side,
        "target": step.target,
        "hold_s": step.hold_s,
        "by_hand": 0,
        "started_at": at,
    }


def _checked(at: datetime | None, row: Row, now: datetime) -> datetime:
    """Return when something happened that may be told late: after the session began, and not ahead of now."""
    return now if at is None else min(max(at, row["started_at"]), now)


def _require_own(tx: Tx, by: Identity, session_id: str) -> Row:
    session = require_session(tx, by, session_id, Level.FULL)
    if not speaks_for(tx, by, session["athlete_id"]):
        raise NotAllowed(_("A session is led on the athlete's own page; a coach says what came of it on its page."))
    return session


def _refuse(tx: Tx, by: Identity, session: Row, now: datetime) -> None:
    """Raise Locked or Conflict while nobody is led through this session."""
    if session["state"] not in _OPEN:
        raise Conflict(_("This session is over already."))
    if session["local_date"] > now.astimezone(ZoneInfo(session["time_zone"])).date():
        raise Conflict(_("This session is planned for a later day: it can be begun from then on."))
    refuse_locked(tx, by, require_athlete(tx, by, session["athlete_id"]), now)
