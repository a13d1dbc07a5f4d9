"""Groups: how a coach sorts the athletes on their list."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.language import gettext as _
from coach.service.groups import GroupView
from coach.web import access
from coach.web.house import house

blueprint = Blueprint("groups", __name__)

# Names beside a group's. Own choice: a line.
_NAMES_SHOWN = 6


@blueprint.get("/groups")
@access.coach
def page() -> str:
    """List the coach's groups, and offer to make one."""
    me, services = access.me(), house().services
    names = {each.athlete_id: each.name for each, _level in services.sharing.seen(me)}
    groups = services.groups.of_coach(me)
    members = {each.group_id: sorted((names[one] for one in each.athlete_ids), key=str.casefold) for each in groups}
    return render_template("coach/groups.html", groups=groups, members=members, shown=_NAMES_SHOWN)


@blueprint.post("/groups")
@access.coach
def make() -> Response:
    """Make a group, and go on to who is in it."""
    made = house().services.groups.make(access.me(), request.form.get("name", ""))
    return redirect(url_for("groups.edit", group_id=made.group_id), code=303)


@blueprint.get("/groups/<group_id>")
@access.coach
def edit(group_id: str) -> str:
    """Show a group's name and who of the coach's athletes is in it."""
    seen = house().services.sharing.seen(access.me())
    return render_template("coach/group.html", group=_group(group_id), athletes=[each for each, _level in seen])


@blueprint.post("/groups/<group_id>")
@access.coach
def change(group_id: str) -> Response:
    """Keep a group's name and who is in it."""
    services = house().services
    group = services.groups.change(
        access.me(), group_id, request.form.get("name", ""), frozenset(request.form.getlist("athlete"))
    )
    flash(_("“%(name)s” is kept.", name=group.name), "done")
    return redirect(url_for("coach.roster", group=group_id), code=303)


@blueprint.post("/groups/<group_id>/remove")
@access.coach
def remove(group_id: str) -> Response:
    """Remove a group; its athletes stay on the list."""
    house().services.groups.remove(access.me(), group_id)
    flash(_("The group is gone; its athletes are on your list as before."), "done")
    return redirect(url_for("groups.page"), code=303)


def _group(group_id: str) -> GroupView:
    found = house().services.groups.of_coach(access.me())
    group = next((each for each in found if each.group_id == group_id), None)
    if group is None:
        abort(404)
    return group
