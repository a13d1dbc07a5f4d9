"""An athlete's signals: a day's line with its lanes, closer and closer down to the samples, day by day back in time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from flask import Blueprint, jsonify, render_template, request
from pydantic import Field
from werkzeug.wrappers import Response

from coach.analysis.detectors.types import Outcome
from coach.service.canonical import plain
from coach.service.personal_tokens import TokenScope
from coach.service.signals import SignalPart
from coach.service.types import AnswerView, AthleteView, Level
from coach.web import access, athlete, findings_words
from coach.web.access import Access
from coach.web.days import in_signal
from coach.web.described import JSON, Query, Raw, describe
from coach.web.findings import home_of, local_day
from coach.web.house import house

blueprint = Blueprint("signals", __name__)

# Unix times of the years that a recording may be of (asked.py).
_UNIX = Field(ge=946_684_800.0, le=7_289_568_000.0)


class PartQuery(Query):
    """Which stretch, of 1 s to 50 h, in s of Unix time, and whose raw samples; without both ends today's local day."""

    from_utc_s: Annotated[float, _UNIX] | None = None
    to_utc_s: Annotated[float, _UNIX] | None = None
    place: str | None = Field(None, pattern=r"^[a-z_]{1,40}$")


@blueprint.get("/signals")
@access.athlete
def page() -> str:
    """Show the athlete's own signals of a local day, `?day=2026-11-24`, today without it."""
    return _page(athlete.myself())


@blueprint.get("/athletes/<athlete_id>/signals")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def of_athlete(athlete_id: str) -> str:
    """Show an athlete's signals of a local day; `?from=…&to=…`, in Unix time, opens that stretch of it."""
    return _page(house().services.athletes.get(access.me(), athlete_id))


@blueprint.get("/athletes/<athlete_id>/signals.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(
    scope=TokenScope.READ_SIGNALS,
    query=PartQuery,
    answer=Raw(
        JSON,
        "1 s to 50 h: the line of the trunk in at most 2,000 points, null in gaps; minutes; raw samples to a minute.",
        SignalPart,
    ),
)
def part(athlete_id: str, query: PartQuery) -> Response:
    """Return the signals of a stretch of time."""
    services = house().services
    whose = services.athletes.get(access.me(), athlete_id)
    begin, end = query.from_utc_s, query.to_utc_s
    if begin is None or end is None:
        begin, end = services.signals.bounds(athlete_id, house().today(whose.time_zone))
    return jsonify(plain(services.signals.part(athlete_id, begin, end, query.place)))


def _page(whose: AthleteView) -> str:
    services = house().services
    today = house().today(whose.time_zone)
    local = local_day(whose, request.args.get("day"))
    one_day = timedelta(days=1)
    shown = services.signals.day(whose.athlete_id, local)
    answers = services.findings.answers(access.me(), whose.athlete_id, local)
    return render_template(
        "signals/signals.html",
        athlete=whose,
        day=local,
        today_there=today,
        before=local - one_day,
        after=local + one_day if local < today else None,
        shown=shown,
        covered_s=sum(each.covered_s for each in shown.hours),
        bends=sum(each.bends for each in shown.hours),
        strokes=sum(each.strokes for each in shown.hours),
        bent_s=sum(each.bent_s + each.far_s for each in shown.hours),
        usual=_usual(answers, local),
        found=_found(answers),
        **home_of(whose),
    )


def _usual(answers: tuple[AnswerView, ...], day: date) -> findings_words.Band | None:
    """Return the own days beside the bends of this one, None while they are being learnt."""
    bends = next((each for each in answers if each.kind == "repeated_bending"), None)
    return findings_words.band(bends.because) if bends is not None else None


def _found(answers: tuple[AnswerView, ...]) -> list[dict[str, Any]]:
    """Return what was found on the day and lies in some signal: its answer and its windows as Unix times."""
    found = [each for each in answers if each.outcome == Outcome.FOUND]
    return [{"answer": each, "windows": findings_words.edges(in_signal(each))} for each in found]
