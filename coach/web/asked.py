"""The small things that programs send and get everywhere: days, whole numbers, texts, times of day, pages of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Generic, TypeVar

from flask import abort
from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from coach.errors import InvalidInput
from coach.web.described import Query

# Calendars of the far past and future cannot be counted in seconds; no wearable recorded there.
FIRST_YEAR, LAST_YEAR = 2000, 2200
# The oldest people alive were born a little later.
FIRST_BIRTH = 1900
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)

Item = TypeVar("Item")


def _as_day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value) and FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        return date.fromisoformat(value)
    raise ValueError(f"a day is written as 2026-11-24, its year from {FIRST_YEAR} to {LAST_YEAR}")


def _as_birth(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value) and FIRST_BIRTH <= int(value[:4]) <= LAST_YEAR:
        return date.fromisoformat(value)
    raise ValueError(f"a date of birth is written as 1990-11-24, its year from {FIRST_BIRTH} on")


def _as_time(value: object) -> time:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError("a time of day is written as 18:30")


def _integral(value: object) -> object:
    """Return 2 for 2.0: in JSON they are the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_whole(value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise ValueError("this is a whole number")


DAY_SCHEMA: dict[str, Any] = {"type": "string", "format": "date", "examples": ["2026-11-24"]}
TIME_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "examples": ["18:30"],
}

Day = Annotated[date, BeforeValidator(_as_day), WithJsonSchema(DAY_SCHEMA)]
Birth = Annotated[date, BeforeValidator(_as_birth), WithJsonSchema(DAY_SCHEMA)]
TimeOfDay = Annotated[
    time, BeforeValidator(_as_time), PlainSerializer(lambda each: f"{each:%H:%M}"), WithJsonSchema(TIME_SCHEMA)
]
# Databases keep every sign of a text but this one.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=2000)]


@dataclass(frozen=True, slots=True)
class Whole:
    """Marks a whole number within bounds: Annotated[int, Whole(0, 10)]. in_address: where everything is text."""

    least: int
    most: int
    in_address: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.int_schema(ge=self.least, le=self.most)
        return core_schema.no_info_before_validator_function(_as_whole if self.in_address else _integral, number)


Scale = Annotated[int, Whole(0, 10)]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks a text that is one of these names: Annotated[str, OneOf(names)]."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


class PageQuery(Query):
    """Which part of a list. cursor: `next` of the part before."""

    limit: Annotated[int, Whole(1, 200, True)] = 50
    cursor: str | None = Field(None, pattern=r"^[0-9A-Za-z_.:-]{1,80}$")


class WindowQuery(Query):
    """Which window of a finding, from 0; all of them without it."""

    window: Annotated[int, Whole(0, 999, True)] | None = None


class LocalDayQuery(Query):
    """Which local day; today without it."""

    day: Day | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list. next: the cursor of the part that follows, null at the end."""

    items: tuple[Item, ...]
    next: str | None


def page_of(items: Sequence[Item], name: Callable[[Item], str], query: PageQuery) -> Page[Item]:
    """Return the part of a list that is asked for. name: tells the items apart, for the cursor.

    What comes or goes in front of a cursor moves nothing behind it. Answers 404 when the item of the cursor has gone.
    """
    begin = 0
    if query.cursor is not None:
        at = next((number for number, each in enumerate(items) if name(each) == query.cursor), None)
        if at is None:
            abort(404, "What this cursor stands for is not on the list any more: begin again without a cursor.")
        begin = at + 1
    shown = tuple(items[begin : begin + query.limit])
    more = begin + query.limit < len(items)
    return Page(shown, name(shown[-1]) if more else None)


def day_in_path(text: str) -> date:
    """Return a day of an address. Raises InvalidInput."""
    try:
        return _as_day(text)
    except ValueError as error:
        raise InvalidInput(f"The day of this address cannot be used: {error}.") from None
