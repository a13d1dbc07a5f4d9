"""Gateways away from the server: their tokens, and the connection logs to download."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.service.personal_tokens import TokenScope
from coach.web import access
from coach.web.athlete import myself
from coach.web.described import Raw, describe
from coach.web.house import house
from coach.web.reach import reachable, unreachable

blueprint = Blueprint("gateways", __name__, url_prefix="/wearables")


@blueprint.post("/tokens")
@access.athlete
def add_token() -> Response | str:
    """Make a token and show it, this once."""
    athlete, label = myself(), request.form.get("label", "")[:200]
    try:
        token = house().services.tokens.issue(access.me(), athlete.athlete_id, label)
    except (InvalidInput, Conflict) as error:
        flash(str(error), "problem")
        return redirect(url_for("wearables.own"), code=303)
    return render_template(
        "athlete/token.html",
        label=" ".join(label.split()),
        token=token,
        server=reachable(request.host_url.rstrip("/")),
        unreachable=unreachable(),
    )


@blueprint.post("/tokens/<token_id>/revoke")
@access.athlete
def revoke(token_id: str) -> Response:
    """End a token."""
    house().services.gateways.revoke(access.me(), token_id)
    flash("Revoked. That gateway sends nothing more; what it had not sent yet is kept on its disk.", "done")
    return redirect(url_for("wearables.own"), code=303)


@blueprint.get("/logs/<log_id>.txt")
@access.athlete
@describe(scope=TokenScope.READ_SIGNALS, answer=Raw("text/plain", "The log, without addresses and names."))
def log(log_id: str) -> Response:
    """Download the connection log of a recording; with ?whole=1 addresses and names stay in."""
    whole = request.args.get("whole") == "1"
    text = house().services.gateways.log_text(access.me(), log_id, redacted=not whole)
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="backstop-connection-{log_id[:8]}.txt"'
    return answer
