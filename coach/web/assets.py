"""Static files: addresses that change with their content, kept by browsers for a year, sent gzipped."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, abort, request, url_for
from werkzeug.security import safe_join
from werkzeug.wrappers import Response

from coach.web.access import public

ROOT = Path(__file__).parent / "static"
YEAR_S = 365 * 24 * 3600
# Smaller ones gain nothing. Own choice.
COMPRESS_FROM_BYTES = 1000


@dataclass(frozen=True, slots=True)
class _Asset:
    """packed is None where compressing does not help (fonts, pictures)."""

    plain: bytes
    packed: bytes | None
    digest: str
    kind: str


# All of them together are under 2 MB, and no request ever waits for the disk.
@lru_cache(maxsize=256)
def _read(path: str, changed_ns: int) -> _Asset:
    plain = Path(path).read_bytes()
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    kind = "text/javascript" if path.endswith(".js") else kind
    packable = kind.startswith("text/") or kind == "image/svg+xml"
    packed = gzip.compress(plain, 6, mtime=0) if packable and len(plain) >= COMPRESS_FROM_BYTES else None
    return _Asset(plain, packed, hashlib.sha256(plain).hexdigest()[:10], kind)


def _find(name: str) -> _Asset | None:
    path = safe_join(str(ROOT), name)
    if path is None or not Path(path).is_file():
        return None
    # The time of change is part of the key: a file edited while developing is read again.
    return _read(path, Path(path).stat().st_mtime_ns)


def asset(name: str) -> str:
    """Return the address of a static file with its content's digest. Raises FileNotFoundError for a name of none."""
    found = _find(name)
    if found is None:
        raise FileNotFoundError(f"static/{name} is not there.")  # no words
    return url_for("static", filename=name, v=found.digest)


@public
def serve(filename: str) -> Response:
    """Answer a static file. Raises NotFound."""
    found = _find(filename)
    if found is None:
        abort(404)
    use_packed = found.packed is not None and request.accept_encodings["gzip"] > 0
    body = found.packed if use_packed and found.packed is not None else found.plain
    answer = Response(body, content_type=f"{found.kind}; charset=utf-8" if "text" in found.kind else found.kind)
    if use_packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.vary.add("Accept-Encoding")
    # A file that another file names (a script's import) has no digest in its address: ask each time, get 304.
    current = request.args.get("v") == found.digest
    answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if current else "no-cache"  # no words
    answer.set_etag(f"{found.digest}{'-gzip' if use_packed else ''}")
    return answer.make_conditional(request)


def install(app: Flask) -> None:
    """Serve static/ and give templates `asset(name)`."""
    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=serve)
    app.jinja_env.globals["asset"] = asset
