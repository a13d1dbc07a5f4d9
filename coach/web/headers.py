"""Headers that every answer carries, and the Origin check of every request that changes something."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, request
from werkzeug.wrappers import Response

# Nothing inline and nothing foreign. `data:` is for the small drawings inside Tabler's style sheet.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        # Text becomes code nowhere but through js/trusted.js, where a browser knows of it.
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)

FIXED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # A path of ours may name an athlete; other sites learn nothing of it.
    "Referrer-Policy": "same-origin",
    # Links with secrets in them may end up on pages that are searched.
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # For browsers that know no frame-ancestors.
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Origin-Agent-Cluster": "?1",
}
# The same for an answer of which nothing may be kept, as pairs.
NEVER_KEPT = (*FIXED.items(), ("Cache-Control", "no-store"))
# A year. Only this host: what else its owner serves beside it is not ours to decide.
HTTPS_ONLY = "max-age=31536000"

FOREIGN = "Another site asked for this change, so nothing was changed. Open Backstop itself and try again."
DEFAULT_PORT = {"http": 80, "https": 443}


def _add_headers(response: Response) -> Response:
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
    if request.endpoint != "static":
        # Pages carry health data: no shared cache and no back button after signing out may show them.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _same_host(origin: str, host: str) -> bool:
    """Compare an Origin with a Host header; the scheme is not compared, a proxy may have ended https."""
    try:
        left = urlsplit(origin)
        right = urlsplit(f"//{host}")
        default = DEFAULT_PORT.get(left.scheme)
        if default is None or left.hostname is None:
            return False
        return left.hostname == right.hostname and (left.port or default) == (right.port or default)
    except ValueError:
        return False


def _check_origin() -> None:
    """Refuse a change that another site's page asked for.

    Works under any host name, for it only compares what the browser says with what it asked for. A proxy in front
    passes on Host as it came: X-Forwarded-Host is not looked at, for whoever asks could write anything into it.
    """
    if request.method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            abort(400, FOREIGN)
        return
    if not _same_host(origin, request.host):
        abort(400, FOREIGN)


def install(app: Flask) -> None:
    """Put the check before and the headers after every request."""
    app.before_request(_check_origin)
    app.after_request(_add_headers)
