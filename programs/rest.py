"""Rest is part of the program: breaks, lighter days, lighter weeks. The figures here are the ones `place` obeys."""

from __future__ import annotations

from collections.abc import Sequence

from programs.types import Need, RestRule

# Own heuristic: the window of the bending finding (more than 4 bends a minute for 10 minutes; 4 a minute: RULA, REBA).
MICRO_BREAK_AFTER_MIN = 10
# McGill & Brown 1992 (Clin Biomech 7:43): half of the stiffness lost in full bending was back after 2 minutes.
MICRO_BREAK_MIN = 2
# Andersen 2017 (SJWEH 43:68): back pain rose with each workday in a row, more after three. As a default: own heuristic.
MAX_DAYS_IN_A_ROW = 3
# Own heuristic (common practice): every fourth week is lighter.
DELOAD_EVERY_WEEKS = 4
# Up to this many sessions a week have a day between them: 48 h for the same muscle group. ACSM 2011 (MSSE 43:1334).
SPACED_SESSIONS_PER_WEEK = 3

# Kinds of need that are about bending forward. Own list.
BENDING_KINDS = frozenset({"repeated_bending", "sustained_bending"})


def is_deload_week(week: int) -> bool:
    """Tell whether a week of the program, counted from 1, is a lighter one. Source: own heuristic, every 4th week."""
    return week >= 1 and week % DELOAD_EVERY_WEEKS == 0


def rest(needs: Sequence[Need], weeks: int) -> tuple[RestRule, ...]:
    """Return the rest that goes with a program of so many weeks, in the order to show.

    Bending needs bring a short break and a lighter day; a program of 4 weeks and more brings a lighter week. No need,
    no rule. Source: McGill & Brown 1992, Andersen 2017, own heuristics; each rule names its own.
    """
    rules: list[RestRule] = []
    bending = [need for need in needs if need.kind in BENDING_KINDS]
    if bending:
        strongest = min(bending, key=lambda need: (-need.weight, need.kind, need.because))
        rules += [_micro_break(strongest), _lighter_day(strongest)]
    if needs and weeks >= DELOAD_EVERY_WEEKS:
        rules.append(_deload_week())
    return tuple(rules)


def _micro_break(need: Need) -> RestRule:
    return RestRule(
        kind="micro_break",
        text=(
            f"After about {MICRO_BREAK_AFTER_MIN} minutes of bending again and again, stand tall and walk for "
            f"{MICRO_BREAK_MIN} minutes before you go on."
        ),
        because=(
            f"{need.because} After much bending, the tissues of the back take some minutes to get their firmness back."
        ),
        source=(
            "McGill & Brown 1992, Clin Biomech 7:43 (after 20 minutes of full bending about half of the stiffness was "
            f"back after {MICRO_BREAK_MIN} minutes); carrying it over to repeated bending and the "
            f"{MICRO_BREAK_AFTER_MIN} minutes: own heuristic."
        ),
    )


def _lighter_day(need: Need) -> RestRule:
    return RestRule(
        kind="lighter_day",
        text=(
            f"After {MAX_DAYS_IN_A_ROW} days in a row that were heavy for your back, make the next one lighter: share "
            "the lifting, change tasks, or train something else."
        ),
        because=(
            f"{need.because} Among people who stock shelves, back pain rose a little with each workday in a row, and "
            "more after three. That was seen in a group; it is not a forecast for you."
        ),
        source="Andersen 2017, Scand J Work Environ Health 43:68; three days as a default for planning: own heuristic.",
    )


def _deload_week() -> RestRule:
    return RestRule(
        kind="deload_week",
        text=f"Week {DELOAD_EVERY_WEEKS} is lighter: the same exercises with about half of the repetitions.",
        because="A planned easier week gives your body time to take up the work of the weeks before.",
        source="Own heuristic: every 4th week at 50 to 60 % of the volume is common practice; no trial is behind it.",
    )
