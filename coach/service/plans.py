"""Programs: proposed from findings, decided by a coach, done as sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from coach.service.ground import Ground
from coach.service.types import Identity, PlanView, SessionState, SessionView


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """What a calendar link answers. Sessions include cancelled ones, so that calendars remove them."""

    athlete_id: str
    athlete_name: str
    time_zone: str
    sessions: tuple[SessionView, ...]


class Plans:
    """Propose, decide, release, record."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def replan(self, athlete_id: str) -> PlanView | None:
        """Store a proposal that answers the athlete's findings; None when nothing would change.

        An older proposal is superseded. A locked or never asked athlete may have a proposal; accepting it raises.
        """
        raise NotImplementedError

    def proposal(self, athlete_id: str) -> PlanView | None:
        """Return the proposal that waits for a decision."""
        raise NotImplementedError

    def active(self, athlete_id: str) -> PlanView | None:
        """Return the accepted program that runs now."""
        raise NotImplementedError

    def get(self, by: Identity, plan_id: str) -> PlanView:
        """Return one plan in any state. Raises NoSuch."""
        raise NotImplementedError

    def preview(self, plan_id: str) -> tuple[SessionView, ...]:
        """Return the sessions that accepting now would place in the first seven days; nothing is stored. Raises NoSuch."""
        raise NotImplementedError

    def accept(self, plan_id: str, by: Identity, note: str | None = None) -> PlanView:
        """Accept a proposal and place its sessions at the athlete's local times, in one transaction.

        Raises NoSuch, NotAllowed (an athlete who has a coach), Conflict (not proposed any more), Locked (its message
        is what to show: triage locked, or never answered).
        """
        raise NotImplementedError

    def decline(self, plan_id: str, by: Identity, reason: str | None = None) -> PlanView:
        """Decline a proposal. Raises NoSuch, NotAllowed, Conflict."""
        raise NotImplementedError

    def may_decide(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether `by` may accept or decline for this athlete."""
        raise NotImplementedError

    def week(self, athlete_id: str, start: date) -> list[SessionView]:
        """Return the live sessions of the seven local days from `start`, in order of time."""
        raise NotImplementedError

    def session(self, by: Identity, session_id: str) -> SessionView:
        """Return one session. Raises NoSuch."""
        raise NotImplementedError

    def record_outcome(
        self,
        session_id: str,
        by: Identity,
        outcome: SessionState,
        effort: int | None = None,
        pain_during: int | None = None,
        reason: str | None = None,
    ) -> SessionView:
        """Record DONE (with effort and pain 0..10, both optional) or SKIPPED (with a reason, optional), once.

        Raises NoSuch, InvalidInput, Conflict (already recorded or cancelled).
        """
        raise NotImplementedError

    def release_due(self, now: datetime) -> tuple[SessionView, ...]:
        """Release the sessions that are due, each exactly once; never those of a locked athlete."""
        raise NotImplementedError

    def plan_ahead(self, now: datetime) -> int:
        """Place sessions of running programs up to the horizon, and replan where asked; return sessions placed."""
        raise NotImplementedError

    def close_stale(self, now: datetime) -> int:
        """Mark released sessions that nobody answered for 36 hours as skipped; return how many."""
        raise NotImplementedError

    def calendar_token(self, by: Identity, athlete_id: str) -> str:
        """Return the secret of the athlete's calendar link (`/calendar/<token>.ics`). Raises NoSuch."""
        raise NotImplementedError

    def renew_calendar_token(self, by: Identity, athlete_id: str) -> str:
        """Replace the secret; the old link answers nothing from now on. Raises NoSuch."""
        raise NotImplementedError

    def calendar_sessions(self, token: str) -> CalendarFeed:
        """Return the sessions for a calendar link: 30 days back, 120 ahead. Raises NoSuch for an unknown token."""
        raise NotImplementedError
