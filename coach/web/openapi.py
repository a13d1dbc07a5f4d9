"""The document of the whole interface, OpenAPI 3.1, made from what the views say of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from flask import Flask
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from werkzeug.routing import Rule

from coach.service.personal_tokens import MEANING
from coach.web import access
from coach.web.asked import DAY_SCHEMA, PageQuery
from coach.web.described import JSON, KEY_PATTERN, Description, Raw, description_of
from programs.notice import NOTICE

# (type, "validation" or "serialization") -> its schema.
_ByType = Mapping[tuple[Any, str], JsonSchemaValue]

OPENAPI = "3.1.0"
_SCHEMAS = "#/components/schemas/"
_CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
_TOO_LONG, _LIMITED, _AWAY, _BUSY = 414, 429, 503, (429, 503)
_TEXT, _EVENTS = "text/plain", "text/event-stream"

_ABOUT = f"""Everything that Backstop's pages know, for programs.

A program asks with `Authorization: Bearer TOKEN`; a person makes the token on the account page and says there what it
may be used for. Lists come in parts: `limit`, and `cursor` with the `next` of the part before. Whatever goes wrong
is answered as `{{"error": {{"what": "one sentence"}}}}`. What is here stays: within /api/v1 fields are added, none is
removed or changes its meaning. Times are ISO 8601 in UTC; days are the athlete's own.

{NOTICE}"""


@dataclass(frozen=True, slots=True)
class What:
    """What went wrong, as one sentence that says what to do."""

    what: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The one form of every failure."""

    error: What


class _Schemas(GenerateJsonSchema):
    """Schemas as they hold on the wire: a local time of day has no time zone, which the format `time` asks for."""

    def time_schema(self, schema: Any) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$"}


@dataclass(frozen=True, slots=True)
class _Operation:
    endpoint: str
    path: str
    method: str
    names: tuple[str, ...]
    told: Description


def document_of(app: Flask) -> dict[str, Any]:
    """Return the document of every described view of an app."""
    operations = _operations(app)
    schemas, parts = _schemas([each.told for each in operations])
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(app, each, schemas, parts)
    return {
        "openapi": OPENAPI,
        "info": {"title": "Backstop", "version": version("backstop"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": parts, "securitySchemes": _schemes(app)},
    }


def path_of(rule: Rule) -> str:
    """Return a rule's path as the document writes it."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


def _operations(app: Flask) -> list[_Operation]:
    found = []
    for rule in app.url_map.iter_rules():
        told = description_of(app, rule.endpoint)
        if told is None:
            continue
        names = tuple(re.findall(r"{([^}]+)}", path_of(rule)))
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        found += [_Operation(rule.endpoint, path_of(rule), method, names, told) for method in methods]
    return sorted(found, key=lambda each: (each.path, each.method))


def _schemas(told: list[Description]) -> tuple[_ByType, dict[str, Any]]:
    """Return the schema of every type by (type, mode), and the named parts that they refer to."""
    asked = {_type_of(each) for one in told for each in (one.query, one.takes)} - {None}
    said = {_type_of(each) for one in told for each in (one.answer, *one.otherwise.values())} - {None} | {Failure}
    inputs: list[tuple[Any, Any, TypeAdapter[Any]]] = [(each, "validation", TypeAdapter(each)) for each in asked]
    inputs += [(each, "serialization", TypeAdapter(each)) for each in said]
    inputs.sort(key=lambda each: (each[1], str(each[0])))
    schemas, together = TypeAdapter.json_schemas(
        inputs, ref_template=_SCHEMAS + "{model}", schema_generator=_Schemas, title=None
    )
    return dict(schemas), together.get("$defs", {})


def _type_of(value: Any) -> Any:
    return value.shape if isinstance(value, Raw) else value


def _operation(app: Flask, each: _Operation, schemas: _ByType, parts: Mapping[str, Any]) -> dict[str, Any]:
    told = each.told
    out: dict[str, Any] = {
        "operationId": each.endpoint.replace(".", "_"),
        "summary": told.summary,
        "tags": [app.view_functions[each.endpoint].__module__.rpartition(".")[2]],
        "security": _security(app, each),
        "parameters": _parameters(each, schemas, parts),
        "responses": _responses(app, each, schemas),
    }
    if isinstance(told.takes, Raw):
        content = {told.takes.media_type: _raw(told.takes, schemas)}
        out["requestBody"] = {"required": True, "description": told.takes.about, "content": content}
    elif told.takes is not None:
        content = {JSON: {"schema": schemas[(told.takes, "validation")]}}
        out["requestBody"] = {"required": not told.may_be_empty, "content": content}
    return out


def _schemes(app: Flask) -> dict[str, Any]:
    scopes = "; ".join(f"`{scope.value}`: {about}" for scope, about in MEANING.items())
    return {
        "personalToken": _bearer(f"Made on the account page. Scopes: {scopes}."),
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["SESSION_COOKIE_NAME"],
            "description": "A browser that is signed in. Changes also want the page's X-CSRFToken.",
        },
        "gatewayToken": _bearer("Made on the Wearables page."),
        "phoneToken": _bearer("Made on the page of a phone."),
    }


def _bearer(about: str) -> dict[str, str]:
    return {"type": "http", "scheme": "bearer", "description": about}


def _security(app: Flask, each: _Operation) -> list[dict[str, list[str]]]:
    rule = access.access_of(app, each.endpoint)
    if rule is access.Access.PUBLIC:
        return []
    if rule is access.Access.BEARER:
        return [{"gatewayToken": []}]
    if rule is access.Access.PHONE:
        return [] if "token" in each.names else [{"phoneToken": []}]
    by_token = [{"personalToken": [each.told.scope.value]}] if each.told.scope is not None else []
    return [*by_token, {"session": []}]


def _parameters(each: _Operation, schemas: _ByType, parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [{"name": name, "in": "path", "required": True, "schema": _of_path(name)} for name in each.names]
    if each.told.query is not None:
        model = parts[schemas[(each.told.query, "validation")]["$ref"].removeprefix(_SCHEMAS)]
        needed = model.get("required", [])
        for name, schema in model["properties"].items():
            found.append({"name": name, "in": "query", "required": name in needed, "schema": _without_null(schema)})
    if each.told.once:
        key = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": KEY_PATTERN}
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": key,
                "description": "The same key is the same entry: sent twice, it is stored once.",
            }
        )
    return found


def _of_path(name: str) -> dict[str, Any]:
    return DAY_SCHEMA if name == "day" else {"type": "string", "minLength": 1, "maxLength": 200}


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of what may be left out: in an address nothing reads as null."""
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default"} or value is not None}
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept |= choices[0]
    return kept


def _raw(raw: Raw, schemas: _ByType, mode: str = "validation") -> dict[str, Any]:
    if raw.shape is not None:
        return {"schema": schemas[(raw.shape, mode)]}
    if raw.media_type == _EVENTS:
        return {}
    return {"schema": {"type": "object" if raw.media_type.endswith("json") else "string"}}


def _responses(app: Flask, each: _Operation, schemas: _ByType) -> dict[str, Any]:
    told = each.told
    good: dict[str, Any] = {"description": HTTPStatus(told.status).phrase}
    if isinstance(told.answer, Raw):
        good["content"] = {told.answer.media_type: _raw(told.answer, schemas, "serialization")}
        good["description"] = told.answer.about
    elif told.answer is not None:
        good["content"] = {JSON: {"schema": schemas[(told.answer, "serialization")]}}
    if told.headers:
        good["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in told.headers.items()
        }
    failures = {str(status): _failure(status, schemas) for status in sorted(_refusals(app, each))}
    for status, answer in told.otherwise.items():
        failures[str(status)]["content"] = {JSON: {"schema": schemas[(answer, "serialization")]}}
    return {str(told.status): good} | failures


def _failure(status: int, schemas: _ByType) -> dict[str, Any]:
    if status == access.STATUS_SHOWN:
        about = "A sentence that the phone's app shows to its user."
        return {"description": about, "content": {_TEXT: {"schema": {"type": "string"}}}}
    out: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": schemas[(Failure, "serialization")]}},
    }
    if status in _BUSY:
        out["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
    return out


def _refusals(app: Flask, each: _Operation) -> set[int]:
    """Return every status that is no success: what the view's rule, path, question and body bring with them."""
    told, rule = each.told, access.access_of(app, each.endpoint)
    found = {*told.refuses, _TOO_LONG, _LIMITED, _AWAY}
    if rule is access.Access.PHONE:
        return found | {access.STATUS_SHOWN, 400}
    if rule is access.Access.BEARER:
        # Whom the token spoke for was erased.
        found |= {410}
    if rule is not access.Access.PUBLIC:
        found |= {401, 403}
    if each.names or (told.query is not None and issubclass(told.query, PageQuery)):
        found |= {404}
    if told.query is not None or told.takes is not None or "day" in each.names:
        found |= {422}
    if told.takes is not None:
        found |= {413}
    if isinstance(told.takes, type):
        found |= {415}
    return found | {400} if each.method in _CHANGES else found
