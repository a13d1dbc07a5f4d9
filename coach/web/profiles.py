"""What is looked for in an athlete: the profile of a sport or of work, its limits, and choosing another one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.analysis.detectors.types import Kind, Profile, Thresholds
from coach.errors import InvalidInput
from coach.service.types import Level
from coach.web import access, forms
from coach.web.access import Access
from coach.web.findings import home_of
from coach.web.house import house

blueprint = Blueprint("profiles", __name__)

# The one kind whose limits go by age.
_BY_AGE = Kind.PITCH_COUNT


@blueprint.get("/athletes/<athlete_id>/profile")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def page(athlete_id: str) -> str:
    """Show an athlete's profile: what it looks for, needs, and cannot see."""
    return _page(athlete_id, None)


@blueprint.post("/athletes/<athlete_id>/profile")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def change(athlete_id: str) -> Response:
    """Choose another profile, and keep the date of birth or forget it."""
    services, me = house().services, access.me()
    athlete = services.athletes.get(me, athlete_id)
    try:
        born_on = forms.day_in("born_on")
        profile = services.profiles.get(request.form.get("profile", "")[:40])
        services.athletes.set_born_on(me, athlete_id, born_on)
        services.athletes.set_profile(me, athlete_id, profile.id)
    except InvalidInput as error:
        return Response(_page(athlete_id, str(error)), 422, content_type="text/html; charset=utf-8")
    if (profile.id, born_on) == (athlete.profile_id, athlete.born_on):
        flash("Nothing was changed.", "done")
    else:
        flash(f"Saved: {profile.name}. Days that were judged are judged anew; that takes a moment.", "done")
    return redirect(url_for("profiles.page", athlete_id=athlete_id), code=303)


def _page(athlete_id: str, problem: str | None) -> str:
    services = house().services
    athlete = services.athletes.get(access.me(), athlete_id)
    profile = services.profiles.get(athlete.profile_id)
    caps = profile.caps
    return render_template(
        "findings/profile.html",
        athlete=athlete,
        profile=profile,
        profiles=sorted(services.profiles.all(), key=lambda each: each.name.casefold()),
        kinds=[(kind.value, _rows(profile.detectors[kind])) for kind in Kind if kind in profile.detectors],
        least=_rows(profile.least),
        birth_kind=_BY_AGE.value,
        by_age=_by_age(services.profiles.all()),
        rest_columns=max((len(each.rest_from) for each in caps.bands), default=0) if caps else 0,
        chosen=request.form.get("profile", profile.id),
        born_on=request.form.get("born_on", athlete.born_on.isoformat() if athlete.born_on else ""),
        problem=problem,
        **home_of(athlete),
    )


def _by_age(profiles: tuple[Profile, ...]) -> list[str]:
    """Return what goes by age, by the names of the profiles that look for it."""
    return [f"pitches in {each.name.lower()}" for each in profiles if _BY_AGE in each.detectors]


def _rows(limits: Thresholds) -> list[Mapping[str, object]]:
    return [
        {
            "name": name,
            "value": each.value,
            "unit": each.unit,
            "source": each.source,
            "heuristic": each.heuristic,
        }
        for name, each in limits.items()
    ]
