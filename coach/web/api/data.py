"""Everything of an athlete as one file."""

from __future__ import annotations

from werkzeug.wrappers import Response

from coach.errors import NotAllowed
from coach.service.personal_tokens import TokenScope
from coach.service.types import Level
from coach.web import access, archive, cookies
from coach.web.access import Access
from coach.web.api.root import blueprint
from coach.web.described import Raw, describe


@blueprint.get("/athletes/<athlete_id>/export")
@access.rule(Access.SPEAKER, need=Level.FULL)
@describe(
    scope=TokenScope.EXPORT,
    answer=Raw(archive.MEDIA_TYPE, "every row, signal, session and file of the athlete; see docs/data.md"),
    refuses=(503,),
)
def export(athlete_id: str) -> Response:
    """Return everything of an athlete as one zip file."""
    if access.me().scopes is None and not cookies.is_fresh():
        raise NotAllowed("Sign in again first: this asks for a sign-in of the last 10 minutes, or a token.")
    return archive.answer(athlete_id)
