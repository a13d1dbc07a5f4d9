"""The document of this interface, and who asks."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import current_app
from werkzeug.wrappers import Response

from coach.service.personal_tokens import PersonalTokenView, TokenScope
from coach.service.types import Role
from coach.web import access, openapi
from coach.web.api.root import blueprint
from coach.web.asked import Page, PageQuery, page_of
from coach.web.described import JSON, Raw, describe
from coach.web.house import house

_KEPT = "backstop_openapi"


@dataclass(frozen=True, slots=True)
class Me:
    """Whom a request speaks for. athlete_id: of athletes. scopes: of the token, null in a browser that is signed in."""

    user_id: str
    role: Role
    name: str
    athlete_id: str | None
    scopes: tuple[str, ...] | None


@blueprint.get("/openapi.json")
@access.public
@describe(answer=Raw(JSON, "This document, OpenAPI 3.1."))
def document() -> Response:
    """Return this document."""
    if _KEPT not in current_app.extensions:
        current_app.extensions[_KEPT] = json.dumps(openapi.document_of(current_app))
    return Response(current_app.extensions[_KEPT], content_type=JSON, headers={"Cache-Control": "no-cache"})


@blueprint.get("/me")
@access.signed_in
@describe(scope=TokenScope.READ_ATHLETE, answer=Me)
def me() -> Me:
    """Return whom the request speaks for."""
    by = access.me()
    scopes = None if by.scopes is None else tuple(sorted(by.scopes))
    return Me(by.user_id, by.role, by.name, by.athlete_id, scopes)


@blueprint.get("/tokens")
@access.signed_in
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[PersonalTokenView])
def tokens(query: PageQuery) -> Page[PersonalTokenView]:
    """List one's own tokens that work, oldest first; they are made and revoked on the account page."""
    return page_of(house().services.personal_tokens.mine(access.me()), lambda each: each.token_id, query)
