"""The places of the shell: four at the foot of an athlete's phone, a line at the top of a coach's desk.

A place is shown once its page is there. Everything else belongs to one of them, so that a page says where one is.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from coach.language import N_
from coach.language import gettext as _
from coach.service.types import Identity, Role
from coach.web import access


@dataclass(frozen=True, slots=True)
class Place:
    """One place. name: marked words. icon: of templates/parts/icons.html.

    holds: blueprints and endpoints beside it.
    """

    endpoint: str
    name: str
    icon: str = ""
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A place as a page links to it. here: whether the page belongs to it."""

    url: str
    name: str
    icon: str
    here: bool


PLACES: dict[Role, tuple[Place, ...]] = {
    Role.ATHLETE: (
        Place(
            "athlete.today",
            N_("Today"),
            "today",
            ("guided", "sessions", "diary.checkin", "diary.check_in", "spasm"),
        ),
        Place(
            "athlete.week",
            N_("Week"),
            "week",
            ("availability", "choices", "reminders", "calendar", "plans", "steps"),
        ),
        Place(
            "signals.page",
            N_("Signals"),
            "signals",
            ("signals", "findings", "days", "profiles"),
        ),
        Place(
            "me.page",
            N_("Me"),
            "me",
            (
                "account",
                "assessments",
                "calibration",
                "care",
                "data",
                "diary",
                "doctor",
                "gateways",
                "imports",
                "jobs",
                "phones",
                "safety",
                "sharing",
                "tokens",
                "wearables",
            ),
        ),
    ),
    Role.COACH: (
        Place(
            "coach.roster",
            N_("Athletes"),
            holds=(
                "coach",
                "groups",
                "findings",
                "days",
                "profiles",
                "jobs",
                "imports",
                "assessments",
                "care",
                "doctor",
                "safety",
                "sharing",
                "choices",
                "availability",
                "sessions",
                "signals",
                "notes",
            ),
        ),
        Place(
            "program_desk.page",
            N_("Program desk"),
            holds=("program_desk", "program_edit", "templates", "plans", "steps"),
        ),
        Place("wall.page", N_("Live wall"), holds=("wall",)),
        Place("team_calendar.page", N_("Calendar"), holds=("team_calendar",)),
        Place(
            "library.page",
            N_("Library"),
            holds=("library", "own_exercises"),
        ),
        Place("people.page", N_("People"), holds=("joining",)),
    ),
    Role.OWNER: (Place("people.page", N_("People"), holds=("joining", "reanalysis", "dead_letters")),),
    Role.GUARDIAN: (
        Place(
            "people.page",
            N_("Your children"),
            holds=("coach", "findings", "days", "sharing", "joining"),
        ),
    ),
}


def place_of(identity: Identity, endpoint: str) -> str | None:
    """Return the endpoint of the place that an endpoint belongs to, the endpoint itself before its blueprint."""
    there = PLACES[identity.role]
    for name in (endpoint, endpoint.partition(".")[0]):
        for place in there:
            if name == place.endpoint or name in place.holds:
                return place.endpoint
    return None


def places() -> list[Shown]:
    """Return the places of whoever is signed in."""
    identity = access.someone()
    if identity is None:
        return []
    here = place_of(identity, request.endpoint or "")
    return [
        Shown(url_for(place.endpoint), _(place.name), place.icon, place.endpoint == here)
        for place in PLACES[identity.role]
        if place.endpoint in current_app.view_functions
    ]


def install(app: Flask) -> None:
    """Give the frame its places."""
    app.jinja_env.globals["shell_places"] = places
