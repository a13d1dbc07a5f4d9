"""A session that leads through its sets: the page, where somebody is, what is told of a set, what came of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput, Locked
from coach.language import gettext as _
from coach.service.guidance_views import GuidedState, GuidedView, SetState
from coach.service.types import Level
from coach.web import access, forms, live, offline
from coach.web.access import Access
from coach.web.described import JSON, Raw, describe
from coach.web.guided_words import exercises_of, link_words, script_words, state_json, steps_json
from coach.web.house import House, house
from programs.triage import ASK_AT_PAIN

blueprint = Blueprint("guided", __name__)

# s. Own choice: what arrives within travels together; a number shall stand there while the repetition is still felt.
BATCH_S = 0.04
AnyPage = str | Response
_OVER = {"ended": SetState.ENDED, "skipped": SetState.SKIPPED, "": None}


@blueprint.get("/sessions/<session_id>/guided")
@access.rule(Access.SPEAKER, need=Level.FULL)
def page(session_id: str) -> AnyPage:
    """Show the page that leads through a session; of one that is over, what its sets came to."""
    identity, services = access.me(), house().services
    session = services.plans.session(identity, session_id)
    view = services.guidance.view(identity, session_id)
    if not view.steps:
        # Walking and rest stand in for it: there is nothing to count.
        return redirect(url_for("sessions.session_page", session_id=session_id), code=303)
    athlete = services.athletes.get(identity, session.athlete_id)
    return render_template(
        "guided/page.html",
        session=session,
        view=view,
        athlete=athlete,
        exercises=exercises_of(session),
        steps=steps_json(view, session),
        state=_state(session_id, view),
        halt=services.guidance.stands_against(identity, view),
        over=view.state is not None and view.state is not GuidedState.RUNNING,
        stopped=view.state is GuidedState.STOPPED,
        ask_at_pain=ASK_AT_PAIN,
        said=script_words(),
        usual=services.guidance.usual_rom_deg(identity, view),
    )


@blueprint.post("/sessions/<session_id>/guided")
@access.rule(Access.SPEAKER, need=Level.FULL)
def begin(session_id: str) -> Response:
    """Begin to be led, or say what stands against it."""
    try:
        house().services.guidance.begin(access.me(), session_id)
    except (Locked, Conflict) as error:
        flash(str(error), "look")
        return redirect(url_for("sessions.session_page", session_id=session_id), code=303)
    return redirect(url_for("guided.page", session_id=session_id), code=303)


@blueprint.get("/sessions/<session_id>/guided.json")
@access.rule(Access.SPEAKER, need=Level.FULL)
@describe(answer=Raw(JSON, "Where somebody is in a guided session: for its page's script."))
def state(session_id: str) -> Response:
    """Return where somebody is, as values for the page's script."""
    return jsonify(_state(session_id, house().services.guidance.view(access.me(), session_id)))


@blueprint.post("/sessions/<session_id>/guided/set")
@access.rule(Access.SPEAKER, need=Level.FULL)
def tell_set(session_id: str) -> Response:
    """Take where a set stands: begun, counted by hand, over or left out. Again is the same."""
    services, identity, at = house().services, access.me(), offline.told_at()
    # Asked first: whether a session exists is not told to whom it does not belong.
    services.guidance.view(identity, session_id)
    number = forms.whole_in("number")
    if number is None:
        raise InvalidInput(_("Nothing was taken: say which set it is."))
    over = request.form.get("over", "")
    if over not in _OVER:
        raise InvalidInput(_("Nothing was taken: a set goes on, is ended or skipped."))
    if request.form.get("begin"):
        services.guidance.begin_set(identity, session_id, number, request.form.get("begin") == "by_hand", at)
    else:
        services.guidance.tell_set(identity, session_id, number, _by_hand(), _OVER[over], at)
    return _told(session_id)


@blueprint.post("/sessions/<session_id>/guided/finish")
@access.rule(Access.SPEAKER, need=Level.FULL)
def finish(session_id: str) -> Response:
    """Take what came of it: effort and pain, once. Pain of 6 or more leads to the safety questions."""
    identity, guidance = access.me(), house().services.guidance
    pain = forms.whole_in("pain_during"), forms.whole_in("pain_after")
    stopped = guidance.finish(identity, session_id, forms.whole_in("effort"), *pain)
    athlete_id = guidance.view(identity, session_id).athlete_id
    house().live_feed.publish(athlete_id, {"kind": "session"})
    if stopped:
        return redirect(url_for("guided.page", session_id=session_id), code=303)
    flash(_("Recorded: done."), "done")
    home = "athlete.today" if identity.athlete_id == athlete_id else "guided.page"
    return redirect(url_for(home) if home == "athlete.today" else url_for(home, session_id=session_id), code=303)


@blueprint.get("/sessions/<session_id>/guided/live")
@access.rule(Access.SPEAKER, need=Level.FULL)
def events(session_id: str) -> Response:
    """Stream what is seen of the set that goes on, and the wearable's link."""
    view = house().services.guidance.view(access.me(), session_id)
    house_, asker = house(), access.asker_later()
    return live.answer_with(view.athlete_id, lambda _: _Teller(house_, asker, view), batch_s=BATCH_S)


class _Teller:
    """One guided session: the newest of its set, with all of the line; the link when it changes."""

    def __init__(self, house_: House, asker: live.Asker, view: GuidedView) -> None:
        self._house, self._asker, self._view = house_, asker, view

    def opening(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        return {"link": self._link()}

    def after(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        seen = [each for each in batch if each["kind"] == "guided" and "number" in each]
        mine = [each for each in seen if each["session_id"] == self._view.session_id]
        if mine:
            out["set"] = _joined(mine)
        if any(each["kind"] == "link" for each in batch):
            out["link"] = self._link()
        if any(each["kind"] in {"session", "plan", "guided"} and "t_utc_s" not in each for each in batch):
            out["changed"] = True
        return out

    def _link(self) -> dict[str, dict[str, str]]:
        return link_words(self._house.services.wearables.for_athlete(self._view.athlete_id), self._view)

    def still_allowed(self) -> bool:
        """Tell whether the sign-in is still good and the session still theirs."""
        return live.may_still_see(self._house, self._asker, self._view.athlete_id)


def _joined(events_: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the newest event of the newest set, with the line of all of its events."""
    newest = events_[-1]
    mine = [each for each in events_ if each["number"] == newest["number"]]
    line = {name: [value for each in mine for value in each[name]] for name in ("t_utc_s", "away_deg")}
    shown = {name: value for name, value in newest.items() if name not in {"kind", "session_id"}}
    return {**shown, **line}


def _by_hand() -> int:
    """Return how many were counted by hand, which may be below 0. Raises InvalidInput."""
    text = request.form.get("by_hand", "0").strip()
    if not text.removeprefix("-").isdecimal() or len(text) > 5:
        raise InvalidInput(_("Nothing was taken: what was counted by hand is a whole number."))
    return int(text)


def _state(session_id: str, view: GuidedView) -> dict[str, Any]:
    services = house().services
    worn = services.wearables.for_athlete(view.athlete_id)
    halt = services.guidance.stands_against(access.me(), view)
    return state_json(view, services.guidance.now(view), worn, house().now()) | {"halted": halt is not None}


def _told(session_id: str) -> Response:
    view = house().services.guidance.view(access.me(), session_id)
    house().live_feed.publish(view.athlete_id, {"kind": "guided"})
    return jsonify(_state(session_id, view))
