"""Bounds of every request, whatever it asks for: its address, the fields of its form, its JSON.

The size of a body is Flask's `MAX_CONTENT_LENGTH`, larger where a view says so; of the head, server.py's.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, abort, g, request
from flask.json.provider import DefaultJSONProvider

# Own bounds. Signs of a path: the longest of ours names two ids and a token.
_PATH_MAX = 1000
# Bytes behind the question mark, and names in it: the longest query of ours has four names.
_QUERY_BYTES_MAX, _QUERY_NAMES_MAX = 2000, 50
# Fields of a form: a job with forty tasks has some three hundred.
_FIELDS_MAX = 1000
# Parts of a form that carries files: forty files of a recording and what stands beside them.
_PARTS_MAX = 100
# Nesting and values of JSON that a page's script or a program sends.
_DEPTH_MAX, _VALUES_MAX = 16, 10_000

TOO_MANY = "That are more fields than any form here has, so nothing was kept."


class BoundedJson(DefaultJSONProvider):
    """Flask's JSON, of which nothing comes in that is nested deeply, holds very much, or is no number of JSON."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value of a text. Raises ValueError."""
        try:
            told = json.loads(s, parse_constant=_refuse, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        _check(told)
        return told


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _check(told: Any) -> None:
    """Raise ValueError for what is nested too deeply or holds too much."""
    level, values = [told], 0
    for _ in range(_DEPTH_MAX):
        values += len(level)
        if values > _VALUES_MAX:
            raise ValueError("too many values")
        deeper: list[Any] = []
        for each in level:
            deeper.extend(each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        if not deeper:
            return
        level = deeper
    raise ValueError("nested too deeply")


def _check_address() -> None:
    if len(request.path) > _PATH_MAX or len(request.query_string) > _QUERY_BYTES_MAX:
        abort(414)
    if request.query_string.count(b"&") >= _QUERY_NAMES_MAX:
        abort(414)


def _check_body() -> None:
    # Only where people are asked: what programs send is read, and bounded, by whoever takes it.
    if "identity" not in g:
        return
    if (request.content_length or 0) > (request.max_content_length or 0):
        abort(413)  # also where the view would not have looked at it
    if sum(len(values) for _, values in request.form.lists()) > _FIELDS_MAX:
        abort(413, TOO_MANY)


def install(app: Flask) -> None:
    """Bound what is looked at first. Must come before everything that reads a request."""
    app.json = BoundedJson(app)
    app.config["MAX_FORM_PARTS"] = _PARTS_MAX
    app.before_request(_check_address)


def install_body(app: Flask) -> None:
    """Bound bodies and the fields of forms. Must come after access, and after whoever lets larger ones in."""
    app.before_request(_check_body)
