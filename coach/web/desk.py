"""What the parts of a page need: the live line, the findings, the plan. The same parts serve coach and athlete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for

from coach.analysis.detectors.types import Kind, Thresholds
from coach.analysis.heart_day import HeartDay
from coach.language import gettext as _
from coach.service.types import AthleteView, DayTotals, Identity, SessionState, SessionView, WearableView
from coach.web import words
from coach.web.heart_words import heart_line, rmssd_line
from coach.web.house import house
from coach.web.wholeness import wholeness
from devices.types import LinkState

# Own choice: a fortnight shows the rhythm of a plan without a scroll.
DAYS_SHOWN = 14
# Own choice: those of some months; older ones are on the days' own pages.
FINDINGS_SHOWN = 40
# Own choice: today's and yesterday's; each is read with the state of its analysis.
RECORDINGS_SHOWN = 6


def totals_of(athlete: AthleteView) -> DayTotals:
    """Return the athlete's day so far."""
    return house().services.motion.totals(athlete.athlete_id, house().today(athlete.time_zone))


def foremost(wearables: tuple[WearableView, ...]) -> WearableView | None:
    """Return the wearable that the page's one state line speaks of: a streaming one, else one that needs the person."""
    rank = {LinkState.STREAMING: 0, LinkState.BLOCKED: 1}
    return min(wearables, key=lambda each: rank.get(each.status.state, 2) if each.status else 3, default=None)


def live_part(athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/live.html needs."""
    wearables = house().services.wearables.for_athlete(athlete.athlete_id)
    return {"wearable": foremost(wearables), "totals": totals_of(athlete)}


def pauses_part(identity: Identity, athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/pauses.html needs."""
    return {"pauses": house().services.rests.pauses_today(identity, athlete.athlete_id)}


def recordings_part(athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/recordings.html needs."""
    services = house().services
    names = {each.wearable_id: each.name for each in services.wearables.for_athlete(athlete.athlete_id)}
    found = services.recordings.for_athlete(athlete.athlete_id, limit=RECORDINGS_SHOWN)
    return {"athlete": athlete, "names": names, "recordings": [(each, wholeness(each)) for each in found]}


def heart_part(athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/heart.html needs. shown: whether the day has a heart rate, or a wearable could bring one."""
    services = house().services
    day = services.hearts.day(athlete.athlete_id, house().today(athlete.time_zone))
    could = any(words.measures(each.family, "heart") for each in services.wearables.for_athlete(athlete.athlete_id))
    return {
        "shown": could or isinstance(day, HeartDay),
        "heart": heart_line(day),
        "rmssd": rmssd_line(day, athlete.time_zone),
    }


def findings_part(athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/findings.html needs, but for the day's sums."""
    found = house().services.findings.for_athlete(athlete.athlete_id, limit=FINDINGS_SHOWN)
    return {
        # The gravest first; of the same grade the newest.
        "open_findings": sorted((each for each in found if each.state == "open"), key=lambda each: each.grade != "red"),
        "closed_findings": [each for each in found if each.state != "open"],
        "bending_per_min": _bending(athlete)["rate_per_min"].value,
        "bending_needs_s": _bending_needs_s(athlete),
        "today_there": house().today(athlete.time_zone),
    }


def _bending(athlete: AthleteView) -> Thresholds:
    return house().services.profiles.get(athlete.profile_id).detectors[Kind.REPEATED_BENDING]


def _bending_needs_s(athlete: AthleteView) -> float:
    return _bending(athlete)["duration_min"].value * 60.0


def sessions_ahead(athlete: AthleteView) -> list[SessionView]:
    """Return the sessions of the next two weeks, today's included."""
    today, plans = house().today(athlete.time_zone), house().services.plans
    return [
        session
        for offset in range(0, DAYS_SHOWN, 7)
        for session in plans.week(athlete.athlete_id, today + timedelta(days=offset))
    ]


def next_session(sessions: list[SessionView]) -> SessionView | None:
    """Return the session to show big: one that was released, else the first planned one."""
    waiting = [session for session in sessions if session.state in {SessionState.DUE, SessionState.PLANNED}]
    return min(waiting, key=lambda each: (each.state is not SessionState.DUE, each.due_at), default=None)


def start_url(session: SessionView) -> str:
    """Return where a session is started."""
    return url_for("guided.page", session_id=session.session_id)


def calendar_part(identity: Identity, athlete: AthleteView) -> dict[str, Any]:
    """Return what parts/calendar.html needs."""
    token = house().services.plans.calendar_token(identity, athlete.athlete_id)
    return {
        "calendar_url": url_for("calendar.feed", token=token, _external=True),
        "calendar_note": _(
            "Whoever has this link sees the sessions and the day of the next tests. Subscribe to it in any calendar."
        ),
    }


def plan_part(identity: Identity, athlete: AthleteView, problem: str | None = None) -> dict[str, Any]:
    """Return what parts/plan.html and parts/next.html need."""
    services = house().services
    current = services.plans.active(athlete.athlete_id)
    proposal = services.plans.proposal(athlete.athlete_id)
    step = services.progress.proposed(athlete.athlete_id)
    sessions = sessions_ahead(athlete)
    return {
        "athlete": athlete,
        "triage": services.triage.view_for(identity, athlete.athlete_id),
        "proposal": proposal,
        "start_url": start_url,
        "may_decide": (proposal or step) is not None and services.plans.may_decide(identity, athlete.athlete_id),
        "current": current,
        "sessions": sessions,
        "next_session": next_session(sessions),
        "today_there": house().today(athlete.time_zone),
        "retest": services.assessments.retest(athlete.athlete_id),
        "step": step,
        "changes": services.progress.lately(athlete.athlete_id),
        "problem": problem,
        **(calendar_part(identity, athlete) if current and identity.athlete_id == athlete.athlete_id else {}),
    }


def next_part(identity: Identity, athlete: AthleteView, problem: str | None = None) -> dict[str, Any]:
    """Return what parts/next.html needs."""
    return plan_part(identity, athlete, problem) | {
        "totals": totals_of(athlete),
        "bending_needs_s": _bending_needs_s(athlete),
    }
