"""The owner sees the chunks that could not be stored or analysed, and has them tried again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, NoSuch
from coach.language import gettext as _
from coach.service.dead_letters import Stuck
from coach.service.personal_tokens import TokenScope
from coach.web import access
from coach.web.described import describe
from coach.web.house import house

blueprint = Blueprint("dead_letters", __name__)


@dataclass(frozen=True, slots=True)
class StuckChunks:
    """What is stuck, newest first: what could not be stored, then what could not be analysed."""

    chunks: tuple[Stuck, ...]


@blueprint.get("/dead-letters")
@access.owner
def page() -> str:
    """Show what is stuck and why."""
    return render_template("dead_letters/page.html", stuck=house().services.dead_letters.stuck())


@blueprint.get("/api/v1/dead-letters")
@access.owner
@describe(scope=TokenScope.METRICS, answer=StuckChunks)
def listed() -> StuckChunks:
    """List the chunks that could not be stored or analysed, and why."""
    return StuckChunks(house().services.dead_letters.stuck())


@blueprint.post("/dead-letters/<stuck_id>/replay")
@access.owner
def replay(stuck_id: str) -> Response:
    """Try one again."""
    try:
        house().services.dead_letters.replay(access.me(), stuck_id)
    except NoSuch:
        flash(_("It is not on the list any more."), "error")
    except Conflict:
        flash(_("That did not help: it cannot be used as it is. It stays on the list."), "error")
    else:
        flash(_("It is tried again. What still cannot be used comes back to this list."), "done")
    return redirect(url_for("dead_letters.page"), code=303)
