"""The diary: how the back is in two taps, what was trained, and what was entered lately."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from coach.errors import InvalidInput
from coach.service.diary import SITES, SYMPTOMS, CheckIn
from coach.web import access, forms, offline
from coach.web.athlete import myself
from coach.web.house import house

blueprint = Blueprint("diary", __name__)

SITE_WORDS = {
    "lower_back": "lower back",
    "upper_back": "upper back",
    "neck": "neck",
    "hip_left": "left hip",
    "hip_right": "right hip",
    "leg_left": "left leg",
    "leg_right": "right leg",
    "other": "somewhere else",
}
_DAYS_SHOWN = 14


@blueprint.get("/diary")
@access.athlete
def own() -> AnyResponse:
    """Show the last two weeks and the forms."""
    return _page(None)


def _page(problem: InvalidInput | None) -> AnyResponse:
    athlete = myself()
    today = house().today(athlete.time_zone)
    told, done = house().services.diary.between(
        access.me(), athlete.athlete_id, today - timedelta(days=_DAYS_SHOWN - 1), today + timedelta(days=1)
    )
    page = render_template(
        "diary/diary.html",
        athlete=athlete,
        told=tuple(reversed(told)),
        done=tuple(reversed(done)),
        site_words=SITE_WORDS,
        today_there=today,
        pitches=house().services.profiles.get(athlete.profile_id).caps is not None,
        key=request.form.get("key") or uuid4().hex,
        given=request.form,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.post("/diary/checkins")
@access.athlete
def check_in() -> AnyResponse:
    """Take the first tap, pain at rest; the second one under the same key adds the pain when moving."""
    diary, athlete_id = house().services.diary, myself().athlete_id
    told = CheckIn(forms.whole_in("pain_at_rest"), forms.whole_in("pain_in_motion"))
    made = diary.check_in(access.me(), athlete_id, told, request.form.get("key", ""), offline.told_at())
    if told.pain_in_motion not in (None, made.told.pain_in_motion):
        made = diary.complete(access.me(), made.checkin_id, replace(made.told, pain_in_motion=told.pain_in_motion))
    house().live_feed.publish(made.athlete_id, {"kind": "plan"})
    return redirect(url_for("diary.checkin", checkin_id=made.checkin_id), code=303)


@blueprint.get("/diary/checkins/<checkin_id>")
@access.athlete
def checkin(checkin_id: str) -> AnyResponse:
    """Show one check-in, and ask for more."""
    return _checkin_page(checkin_id, None)


def _checkin_page(checkin_id: str, problem: InvalidInput | None) -> AnyResponse:
    shown = house().services.diary.checkin(access.me(), checkin_id)
    page = render_template(
        "diary/checkin.html",
        checkin=shown,
        sites=SITES,
        site_words=SITE_WORDS,
        symptoms=SYMPTOMS,
        triage=house().services.triage.view_for(access.me(), shown.athlete_id),
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.post("/diary/checkins/<checkin_id>")
@access.athlete
def complete(checkin_id: str) -> AnyResponse:
    """Take the second tap, and whatever else was told."""
    before = house().services.diary.checkin(access.me(), checkin_id)
    form = request.form
    sites = tuple(form.getlist("sites"))
    try:
        by_site = {each: pain for each in sites if (pain := forms.whole_in(f"pain_at_{each}", "pain")) is not None}
        in_motion = forms.whole_in("pain_in_motion")
        if in_motion is None:  # kept without that tap: what was told before stays, else what the places say
            in_motion = before.told.pain_in_motion
        if in_motion is None and by_site:
            in_motion = max(by_site.values())
        told = CheckIn(
            pain_at_rest=before.told.pain_at_rest,
            pain_in_motion=in_motion,
            soreness=forms.whole_in("soreness"),
            readiness=forms.whole_in("readiness"),
            sleep_h=_sleep_h(),
            sites=sites,
            symptoms=tuple(form.getlist("symptoms")),
            note=form.get("note", ""),
            pain_by_site=by_site,
        )
        made = house().services.diary.complete(access.me(), checkin_id, told)
    except InvalidInput as error:
        return _checkin_page(checkin_id, error)
    house().live_feed.publish(made.athlete_id, {"kind": "plan"})
    flash("Noted.", "done")
    return redirect(url_for("athlete.today"), code=303)


@blueprint.post("/diary/checkins/<checkin_id>/drop")
@access.athlete
def drop_checkin(checkin_id: str) -> AnyResponse:
    """Delete a check-in."""
    house().services.diary.drop_checkin(access.me(), checkin_id)
    flash("The check-in is gone. A pause or an easier program that it brought stays; sessions build up again.", "done")
    return redirect(url_for("diary.own"), code=303)


@blueprint.post("/diary/trainings")
@access.athlete
def add_training() -> AnyResponse:
    """Store a training."""
    form = request.form
    try:
        duration_min, effort = forms.whole_in("duration_min"), forms.whole_in("effort")
        if duration_min is None or effort is None:
            raise InvalidInput("A training needs its minutes and its effort, 0 to 10.")
        house().services.diary.add_training(
            access.me(),
            myself().athlete_id,
            form.get("what", ""),
            duration_min,
            effort,
            form.get("key", ""),
            on=forms.day_in("on"),
            pitches=forms.whole_in("pitches"),
        )
    except InvalidInput as error:
        return _page(error)
    flash("Noted.", "done")
    return redirect(url_for("diary.own"), code=303)


@blueprint.post("/diary/trainings/<training_id>/drop")
@access.athlete
def drop_training(training_id: str) -> AnyResponse:
    """Delete a training."""
    house().services.diary.drop_training(access.me(), training_id)
    flash("The training is gone.", "done")
    return redirect(url_for("diary.own"), code=303)


def _sleep_h() -> float | None:
    given = request.form.get("sleep_h", "").strip()
    if not given:
        return None
    with suppress(InvalidInput):
        hours = forms.number(given)
        if 0 <= hours <= 24:
            return hours
    raise InvalidInput(f"The sleep is a number of hours from 0 to 24, not '{given[:20]}'.")
