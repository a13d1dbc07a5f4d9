"""What a program is told of an address: declared beside its view, obeyed by the view, and written down by openapi.py.

`describe` reads query and body by the same models that the document shows, and writes the answer by the same type. So
the document cannot say anything else than what happens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, ClassVar
from uuid import uuid4

from flask import Flask, request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.personal_tokens import TokenScope

JSON = "application/json"
# Own choice: what a person would type, thrice over; chunks have their own bound.
JSON_BYTES_MAX = 64 * 1024
# What a key may be; the same as in the document.
KEY_PATTERN = "^[!-~]{1,100}$"
_KEY_FORM = re.compile(KEY_PATTERN, re.ASCII)
_MARK = "backstop_description"


class Asked(BaseModel):
    """Base of what is sent to us: nothing unknown, nothing guessed from another type, no number that is none.

    may_be_empty: whether the body may be left out.
    """

    may_be_empty: ClassVar[bool] = False
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """Base of what is asked for behind the question mark: texts that have to read as what they mean."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Raw:
    """What a view reads or writes by itself. about: what it is, for the document. shape: its type where it is JSON."""

    media_type: str
    about: str
    shape: Any = None


@dataclass(frozen=True, slots=True)
class Description:
    """What one view takes and answers.

    scope: what a personal token needs to get in; None where none gets in. query, takes: models of the question and of
    the body, or Raw. answer: the type of the answer, Raw, or None for an answer without a body. refuses: statuses
    beyond those that follow from the rest. headers: of the answer, name -> what it says. once: the same request, sent
    twice with the same Idempotency-Key, is one. otherwise: types of answers whose status is a refusal elsewhere.
    """

    summary: str
    scope: TokenScope | None
    query: type[Query] | None
    takes: type[Asked] | Raw | None
    answer: Any
    status: int
    refuses: tuple[int, ...]
    headers: Mapping[str, str]
    once: bool
    otherwise: Mapping[int, Any]

    @property
    def may_be_empty(self) -> bool:
        """Tell whether the body may be left out."""
        return isinstance(self.takes, type) and self.takes.may_be_empty


def describe(
    *,
    scope: TokenScope | None = None,
    query: type[Query] | None = None,
    takes: type[Asked] | Raw | None = None,
    answer: Any = None,
    status: int = 200,
    refuses: Sequence[int] = (),
    headers: Mapping[str, str] | None = None,
    once: bool = False,
    otherwise: Mapping[int, Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Describe a view; its docstring's first line is the summary.

    The view gets `query` and `told` where there are models for them and `key` where it is done once. It returns the
    answer's value, or a response.
    """

    def mark(view: Callable[..., Any]) -> Callable[..., Response]:
        summary = (view.__doc__ or "").strip().partition("\n")[0]
        told = Description(
            summary, scope, query, takes, answer, status, tuple(refuses), headers or {}, once, otherwise or {}
        )

        @wraps(view)
        def described(**named: Any) -> Response:
            if once:
                named["key"] = _key()
            if query is not None:
                named["query"] = _query(query)
            if isinstance(takes, type):
                named["told"] = _body(takes, told.may_be_empty)
            return _answer(view(**named), told)

        described.__dict__[_MARK] = told
        return described

    return mark


def description_of(app: Flask, endpoint: str) -> Description | None:
    """Return what an endpoint says of itself, None where it is a page or a form."""
    found = getattr(app.view_functions[endpoint], _MARK, None)
    return found if isinstance(found, Description) else None


@cache
def written_by(answer: Any) -> TypeAdapter[Any]:
    """Return what writes values of a type, made at its first use."""
    return TypeAdapter(answer)


def _key() -> str:
    """Return the key that makes the same request, sent twice, one; a fresh one where none is sent."""
    given = request.headers.get("Idempotency-Key")
    if given is not None and not _KEY_FORM.fullmatch(given):
        raise InvalidInput("An Idempotency-Key is 1 to 100 letters, digits and signs without a blank.")
    return given or uuid4().hex


def _query(model: type[Query]) -> Query:
    twice = next((name for name, values in request.args.lists() if len(values) > 1), None)
    if twice is not None:
        raise InvalidInput(f"'{twice[:40]}' is asked for twice: once is enough.")
    try:
        return model.model_validate_strings(request.args.to_dict())
    except ValidationError as error:
        raise InvalidInput(_sentence(error, "The question")) from None


def _body(model: type[Asked], may_be_empty: bool) -> Asked:
    request.max_content_length = JSON_BYTES_MAX
    sent = request.get_data(cache=False)
    if not sent and may_be_empty:
        return model()
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"This address takes JSON: send it with Content-Type: {JSON}.")
    try:
        return model.model_validate_json(sent)
    except ValidationError as error:
        raise InvalidInput(_sentence(error, "The body")) from None


def _sentence(error: ValidationError, what: str) -> str:
    """Return the first thing that is wrong as a sentence, without what was sent: it may be health text."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"][:6])
    return f"{what} cannot be used{f' at {where}' if where else ''}: {first['msg'][:200]}."


def _answer(value: Any, told: Description) -> Response:
    if isinstance(value, Response):
        return value
    if told.answer is None:
        return Response(status=told.status)
    return Response(written_by(told.answer).dump_json(value), told.status, content_type=JSON)
