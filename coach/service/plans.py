"""Programs: proposed from findings, decided by a coach, done as sessions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from coach.errors import Conflict, NoSuch, NotAllowed
from coach.logs import about
from coach.service import planning
from coach.service.assessment_views import Retest
from coach.service.consents import require_own
from coach.service.ground import Ground
from coach.service.permission import may_answer, may_decide, require_athlete, require_plan, require_session
from coach.service.plain import prescription_from_plain, prescription_to_plain
from coach.service.plan_differences import MadeFrom
from coach.service.progress import look_after, refuse_loading, withdraw
from coach.service.releasing import Told, close_stale, place_ahead, record_outcome, release_due
from coach.service.reminder_choices import alarms_of, choices_of
from coach.service.replacing import replace_planned
from coach.service.retests import retest_of
from coach.service.secrets import fresh_token
from coach.service.throwing import rest_until
from coach.service.triage import refuse_locked
from coach.service.types import Identity, PlanState, PlanView, SessionState, SessionView
from coach.store import athletes, events, notifications, outcomes, people, plan_templates, plans, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.errors import ProgramError
from programs.types import Lock

_log = logging.getLogger(__name__)
# Days of sessions in a calendar feed, back and ahead. Own choice.
_CALENDAR_BACK, _CALENDAR_AHEAD = timedelta(days=30), timedelta(days=120)


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """What a calendar link answers. Sessions include cancelled ones, so that calendars remove them.

    retest: the next tests, None while none are due some day or the athlete is locked. paused: all is locked.
    alarms: by session, minutes before it at which a calendar reminds; none while paused. says_why: the athlete wants
    the calendar to say why a session is asked for. language: as the athlete chose.
    """

    athlete_id: str
    athlete_name: str
    time_zone: str
    sessions: tuple[SessionView, ...]
    retest: Retest | None = None
    paused: bool = False
    alarms: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    says_why: bool = False
    language: str | None = None


class Plans:
    """Propose, decide, release, record."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def replan(self, athlete_id: str) -> PlanView | None:
        """Store a proposal that answers the athlete's findings; None when nothing would change.

        A proposal that asks for the same work keeps its place and is told the new evidence; another one is superseded.
        A locked or never asked athlete may have a proposal; accepting it raises.
        Raises NoSuch.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athletes.lock(tx, athlete_id)
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            athletes.change(tx, athlete_id, replan_wanted=False)
            needs = planning.needs_of(tx, athlete_id, now)
            if planning.changes_nothing(tx, athlete, needs, now):
                return None
            try:
                prescription = planning.prescription_for(tx, athlete, needs, self._ground.config, now)
            except ProgramError as error:
                events.record(
                    tx, now, "service", "found no program", "athlete", athlete_id, athlete_id, type(error).__name__
                )
                return None
            finding_ids = [finding_id for need in needs for finding_id in need.finding_ids]
            older = plans.in_state(tx, athlete_id, PlanState.PROPOSED.value)
            if older is not None and plan_templates.authors(tx, [older["id"]]):
                return None  # a person wrote it, and decides on it first; then what was found speaks again
            if older is not None and planning.same_work(older, needs, prescription):
                # The evidence has grown: the proposal says so, and stays the one that the coach is looking at.
                words = {"prescription": prescription_to_plain(prescription), "finding_ids": finding_ids}
                plans.move(tx, older["id"], PlanState.PROPOSED.value, **words)
                return None
            if older is not None:
                plans.move(tx, older["id"], PlanState.PROPOSED.value, state=PlanState.SUPERSEDED.value, decided_at=now)
                events.record(tx, now, "service", "superseded", "plan", older["id"], athlete_id)
            values = {
                "athlete_id": athlete_id,
                "state": PlanState.PROPOSED.value,
                "prescription": prescription_to_plain(prescription),
                "need_kinds": sorted(need.kind for need in needs),
                "finding_ids": finding_ids,
                "created_at": now,
            }
            plan_id = plans.add(tx, values)
            why = ", ".join(sorted(need.kind for need in needs))
            events.record(tx, now, "service", "proposed", "plan", plan_id, athlete_id, why)
            return self._view(tx, plans.get(tx, plan_id))

    def replan_wanted(self) -> tuple[PlanView, ...]:
        """Replan for every athlete whose findings changed since; return the new proposals."""
        with self._ground.store.read() as tx:
            wanted = athletes.wanting_replan(tx)
        proposed: list[PlanView] = []
        for athlete_id in wanted:
            try:
                plan = self.replan(athlete_id)
            except Exception:  # noqa: BLE001 - one athlete's trouble must not keep the others waiting
                with about(athlete=athlete_id):
                    _log.exception("no plan could be made for athlete %s", athlete_id)
                continue
            if plan is not None:
                proposed.append(plan)
        return tuple(proposed)

    def proposal(self, athlete_id: str) -> PlanView | None:
        """Return the proposal that waits for a decision."""
        with self._ground.store.read() as tx:
            row = plans.in_state(tx, athlete_id, PlanState.PROPOSED.value)
            return self._view(tx, row) if row is not None else None

    def active(self, athlete_id: str) -> PlanView | None:
        """Return the accepted program that runs now."""
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            row = planning.has_running(tx, athlete, self._ground.now()) if athlete is not None else None
            return self._view(tx, row) if row is not None else None

    def get(self, by: Identity, plan_id: str) -> PlanView:
        """Return one plan in any state. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return self._view(tx, require_plan(tx, by, plan_id))

    def preview(self, by: Identity, plan_id: str) -> tuple[SessionView, ...]:
        """Return the sessions that accepting now would place in the first seven days; nothing is stored.

        Raises NoSuch, Conflict (the availability leaves no time).
        """
        now = self._ground.now()
        with self._ground.store.read() as tx:
            row = require_plan(tx, by, plan_id)
            athlete = require_athlete(tx, by, row["athlete_id"])
            try:
                program = prescription_from_plain(row["prescription"])
                placed = planning.sessions_to_place(
                    tx,
                    athlete,
                    program,
                    planning.local_day(athlete, now),
                    now,
                    frozenset(),
                    7,
                    not_before=rest_until(tx, self._ground, athlete, program, now),
                )
            except ProgramError as error:
                raise Conflict(str(error)) from None
        return tuple(
            planning.session_view(planning.session_values(session, athlete, plan_id, now)) for session in placed
        )

    def accept(self, plan_id: str, by: Identity, note: str | None = None) -> PlanView:
        """Accept a proposal and place its sessions at the athlete's local times, in one transaction.

        Sessions that are planned already become the new ones; the fewest are moved.

        Raises NoSuch, NotAllowed (an athlete who has a coach), Conflict (not proposed any more, or no time for it),
        Locked (its message is what to show: triage locked, or never answered).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _require_decidable(tx, by, plan_id)
            athlete = require_athlete(tx, by, row["athlete_id"])
            refuse_locked(tx, by, athlete, now)
            refuse_loading(tx, athlete, row, now)
            withdraw(tx, athlete["id"], now)
            older = plans.in_state(tx, athlete["id"], PlanState.ACCEPTED.value)
            if older is not None:
                plans.move(tx, older["id"], PlanState.ACCEPTED.value, state=PlanState.SUPERSEDED.value)
                events.record(tx, now, by.user_id, "superseded", "plan", older["id"], athlete["id"])
            prescription = prescription_from_plain(row["prescription"])
            start = planning.local_day(athlete, now)
            values = {
                "state": PlanState.ACCEPTED.value,
                "decided_at": now,
                "decided_by": by.user_id,
                "note": note,
                "starts_on": start,
                "ends_on": start + timedelta(weeks=prescription.weeks),
            }
            plans.move(tx, plan_id, PlanState.PROPOSED.value, **values)
            horizon_days = self._ground.config.program.plan_ahead_days
            not_before = rest_until(tx, self._ground, athlete, prescription, now)
            try:
                replace_planned(
                    tx, athlete, plan_id, prescription, start, now, horizon_days, "a new program", not_before
                )
            except ProgramError as error:
                raise Conflict(str(error)) from None
            self._ask_again(tx, plan_id, athlete["id"])
            events.record(tx, now, by.user_id, "accepted", "plan", plan_id, athlete["id"])
            return self._view(tx, plans.get(tx, plan_id))

    def decline(self, plan_id: str, by: Identity, reason: str | None = None) -> PlanView:
        """Decline a proposal. Raises NoSuch, NotAllowed, Conflict."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = _require_decidable(tx, by, plan_id)
            values = {"state": PlanState.DECLINED.value, "decided_at": now, "decided_by": by.user_id, "note": reason}
            if self._ask_again(tx, plan_id, row["athlete_id"]) is MadeFrom.TEMPLATE:
                values["need_kinds"] = []  # a no to a coach's own idea is none to what was found
            plans.move(tx, plan_id, PlanState.PROPOSED.value, **values)
            events.record(tx, now, by.user_id, "declined", "plan", plan_id, row["athlete_id"])
            return self._view(tx, plans.get(tx, plan_id))

    def may_decide(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether `by` may accept or decline for this athlete."""
        with self._ground.store.read() as tx:
            return may_decide(tx, by, athlete_id)

    def week(self, athlete_id: str, start: date) -> list[SessionView]:
        """Return the live sessions of the seven local days from `start`, in order of time."""
        with self._ground.store.read() as tx:
            rows = sessions.between(tx, athlete_id, start, start + timedelta(days=7))
        return [planning.session_view(row) for row in rows]

    def session(self, by: Identity, session_id: str) -> SessionView:
        """Return one session. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return planning.session_view(require_session(tx, by, session_id))

    def record_outcome(
        self,
        session_id: str,
        by: Identity,
        outcome: SessionState,
        effort: int | None = None,
        pain_during: int | None = None,
        reason: str | None = None,
        pain_after: int | None = None,
    ) -> SessionView:
        """Record DONE (with effort and pains 0..10, all optional) or SKIPPED (with a reason, optional), once.

        The program is looked at: after a red session it gets easier by itself, see `Progress`.
        Raises NoSuch, InvalidInput, Conflict (already recorded or cancelled).
        """
        told = Told(effort, pain_during, pain_after, reason)
        recorded = record_outcome(self._ground, by, session_id, outcome, told)
        look_after(self._ground, recorded.athlete_id)
        return recorded

    def release_due(self, now: datetime) -> tuple[SessionView, ...]:
        """Release the sessions that are due, each exactly once; never those of a wholly locked athlete.

        While only starting is locked, what is released is walking and rest in place of what was planned. Before, the
        program is looked at, so that nobody starts where they left off after weeks without a session.

        After a pause of the service nobody gets several days at once, and nobody anything from 01:00 to 03:30: what
        came due meanwhile is released, waits or is cancelled as [sessions] of config.toml says.
        """
        with self._ground.store.read() as tx:
            unlooked = outcomes.waiting_unlooked(tx, now)
        for athlete_id in unlooked:
            look_after(self._ground, athlete_id)
        return release_due(self._ground, now)

    def plan_ahead(self, now: datetime) -> int:
        """Place sessions of running programs up to the horizon, and replan where asked; return sessions placed."""
        self.replan_wanted()
        return place_ahead(self._ground, now)

    def close_stale(self, now: datetime) -> int:
        """Mark released sessions that nobody answered in time as skipped; return how many."""
        return close_stale(self._ground, now)

    def calendar_token(self, by: Identity, athlete_id: str) -> str:
        """Return the secret of the athlete's calendar link (`/calendar/<token>.ics`).

        Not to a coach: who has it reads on when sharing has ended. Raises NoSuch, NotAllowed.
        """
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            if not may_answer(tx, by, athlete_id):
                raise NotAllowed("The calendar link is the athlete's own: they find it on their page of the week.")
            return str(athlete["calendar_token"])

    def renew_calendar_token(self, by: Identity, athlete_id: str) -> str:
        """Replace the secret; the old link answers nothing from now on. Raises NoSuch, NotAllowed (a coach)."""
        token = fresh_token()
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            athletes.change(tx, athlete_id, calendar_token=token)
            events.record(
                tx, self._ground.now(), by.user_id, "renewed the calendar link", "athlete", athlete_id, athlete_id
            )
        return token

    def calendar_sessions(self, token: str) -> CalendarFeed:
        """Return the sessions for a calendar link: 30 days back, 120 ahead. Raises NoSuch for an unknown token."""
        with self._ground.store.read() as tx:
            athlete = athletes.by_calendar_token(tx, token)
            if athlete is None:
                raise NoSuch("This calendar link is not known, or was replaced.")
            today = planning.local_day(athlete, self._ground.now())
            first, after = today - _CALENDAR_BACK, today + _CALENDAR_AHEAD
            rows = sessions.between(tx, athlete["id"], first, after, with_cancelled=True)
            weeks = self._ground.config.assessment.retest_weeks
            retest = retest_of(tx, athlete, self._ground.now(), weeks)
            choices = choices_of(notifications.settings(tx, athlete["id"]), self._ground.config)
            spoken = people.language_of(tx, athlete["id"])
        views = tuple(planning.session_view(row) for row in rows)
        paused = athlete["lock"] == Lock.ALL
        alarms = {} if paused else alarms_of(views, choices)
        whose = athlete["id"], athlete["name"], athlete["time_zone"]
        return CalendarFeed(*whose, views, retest, paused, alarms, choices.calendar_why, spoken)

    def _ask_again(self, tx: Tx, plan_id: str, athlete_id: str) -> MadeFrom:
        """Let findings speak that had to wait for a person's own proposal; return what the proposal was made from."""
        author = plan_templates.authors(tx, [plan_id]).get(plan_id)
        if author is None:
            return MadeFrom.FINDINGS
        athletes.change(tx, athlete_id, replan_wanted=True)
        return MadeFrom(author["made_from"])

    def _view(self, tx: Tx, row: Row | None) -> PlanView:
        if row is None:
            raise NoSuch("This plan is gone.")
        user = people.user(tx, row["decided_by"]) if row["decided_by"] else None
        return planning.plan_view(row, {user["id"]: user["name"]} if user is not None else {})


def _require_decidable(tx: Tx, by: Identity, plan_id: str) -> Row:
    row = require_plan(tx, by, plan_id)
    if not may_decide(tx, by, row["athlete_id"]):
        raise NotAllowed("Your coach decides on this proposal: ask them.")
    if row["state"] != PlanState.PROPOSED.value:
        raise Conflict(f"This proposal is {row['state']} already: look at the newest one.")
    return row
