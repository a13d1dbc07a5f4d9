"""After an acute spasm: where somebody stands, what helps now, what waits. Time is a guide, criteria decide.

Source: NICE NG59 (2016, updated 2020), ACP 2017 (Qaseem et al., Ann Intern Med 166:514), JOSPT 2021 (George et al.,
51:CPG1) for staying active and heat; the phases and their criteria: own heuristic over our facts, decisions/0010.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from programs.errors import ProgramError
from programs.exercises import library
from programs.types import Exercise, Phase, PrescribedExercise

# Own heuristic, from the facts on phases: pain, 0 to 10, up to which the next phase may begin.
EARLY_PAIN_MAX, REBUILD_PAIN_MAX, STRENGTH_PAIN_MAX = 5, 3, 2
# Own heuristic: green sessions in a row before the full core exercises.
GREENS_FOR_REBUILD = 2
# Own heuristic: without a program there are no sessions to be green; days that the athlete tells of stand in for them.
EASY_DAYS_FOR_REBUILD = 2
# Ostelo 2008 (Spine 33:90): a change of 30 % matters to people.
CHANGE_SHARE = 0.30
# Own heuristic, from our facts: when to look again with a doctor.
REVIEW_WITHOUT_CHANGE, REVIEW_AT_LATEST = timedelta(weeks=6), timedelta(weeks=12)
# Own heuristic: a second spasm within so long is a recurrence.
RECURS_WITHIN = timedelta(weeks=26)
# Own heuristic: shares of the usual count on the way back to sport, and sessions on each.
SPORT_SHARES, SESSIONS_PER_SHARE = (0.25, 0.50, 0.75, 1.00), 2
# Common advice, as in the facts: minutes of cold or heat, and through what.
COMFORT_MIN_MINUTES, COMFORT_MAX_MINUTES = 15, 20

# What stands in for a session while only walking and relative rest go on: moving, then a position of ease. Own choice.
FALLBACK = ("easy_walk", "legs_on_chair")
FALLBACK_WORDS = (
    "For now, walking and relative rest stand in for your session: leave out what brings the pain on, and keep moving "
    "in between. What was planned comes back afterwards, after a spasm a step easier."
)

REVIEW = (
    "This has lasted longer than expected. Please see a doctor or physiotherapist to review the diagnosis and the plan."
)
TENSION = (
    "Rest, ice and compression is common advice. Today's guidelines say: stay as active as you can, rest in bed for a "
    "day or two at most, and find little evidence for ice or belts and some for warmth. So rest here means leaving out "
    "what set it off, and cold, warmth or a belt are for comfort only."
)
COMFORT_CAUTIONS = (
    "Always through a cloth, never on the bare skin, and never while you sleep.",
    "Not where you feel little, or have poor circulation, Raynaud's or an allergy to cold.",
    "Not on broken skin, and no warmth on a swollen, red joint.",
)
COMPRESSION_CAUTIONS = (
    "A light belt for an hour or two is enough. Take it off to sleep and to exercise.",
    "Never so tight that anything tingles, goes numb or changes colour; then take it off at once.",
    "Not over broken skin, and not with poor circulation.",
)
MEDICINE = (
    "Questions about pain relief, anti-inflammatories or muscle relaxants: ask a doctor or pharmacist, especially with "
    "ulcers, kidney, heart or liver problems, blood thinners, asthma or pregnancy."
)


@dataclass(frozen=True, slots=True)
class Course:
    """What is known since a spasm; None where nobody has said.

    since: time since it began. pain_now, pain_at_start: 0 to 10, in motion. clear: the safety questions are answered
    and nothing locks. walked_10_min, full_motion: as the athlete says. greens: green sessions in a row. tests_better:
    the last test of endurance is better than the one before, None without two tests. recurred: not the first one
    within half a year. easy_days: days in a row that were told of, each with a pain of 3 or less; None while a program
    runs, whose sessions count then.
    """

    since: timedelta
    pain_now: int | None
    pain_at_start: int | None
    clear: bool
    walked_10_min: bool | None = None
    greens: int = 0
    full_motion: bool | None = None
    tests_better: bool | None = None
    recurred: bool = False
    easy_days: int | None = None


@dataclass(frozen=True, slots=True)
class Guidance:
    """phase: now. does, leaves: for people. next_when: what the next phase waits for, in words, those still open.

    review: why a doctor should look again, None while nothing says so.
    """

    phase: Phase
    title: str
    does: tuple[str, ...]
    leaves: tuple[str, ...]
    next_when: tuple[str, ...]
    review: str | None


_TITLES = {
    Phase.ACUTE: "The first days",
    Phase.EARLY: "Getting going",
    Phase.REBUILD: "Building up",
    Phase.STRENGTH: "Back to your sport",
}
_DOES = {
    Phase.ACUTE: (
        "Leave out the movement that set it off, and rest from it, not from everything.",
        "Take short walks on the flat, a few minutes at a time, several times a day.",
        "Find a position of ease: lower legs on a chair, or on your side with a cushion between your knees.",
        f"Cold or warmth for comfort, whichever you like, {COMFORT_MIN_MINUTES} to {COMFORT_MAX_MINUTES} minutes.",
        "A light belt for comfort, if you like.",
    ),
    Phase.EARLY: (
        "Walk every day, a little longer each time it was easy.",
        "Breathe and brace gently; begin with a few bird-dogs and curl-ups.",
        "Move your hips and upper back in a range without pain.",
    ),
    Phase.REBUILD: (
        "Do the core exercises in full: curl-up, side bridge, bird-dog.",
        "Practise the hip hinge and carry light weights.",
        "Half-speed swings or throws, few of them.",
    ),
    Phase.STRENGTH: (
        "Strength two or three times a week.",
        "Come back to your sport at a quarter, a half, three quarters, then all of your usual count; "
        "two sessions on each step.",
    ),
}
_LEAVES = {
    Phase.ACUTE: ("more than a day or two in bed", "stretching into pain", "loads", "sport"),
    Phase.EARLY: ("sit-ups", "twisting at speed", "more than light loads"),
    Phase.REBUILD: ("all-out effort", "high counts"),
    Phase.STRENGTH: ("skipping steps",),
}


def guide(phase: Phase, course: Course) -> Guidance:
    """Return where somebody stands who was in `phase`: at most one phase further, or back to the first days.

    Raises ProgramError for a pain outside 0 to 10 or a negative time. Source: module docstring.
    """
    for pain in (course.pain_now, course.pain_at_start):
        if pain is not None and not 0 <= pain <= 10:
            raise ProgramError(f"A pain of {pain} is outside 0 to 10; ask again.")
    if course.since < timedelta(0):
        raise ProgramError("A spasm cannot begin in the future; correct when it began.")
    if phase is not Phase.ACUTE and course.pain_now is not None and course.pain_now > EARLY_PAIN_MAX:
        phase = Phase.ACUTE
    elif not _open(phase, course) and phase is not Phase.STRENGTH:
        phase = list(Phase)[list(Phase).index(phase) + 1]
    return standing(phase, course)


def standing(phase: Phase, course: Course) -> Guidance:
    """Return what holds in a phase, whatever may come next. Source: module docstring."""
    return Guidance(phase, _TITLES[phase], _DOES[phase], _LEAVES[phase], _open(phase, course), review(course))


def review(course: Course) -> str | None:
    """Return the advice to have it looked at again, None while there is no reason.

    After 12 weeks, at a recurrence, or when pain has not changed by 30 % in 6 weeks; unknown pain is no change.
    """
    changed = (
        course.pain_now is not None
        and course.pain_at_start is not None
        and course.pain_now <= (1 - CHANGE_SHARE) * course.pain_at_start
    )
    late = course.since >= REVIEW_AT_LATEST or (course.since >= REVIEW_WITHOUT_CHANGE and not changed)
    still = course.pain_now is None or course.pain_now > 0
    return REVIEW if (late and still) or course.recurred else None


def fallback(exercises: Mapping[str, Exercise] | None = None) -> tuple[PrescribedExercise, ...]:
    """Return what stands in for a session while starting is locked, each at its easiest level.

    exercises: the library, by default the shipped one. Source: NICE NG59, ACP 2017; choice: own heuristic.
    """
    shelf = library() if exercises is None else exercises
    return tuple(
        PrescribedExercise(one.id, 0, one.dose_by_level[0], f"{one.name} aims at {one.target}.")
        for one in (shelf[each] for each in FALLBACK)
    )


def sport_share(sessions_done: int) -> float:
    """Return which share of the usual count the next session may have. Raises ProgramError for a negative number."""
    if sessions_done < 0:
        raise ProgramError(f"{sessions_done} sessions cannot be; count from 0.")
    return SPORT_SHARES[min(sessions_done // SESSIONS_PER_SHARE, len(SPORT_SHARES) - 1)]


def _open(phase: Phase, course: Course) -> tuple[str, ...]:
    """Return what the next phase still waits for. What nobody has said counts as open."""
    waits = {
        Phase.ACUTE: (
            (course.clear, "the safety questions are answered and nothing speaks against it"),
            (bool(course.walked_10_min), "you can walk for ten minutes"),
            (_at_most(course, EARLY_PAIN_MAX), f"your pain in motion is {EARLY_PAIN_MAX} or less"),
        ),
        Phase.EARLY: (
            (course.clear, "the safety questions are answered and nothing speaks against it"),
            (_at_most(course, REBUILD_PAIN_MAX), f"your pain in daily life is {REBUILD_PAIN_MAX} or less"),
            _easy_enough(course),
        ),
        Phase.REBUILD: (
            (course.clear, "the safety questions are answered and nothing speaks against it"),
            (_at_most(course, STRENGTH_PAIN_MAX), f"your pain is {STRENGTH_PAIN_MAX} or less"),
            (bool(course.full_motion), "your trunk moves freely in every direction"),
            (course.tests_better is not False, "your test of endurance is no worse than before"),
        ),
        Phase.STRENGTH: (),
    }
    return tuple(words for met, words in waits[phase] if not met)


def _easy_enough(course: Course) -> tuple[bool, str]:
    if course.easy_days is None:
        return course.greens >= GREENS_FOR_REBUILD, f"{GREENS_FOR_REBUILD} sessions in a row were easy on your back"
    words = f"you tell of {EASY_DAYS_FOR_REBUILD} days in a row that your pain is {REBUILD_PAIN_MAX} or less"
    return course.easy_days >= EASY_DAYS_FOR_REBUILD, words


def _at_most(course: Course, most: int) -> bool:
    return course.pain_now is not None and course.pain_now <= most
