"""What all addresses of the interface for programs share: where they begin, and the door to an athlete."""

from __future__ import annotations

from flask import Blueprint

from coach.service.types import AthleteView
from coach.web import access
from coach.web.house import house

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def athlete_of(athlete_id: str) -> AthleteView:
    """Return an athlete of whom the asker may know. Raises NoSuch."""
    return house().services.athletes.get(access.me(), athlete_id)


def tell(athlete_id: str, kind: str) -> None:
    """Tell the pages that show this athlete that something has changed."""
    house().live_feed.publish(athlete_id, {"kind": kind})
