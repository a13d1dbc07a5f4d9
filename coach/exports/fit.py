"""A session that was done as a FIT activity: one set message per set, and the exercise's name in a workout step.

Sets are as the program asked for them; the athlete said that the session was done, and nobody timed each set. So a set
carries no start, a counted one no duration, and the activity begins when the session was due.
Source: Garmin FIT protocol and profile 21.218, messages file_id, workout, workout_step, set, session, activity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from garmin_fit_sdk import Encoder

_FILE_ID, _SESSION, _WORKOUT, _WORKOUT_STEP, _ACTIVITY, _SET = 0, 18, 26, 27, 34, 225
# Of the profile's exercise categories: what fits our categories of exercises; 65534 says "unknown".
_CATEGORY = {"core": "core", "hip": "hip_stability", "shoulder": "shoulder_stability"}
_UNKNOWN = "unknown"
# Bytes of a name. Own choice: watches show fewer.
_NAME_MAX = 40


def session_file(session: Mapping[str, Any], categories: Mapping[str, str], names: Mapping[str, str]) -> bytes:
    """Return a FIT file of a session that was done.

    session: due_at, recorded_at (aware), duration_min, exercises as planned_session has them. categories, names: of
    exercises, by id.
    """
    due_at, recorded_at = session["due_at"], session["recorded_at"]
    exercises: Sequence[Mapping[str, Any]] = session["exercises"]
    duration_s = float(session["duration_min"] * 60)
    encoder = Encoder()
    said = [
        {
            "mesg_num": _FILE_ID,
            "type": "activity",
            "manufacturer": "development",
            "product": 1,
            "time_created": recorded_at,
        },
        {
            "mesg_num": _WORKOUT,
            "wkt_name": "Backstop session",
            "sport": "training",
            "sub_sport": "strength_training",
            "num_valid_steps": len(exercises),
        },
        *_steps(exercises, names),
        *_sets(exercises, categories, recorded_at),
        {
            "mesg_num": _SESSION,
            "message_index": 0,
            "timestamp": recorded_at,
            "start_time": due_at,
            "sport": "training",
            "sub_sport": "strength_training",
            "total_elapsed_time": duration_s,
            "total_timer_time": duration_s,
        },
        {"mesg_num": _ACTIVITY, "timestamp": recorded_at, "num_sessions": 1, "total_timer_time": duration_s},
    ]
    for message in said:
        encoder.write_mesg(message)
    return bytes(encoder.close())


def _steps(exercises: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for place, exercise in enumerate(exercises):
        name = names.get(exercise["exercise_id"], exercise["exercise_id"])
        yield {"mesg_num": _WORKOUT_STEP, "message_index": place, "wkt_step_name": name[:_NAME_MAX]}


def _sets(
    exercises: Sequence[Mapping[str, Any]], categories: Mapping[str, str], at: datetime
) -> Iterator[dict[str, Any]]:
    number = 0
    for place, exercise in enumerate(exercises):
        hold_s = exercise["dose"]["hold_s"]
        category = _CATEGORY.get(categories.get(exercise["exercise_id"], ""), _UNKNOWN)
        for repetitions in _repetitions(exercise):
            one: dict[str, Any] = {
                "mesg_num": _SET,
                "message_index": number,
                "timestamp": at,
                "set_type": "active",
                "repetitions": repetitions,
                "category": [category],
                "wkt_step_index": place,
            }
            yield one if hold_s is None else {**one, "duration": float(hold_s) * repetitions}
            number += 1


def _repetitions(exercise: Mapping[str, Any]) -> list[int]:
    """Return the repetitions of each set, side by side; the weaker side does one set more, like the last."""
    dose = exercise["dose"]
    asked = [int(each) for each in dose["repetitions"] for _ in range(2 if dose["per_side"] else 1)]
    return asked + asked[-1:] if exercise.get("extra_set") else asked
