"""Units at the border: what is read and entered is the reader's, rows are in SI."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.service.types import Units
from coach.store.every_table import metadata
from coach.web import units
from coach.web.units import Quantity
from coach.written import entered_number, number
from tests.coach.web.told import store_of

# The exact definitions: the pound of 1959, the inch of 25.4 mm, standard gravity.
EXACT = [
    (Quantity.MASS, 1.0, 0.45359237),
    (Quantity.HEIGHT, 1.0, 0.0254),
    (Quantity.REACH, 1.0, 0.0254),
    (Quantity.DISTANCE, 3.0, 0.9144),
    (Quantity.SPEED, 1.0, 0.3048),
    (Quantity.FORCE, 1.0, 0.45359237 * 9.80665),
]


@pytest.mark.parametrize(("quantity", "entered", "si"), EXACT)
def test_an_imperial_unit_is_exactly_what_it_is_defined_as(quantity: Quantity, entered: float, si: float) -> None:
    assert math.isclose(units.to_si(entered, quantity, Units.IMPERIAL), si, rel_tol=1e-12)


@given(
    st.sampled_from(list(Quantity)),
    st.sampled_from(list(Units)),
    st.floats(0.001, 1e6, allow_nan=False, allow_infinity=False),
)
def test_what_is_read_and_typed_back_is_the_same(quantity: Quantity, system: Units, value: float) -> None:
    back = units.to_si(units.amount(value, quantity, system), quantity, system)
    assert math.isclose(back, value, rel_tol=1e-12)


def test_every_quantity_has_a_sign_in_both_systems() -> None:
    signs = [units.unit(quantity, system) for quantity in Quantity for system in Units]
    assert all(signs)
    assert units.shown(100.0, Quantity.MASS, Units.IMPERIAL) == "220.5\N{NO-BREAK SPACE}lb"
    assert units.shown(100.0, Quantity.MASS, Units.METRIC) == "100\N{NO-BREAK SPACE}kg"


@pytest.mark.parametrize(("typed", "value"), [("12,5", 12.5), ("12.5", 12.5), (" 1 000 ", 1000.0), ("1,250.5", 1250.5)])
def test_a_number_is_read_as_people_type_it(typed: str, value: float) -> None:
    assert entered_number(typed) == value


@pytest.mark.parametrize("typed", ["", "heavy", "nan", "inf", "1,2,3.4.5", "1e999"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        entered_number(typed)


def test_numbers_are_short() -> None:
    assert [number(each) for each in (3.0, 3.14159, 1234.5, 12345.6)] == ["3", "3.1", "1234.5", "12,345.6"]


def test_a_load_that_is_typed_in_pounds_is_kept_in_kilograms_and_shown_in_pounds(world) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False
    kim = world.client(world.kim)
    assert kim.post("/account/reading", data={"language": "", "units": "imperial"}).status_code == 303
    own = f"/athletes/{world.ada.athlete_id}"
    form = kim.get(f"{own}/jobs/new?model=lifft").text
    assert "lb" in form
    told = {"model": "lifft", "tasks": "1", "name": "Van", "0.load_kg": "22", "0.reach_m": "20", "0.repetitions": "100"}
    made = kim.post(f"{own}/jobs", data=told)
    assert made.status_code == 303
    with store_of(world).read() as tx:
        (row,) = tx.execute(metadata.tables["job"].select()).mappings().all()
    task = row["tasks"][0]
    assert math.isclose(float(task["load_kg"]), 22 * 0.45359237, rel_tol=1e-8)
    assert math.isclose(float(task["reach_m"]), 20 * 0.0254, rel_tol=1e-8)
    page = kim.get(made.headers["Location"]).text
    assert "<dd>22 <" in page
    assert "<dd>20 <" in page
    # The same row for who reads metric.
    ada = world.client(world.ada)
    assert "9.97903" in ada.get(made.headers["Location"]).text
