"""The report behind a link: read only, no sign-in, no cookie. The secret in the address is the permission."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response

from coach.reports.pdf import file_name, pdf_of
from coach.service.care_views import IMAGING_WORDS
from coach.service.doctor_links import Opened
from coach.service.ledger import Subject
from coach.service.report_views import AS_TOLD
from coach.web import access
from coach.web.house import house

blueprint = Blueprint("doctor_link", __name__)


def _opened(token: str) -> Opened:
    """Return what the link shows, and note who read it. Raises NoSuch."""
    services = house().services
    found = services.doctor_links.open(token)
    services.ledger.note(found.reader, {found.report.athlete_id}, Subject.REPORT)
    return found


def _private(answer: Response) -> Response:
    # Wherever the page leads, the secret in its address does not go along.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.get("/doctor/<token>")
@access.public
def page(token: str) -> Response:
    """Show what the report says."""
    found = _opened(token)
    shown = render_template(
        "sharing/report.html",
        report=found.report,
        expires_at=found.expires_at,
        token=token,
        as_told=AS_TOLD,
        imaging_kinds=IMAGING_WORDS,
    )
    return _private(make_response(shown))


@blueprint.get("/doctor/<token>/report.pdf")
@access.public
def pdf(token: str) -> Response:
    """Return the report on two pages."""
    report = _opened(token).report
    answer = Response(pdf_of(report), content_type="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=file_name(report, "pdf"))
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return _private(answer)
