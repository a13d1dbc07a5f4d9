"""What a phone keeps for the time without a network, and how what was answered meanwhile comes in: each answer once.

A copy of a page is asked for with a header of its own and carries no message that is shown once. Whatever an athlete
could train from is listed apart, so that a lock that was told on the phone, or a copy that is too old, keeps it shut.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Flask, g, jsonify, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from coach.language import gettext as _
from coach.service.types import AthleteView, SessionState
from coach.web import access, desk
from coach.web.assets import asset
from coach.web.athlete import myself
from coach.web.described import JSON, Raw, describe
from coach.web.house import house
from programs import phases
from programs.triage import ASK_AT_PAIN, EMERGENCY, NERVE_EMERGENCY
from programs.types import Lock, Phase

blueprint = Blueprint("offline", __name__)

# Headers of our own scripts: an answer's key, when it was told, and that a page is fetched to be kept.
ANSWER_KEY, TOLD_AT, COPY = "X-Backstop-Answer", "X-Backstop-Told-At", "X-Backstop-Copy"
# Days whose sessions a phone keeps, today's included. Own choice: a weekend in the mountains.
DAYS_KEPT = 3
# How old a copy may be that is trained from: whether something was locked since, only the server knows. Own choice.
COPY_GOOD = timedelta(hours=48)
_OPEN = {SessionState.PLANNED, SessionState.DUE}
_FALLBACKS = ("offline.page", "offline.held", "offline.spasm")


@blueprint.get("/manifest.webmanifest")
@access.public
def manifest() -> Response:
    """Answer what a phone needs to put Backstop on its home screen."""
    icons = [
        {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": asset("icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": asset("icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {"src": asset("icon-maskable-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    told = {
        "id": "/",
        "name": "Backstop",
        "short_name": "Backstop",
        "description": _("Sees how a back is used all day, and plans the exercise and the rest that answer it."),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#0f766e",
        "icons": icons,
        "shortcuts": [
            {"name": _("Spasm now"), "url": url_for("spasm.page")},
            {"name": _("Week"), "url": url_for("athlete.week")},
        ],
    }
    return Response(json.dumps(told), content_type="application/manifest+json")


@blueprint.get("/offline")
@access.public
def page() -> str:
    """Say that there is no network and what is kept. Of nobody: the same for all."""
    return render_template("offline/offline.html")


@blueprint.get("/offline/held")
@access.public
def held() -> str:
    """Say why nothing is trained from a copy now."""
    return render_template("offline/held.html", good_h=round(COPY_GOOD.total_seconds() / 3600))


@blueprint.get("/offline/spasm")
@access.public
def spasm() -> str:
    """Say what helps in a spasm until the server can ask its questions."""
    first = phases.guide(Phase.ACUTE, phases.Course(timedelta(0), None, None, False))
    return render_template("offline/spasm.html", first=first, warnings=(NERVE_EMERGENCY, EMERGENCY))


@blueprint.get("/offline.json")
@access.athlete
@describe(answer=Raw(JSON, "What a phone keeps for when there is no network, and until when it is good."))
def copies() -> Response:
    """Answer what to keep, until when it is good, and what a kept answer needs to be sent."""
    athlete, now = myself(), house().now()
    triage = house().services.triage.view_for(access.me(), athlete.athlete_id)
    locked = triage.must_ask or (triage.result is not None and triage.result.lock is Lock.ALL)
    trains = [] if locked else _sessions(athlete)
    pages = [url_for(each) for each in ("athlete.today", "athlete.week", "spasm.page", *_FALLBACKS)]
    return jsonify(
        who=access.me().user_id,
        csrf=generate_csrf(),
        made_at_utc_s=now.timestamp(),
        good_until_utc_s=(now + COPY_GOOD).timestamp(),
        locked=locked,
        pages=[*pages, *trains],
        trains=trains,
    )


def _sessions(athlete: AthleteView) -> list[str]:
    last = house().today(athlete.time_zone) + timedelta(days=DAYS_KEPT)
    found = [each for each in desk.sessions_ahead(athlete) if each.state in _OPEN and each.local_date < last]
    pages = ("sessions.session_page", "guided.page")
    return [url_for(page, session_id=each.session_id) for each in found for page in pages]


def is_copy() -> bool:
    """Tell whether the page is made to be kept: it is nobody's turn to read a message that is shown once."""
    return request.headers.get(COPY) == "1"


def told_at() -> datetime | None:
    """Return when a kept answer was told on the phone, None for one that is told now or does not say."""
    if ANSWER_KEY not in request.headers:
        return None
    try:
        found = datetime.fromisoformat(request.headers.get(TOLD_AT, "")[:40])
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _key() -> str | None:
    return request.headers.get(ANSWER_KEY) if request.method == "POST" and access.someone() is not None else None


def _known() -> Response | None:
    """Answer again what was answered before: the network ended between the taking and the telling."""
    key = _key()
    if key is None:
        return None
    onward = house().services.sent_answers.onward(access.me(), key, request.path)
    if onward is None:
        return None
    g.answered_before = True
    return jsonify(onward=onward, before=True)


def _note(answer: Response) -> Response:
    """Note an answer that was taken, and tell the script which page comes next instead of leading it there."""
    key = _key()
    if key is None or g.get("answered_before") or answer.status_code >= 400:
        return answer
    onward = urlsplit(answer.headers.get("Location") or request.path)
    page = onward.path + (f"?{onward.query}" if onward.query else "")
    house().services.sent_answers.keep(access.me(), key, request.path, page)
    told = jsonify(onward=page, before=False)
    # The message that is shown once waits in the cookie for the page that comes next.
    for cookie in answer.headers.getlist("Set-Cookie"):
        told.headers.add("Set-Cookie", cookie)
    return told


def install(app: Flask) -> None:
    """Take answers by their key, and let pages know that they are copies. Must come after access."""
    app.before_request(_known)
    app.after_request(_note)
    app.jinja_env.globals.update(is_copy=is_copy, ask_at_pain=ASK_AT_PAIN)
