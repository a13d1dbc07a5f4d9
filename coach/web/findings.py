"""Findings with their evidence, what versions say differently, and the signals behind charts as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.analysis.detectors.types import Outcome
from coach.errors import InvalidInput
from coach.service.canonical import plain
from coach.service.personal_tokens import TokenScope
from coach.service.types import AnswerView, AthleteView, DifferenceView, FindingView, Level, Role, SignalWindow
from coach.web import access, desk, findings_words, words
from coach.web.access import Access
from coach.web.asked import FIRST_YEAR, LAST_YEAR, LocalDayQuery, WindowQuery
from coach.web.athlete import myself
from coach.web.described import JSON, Raw, describe
from coach.web.house import house
from programs.notice import NOTICE

blueprint = Blueprint("findings", __name__)

# Days with differences on one page. Own choice: four weeks.
DAYS_SHOWN = 28
_SIGNAL = "Times to the millisecond, angles to a tenth of a degree, null in gaps."
# Findings that a program gets at most. Own choice.
LISTED_MAX = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What one edition says differently from the one before it.

    told: days on which another thing was found, each with its differences. worded: days on which the same was, with
    other words or numbers.
    """

    before: str
    after: str
    what_changed: tuple[str, ...]
    told: list[tuple[date, list[DifferenceView]]]
    worded: list[tuple[date, list[DifferenceView]]]


def local_day(athlete: AthleteView, wanted: str | None) -> date:
    """Return a day as it stands in an address, today without one. Raises InvalidInput."""
    try:
        local = date.fromisoformat(wanted) if wanted else house().today(athlete.time_zone)
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValueError("no such day has signal")
    except ValueError as error:
        raise InvalidInput(f"day is {wanted[:40] if wanted else ''!r}: write it as 2026-11-24.") from error
    return local


def profile_name(profile_id: str) -> str:
    """Return a profile's name, its id where it is among the profiles no more."""
    profiles = house().services.profiles
    return profiles.get(profile_id).name if profile_id in profiles.ids() else profile_id


def home_of(athlete: AthleteView) -> dict[str, str]:
    """Return where a page about an athlete leads back to, and its name."""
    if access.me().role is Role.ATHLETE:
        return {"back": url_for("athlete.today"), "back_name": "Today"}
    return {"back": url_for("coach.desk", athlete_id=athlete.athlete_id), "back_name": athlete.name}


def finding_as_json(found: FindingView) -> dict[str, Any]:
    """Return a finding as JSON values; its evidence once, as it is stored."""
    told: dict[str, Any] = plain(found)
    for name in ("flags", "windows", "thresholds", "baseline", "would_change", "limits"):
        told.pop(name)  # in because as well
    return told | {"superseded": found.superseded_by is not None}


def _signal_as_json(signal: SignalWindow) -> dict[str, Any]:
    """Return a window as JSON values: times to the millisecond, angles to a tenth of a degree, null in gaps."""
    return {
        "start_utc_s": signal.start_utc_s,
        "reference": signal.reference,
        "t_utc_s": [round(t, 3) for t in signal.t_utc_s],
        "inclination_deg": [
            None if value is None or math.isnan(value) else round(value, 1) for value in signal.inclination_deg
        ],
        "marks_utc_s": [round(each, 2) for each in signal.marks_utc_s],
    }


def _number(found: FindingView) -> int | None:
    """Return which window the address asks for, None where it asks for none. A finding without it answers 404."""
    wanted = request.args.get("window")
    if wanted is None:
        return None
    # ASCII only: other digits are numbers for Python as well.
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 4 and int(wanted) < len(found.windows)):
        abort(404)
    return int(wanted)


def _asked(finding_id: str) -> tuple[FindingView, AthleteView]:
    found = house().services.findings.get(access.me(), finding_id)
    return found, house().services.athletes.get(access.me(), found.athlete_id)


def _said_anew(found: FindingView, day: date | None) -> AnswerView | None:
    """Return what the newest edition says of the newest day of a superseded finding."""
    if found.superseded_by is None or day is None:
        return None
    answers = house().services.findings.answers(access.me(), found.athlete_id, day)
    return next((each for each in answers if each.kind == found.kind and each.edition != found.edition), None)


def _window_part(found: FindingView, athlete: AthleteView) -> dict[str, Any]:
    return {
        "finding": found,
        "athlete": athlete,
        "number": _number(found) or 0,
        "rests_on": findings_words.rests_on(found)[::-1],
        "today_there": house().today(athlete.time_zone),
        "signal_gone_at": house().services.retention.signal_gone_at(found),
        "line_gone_after": house().services.retention.line_gone_after(found),
    }


@blueprint.get("/findings/<finding_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def finding(finding_id: str) -> str:
    """Show one finding; `?window=2` shows its third window first."""
    found, athlete = _asked(finding_id)
    days = findings_words.days_of(found)
    newest = days[-1] if days else words.in_zone(found.started_at, athlete.time_zone).date()
    return render_template(
        "findings/finding.html",
        days=days[::-1],
        anew=_said_anew(found, newest),
        profile_name=profile_name,
        **_window_part(found, athlete),
        **home_of(athlete),
    )


@blueprint.get("/findings/<finding_id>/window")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def window(finding_id: str) -> str:
    """Return the part of the page with one window's signal."""
    found, athlete = _asked(finding_id)
    if not found.windows:
        abort(404)
    return render_template("findings/window.html", **_window_part(found, athlete))


@blueprint.get("/findings/<finding_id>/signal.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, query=WindowQuery, answer=Raw(JSON, _SIGNAL, SignalWindow))
def signal(finding_id: str, query: WindowQuery) -> Response:
    """Return the inclination around a finding, `?window=2` around its third window."""
    found, _ = _asked(finding_id)
    if query.window is not None and query.window >= len(found.windows):
        abort(404)
    return jsonify(_signal_as_json(house().services.motion.window(access.me(), finding_id, query.window)))


@blueprint.get("/findings/<finding_id>/finding.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=Raw(JSON, "The finding, its evidence in `because`."))
def finding_json(finding_id: str) -> Response:
    """Return one finding with its evidence."""
    return jsonify({"notice": NOTICE, **finding_as_json(_asked(finding_id)[0])})


@blueprint.get("/athletes/<athlete_id>/findings.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=Raw(JSON, "The newest findings under `findings`, each as by itself."))
def findings_json(athlete_id: str) -> Response:
    """Return an athlete's current findings, newest first."""
    services = house().services
    athlete = services.athletes.get(access.me(), athlete_id)
    found = services.findings.for_athlete(athlete.athlete_id, limit=LISTED_MAX)
    listed = [finding_as_json(each) for each in found]
    return jsonify({"notice": NOTICE, "athlete_id": athlete.athlete_id, "findings": listed})


@blueprint.get("/findings")
@access.athlete
def own() -> str:
    """Show the athlete's own findings: the gravest whole with its because, the others as a list."""
    athlete = myself()
    return render_template(
        "findings/own.html",
        athlete=athlete,
        findings_url=url_for("athlete.findings_part"),
        totals=desk.totals_of(athlete),
        **desk.findings_part(athlete),
    )


@blueprint.get("/athletes/<athlete_id>/day.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(
    scope=TokenScope.READ_SIGNALS,
    query=LocalDayQuery,
    answer=Raw(JSON, _SIGNAL, SignalWindow),
)
def day(athlete_id: str, query: LocalDayQuery) -> Response:
    """Return the inclination of a local day, `?day=2026-11-24`, today without it."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    local = query.day or house().today(athlete.time_zone)
    return jsonify(_signal_as_json(house().services.motion.day_line(athlete_id, local)))


@blueprint.get("/athletes/<athlete_id>/versions")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def versions(athlete_id: str) -> str:
    """Show what newer editions say differently, newest day first; `?until=2026-11-24` those before that day."""
    services = house().services
    athlete = services.athletes.get(access.me(), athlete_id)
    until = local_day(athlete, request.args["until"]) if request.args.get("until") else date.max
    told = [each for each in services.findings.differences(access.me(), athlete_id) if each.local_date < until]
    days = sorted({each.local_date for each in told}, reverse=True)
    shown = days[:DAYS_SHOWN]
    return render_template(
        "findings/versions.html",
        athlete=athlete,
        changes=_changes([each for each in told if each.local_date in shown]),
        older=len(days) - len(shown),
        first_shown=shown[-1] if shown else None,
        today_there=house().today(athlete.time_zone),
        **home_of(athlete),
    )


def _changes(differences: Sequence[DifferenceView]) -> list[Change]:
    """Return differences by what lies between them, that of the newest day first."""
    changes: dict[tuple[str, str], Change] = {}
    for day, same in groupby(reversed(differences), key=lambda each: each.local_date):
        of_day = list(same)[::-1]
        before, after = of_day[0].before.edition, of_day[0].after.edition
        change = changes.setdefault((before, after), Change(before, after, of_day[0].what_changed, [], []))
        for days, worded in ((change.told, False), (change.worded, True)):
            fitting = [each for each in of_day if _only_worded(each) is worded]
            if fitting:
                days.append((day, fitting))
    return list(changes.values())


def _only_worded(difference: DifferenceView) -> bool:
    """Tell whether both say the same but for words and numbers; of what was found, those are worth to be read."""
    before, after = difference.before, difference.after
    return (before.outcome, before.grade) == (after.outcome, after.grade) and before.outcome != Outcome.FOUND
