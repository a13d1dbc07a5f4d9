"""Lengths, masses, speeds and forces in the reader's units. Rows and everything below this package are in SI.

The turn is made here, in both directions: `shown` and `amount` for what is read, `to_si` for what is entered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flask import Flask

from coach.service.types import Units
from coach.web import access
from coach.written import number


@dataclass(frozen=True, slots=True)
class _Pair:
    """The unit of each system, and how much SI one of it is; decimals: as many as the quantity is read off with."""

    metric: tuple[str, float, int]
    imperial: tuple[str, float, int]


class Quantity(Enum):
    """What is measured. Source of the factors: the international yard and pound agreement of 1959; NIST SP 811."""

    MASS = _Pair(("kg", 1.0, 1), ("lb", 0.45359237, 1))
    HEIGHT = _Pair(("cm", 0.01, 0), ("in", 0.0254, 1))
    REACH = _Pair(("m", 1.0, 2), ("in", 0.0254, 1))
    DISTANCE = _Pair(("m", 1.0, 1), ("ft", 0.3048, 1))
    SPEED = _Pair(("m/s", 1.0, 2), ("ft/s", 0.3048, 1))
    FORCE = _Pair(("N", 1.0, 0), ("lbf", 4.4482216152605, 1))


def reads_in() -> Units:
    """Return the units of whoever asks; metric for strangers."""
    person = access.someone()
    return person.units if person is not None else Units.METRIC


def _of(quantity: Quantity, units: Units | None) -> tuple[str, float, int]:
    return quantity.value.imperial if (units or reads_in()) is Units.IMPERIAL else quantity.value.metric


def unit(quantity: Quantity, units: Units | None = None) -> str:
    """Return the sign of a quantity's unit, by default the reader's."""
    return _of(quantity, units)[0]


def amount(value_si: float, quantity: Quantity, units: Units | None = None) -> float:
    """Return a value in SI as the number of units, not rounded: what a form is filled in with."""
    return value_si / _of(quantity, units)[1]


def to_si(entered: float, quantity: Quantity, units: Units | None = None) -> float:
    """Return a number of units, by default the reader's, in SI."""
    return entered * _of(quantity, units)[1]


def shown(value_si: float, quantity: Quantity, units: Units | None = None) -> str:
    """Return a value in SI as it is read: `12.5 kg`, `27.6 lb`; in the reader's language, without a decimal nought."""
    sign, factor, decimals = _of(quantity, units)
    return f"{number(value_si / factor, decimals)}\N{NO-BREAK SPACE}{sign}"


def filled(value_si: float, quantity: Quantity) -> str:
    """Return a value in SI as a form shows it for changing: enough decimals to come back as it was."""
    return f"{amount(value_si, quantity):.6g}"


def install(app: Flask) -> None:
    """Give the templates `5.0 | mass`, `0.4 | reach`, …, and `mass_unit()`, `reach_unit()`, …."""
    for each in Quantity:
        name = each.name.lower()
        app.jinja_env.filters[name] = lambda value, quantity=each: shown(value, quantity)
        app.jinja_env.globals[f"{name}_unit"] = lambda quantity=each: unit(quantity)
