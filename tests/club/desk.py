"""What a coach and an athlete of the club made by hand: a group, an own exercise, a template; sides and injuries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coach.analysis.guided import Side
from programs.compose import Chosen

if TYPE_CHECKING:
    from tests.club.seeding import Made

OWN = {
    "name": "Suitcase hold",
    "target": "holding your trunk upright against a weight at one side",
    "plane": "frontal",
    "answers": ["side_difference"],
    "muscle_group": "side trunk",
    "category": "core",
    "equipment": ["weight"],
    "sides": "each",
    "easier": "wall_side_bridge",
    "phase": "strength",
    "seen": {"placement": "chest", "as": "hold"},
    "cues": ["Stand tall with the weight in one hand.", "Nothing leans."],
    "regression": "If it hurts, take a lighter weight.",
    "contraindications": ["third_trimester"],
    "flexion_loaded": False,
    "bends_forward": False,
    "source": "Own choice.",
    "levels": [
        {"name": "a light weight", "repetitions": [3, 3], "hold_s": 10, "rest_s": 20, "per_side": True},
        {"name": "longer", "repetitions": [3, 3], "hold_s": 20, "rest_s": 20, "per_side": True},
    ],
    "drawn_as": "side_bridge",
}


def furnish(made: Made) -> None:
    """Let the coach have a group, an exercise and a template of their own."""
    services, coach = made.services, made.coach
    services.groups.make(coach, "Mornings", [each.athlete_id for each in made.members[:9]])
    own = services.own_exercises.add(coach, OWN).exercise
    services.plan_templates.make(coach, "Trunk, twice a week", [Chosen("bird_dog", 0), Chosen(own.id, 1)], 2, 6)


def tell_of_the_body(made: Made) -> None:
    """Let the first athlete tell of sides and injuries."""
    mara = made.members[0]
    made.services.bodies.tell(
        mara.identity, mara.athlete_id, Side.RIGHT, ("lower_back",), "a strain in spring", ("neck_pain",)
    )
