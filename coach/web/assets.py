"""Static files: addresses that change with their content, kept by browsers for a year, sent gzipped."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, request, send_from_directory, url_for
from werkzeug.wrappers import Response

from coach.web.access import public

ROOT = Path(__file__).parent / "static"
YEAR_S = 365 * 24 * 3600
COMPRESSED_SUFFIXES = {".css", ".js", ".svg"}


@lru_cache(maxsize=256)
def _digest(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()[:10]


@lru_cache(maxsize=64)
def _gzipped(name: str, digest: str) -> bytes:
    # The digest is part of the key: a file edited while developing is compressed again.
    return gzip.compress((ROOT / name).read_bytes(), 6, mtime=0)


def asset(name: str) -> str:
    """Return the address of a static file with its content's digest."""
    return url_for("static", filename=name, v=_digest(name))


@public
def _static(filename: str) -> Response:
    answer = send_from_directory(ROOT, filename, max_age=YEAR_S if request.args.get("v") else 3600)
    answer.vary.add("Accept-Encoding")
    wants_gzip = request.accept_encodings["gzip"] > 0 and Path(filename).suffix in COMPRESSED_SUFFIXES
    if answer.status_code == 200 and wants_gzip and "Range" not in request.headers:
        answer.direct_passthrough = False
        answer.set_data(_gzipped(filename, _digest(filename)))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def install(app: Flask) -> None:
    """Serve static/ and give templates `asset(name)`."""
    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=_static)
    app.jinja_env.globals["asset"] = asset
