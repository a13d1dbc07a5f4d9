"""Rest is part of the program: breaks, lighter days, lighter weeks. The figures here are the ones `place` obeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from programs.errors import ProgramError
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
BENDING_KINDS = frozenset({"repeated_bending", "sustained_flexion", "deep_flexion"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule without the need that it answers. because: what is known, said after the need's own sentence."""

    kind: str
    text: str
    because: str
    source: str

    def for_need(self, need: Need) -> RestRule:
        return RestRule(self.kind, self.text, f"{need.because} {self.because}", self.source)


# Needs that rest answers, and no exercise. Which rule for which need: own heuristic.
_RULES: Mapping[str, _Rule] = {
    "short_recovery": _Rule(
        kind="longer_pause",
        text=(
            "After up to an hour of bending, turning or swinging again and again, do something easy for as long as it "
            "took; after up to two hours, for a third of it."
        ),
        because="The guide for lifting counts time with light work as recovery, too.",
        source="NIOSH 94-110, revision of September 2021 (lifting); other repeated work: own heuristic.",
    ),
    "load_above_habit": _Rule(
        kind="easier_days",
        text="Make the next days easier until a week is again about what you are used to; then add a little at a time.",
        because="It is more than you are used to; what that means for you, nobody can tell from a number.",
        source="Own heuristic; no threshold of load is validated for a person (Impellizzeri 2020, Sports Med).",
    ),
    "low_hrv": _Rule(
        kind="easy_day",
        text="Train easy or rest, until your mornings are back in your usual range.",
        because="Where training was guided by such mornings, a low week was answered with an easy day or rest.",
        source="Plews 2014 and Javaloyes 2019 (endurance athletes); for other training: own heuristic.",
    ),
    "stroke_count": _Rule(
        kind="usual_count",
        text="Go back to your usual number of swings or throws for some days, then build up in small steps.",
        because="No count is known that holds for everybody, so your own days of play are the measure.",
        source="Own heuristic: no validated limit of swings or strokes is known.",
    ),
    "pitch_count": _Rule(
        kind="pitch_rest",
        text="Do not pitch until the days of rest for your count and age are over, and stay below the day's maximum.",
        because="The guideline goes by age, and counts whole days without pitching.",
        source="Pitch Smart, MLB and USA Baseball; the stricter row where its sheets differ.",
    ),
    "degrading_movement": _Rule(
        kind="shorter_sets",
        text="End a set once it gets clearly slower or smaller, and take a longer pause before the next one.",
        because="The end of a set differed from its beginning.",
        source="Pareja-Blanco 2017 (velocity loss of 20 % in strength work); other movement: own heuristic.",
    ),
}
REST_KINDS = frozenset({*_RULES, "heavy_back_days"})
# Findings that a coach should see, and that nothing here answers.
SHOWN_ONLY_KINDS = frozenset({"pain_with_movement"})


def is_deload_week(week: int) -> bool:
    """Tell whether a week of the program, counted from 1, is a lighter one. Source: own heuristic, every 4th week."""
    return week >= 1 and week % DELOAD_EVERY_WEEKS == 0


def rest(needs: Sequence[Need], weeks: int) -> tuple[RestRule, ...]:
    """Return the rest that goes with a program of so many weeks, in the order to show.

    Bending needs bring a short break and a lighter day; the needs of REST_KINDS bring their own rule, each once, the
    heaviest need first. A program of 4 weeks and more that has exercises brings a lighter week. No need, no rule.
    Source: McGill & Brown 1992, Andersen 2017, own heuristics; each rule names its own.
    """
    rules: dict[str, RestRule] = {}
    ordered = sorted(needs, key=lambda need: (-need.weight, need.kind, need.because))
    bending = [need for need in ordered if need.kind in BENDING_KINDS]
    if bending:
        rules |= {rule.kind: rule for rule in (_micro_break(bending[0]), _lighter_day(bending[0]))}
    for need in ordered:
        if need.kind in REST_KINDS:
            rule = _lighter_day(need) if need.kind == "heavy_back_days" else _RULES[need.kind].for_need(need)
            rules.setdefault(rule.kind, rule)
    if any(need.kind not in REST_KINDS for need in needs) and weeks >= DELOAD_EVERY_WEEKS:
        rules["deload_week"] = _deload_week()
    return tuple(rules.values())


@dataclass(frozen=True, slots=True)
class SeenMinute:
    """What a wearable saw of one minute. minute: its number on a line of minutes; missing ones were not seen.

    repeated: bending, turning or swinging again and again. still: none of it, and upright or lying.
    """

    minute: int
    repeated: bool
    still: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """Rests of a day. asked: how many the work asked for. seen: of them, how many the wearable saw taken."""

    asked: int
    seen: int


def credit_rest(rule: RestRule, minutes: Sequence[SeenMinute]) -> Credit:
    """Return how many rests the work asked for and how many of them were seen: rest that was seen counts as taken.

    Each `after_min` minutes of repeated work ask for one; `rest_min` still minutes in a row take it, and the work
    counts anew. Rest that comes before it is asked for is as good: the work counts anew, nothing is asked. Minutes that
    were not seen are neither work nor rest; so many of them in a row as a rest is long may have been one, so the work
    counts anew, too. Raises ProgramError for a rule without minutes, or minutes out of order. Source: own heuristic.
    """
    if rule.rest_min is None or rule.after_min is None:
        raise ProgramError(f"Rest of the kind '{rule.kind}' has no minutes that a wearable could see.")
    asked = seen = worked = still = waiting = 0
    before: int | None = None
    for one in minutes:
        if before is not None and one.minute <= before:
            raise ProgramError(f"Minute {one.minute} comes after minute {before}; give them in order of time.")
        unseen = 0 if before is None else one.minute - before - 1
        before = one.minute
        if unseen:
            still = 0
        if unseen >= rule.rest_min:
            worked = waiting = 0
        still = still + 1 if one.still else 0
        worked += one.repeated
        if worked == rule.after_min:
            asked, waiting, worked = asked + 1, 1, 0
        if still == rule.rest_min:
            seen, waiting, worked = seen + waiting, 0, 0
    return Credit(asked, seen)


def _micro_break(need: Need) -> RestRule:
    return RestRule(
        kind="micro_break",
        text=(
            f"After about {MICRO_BREAK_AFTER_MIN} minutes of bending again and again, stand tall and walk for "
            f"{MICRO_BREAK_MIN} minutes before going on."
        ),
        because=(
            f"{need.because} After much bending, the tissues of the back take some minutes to get their firmness back."
        ),
        source=(
            "McGill & Brown 1992, Clin Biomech 7:43 (after 20 minutes of full bending about half of the stiffness was "
            f"back after {MICRO_BREAK_MIN} minutes); carrying it over to repeated bending and the "
            f"{MICRO_BREAK_AFTER_MIN} minutes: own heuristic."
        ),
        rest_min=MICRO_BREAK_MIN,
        after_min=MICRO_BREAK_AFTER_MIN,
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
        after_days=MAX_DAYS_IN_A_ROW,
    )


def _deload_week() -> RestRule:
    return RestRule(
        kind="deload_week",
        text=f"Week {DELOAD_EVERY_WEEKS} is lighter: the same exercises with about half of the repetitions.",
        because="A planned easier week gives your body time to take up the work of the weeks before.",
        source="Own heuristic: every 4th week at 50 to 60 % of the volume is common practice; no trial is behind it.",
    )
