"""Whether the process answers, and whether it can do its work."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from coach.web import access
from coach.web.house import house

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public
def alive() -> Response:
    """Answer that the process runs."""
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
@access.public
def ready() -> Response:
    """Answer 200 when the database answers, else 503."""
    try:
        house().services.accounts.identity("nobody")
    except Exception:
        # Whatever it is, the answer is "not ready", and the log keeps the reason.
        current_app.logger.exception("the database does not answer")
        answer = jsonify({"status": "the database does not answer"})
        answer.status_code = 503
        return answer
    return jsonify({"status": "ready"})
