"""The tokens of one's own programs: make one, see which there are, end one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.service.personal_tokens import DAYS_DEFAULT, DAYS_MAX, MEANING, TokenScope
from coach.service.types import Role
from coach.web import access, forms
from coach.web.house import house

blueprint = Blueprint("tokens", __name__)

# What a form offers; any other number of days is kept as well.
_DAYS = (7, 30, DAYS_DEFAULT, DAYS_MAX)


def offered_to(role: Role) -> dict[str, str]:
    """Return what a person's token may be used for, in words; what only the owner may do is offered to nobody else."""
    return {
        scope.value: about for scope, about in MEANING.items() if scope is not TokenScope.METRICS or role is Role.OWNER
    }


@blueprint.get("/account/tokens")
@access.signed_in
def page() -> Response:
    """Show one's tokens, and the form for another."""
    return _page(None)


def _page(problem: str | None) -> Response:
    shown = render_template(
        "tokens/tokens.html",
        tokens=house().services.personal_tokens.mine(access.me()),
        offered=offered_to(access.me().role),
        days_offered=_DAYS,
        days_default=DAYS_DEFAULT,
        given=request.form,
        problem=problem,
    )
    return Response(shown, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.post("/account/tokens")
@access.fresh
@access.signed_in
def make() -> Response | str:
    """Make a token and show it, this once."""
    try:
        made = house().services.personal_tokens.make(
            access.me(),
            request.form.get("name", "")[:200],
            [each for each in request.form.getlist("scope") if each in offered_to(access.me().role)],
            forms.whole_in("days") or DAYS_DEFAULT,
        )
    except (InvalidInput, Conflict) as error:
        return _page(str(error))
    return render_template("tokens/made.html", made=made, root=request.host_url)


@blueprint.post("/account/tokens/<token_id>/revoke")
@access.signed_in
def revoke(token_id: str) -> Response:
    """End a token."""
    house().services.personal_tokens.revoke(access.me(), token_id)
    flash("Revoked. Whatever used it gets no answer any more.", "done")
    return redirect(url_for("tokens.page"), code=303)
