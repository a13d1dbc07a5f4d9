"""The program desk: what waits for a coach's yes, of all athletes, decided for one or for many."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.language import ngettext
from coach.service.program_desk import WORD_MAX, Outcome
from coach.web import access, reading
from coach.web.house import house

blueprint = Blueprint("program_desk", __name__)

# Cards on one page. Own choice: a screen that still can be read to its end; the next ones are a step away.
SHOWN_MAX = 25


@blueprint.get("/programs")
@access.coach
def page() -> str:
    """Show what waits, each proposal as a difference to what runs; `?from=` goes on after the first ones."""
    return _page()


@blueprint.post("/programs/accept")
@access.coach
def accept() -> Response:
    """Accept what was chosen, each as one is accepted."""
    plan_ids, change_ids = _chosen()
    word = _word("word") or None
    return _came_of_it(house().services.program_desk.accept_many(access.me(), plan_ids, change_ids, word), "accept")


@blueprint.post("/programs/decline")
@access.coach
def decline() -> Response:
    """Decline what was chosen, each as one is declined, with the reason."""
    plan_ids, change_ids = _chosen()
    only = request.form.get("only", "")
    reason = (_word(f"reason-{only}") if only else "") or _word("word") or None
    return _came_of_it(house().services.program_desk.decline_many(access.me(), plan_ids, change_ids, reason), "decline")


def _word(name: str) -> str:
    said = request.form.get(name, "").strip()
    if len(said) > WORD_MAX:
        raise InvalidInput(_("The reason has up to %(most)s characters: shorten it.", most=WORD_MAX))
    return said


def _chosen() -> tuple[list[str], list[str]]:
    """Return the ids of plans and steps: of the one whose button was pressed, else of those that are ticked."""
    only = request.form.get("only", "")
    if only:
        return ([], [only.removeprefix("step-")]) if only.startswith("step-") else ([only], [])
    return request.form.getlist("plan"), request.form.getlist("step")


def _came_of_it(outcomes: tuple[Outcome, ...], what: str) -> Response:
    """Tell every athlete's page, then show what came of each; a single one that went well goes back to the list."""
    done = [each for each in outcomes if each.problem is None]
    for each in done:
        if each.athlete_id is not None:
            house().live_feed.publish(each.athlete_id, {"kind": "plan"})
    if len(done) == len(outcomes):
        flash(said_of(len(done), what), "done")
        return redirect(url_for("program_desk.page"), code=303)
    # Where nothing at all was done the request was refused.
    page = _page(outcomes=outcomes, done=said_of(len(done), what) if done else None)
    return Response(page, 200 if done else 409, content_type="text/html; charset=utf-8")


def said_of(count: int, what: str) -> str:
    """Return what was done for how many."""
    if what == "accept":
        return str(ngettext("Accepted for %(num)s athlete.", "Accepted for %(num)s athletes.", count))
    return str(ngettext("Declined for %(num)s athlete.", "Declined for %(num)s athletes.", count))


def _page(outcomes: tuple[Outcome, ...] = (), done: str | None = None) -> str:
    waiting = house().services.program_desk.waiting(access.me())
    typed = request.args.get("from", "")
    begin = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else 0
    begin = begin if begin < len(waiting) else 0
    shown = waiting[begin : begin + SHOWN_MAX]
    reading.names(each.athlete_id for each in shown)
    return render_template(
        "program_desk/page.html",
        waiting=shown,
        everything=len(waiting),
        begin=begin,
        after=begin + SHOWN_MAX if begin + SHOWN_MAX < len(waiting) else None,
        before=max(0, begin - SHOWN_MAX) if begin else None,
        refused=[each for each in outcomes if each.problem is not None],
        done=done,
        word_max=WORD_MAX,
    )
