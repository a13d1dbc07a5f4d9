"""Every exercise has a drawing of ours that a page may show under a strict policy."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET
from importlib.resources import files

import pytest

from programs.drawings import DRAWINGS_FILE, draw, drawings
from programs.errors import ProgramError
from programs.exercises import library

SVG = "{http://www.w3.org/2000/svg}"
STANDING = {"put": ["near_ankle", 0, 0], "torso": 90, "near_arm": [-90, -90], "near_leg": [-90, -90, 0]}


def test_every_exercise_has_one() -> None:
    assert set(library()) <= set(drawings())


@pytest.mark.parametrize("name", sorted(drawings()))
def test_a_drawing_is_plain_svg_that_stays_in_its_frame(name: str) -> None:
    drawing = drawings()[name]
    root = ET.fromstring(drawing.svg)
    assert drawing.svg.startswith("<svg ")
    assert root.find("title") is not None
    assert root.findtext("title") == drawing.says
    assert {element.tag for element in root.iter()} <= {"svg", "title", "g", "path", "circle", "rect"}
    assert not any(key in element.attrib for element in root.iter() for key in ("style", "onload", "href", "fill"))
    left, top, width, height = (float(part) for part in root.attrib["viewBox"].split())
    for circle in root.iter("circle"):
        x, y, radius = (float(circle.attrib[key]) for key in ("cx", "cy", "r"))
        assert left <= x - radius
        assert x + radius <= left + width
        assert top <= y - radius
        assert y + radius <= top + height
    assert 30 < width < 260
    assert 30 < height < 190


def test_nobody_sinks_into_the_floor() -> None:
    tables = tomllib.loads(files("programs").joinpath(DRAWINGS_FILE).read_text(encoding="utf-8"))
    for name in tables:
        root = ET.fromstring(drawings()[name].svg)
        body = next(group for group in root.iter("g") if group.attrib["class"] == "figure-body")
        head = body.find("circle")
        assert head is not None
        assert float(head.attrib["cy"]) <= 0.0, name
        for path in body.iter("path"):
            heights = [float(part) for part in re.findall(r"-?[\d.]+", path.attrib["d"])][1::2]
            assert max(heights) <= 3.0, name


def test_a_wrong_entry_names_itself() -> None:
    for wrong in (
        {"says": "nothing"},
        {"says": "x", "to": STANDING, "colour": "red"},
        {"says": "x", "to": STANDING | {"torso": "up"}},
        {"says": "x", "to": STANDING | {"tail": 1}},
        {"says": "x", "to": STANDING, "props": [["rocket", "hip", "head"]]},
        {"says": "x", "to": STANDING, "from": {}, "moves": ["hip"]},
        {"says": "", "to": STANDING},
    ):
        with pytest.raises(ProgramError, match="'odd'"):
            draw(wrong, "odd")
