"""Line drawings of the exercises: a figure of straight limbs from joint angles, as SVG of our own.

A drawing shows where the movement begins (light) and where it goes (dark), with an arrow between.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from programs.errors import ProgramError

DRAWINGS_FILE = "drawings.toml"

# Lengths of the figure in units of the drawing; shares of the body as in Winter 2009, rounded.
_TORSO, _NECK, _HEAD = 38.0, 10.0, 7.0
_UPPER_ARM, _FOREARM, _THIGH, _SHANK, _FOOT = 19.0, 19.0, 29.0, 28.0, 9.0
_MARGIN = 8.0
# Pixels per unit: a standing figure is 170 px high.
_SCALE = 1.3

Point = tuple[float, float]
_POSE_KEYS = frozenset({"put", "torso", "curve", "head", "near_arm", "far_arm", "near_leg", "far_leg"})
_DRAWING_KEYS = frozenset({"says", "from", "to", "moves", "props", "floor"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """says: what the picture shows, for whoever cannot see it. svg: a whole element without script or style."""

    says: str
    svg: str


@cache
def drawings() -> Mapping[str, Drawing]:
    """Return the shipped drawings, exercise id -> drawing; read once. Raises ProgramError when the file is wrong."""
    text = files("programs").joinpath(DRAWINGS_FILE).read_text(encoding="utf-8")
    return MappingProxyType({name: draw(table, name) for name, table in tomllib.loads(text).items()})


def draw(table: Mapping[str, Any], name: str) -> Drawing:
    """Draw one entry of the file. Raises ProgramError naming the entry for an unknown key, joint or prop."""
    unknown = sorted(set(table) - _DRAWING_KEYS)
    if unknown or "to" not in table or not table.get("says"):
        raise ProgramError(
            f"{DRAWINGS_FILE}: '{name}' needs 'says' and 'to', and knows no {', '.join(unknown) or 'other'}."
        )
    try:
        end = _joints(table["to"])
        start = _joints(table["to"] | table["from"]) if "from" in table else None
        parts = [_prop(prop, end) for prop in table.get("props", ())]
        if start is not None:
            parts.append(_figure(start, "ghost"))
        parts.append(_figure(end, "body"))
        if start is not None:
            parts += [_arrow(start[joint], end[joint]) for joint in table.get("moves", ())]
        shown = [point for joints in (start, end) if joints for point in joints.values()]
        shown += [point for prop in table.get("props", ()) for point in _prop_points(prop, end)]
    except (KeyError, TypeError, ValueError) as error:
        raise ProgramError(f"{DRAWINGS_FILE}: '{name}' has an unknown joint, prop or angle: {error}.") from error
    return Drawing(table["says"], _svg(parts, shown, table["says"], table.get("floor", True)))


def _joints(pose: Mapping[str, Any]) -> dict[str, Point]:
    """Return the places of all joints, y up, the floor at 0. Angles: degrees, 0 right, 90 up."""
    unknown = sorted(set(pose) - _POSE_KEYS)
    if unknown:
        raise KeyError(unknown[0])
    hip = (0.0, 0.0)
    shoulder = _step(hip, pose["torso"], _TORSO)
    head = _step(shoulder, pose.get("head", pose["torso"]), _NECK)
    places = {"hip": hip, "shoulder": shoulder, "head": head, "back": _bow(hip, shoulder, pose.get("curve", 0.0))}
    for side in ("near", "far"):
        arm = pose.get(f"{side}_arm", pose["near_arm"])
        leg = pose.get(f"{side}_leg", pose["near_leg"])
        elbow = _step(shoulder, arm[0], _UPPER_ARM)
        knee = _step(hip, leg[0], _THIGH)
        ankle = _step(knee, leg[1], _SHANK)
        places |= {
            f"{side}_elbow": elbow,
            f"{side}_hand": _step(elbow, arm[1], _FOREARM),
            f"{side}_knee": knee,
            f"{side}_ankle": ankle,
            f"{side}_toe": _step(ankle, leg[2], _FOOT),
        }
    joint, x, y = pose["put"]
    dx, dy = x - places[joint][0], y - places[joint][1]
    return {name: (px + dx, py + dy) for name, (px, py) in places.items()}


def _step(start: Point, angle_deg: float, length: float) -> Point:
    turn = math.radians(angle_deg)
    return start[0] + length * math.cos(turn), start[1] + length * math.sin(turn)


def _bow(hip: Point, shoulder: Point, curve: float) -> Point:
    """Return the point that the back bends towards: `curve` units to the left of the way from hip to shoulder."""
    dx, dy = shoulder[0] - hip[0], shoulder[1] - hip[1]
    return (hip[0] + shoulder[0]) / 2 - dy / _TORSO * curve, (hip[1] + shoulder[1]) / 2 + dx / _TORSO * curve


def _figure(joints: Mapping[str, Point], tone: str) -> str:
    def line(*names: str) -> str:
        return "M" + "L".join(_at(joints[name]) for name in names)

    far = "".join(line("hip", "far_knee", "far_ankle", "far_toe") + line("shoulder", "far_elbow", "far_hand"))
    near = line("hip", "near_knee", "near_ankle", "near_toe") + line("shoulder", "near_elbow", "near_hand")
    trunk = f"M{_at(joints['hip'])}Q{_at(joints['back'])} {_at(joints['shoulder'])}L{_at(joints['head'])}"
    x, y = joints["head"]
    return (
        f'<g class="figure-{tone}"><path class="figure-far" d="{far}"/><path d="{trunk}{near}"/>'
        f'<circle cx="{x:.1f}" cy="{-y:.1f}" r="{_HEAD}"/></g>'
    )


def _prop(prop: Sequence[Any], joints: Mapping[str, Point]) -> str:
    points = _prop_points(prop, joints)
    kind = prop[0]
    if kind == "box":
        (left, low), (right, high) = points
        size = f'width="{right - left:.1f}" height="{high - low:.1f}"'
        return f'<rect class="figure-prop" x="{left:.1f}" y="{-high:.1f}" {size} rx="2"/>'
    if kind == "ball":
        (x, y), radius = points[0], prop[2]
        return f'<circle class="figure-prop" cx="{x:.1f}" cy="{-y:.1f}" r="{radius}"/>'
    if kind not in ("band", "stick"):
        raise KeyError(kind)
    return f'<path class="figure-{kind}" d="M{_at(points[0])}L{_at(points[1])}"/>'


def _prop_points(prop: Sequence[Any], joints: Mapping[str, Point]) -> list[Point]:
    """Return the points of a prop: each is a joint's name or a place."""
    ends = prop[1:2] if prop[0] == "ball" else prop[1:3]
    return [joints[end] if isinstance(end, str) else (float(end[0]), float(end[1])) for end in ends]


def _arrow(start: Point, end: Point) -> str:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if length < 6:
        raise ValueError("a moving joint that does not move")
    # A little beside the limb, so that the arrow is seen.
    aside = (-dy / length * 5, dx / length * 5)
    tip = (end[0] + aside[0], end[1] + aside[1])
    tail = (start[0] + aside[0], start[1] + aside[1])
    middle = ((tail[0] + tip[0]) / 2 + aside[0], (tail[1] + tip[1]) / 2 + aside[1])
    turn = math.degrees(math.atan2(tip[1] - middle[1], tip[0] - middle[0]))
    wings = "".join(f"M{_at(_step(tip, turn + 180 + side, 5))}L{_at(tip)}" for side in (-30, 30))
    return f'<path class="figure-arrow" d="M{_at(tail)}Q{_at(middle)} {_at(tip)}{wings}"/>'


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {-point[1]:.1f}"


def _svg(parts: Sequence[str], shown: Sequence[Point], says: str, floor: bool) -> str:
    left = min(x for x, _ in shown) - _HEAD - _MARGIN
    right = max(x for x, _ in shown) + _HEAD + _MARGIN
    low = min(0.0, *(y for _, y in shown)) - _MARGIN / 2
    high = max(y for _, y in shown) + _HEAD + _MARGIN
    ground = f'<path class="figure-floor" d="M{left:.1f} 2L{right:.1f} 2"/>' if floor else ""
    # Width and height in pixels keep all figures at one scale; a narrow page makes them smaller.
    wide, tall = right - left, high - low
    return (
        f'<svg class="figure" role="img" width="{wide * _SCALE:.0f}" height="{tall * _SCALE:.0f}" '
        f'viewBox="{left:.1f} {-high:.1f} {wide:.1f} {tall:.1f}">'
        f"<title>{escape(says)}</title>{ground}{''.join(parts)}</svg>"
    )
