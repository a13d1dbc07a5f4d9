"""One local day: what every detector says of it, under the line of the trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response

from coach.analysis.detectors.types import Outcome
from coach.service.canonical import plain
from coach.service.personal_tokens import TokenScope
from coach.service.types import AnswerView, AthleteView, Level
from coach.web import access, athlete, findings_words, kind_words
from coach.web.access import Access
from coach.web.described import JSON, Raw, describe
from coach.web.findings import home_of, local_day, profile_name
from coach.web.house import house

blueprint = Blueprint("days", __name__)

# Outcome -> heading, and what it means, in the order of the page.
_GROUPS: Mapping[str, tuple[str, str]] = {
    Outcome.FOUND: ("Found", ""),
    Outcome.LEARNING: (
        "Still learning",
        "These rest on your own days alone. Until there are enough of them, nothing is said: a habit has to be known "
        "before anything can be above it.",
    ),
    Outcome.NOT_ENOUGH: (
        "Not enough data",
        "That is an answer too: rather than guess, it says what would be needed. Nothing is wrong with the day.",
    ),
    Outcome.NONE: ("Looked for, and not there", ""),
}


@dataclass(frozen=True, slots=True)
class Group:
    outcome: str
    title: str
    note: str
    answers: tuple[AnswerView, ...]


@blueprint.get("/days")
@access.athlete
def own() -> Response:
    """Send the athlete to their own day of today."""
    mine = athlete.myself()
    today = house().today(mine.time_zone)
    return redirect(url_for("days.page", athlete_id=mine.athlete_id, day=today.isoformat()), code=303)


@blueprint.get("/athletes/<athlete_id>/days/<day>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def page(athlete_id: str, day: str) -> str:
    """Show a local day, kind by kind."""
    whose, local, answers = _asked(athlete_id, day)
    today = house().today(whose.time_zone)
    one_day, asked = timedelta(days=1), {each.kind for each in answers}
    return render_template(
        "findings/day.html",
        athlete=whose,
        day=local,
        before=local - one_day,
        after=local + one_day if local < today else None,
        today_there=today,
        groups=_groups(answers),
        brackets=_brackets(answers),
        in_signal=in_signal,
        over=all(each.day_over for each in answers),
        edition=answers[0].edition if answers else None,
        profile_name=_profile_name(whose, answers),
        missing=[each for each in kind_words.KINDS if each not in asked],
        **home_of(whose),
    )


@blueprint.get("/athletes/<athlete_id>/days/<day>/answers.json")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=Raw(JSON, "What is said under `answers`, each kind once."))
def answers_json(athlete_id: str, day: str) -> Response:
    """Return what the newest edition says of every kind on a local day; an empty list where it was not judged."""
    whose, local, answers = _asked(athlete_id, day)
    return jsonify(
        {
            "athlete_id": whose.athlete_id,
            "local_date": local.isoformat(),
            "time_zone": whose.time_zone,
            "answers": [_as_json(each) for each in answers],
        }
    )


def _asked(athlete_id: str, day: str) -> tuple[AthleteView, date, tuple[AnswerView, ...]]:
    services = house().services
    whose = services.athletes.get(access.me(), athlete_id)
    local = local_day(whose, day)
    return whose, local, services.findings.answers(access.me(), athlete_id, local)


def _profile_name(whose: AthleteView, answers: Sequence[AnswerView]) -> str:
    """Return the name of the profile that the day was judged by, the athlete's own before it was judged."""
    return profile_name(answers[0].because["profile"]["id"] if answers else whose.profile_id)


def _groups(answers: Sequence[AnswerView]) -> list[Group]:
    groups = [
        Group(outcome, title, note, tuple(each for each in answers if each.outcome == outcome))
        for outcome, (title, note) in _GROUPS.items()
    ]
    return [each for each in groups if each.answers]


def _brackets(answers: Sequence[AnswerView]) -> list[list[float]]:
    """Return the times in which something was found in some signal; those of several kinds that touch are one."""
    windows = [each for answer in answers if answer.outcome == Outcome.FOUND for each in in_signal(answer)]
    joined: list[list[float]] = []
    for start, end in sorted(findings_words.edges(windows)):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def in_signal(answer: AnswerView) -> list[dict[str, Any]]:
    """Return the windows of an answer that lie in some recording."""
    return [each for each in answer.because.get("windows", ()) if each["stream_id"] is not None]


def _as_json(answer: AnswerView) -> dict[str, Any]:
    told: dict[str, Any] = plain(answer)
    return told | {"local_date": answer.local_date.isoformat()}
