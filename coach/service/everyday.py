"""Twenty-four statements on everyday life with a sore back, in our own words, and what the answers add up to.

The topics follow the Roland-Morris questionnaire (Roland and Morris 1983, Spine 8:141), whose authors let everybody use
it. Our wording is not theirs and was not tested against it: the sum is to be compared with the same person's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Changes whenever a statement changes; stored with each set of answers.
VERSION = "1"

STATEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "home": "I stay at home more than I want to.",
        "shifting": "I keep changing how I sit or lie to find ease.",
        "pace": "I walk more slowly than I normally do.",
        "chores": "I leave out household jobs that I normally do.",
        "handrail": "On stairs, I pull myself up by the handrail.",
        "lying": "I lie down to rest more often.",
        "holding_on": "I have to hold on to something to get out of an armchair.",
        "asking": "I ask others to do things for me.",
        "dressing_slowly": "Getting dressed takes me longer.",
        "standing": "I can stand only for a short time.",
        "bending": "I try not to bend or kneel.",
        "rising": "Getting up from a chair is hard.",
        "all_day": "My back hurts nearly all day.",
        "turning_in_bed": "Turning over in bed is hard.",
        "appetite": "I have less appetite than usual.",
        "socks": "Putting on socks or shoes is trouble.",
        "distance": "I walk only short distances.",
        "sleep": "I sleep worse than usual.",
        "dressing_help": "I need somebody's help to get dressed.",
        "sitting": "I spend most of the day sitting.",
        "heavy": "I keep away from heavy work at home.",
        "temper": "I am shorter with people than usual.",
        "stairs": "I go up stairs more slowly.",
        "bed": "I stay in bed most of the day.",
    }
)

# Three activities at most, as in patient-specific scales; the wording is ours.
ACTIVITIES_MAX = 3
ACTIVITIES_VERSION = "1"
